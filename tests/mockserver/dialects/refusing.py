"""Requests that a provider refuses, for the tests of each dialect."""

from __future__ import annotations

import json
from typing import Any

from mockserver.backend import Backend, Settings
from mockserver.cassettes.cassette import Request
from mockserver.dialects import Dialect, Objection, Sent, find_dialect, said


def sent(dialect: Dialect, body: Any, path: str) -> Sent:
    """Return a request; ``body`` is bytes, or a JSON value."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(method="POST", uri=f"http://provider{path}", headers=(), body=raw)
    return Sent(request, None)


def objections(name: str, body: Any, path: str) -> list[Objection]:
    """Return what the provider refuses about a body; a server answers with the first of it."""
    dialect = find_dialect(name)
    asked = sent(dialect, body, path)
    found = list(said(dialect, lambda refusals: tuple(refusals.objections(asked))))
    if found:
        answer = Backend(Settings()).answer(asked.request, 0.0).exchange.schedule
        assert answer.status == found[0].error.status
        assert _message(json.loads(answer.body)) == found[0].error.message
    return found


def _message(answer: Any) -> Any:
    """Return the message of an error, wherever the provider has it."""
    error = answer.get("error", answer)
    return error if isinstance(error, str) else error["message"]
