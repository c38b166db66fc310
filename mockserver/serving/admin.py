"""Administration over HTTP, under ``/__tapecheck/``. :data:`ROUTES` lists what there is."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from aiohttp import web

from mockserver.backend import Backend
from mockserver.backend.verdict import Verdict
from mockserver.errors import CassetteError, SessionError
from mockserver.library.library import Library
from mockserver.library.lookup import broken
from mockserver.library.refusal import RefusalError
from mockserver.library.session import Exchange, exchanges
from mockserver.serving import control, watching
from mockserver.serving.journal import Journal
from mockserver.serving.responses import json_response
from mockserver.serving.sessions import LiveSession, answering
from mockserver.wire import axes, faults

PREFIX = "/__tapecheck/"
#: Each route with what it does, as ``GET /__tapecheck/`` tells programs.
ROUTES: Mapping[str, str] = {
    "GET /": "a page for people that shows all of this; this list for programs",
    "GET health": "the server's state, and which cassettes are broken",
    "GET cassettes": "all cassettes with their number of interactions",
    "GET journal": "all requests, with credentials replaced",
    "GET verdict": "the verdict on all requests: 200, or 422 for a failure; ?format=text",
    "POST answers": "add answers for requests without a session: {answers, limits?, only?}",
    "POST reset": "close all sessions, forget the journal, list the library",
    "GET sessions": "the open sessions",
    "POST sessions": "open one: {answers?, limits?, only?, seed?, fail?, pace?, …}, or "
    "{cassette, axes?, seed?, fault?}",
    "GET sessions/<id>": "one session: its requests and what is unplayed",
    "DELETE sessions/<id>": "close it, and get its verdict",
    "POST sessions/<id>/answers": "add answers",
    "GET sessions/<id>/asked": "its requests, what they ask for, and their times",
    "GET sessions/<id>/verdict": "its verdict: 200, or 422 for a failure; ?format=text",
    "POST sessions/<id>/calls": "the requests from now on are one call",
    "DELETE sessions/<id>/calls": "they are calls of their own again",
    "POST sessions/<id>/statements": "say of the application: {answer?, cancelled?, timeout?, "
    "excuses?}",
    "POST sessions/<id>/reset": "forget answers, requests and statements",
    "POST sessions/<id>/release": "open a gate of the session: {name}",
    "GET watch": "sessions and requests for the page: ?from=N, ?verdict=ID",
    "GET watch/<number>": "one request with the events of its answer",
}


class Administered(Protocol):
    """What can be administered: the application of the server."""

    @property
    def library(self) -> Library:
        """The cassettes that it serves."""

    @property
    def sessions(self) -> Mapping[str, LiveSession]:
        """The open sessions by id."""

    @property
    def journal(self) -> Journal:
        """All requests so far."""

    @property
    def backend(self) -> Backend | None:
        """What answers requests without a session."""

    def open_session(
        self, exchanges: Sequence[Exchange], name: str, *, backend: Backend | None = None
    ) -> LiveSession:
        """Open a session. Raises :class:`SessionError`."""

    def close_session(self, session_id: str) -> None:
        """Close a session."""

    def verdict(self, session: str | None = None) -> Verdict:
        """Judge the client of a session; an empty name is for requests without one."""

    async def reset(self) -> None:
        """Close all sessions, forget the journal and list the library again."""


async def answer(
    app: Administered, request: web.BaseRequest, path: str, body: bytes
) -> web.Response:
    """Answer an administration request. Raises :class:`RefusalError`."""
    name = path.removeprefix(PREFIX)
    if request.method == "GET" and (file := watching.page(name)) and _is_for_people(request, name):
        return file
    match request.method, *name.rstrip("/").split("/"):
        case "GET", "":
            return json_response({"routes": ROUTES})
        case "GET", "health":
            return json_response(_health(app))
        case "GET", "cassettes":
            return json_response(await _cassettes(app))
        case "GET", "sessions":
            return json_response([_session(live, request) for live in app.sessions.values()])
        case "POST", "sessions":
            live = await _open(app, body)
            made = _session(live, request)
            return json_response(made | control.opened(live, made["url"]), status=201)
        case method, "sessions", session_id, *rest:
            live = _find(app, session_id)
            found = await _of_session(app, live, request, [method, *rest], body)
            if found is not None:
                return found
        case "POST", "answers":
            return await control.add(app, app.backend, body)
        case "GET", "verdict":
            return control.verdict(app.verdict(), request.query)
        case "GET", "watch":
            origin = f"{request.scheme}://{request.host}"
            return watching.watched(app, request.query, origin)
        case "GET", "watch", number:
            return watching.request(app, number)
        case "GET", "journal":
            return web.Response(body=_journal(app), content_type="application/json")
        case "POST", "reset":
            await app.reset()
            return json_response(_health(app))
    raise RefusalError(
        404, "unknown_route", f"no route {request.method} {path}; GET {PREFIX} lists them"
    )


async def _of_session(
    app: Administered, live: LiveSession, request: web.BaseRequest, asked: list[str], body: bytes
) -> web.Response | None:
    """Answer a request about one session: its method and the path behind it."""
    match asked:
        case ["GET"]:
            entries = [await asyncio.to_thread(r.to_json) for r in live.journal.records]
            return json_response({**_session(live, request), "journal": entries})
        case ["DELETE"]:
            verdict = live.verdict()
            app.close_session(live.session.id)
            return json_response({"closed": live.session.id, "verdict": verdict.to_json()})
        case ["POST", "answers"]:
            return await control.add(app, live.backend, body)
        case ["GET", "asked"]:
            return await control.asked(live)
        case ["GET", "verdict"]:
            return control.verdict(live.verdict(), request.query)
        case ["POST", "calls"]:
            return control.begin_call(live)
        case ["DELETE", "calls"]:
            return control.end_call(live)
        case ["POST", "statements"]:
            return control.state(live, body)
        case ["POST", "reset"]:
            live.reset()
            return json_response(_session(live, request))
        case ["POST", "release"]:
            name = _text(_object(body, {"name"}), "name")
            live.release(name)
            return json_response({"released": name})
    return None


def _is_for_people(request: web.BaseRequest, name: str) -> bool:
    """Return whether a browser asks: programs get JSON at the same address."""
    return bool(name) or "text/html" in request.headers.get("accept", "")


async def _journal(app: Administered) -> AsyncIterator[bytes]:
    """Yield the journal entry by entry: as a whole, it may be too large for the memory."""
    before = "[\n"
    for record in app.journal.records:
        # Other requests go on meanwhile.
        entry = await asyncio.to_thread(record.to_json)
        yield (before + json.dumps(entry, indent=2)).encode()
        before = ",\n"
    yield b"[]\n" if before == "[\n" else b"\n]\n"


def _health(app: Administered) -> dict[str, Any]:
    return {
        "status": "ok",
        "cassettes": len(app.library.paths),
        "broken": {name: str(error) for name, error in app.library.problems.items()},
        "sessions": len(app.sessions),
        "requests": len(app.journal.records),
    }


async def _cassettes(app: Administered) -> list[dict[str, Any]]:
    index = await asyncio.to_thread(app.library.build_index)
    counts = Counter(location.name for location in index.locations)
    broken_ones = app.library.problems
    return [
        {
            "name": name,
            "interactions": counts[name],
            "error": str(broken_ones[name]) if name in broken_ones else None,
        }
        for name in app.library.paths
    ]


def _session(live: LiveSession, request: web.BaseRequest) -> dict[str, Any]:
    session = live.session
    return {
        "id": session.id,
        "url": f"{request.scheme}://{request.host}/s/{session.id}",
        "cassette": live.name,
        "exchanges": len(session.exchanges),
        "unplayed": [" ".join(exchange.route) for exchange in session.unplayed],
    }


async def _open(app: Administered, body: bytes) -> LiveSession:
    """Open a session on a cassette, on answers, or on both: the cassette comes first."""
    wanted, place = control.session(body)
    backend = None
    if "cassette" not in wanted or wanted.keys() - {"cassette", "axes", "seed", "fault"}:
        backend = answering(await control.settings(app, wanted, place))
    played: Sequence[Exchange] = ()
    name = "answers"
    if "cassette" in wanted:
        name = _text(wanted, "cassette")
        played = await _played(app, name, wanted)
    try:
        return app.open_session(played, name, backend=backend)
    except SessionError as exc:
        raise RefusalError(400, "bad_request", str(exc)) from None


async def _played(app: Administered, name: str, wanted: dict[str, Any]) -> Sequence[Exchange]:
    chosen, seed, fault = wanted.get("axes", {}), wanted.get("seed", 0), wanted.get("fault")
    if not isinstance(chosen, dict) or not isinstance(seed, int):
        raise RefusalError(400, "bad_request", "'axes' must be an object, 'seed' an integer")
    try:
        opened = await asyncio.to_thread(app.library.open, name)
        return exchanges(
            opened.cassette,
            point=axes.point(chosen, seed),
            fault=None if fault is None else faults.parse(str(fault)),
        )
    except CassetteError as exc:
        raise broken(exc) from None
    except (SessionError, ValueError) as exc:
        raise RefusalError(400, "bad_request", str(exc)) from None


def _find(app: Administered, session_id: str) -> LiveSession:
    live = app.sessions.get(session_id)
    if live is None:
        raise RefusalError(
            404,
            "unknown_session",
            f"no session {session_id!r} is open; {PREFIX}sessions lists them",
        )
    return live


def _object(body: bytes, known: set[str]) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or not data.keys() <= known:
        expected = ", ".join(sorted(known))
        raise RefusalError(
            400, "bad_request", f"expected a JSON object with only these keys: {expected}"
        )
    return data


def _text(data: dict[str, Any], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str):
        raise RefusalError(400, "bad_request", f"{key!r} must be a string")
    return value
