"""Writes Gemini's error bodies.

Source: https://ai.google.dev/gemini-api/docs/troubleshooting, google.rpc's error details, and
recorded errors. There is no header with an id or a wait: the wait is a ``RetryInfo``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from mockserver.cassettes.cassette import Response
from mockserver.dialects.dialect import UnwritableError
from mockserver.dialects.writing import whole
from mockserver.vocabulary.failure import ErrorClass, ErrorInfo
from mockserver.vocabulary.model import Json, JsonObject

#: HTTP status and Google's name of it, by class.
_STATUSES: Mapping[ErrorClass, int] = {
    ErrorClass.AUTHENTICATION: 401,
    ErrorClass.PERMISSION: 403,
    ErrorClass.MODEL_NOT_FOUND: 404,
    ErrorClass.INVALID_REQUEST: 400,
    ErrorClass.CONTEXT_LENGTH: 400,
    ErrorClass.PAYLOAD_TOO_LARGE: 413,
    ErrorClass.CONTENT_FILTERED: 400,
    ErrorClass.RATE_LIMIT: 429,
    ErrorClass.OVERLOADED: 503,
    ErrorClass.TIMEOUT: 504,
    ErrorClass.CANCELLED: 499,
}
_NAMES: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_TYPE = "type.googleapis.com/google.rpc."
#: What classes say that share a status with others, besides the message.
_HINTS: Mapping[ErrorClass, str] = {
    ErrorClass.CONTEXT_LENGTH: "The input token count exceeds the maximum number of tokens allowed",
}
#: The headers of every answer.
HEADERS = (("vary", "Origin, X-Origin, Referer"), ("x-content-type-options", "nosniff"))


def write_error(error: ErrorInfo, *, streamed: bool) -> Response:
    """Return the answer with an error status; of a stream it has the content type of streams.

    Raises :class:`UnwritableError` for a spent quota: Google says the same of it as of a rate
    limit.
    """
    if error.error_class is ErrorClass.QUOTA_EXHAUSTED:
        raise UnwritableError("Gemini has no error for a spent quota but that of a rate limit")
    return pretty(error_body(error), status=_status(error), streamed=streamed)


def error_body(error: ErrorInfo) -> JsonObject:
    """Return the body of an error, which is also how one arrives in a stream."""
    status = _status(error)
    message = error.message
    hint = _HINTS.get(error.error_class)
    if hint and hint.lower() not in message.lower():
        message = f"{hint}. {message}"
    body: JsonObject = {"code": status, "message": message, "status": _NAMES.get(status, "UNKNOWN")}
    if details := _details(error):
        body["details"] = details
    return {"error": body}


def pretty(value: Json, *, status: int = 200, streamed: bool = False) -> Response:
    """Make an answer that is one JSON value, printed over many lines as Google does."""
    kind = "text/event-stream" if streamed else "application/json; charset=UTF-8"
    answer = whole(value, status=status)
    body = json.dumps(value, ensure_ascii=True, indent=2).encode() + b"\n"
    return replace(answer, headers=(("content-type", kind), *HEADERS), body=body)


def _status(error: ErrorInfo) -> int:
    known = _STATUSES.get(error.error_class, 500)
    return error.status if error.status is not None and error.status >= 400 else known


def _details(error: ErrorInfo) -> list[JsonObject]:
    details: list[JsonObject] = []
    if error.error_class is ErrorClass.AUTHENTICATION:
        details.append(
            {
                "@type": f"{_TYPE}ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": "generativelanguage.googleapis.com"},
            }
        )
    if error.retry_after is not None:
        details.append({"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{error.retry_after:g}s"})
    return details
