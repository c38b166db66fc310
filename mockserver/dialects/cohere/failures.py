"""Writes Cohere's HTTP errors: a status, and a body with an id and a message. Pure.

Source: https://docs.cohere.com/reference/errors, whose wording of each cause is used, and
cohere-ai/cohere-developer-experience#189 for 498 and 499.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from mockserver.cassettes.cassette import Response
from mockserver.dialects.writing import digest, retry_after, whole
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorClass, ErrorInfo


@dataclass(frozen=True, slots=True)
class _Kind:
    """An error: its status, what its message begins with, and the words that say the same."""

    status: int
    begins: str
    words: str = ""


_KINDS: Mapping[ErrorClass, _Kind] = {
    ErrorClass.AUTHENTICATION: _Kind(401, "invalid api token"),
    ErrorClass.PERMISSION: _Kind(403, "your api key has no access to this resource"),
    ErrorClass.MODEL_NOT_FOUND: _Kind(
        404,
        "model '{model}' not found, make sure the correct model ID was used and that you have"
        " access to the model.",
        "model.*not found",
    ),
    ErrorClass.INVALID_REQUEST: _Kind(400, "invalid request"),
    ErrorClass.INVALID_TOOL_ARGUMENTS: _Kind(400, "invalid request"),
    ErrorClass.CONTEXT_LENGTH: _Kind(400, "too many tokens", "too many tokens"),
    ErrorClass.PAYLOAD_TOO_LARGE: _Kind(413, "the request body is too large"),
    ErrorClass.CONTENT_FILTERED: _Kind(498, "the request was blocked by the usage guidelines"),
    ErrorClass.CANCELLED: _Kind(499, "request cancelled"),
    ErrorClass.QUOTA_EXHAUSTED: _Kind(402, "the account has reached its billing limit"),
    ErrorClass.RATE_LIMIT: _Kind(
        429, "You are past the per minute request limit, please wait and try again later."
    ),
    ErrorClass.OVERLOADED: _Kind(503, "the service is unavailable, please try again later"),
    ErrorClass.TIMEOUT: _Kind(504, "the request timed out"),
}
_OTHER = _Kind(500, "internal server error, this has been reported to our developers.")


def write_error(error: ErrorInfo, call: NeutralCall) -> Response:
    """Return the answer for an error. Its message names the cause, as Cohere's do."""
    kind = _KINDS.get(error.error_class, _OTHER)
    begins = kind.begins.replace("{model}", call.model)
    message = error.message or begins
    if not re.search(kind.words, message, re.I | re.S):
        message = f"{begins}: {message}"
    seed = digest(kind.status, message, call.model, length=64)
    body = {"id": str(uuid.UUID(hex=seed[:32], version=4)), "message": message}
    headers = (("x-debug-trace-id", seed[32:]), *retry_after(error.retry_after))
    return whole(body, status=kind.status, headers=headers)
