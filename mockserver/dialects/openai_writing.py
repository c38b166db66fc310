"""What the writers of OpenAI's APIs share: ids, headers, token counts and errors. Pure.

The error forms are those of https://platform.openai.com/docs/guides/error-codes, and of recorded
errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mockserver.cassettes.cassette import Headers, Response
from mockserver.dialects.dialect import UnwritableError
from mockserver.dialects.writing import digest, id_beside, retry_after, whole
from mockserver.vocabulary.failure import ErrorClass, ErrorInfo
from mockserver.vocabulary.model import AssistantTurn, Json, JsonObject, Usage

#: When every written answer was made, in epoch seconds: what is written depends on the turn alone.
CREATED = 1763712000


@dataclass(frozen=True, slots=True)
class _Form:
    status: int
    type: str
    code: str | None = None
    param: str | None = None


_FORMS: Mapping[ErrorClass, _Form] = {
    ErrorClass.AUTHENTICATION: _Form(401, "invalid_request_error", "invalid_api_key"),
    ErrorClass.PERMISSION: _Form(403, "request_forbidden", "unsupported_country_region_territory"),
    ErrorClass.MODEL_NOT_FOUND: _Form(404, "invalid_request_error", "model_not_found"),
    ErrorClass.INVALID_REQUEST: _Form(400, "invalid_request_error"),
    ErrorClass.CONTEXT_LENGTH: _Form(400, "invalid_request_error", "context_length_exceeded"),
    ErrorClass.PAYLOAD_TOO_LARGE: _Form(413, "invalid_request_error"),
    ErrorClass.CONTENT_FILTERED: _Form(400, "invalid_request_error", "content_policy_violation"),
    ErrorClass.QUOTA_EXHAUSTED: _Form(429, "insufficient_quota", "insufficient_quota"),
    ErrorClass.RATE_LIMIT: _Form(429, "requests", "rate_limit_exceeded"),
    ErrorClass.OVERLOADED: _Form(503, "server_error", "server_is_overloaded"),
    ErrorClass.SERVER_ERROR: _Form(500, "server_error"),
    ErrorClass.TIMEOUT: _Form(504, "timeout_error"),
    ErrorClass.STREAM_ERROR: _Form(500, "server_error"),
}
#: Classes of which every status of the same kind is one, so that the status of an error is kept.
_VAGUE = frozenset({ErrorClass.INVALID_REQUEST, ErrorClass.SERVER_ERROR})
#: What each count is called below the name of its object: ``prompt`` or ``input`` tokens.
_DETAILS: Mapping[str, tuple[int, str]] = {
    "cache_read_input_tokens": (0, "cached_tokens"),
    "cache_creation_input_tokens": (0, "cache_write_tokens"),
    "reasoning_tokens": (1, "reasoning_tokens"),
}


def error_object(error: ErrorInfo) -> JsonObject:
    """Return the object that describes an error in a body and in a stream.

    Raises :class:`UnwritableError` for one that a client finds by itself.
    """
    form = _form(error)
    return {"message": error.message, "type": form.type, "param": form.param, "code": form.code}


def error_answer(error: ErrorInfo) -> Response:
    """Return the answer with an error status. Raises as :func:`error_object` does."""
    form = _form(error)
    status = error.status if error.error_class in _VAGUE and error.status else form.status
    request_id = error.request_id or "req_" + digest(error.message, length=32)
    headers = (*_headers(request_id), *retry_after(error.retry_after))
    return whole({"error": error_object(error)}, status=status, headers=headers)


def headers_of(turn: AssistantTurn) -> Headers:
    """Return the headers of an answer."""
    return _headers(id_beside("req_" + "#" * 32, turn, "request"))


def request_headers(*things: object) -> Headers:
    """Return the headers of an answer whose id depends on the things alone."""
    return _headers("req_" + digest(*things, length=32))


def wants_usage(stream_options: Json) -> bool:
    """Return whether the options of a stream ask for its token counts."""
    return isinstance(stream_options, dict) and bool(stream_options.get("include_usage"))


def usage_object(usage: Usage, given: str, made: str) -> JsonObject:
    """Return the token counts that are known; ``given`` and ``made`` are the API's names for them.

    The API always sends a total, so a missing one is added up.
    """
    known = (usage.input_tokens, usage.output_tokens)
    total = usage.total_tokens
    if total is None and None not in known:
        total = sum(count or 0 for count in known)
    details: tuple[JsonObject, JsonObject] = ({}, {})
    for name, (side, field) in _DETAILS.items():
        if (count := getattr(usage, name)) is not None:
            details[side][field] = count
    found = {
        given: usage.input_tokens,
        f"{given}_details": details[0] or None,
        made: usage.output_tokens,
        f"{made}_details": details[1] or None,
        "total_tokens": total,
    }
    return {name: value for name, value in found.items() if value is not None}


def _form(error: ErrorInfo) -> _Form:
    form = _FORMS.get(error.error_class)
    if form is None:
        raise UnwritableError(f"{error.error_class} is what a client finds, no server says it")
    return form


def _headers(request_id: str) -> Headers:
    return (
        ("openai-processing-ms", "312"),
        ("openai-version", "2020-10-01"),
        ("x-request-id", request_id),
    )
