"""The body of a recorded request, which every dialect reads as one JSON object. Pure."""

from __future__ import annotations

import json

from mockserver.cassettes.cassette import Request
from mockserver.dialects.dialect import UnreadableRequestError
from mockserver.vocabulary.model import JsonObject


def body_of(request: Request) -> JsonObject:
    """Return the object that a request sends. Raises :class:`UnreadableRequestError`."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise UnreadableRequestError("the recorded request body is not JSON") from None
    if not isinstance(body, dict):
        raise UnreadableRequestError("the recorded request body is not a JSON object")
    return body
