"""The page under ``/__tapecheck/`` on which people watch the server, and its data.

The page has no build step and loads nothing from elsewhere. Its data come in JSON, and everything
that a client sent is put into the page as text.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

from aiohttp import web

from mockserver.backend import Given
from mockserver.backend.verdict import Verdict
from mockserver.library.outcome import Outcome
from mockserver.library.refusal import RefusalError
from mockserver.secrets import find
from mockserver.serving.journal import Journal, Record
from mockserver.serving.responses import json_response
from mockserver.serving.sessions import LiveSession
from mockserver.wire.schedule import Ending, Schedule, split_at

#: The files of the page, with their types.
_FILES = {
    "": ("watch.html", "text/html"),
    "watch.css": ("watch.css", "text/css"),
    "watch.js": ("watch.js", "text/javascript"),
}
#: Nothing is loaded from elsewhere, and no text of a client can become a script.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:"
)
#: How many requests are listed at once, and how many events of an answer.
_REQUESTS, _EVENTS = 300, 1000
#: How much of an event is shown, in characters.
_TEXT = 2000


class Watched(Protocol):
    """What the page shows: the application of the server."""

    @property
    def sessions(self) -> Mapping[str, LiveSession]:
        """The open sessions by id."""

    @property
    def journal(self) -> Journal:
        """All requests so far."""

    def verdict(self, session: str | None = None) -> Verdict:
        """Judge the client of a session; an empty name is for requests without one."""


def page(name: str) -> web.Response | None:
    """Return a file of the page; ``None`` if there is none of that name."""
    if name not in _FILES:
        return None
    file, kind = _FILES[name]
    headers = {"content-security-policy": _POLICY, "cache-control": "no-cache"}
    return web.Response(text=_read(file), content_type=kind, charset="utf-8", headers=headers)


@cache
def _read(file: str) -> str:
    return (files("mockserver.serving") / "pages" / file).read_text(encoding="utf-8")


def watched(app: Watched, query: Mapping[str, str], origin: str) -> web.Response:
    """Return the sessions and the requests from a number on, or the verdict of a session."""
    if "verdict" in query:
        name = query["verdict"]
        if name and name not in app.sessions:
            raise RefusalError(404, "unknown_session", f"no session {name!r} is open")
        verdict = app.verdict(name)
        return json_response({"verdict": verdict.text, "failed": verdict.failed})
    first = _number(query.get("from", "0"))
    records = app.journal.records
    found = [record for record in records if record.number >= first][-_REQUESTS:]
    places = {
        record.number: place
        for live in app.sessions.values()
        for place, record in live.journal.numbered
    }
    return json_response(
        {
            "sessions": [{"id": key, "name": live.name} for key, live in app.sessions.items()],
            "requests": [_brief(record, places) for record in found],
            "first": records[0].number if records else 0,
            "how": f"export OPENAI_BASE_URL={origin}/v1\nexport ANTHROPIC_BASE_URL={origin}",
        }
    )


def request(app: Watched, text: str) -> web.Response:
    """Return one request with the events of its answer."""
    number = _number(text)
    for record in app.journal.records:
        if record.number == number:
            schedule = record.found.exchange.schedule if record.found else None
            return json_response(
                {
                    **record.to_json(),
                    "events": list(_events(schedule, record)) if schedule else [],
                    "fault": _fault(record, schedule),
                }
            )
    raise RefusalError(404, "unknown_request", f"no request {number} is in the journal")


def _fault(record: Record, schedule: Schedule | None) -> str | None:
    """Return in words what interrupts an answer, if something does."""
    if isinstance(record.found, Given) and record.found.broken is not None:
        return str(record.found.broken)
    if schedule is None or schedule.ending is Ending.FINISH:
        return None
    return str(schedule.ending)


def _brief(record: Record, places: Mapping[int, int]) -> dict[str, Any]:
    """Return what a list shows. ``place`` is the number that the verdict of its session says."""
    wanted = ("number", "session", "method", "path", "status", "answer", "note", "outcome")
    data = record.to_json()
    place = places.get(record.number, record.number)
    return {**{name: data[name] for name in (*wanted, "arrived", "ended")}, "place": place}


def _events(schedule: Schedule, record: Record) -> Iterator[dict[str, Any]]:
    """Yield the pieces of an answer, event by event where it is a stream.

    ``sent`` says which of them were sent so far; while an answer is played, by their times.
    """
    entry = record.entry
    playing = None
    if entry.outcome is Outcome.ANSWERING and entry.began is not None:
        playing = (time.monotonic() - entry.began) * 1000 + schedule.headers_ms
    pieces: Sequence[Any] = schedule.sends
    if schedule.header("content-encoding") is None:
        pieces = split_at(schedule, schedule.plain.event_ends).sends
    done = 0
    for piece in pieces[:_EVENTS]:
        done += len(piece.data)
        text = find.mask(piece.data.decode(errors="replace"))
        yield {
            "at_ms": piece.at_ms,
            "bytes": len(piece.data),
            "text": text if len(text) <= _TEXT else f"{text[:_TEXT]} …",
            "sent": done <= entry.sent if playing is None else piece.at_ms <= playing,
        }


def _number(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return int(text)
    raise RefusalError(400, "bad_request", f"not the number of a request: {text!r:.40}")
