"""The server's own answers: those of its control interface, and errors.

All are JSON that the providers' SDKs show to their users, with a status that they do not
retry (they retry 408, 409, 425, 429 and 5xx).
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from aiohttp import web

from mockserver.library.refusal import RefusalError


def refusal_response(refusal: RefusalError) -> web.Response:
    """Return the HTTP response for a refusal."""
    response = web.Response(
        body=refusal_text(refusal), status=refusal.status, content_type="application/json"
    )
    # Known to the official OpenAI and Anthropic SDKs.
    response.headers["x-should-retry"] = "false"
    if refusal.last:
        response.force_close()
    return response


def refusal_message(refusal: RefusalError, reason: str | None = None) -> bytes:
    """Return the whole response for a refusal, after which the connection is closed.

    ``reason`` is the phrase in its first line: all that some clients show of a proxy's answer.
    """
    text = refusal_text(refusal)
    head = f"HTTP/1.1 {refusal.status} {reason or HTTPStatus(refusal.status).phrase}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + text


def refusal_text(refusal: RefusalError) -> bytes:
    """Return the body of the response for a refusal."""
    error = {"type": f"tapecheck_{refusal.kind}", "message": f"tapecheck: {refusal.message}"}
    return _text({"type": "error", "error": error | refusal.details})


def json_response(data: Any, *, status: int = 200) -> web.Response:
    """Return a JSON answer, readable in a terminal."""
    return web.Response(body=_text(data), status=status, content_type="application/json")


def _text(data: Any) -> bytes:
    return (json.dumps(data, indent=2) + "\n").encode()
