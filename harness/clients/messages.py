"""The messages between the harness and a client in a process of its own: one JSON object per line.

The harness sends ``call`` and ``cancel``. The client's process sends ``hello`` or ``refused`` once,
then for each call any number of ``event`` and at most one ``turn``, and ``done`` or ``not_run`` at
its end. Ids are echoed, and calls may be answered in any order. What a scenario expects is in no
message. This module does no I/O; what a process sends is hostile and is checked here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from harness.clients.interface import Call
from mockserver.vocabulary import JsonObject

PROTOCOL = 1
#: Bytes of one message.
MAX_LINE = 64 * 1024 * 1024
#: Events of one call, and the bytes of their messages.
MAX_EVENTS = 50_000
MAX_BYTES = 32 * 1024 * 1024
#: Events that are kept of a call that emitted too much or ended its process.
KEPT_OF_FLOOD = 100
#: Log records of one call, and characters of one text that is only shown.
MAX_LOGS = 100
MAX_TEXT = 20_000

# A client may replace them in its own process.
_loads, _dumps = json.loads, json.dumps


class MessageError(ValueError):
    """A line that is not a message. The text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCall:
    """Make this call; stop reading after so many events with content, if a number is given."""

    id: int
    call: Call
    stop_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelCall:
    """Stop this call; ``done`` still follows."""

    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The client is ready; ``declaration`` is what it declares about itself."""

    declaration: JsonObject
    protocol: int = PROTOCOL


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The client cannot be loaded: what is wrong, where, and what to do."""

    message: str
    path: str | None = None
    line: int | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitted:
    """An event, or the turn, of a call.

    ``problems`` say what of it is not JSON. If it is ``incomplete``, ``data`` has placeholders.
    """

    id: int
    is_turn: bool
    data: JsonObject
    problems: tuple[str, ...] = ()
    incomplete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The end of a call.

    ``raised`` is the text of an exception that is not a failure in the sense of the interface,
    ``stopped`` why the process stopped the client, and ``logs`` the log records with the call's
    key. ``late`` counts the events after the caller stopped reading, if it did;
    ``traceback`` tells where an exception came from.
    """

    id: int
    late: int | None = None
    traceback: str = ""
    raised: str | None = None
    stopped: str | None = None
    logs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRun:
    """The process could not make the call, through no fault of the client."""

    id: int
    message: str


ToClient = StartCall | CancelCall
FromClient = Hello | Refused | Emitted | Done | NotRun


def encode(message: ToClient | FromClient) -> bytes:
    """Return a message as a line."""
    match message:
        case StartCall():
            call = {f.name: getattr(message.call, f.name) for f in fields(Call)}
            data = {"type": "call", "id": message.id, **call}
            if message.stop_after is not None:
                data["stop_after"] = message.stop_after
        case CancelCall():
            data = {"type": "cancel", "id": message.id}
        case Hello():
            data = {
                "type": "hello",
                "protocol": message.protocol,
                "declaration": message.declaration,
            }
        case Refused():
            data = {
                "type": "refused",
                "message": message.message,
                "path": message.path,
                "line": message.line,
                "hint": message.hint,
            }
        case Emitted():
            kind = "turn" if message.is_turn else "event"
            data = {"type": kind, "id": message.id, "data": message.data}
            if message.problems:
                data |= {"problems": message.problems, "incomplete": message.incomplete}
        case Done():
            data = {
                "type": "done",
                "id": message.id,
                "raised": message.raised,
                "stopped": message.stopped,
                "logs": message.logs,
                "late": message.late,
                "traceback": message.traceback,
            }
        case NotRun():
            data = {"type": "not_run", "id": message.id, "message": message.message}
    return _dumps(data, separators=(",", ":")).encode() + b"\n"


def decode_to_client(line: bytes) -> ToClient:
    """Read a message of the harness. Raises :class:`MessageError`."""
    data = _object(line)
    match data.get("type"):
        case "call":
            number = _get(data, "id", int)
            given = {f.name: data[f.name] for f in fields(Call) if f.name in data}
            for name in ("messages", "tools"):
                given[name] = tuple(given.get(name, ()))
            stop_after = _get(data, "stop_after", int | None)
            return StartCall(id=number, call=Call(**given), stop_after=stop_after)
        case "cancel":
            return CancelCall(id=_get(data, "id", int))
    raise MessageError(f"unknown message type {data.get('type')!r:.60}")


def decode_from_client(line: bytes) -> FromClient:
    """Read a message of a client's process. Raises :class:`MessageError`."""
    data = _object(line)
    match data.get("type"):
        case "event" | "turn" as kind:
            return Emitted(
                id=_get(data, "id", int),
                is_turn=kind == "turn",
                data=_get(data, "data", dict),
                problems=_texts(data, "problems"),
                incomplete=data.get("incomplete") is True,
            )
        case "done":
            return Done(
                id=_get(data, "id", int),
                raised=_shown(data, "raised"),
                stopped=_shown(data, "stopped"),
                logs=_texts(data, "logs"),
                late=_get(data, "late", int | None),
                traceback=_shown(data, "traceback") or "",
            )
        case "not_run":
            return NotRun(id=_get(data, "id", int), message=_shown(data, "message") or "")
        case "hello":
            if data.get("protocol") != PROTOCOL:
                raise MessageError(f"protocol {data.get('protocol')!r:.20}, not {PROTOCOL}")
            return Hello(declaration=_get(data, "declaration", dict))
        case "refused":
            return Refused(
                message=_shown(data, "message") or "it does not say why",
                path=_shown(data, "path"),
                line=_get(data, "line", int | None),
                hint=_shown(data, "hint"),
            )
    raise MessageError(f"unknown message type {data.get('type')!r:.60}")


