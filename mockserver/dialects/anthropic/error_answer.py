"""Writes errors as the Messages API does.

Source: https://platform.claude.com/docs/en/api/errors and the error types of the SDK
``anthropic``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mockserver.cassettes.cassette import Response
from mockserver.dialects.writing import digest, retry_after, whole
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorClass, ErrorInfo
from mockserver.vocabulary.model import JsonObject

#: Status and type of each class that the API has an error for, and a text that it may have.
_ERRORS: Mapping[ErrorClass, tuple[int, str, str]] = {
    ErrorClass.AUTHENTICATION: (401, "authentication_error", "invalid x-api-key"),
    ErrorClass.PERMISSION: (403, "permission_error", "Your key may not use this resource."),
    ErrorClass.MODEL_NOT_FOUND: (404, "not_found_error", "model: {model}"),
    ErrorClass.INVALID_REQUEST: (400, "invalid_request_error", "The request is invalid."),
    ErrorClass.CONTEXT_LENGTH: (
        400,
        "invalid_request_error",
        "prompt is too long: 200001 tokens > 200000 maximum",
    ),
    ErrorClass.PAYLOAD_TOO_LARGE: (
        413,
        "request_too_large",
        "Request exceeds the maximum size",
    ),
    ErrorClass.CONTENT_FILTERED: (
        400,
        "invalid_request_error",
        "Output blocked by content filtering policy",
    ),
    ErrorClass.QUOTA_EXHAUSTED: (
        402,
        "billing_error",
        "Your credit balance is too low to access the API.",
    ),
    ErrorClass.RATE_LIMIT: (
        429,
        "rate_limit_error",
        "This request would exceed your rate limit.",
    ),
    ErrorClass.OVERLOADED: (529, "overloaded_error", "Overloaded"),
    ErrorClass.SERVER_ERROR: (500, "api_error", "Internal server error"),
    ErrorClass.TIMEOUT: (504, "timeout_error", "Request timed out"),
}
#: How messages begin that alone tell the cause, since the type is that of any bad request.
_BEGINNINGS: Mapping[ErrorClass, str] = {
    ErrorClass.CONTEXT_LENGTH: "prompt is too long",
    ErrorClass.CONTENT_FILTERED: "Output blocked by content filtering policy",
}
_NOT_FOUND = 404
#: What the API says where nobody knows more.
_OTHER = _ERRORS[ErrorClass.SERVER_ERROR]
_TYPES = frozenset({kind for _, kind, _ in _ERRORS.values()})


def write_error(error: ErrorInfo, call: NeutralCall) -> Response:
    """Return the answer with the status of an error."""
    status, _, message = _ERRORS.get(error.error_class, _OTHER)
    if not error.message:
        error = replace(error, message=message.format(model=call.model))
    request_id = "req_011C" + digest(error, call, length=20)
    status = status if error.status is None else error.status
    retryable = "true" if error.retryable else "false"
    return whole(
        error_body(error, request_id),
        status=status,
        headers=(
            ("request-id", error.request_id or request_id),
            ("x-should-retry", retryable),
            *retry_after(error.retry_after),
        ),
    )


def error_body(error: ErrorInfo, request_id: str) -> JsonObject:
    """Return the body of an error, which is also the event of one in a stream."""
    _, kind, message = _ERRORS.get(error.error_class, _OTHER)
    if error.code in _TYPES:
        kind = error.code
    elif error.status == _NOT_FOUND:
        kind = "not_found_error"
    message = error.message or message
    beginning = _BEGINNINGS.get(error.error_class, "")
    if beginning.lower() not in message.lower():
        message = f"{beginning}: {message}"
    return {
        "type": "error",
        "error": {"type": kind, "message": message},
        "request_id": error.request_id or request_id,
    }
