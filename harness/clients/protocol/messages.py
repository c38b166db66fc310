"""The messages as types.

The harness sends ``start`` once, and ``call`` and ``cancel``. The client's process sends ``hello``
or ``refused`` once, then for each call any number of ``event`` and ``native``, at most one ``turn``
or ``native_turn``, ``failed`` if the client raised, and ``done`` or ``not_run`` at its end. Ids are
echoed, and calls may be answered in any order. What a scenario expects is in no message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.clients.interface import Call
from mockserver.vocabulary import Json, JsonObject

PROTOCOL = 1


class MessageError(ValueError):
    """A line that is not a message. The text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The first message: the version that the harness speaks."""

    protocol: int = PROTOCOL


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCall:
    """Make this call.

    ``arguments`` are those of the provider's own SDK for it, ``None`` where there are none. After
    ``stop_after`` events with content, if it is a number, stop reading; only workers of our own
    get it.
    """

    id: int
    call: Call
    arguments: JsonObject | None = None
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
    """A normalized event, or the turn, of a call.

    ``problems`` say what of it is not JSON. If it is ``incomplete``, ``data`` has placeholders.
    """

    id: int
    is_turn: bool
    data: JsonObject
    problems: tuple[str, ...] = ()
    incomplete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """A chunk or event as the SDK hands it out, or the whole answer.

    ``form`` is the dialect in whose words it is; ``None`` is that of the call.
    """

    id: int
    is_turn: bool
    data: Json
    form: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """What a client raised: the names of the exception's class and of those it derives from.

    ``body`` is what the provider sent, as far as the exception has it. ``retry_after`` is in
    seconds.
    """

    names: tuple[str, ...]
    message: str
    status: int | None = None
    code: str | None = None
    body: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)
    request_id: str | None = None
    retry_after: float | None = None
    traceback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The client raised. ``done`` follows."""

    id: int
    error: Raised


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The end of a call.

    ``raised`` is the text of an exception that is not a failure in the sense of the interface,
    ``stopped`` why the process stopped the client, and ``logs`` the log records with the call's
    key. ``late`` counts the events after the caller stopped reading, if it did;
    ``traceback`` tells where an exception came from. Commands leave all of it out.
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


ToClient = Start | StartCall | CancelCall
FromClient = Hello | Refused | Emitted | Native | Failed | Done | NotRun