def _object(line: bytes) -> dict[str, Any]:
    try:
        data = _loads(line)
    except (ValueError, RecursionError):
        raise MessageError(f"not JSON: {line[:60]!r}") from None
    if not isinstance(data, dict):
        raise MessageError(f"not an object: {line[:60]!r}")
    return data


def _get(data: dict[str, Any], name: str, kind: Any) -> Any:
    value = data.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise MessageError(f"{name} of a message is {value!r:.60}")
    return value


def _shown(data: dict[str, Any], name: str) -> str | None:
    text: str | None = _get(data, name, str | None)
    return None if text is None else text[:MAX_TEXT]


def _texts(data: dict[str, Any], name: str) -> tuple[str, ...]:
    texts = data.get(name, ())
    if not isinstance(texts, list | tuple) or not all(isinstance(t, str) for t in texts):
        raise MessageError(f"{name} of a message is {texts!r:.60}")
    return tuple(text[:MAX_TEXT] for text in texts[:MAX_LOGS])


@dataclass(slots=True)
class Lines:
    """Splits what arrives into lines, each of at most :data:`MAX_LINE` bytes."""

    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the lines that ``data`` completes. Raises :class:`MessageError`."""
        *whole, rest = data.split(b"\n")
        for line in whole:
            self._add(line)
            yield bytes(self._rest)
            self._rest.clear()
        self._add(rest)

    def _add(self, data: bytes) -> None:
        if len(self._rest) + len(data) > MAX_LINE:
            raise MessageError(f"a line of more than {MAX_LINE} bytes")
        self._rest += data


@dataclass(slots=True)
class Meter:
    """Counts what one call emits."""

    events: int = 0
    size: int = 0

    def exceeded_by(self, size: int) -> str | None:
        """Count one event of ``size`` bytes; return which bound it exceeds."""
        self.events += 1
        self.size += size
        if self.events > MAX_EVENTS:
            return f"the client emitted more than {MAX_EVENTS:,} events and was stopped"
        if self.size > MAX_BYTES:
            return f"the client emitted more than {MAX_BYTES >> 20} MiB and was stopped"
        return None
