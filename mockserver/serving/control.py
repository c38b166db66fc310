"""Scripted sessions over HTTP: the control interface for tests in any language.

A body is the YAML of a script file as JSON, or that YAML itself, with the settings of the command
line beside its answers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from aiohttp import web

from mockserver.backend import SETTINGS, Backend, Settings, settings_of
from mockserver.backend.script import Script, in_words, rule_of, script_of, yaml_of
from mockserver.backend.script.cursor import Cursor, Open, Place
from mockserver.backend.verdict import Verdict
from mockserver.cassettes.yaml_reader import KeyPath
from mockserver.dialects import environment
from mockserver.errors import ScriptError, SessionError
from mockserver.library.library import Library
from mockserver.library.refusal import RefusalError
from mockserver.secrets import find
from mockserver.serving.journal import Record
from mockserver.serving.responses import json_response
from mockserver.serving.scripts import tapes_of
from mockserver.serving.sessions import LiveSession

_T = TypeVar("_T")

#: A longer body is not meant: scripts are written by people.
_LONGEST = 4 * 1024 * 1024
#: The words of a script.
_SCRIPT = ("answers", "limits", "only")
#: What says how a cassette is played.
_CASSETTE = ("cassette", "axes", "fault")
#: What the test may say of its application.
_STATEMENTS = ("answer", "cancelled", "timeout", "excuses")


class Controlled(Protocol):
    """What is controlled: the application of the server."""

    @property
    def library(self) -> Library:
        """The cassettes that it serves."""

    @property
    def backend(self) -> Backend | None:
        """What answers requests without a session."""


async def settings(app: Controlled, wanted: Mapping[str, Any], place: Place) -> Settings:
    """Return the settings of a session, with its script. Raises :class:`RefusalError`."""
    tapes = tapes_of(app.library)
    words = {name: value for name, value in wanted.items() if name in SETTINGS}

    def made() -> Settings:
        said = {name: value for name, value in wanted.items() if name in _SCRIPT}
        return settings_of(words, place, script_of(said, place, tapes))

    return await _checked(made)


async def add(app: Controlled, backend: Backend | None, body: bytes) -> web.Response:
    """Add answers to a session, or without one to the server."""
    if backend is None:
        raise RefusalError(
            400, "no_answers", "recordings only are played here; open a session with answers"
        )
    wanted, place = document(body, first=backend.script.count)
    tapes = tapes_of(app.library)
    script = await _checked(lambda: _script(wanted, place, tapes))
    backend.add(script)
    return json_response({"answers": backend.script.count}, status=201)


def _script(wanted: dict[str, Any], place: Place, tapes: Open) -> Script:
    """Read a script, or one answer alone."""
    if wanted.keys() & {*_SCRIPT} or not wanted:
        return script_of(wanted, place, tapes)
    return Script(rules=(rule_of(wanted, lambda path: place(("answers", 0, *path)), tapes),))


async def asked(live: LiveSession) -> web.Response:
    """Return the requests of a session, with credentials replaced, and what they ask for."""
    records = live.journal.numbered
    return json_response(await asyncio.to_thread(lambda: list(_asked(records))))


def _asked(records: Sequence[tuple[int, Record]]) -> Iterator[dict[str, Any]]:
    ended: float | None = None
    for number, record in records:
        seen = record.seen
        entry = record.to_json() | {"number": number, "call": seen.call}
        one = seen.asked
        if one is not None:
            tools = [tool.name for tool in one.tools]
            text = find.mask(one.question)
            entry |= {"model": one.call.model, "text": text, "tools": tools}
        entry["waited"] = None if ended is None else max(0.0, seen.arrived - ended)
        ended = seen.ended if seen.ended is not None else seen.began
        yield entry


def verdict(found: Verdict, query: Mapping[str, str]) -> web.Response:
    """Return a verdict: 200, or 422 for one that is red. ``?format=text`` is for people."""
    status = 422 if found.failed else 200
    kind = query.get("format", "json")
    if kind == "text":
        return web.Response(text=f"{found.text}\n", status=status)
    if kind != "json":
        raise RefusalError(400, "bad_request", f"unknown format {kind!r:.60}; known: json, text")
    return json_response(found.to_json() | {"text": found.text}, status=status)


def begin_call(live: LiveSession) -> web.Response:
    """Take the requests from now on for one call."""
    try:
        return json_response({"call": live.begin_call()}, status=201)
    except SessionError as exc:
        raise RefusalError(409, "call_open", str(exc)) from None


def end_call(live: LiveSession) -> web.Response:
    """Take the requests from now on for calls of their own."""
    ended = live.call
    live.end_call()
    return json_response({"ended": ended})


def state(live: LiveSession, body: bytes) -> web.Response:
    """Note what the test says of its application, and return the verdict so far."""
    wanted, _ = document(body)
    answer, timeout = wanted.get("answer"), wanted.get("timeout")
    cancelled, excuses = wanted.get("cancelled", False), wanted.get("excuses", {})
    if not wanted.keys() <= {*_STATEMENTS}:
        raise _bad(f"expected only these keys: {', '.join(_STATEMENTS)}")
    if not (answer is None or isinstance(answer, str)) or not isinstance(cancelled, bool):
        raise _bad("'answer' must be a text, 'cancelled' true or false")
    if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int | float)):
        raise _bad("'timeout' must be a number of seconds")
    if not isinstance(excuses, dict) or not all(isinstance(v, str) for v in excuses.values()):
        raise _bad("'excuses' must name checks, each with a reason")
    try:
        for check, reason in excuses.items():
            live.state(excuse=(str(check), reason))
    except SessionError as exc:
        raise _bad(str(exc)) from None
    live.state(answer=answer, cancelled=cancelled, timeout=timeout)
    return json_response({"stated": sorted(wanted)})


def opened(live: LiveSession, url: str) -> dict[str, Any]:
    """Return what a test needs of a session: the variables for its application."""
    key = live.backend.settings.key if live.backend else None
    return {"env": environment(url, key) if key else environment(url)}


def session(body: bytes) -> tuple[dict[str, Any], Place]:
    """Read what a session is to be. Raises :class:`RefusalError`."""
    wanted, place = document(body)
    try:
        Cursor(wanted, (), place).children((*_CASSETTE, *_SCRIPT, *SETTINGS), "a session")
    except ScriptError as exc:
        raise _bad(str(exc)) from None
    return wanted, place


def document(body: bytes, *, first: int = 0) -> tuple[dict[str, Any], Place]:
    """Read a body as JSON or YAML, and return its value and the places in it.

    Answers are numbered from ``first``. Raises :class:`RefusalError`.
    """
    if len(body) > _LONGEST:
        raise RefusalError(413, "too_large", f"a script is not larger than {_LONGEST} bytes")
    data, place = _read(body, first)
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise _bad('expected an object, such as {"answers": [{"say": "Hello"}]}')
    return data, place


def _read(body: bytes, first: int) -> tuple[Any, Place]:
    if not body.strip():
        return {}, str
    try:
        return json.loads(body), lambda path: in_words(path, first)
    except (ValueError, RecursionError):
        pass
    try:
        found = yaml_of(body, "line")
    except ScriptError as exc:
        raise _bad(f"neither JSON nor YAML: {exc}") from None

    def place(path: KeyPath) -> str:
        return f"line {found.line_of(path)}"

    return found.data, place


async def _checked(read_it: Callable[[], _T]) -> _T:
    """Read a script in another thread, since it may open cassettes."""
    try:
        return await asyncio.to_thread(read_it)
    except ScriptError as exc:
        raise RefusalError(400, "bad_script", str(exc)) from None
    except RecursionError:
        raise _bad("nested too deeply") from None


def _bad(message: str) -> RefusalError:
    return RefusalError(400, "bad_request", message)
