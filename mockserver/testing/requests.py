"""The requests of an application, as a test reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mockserver.backend import Seen
from mockserver.vocabulary.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedRequest:
    """One request of the application.

    ``text`` is the last message of the user, empty for what is no conversation; ``tools`` are the
    names of those that are offered. ``body`` is JSON, or bytes where it is none. ``waited`` is how
    many seconds lie between the end of the answer before and this request; ``None`` for the first.
    ``answer`` says what it was answered: ``rule test_app.py:7``, ``synthesised``, ``refused``;
    ``None`` if it was not.
    """

    method: str
    path: str
    model: str | None
    text: str
    system: str
    tools: tuple[str, ...]
    stream: bool
    body: Any
    headers: dict[str, str] = field(repr=False)
    status: int | None
    answer: str | None
    waited: float | None


def requests_of(seen: Sequence[Seen]) -> list[AskedRequest]:
    """Return requests in their order."""
    found = []
    before: Seen | None = None
    for one in seen:
        found.append(_request(one, before))
        before = one
    return found


def _request(seen: Seen, before: Seen | None) -> AskedRequest:
    asked, body = seen.asked, _body(seen.request.body)
    named = body.get("model") if isinstance(body, dict) else None
    ended = None
    if before is not None:
        ended = before.began if before.ended is None else before.ended
    return AskedRequest(
        method=seen.request.method,
        path=seen.request.url.path,
        model=asked.call.model if asked else named if isinstance(named, str) else None,
        text=asked.question if asked else "",
        system=asked.system if asked else "",
        tools=tuple(tool.name for tool in asked.tools) if asked else (),
        stream=asked.call.stream if asked else False,
        body=body,
        headers={name.lower(): value for name, value in seen.request.headers},
        status=seen.schedule.status if seen.schedule else None,
        answer=seen.found.label if seen.found else None,
        waited=None if ended is None else max(0.0, seen.arrived - ended),
    )


def _body(body: bytes) -> Json | bytes:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body
