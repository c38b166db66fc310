"""The evidence of one case, on which the checks judge."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar

from harness.judge.kinds import KINDS, Level
from harness.suite.scenario import Case
from mockserver.cassettes import Headers, KeyPath
from mockserver.vocabulary import AssistantTurn, ErrorInfo, Event, JsonObject, Part, Usage
from mockserver.wire import Schedule

_T = TypeVar("_T")
#: The problem of a text with half a character of the upper planes, which some wires split.
UNPAIRED = "unpaired surrogate, which UTF-8 cannot encode"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRequest:
    """A request as the server received it; ``exchange`` is ``None`` if nothing matched it.

    ``again`` says that nobody expected it, and that it got an earlier answer again.
    """

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    exchange: int | None
    miss: str | None = None
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitted(Generic[_T]):
    """An event or a turn as a client emitted it.

    ``value`` is typed; ``None`` if a type in it is wrong. ``data`` is the same as plain JSON, with
    placeholders for what is not JSON. ``problems`` say how it violates the schema, with paths.
    """

    value: _T | None
    data: JsonObject
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRecord:
    """One call and what came of it.

    If the adapter gave no turn, ``turn`` is folded from the events and ``turn_given`` is false.
    ``turn_read``: the turn is what the harness read in the answer that an SDK assembled, as it read
    the events in the SDK's chunks, so that neither is the client's word for the other.
    ``raised`` is the text of an unexpected exception; ``traceback`` tells where that came from, or
    what a reported failure was raised for. ``hung`` says that the client had to be stopped.
    ``ended`` says how the client ended the call otherwise: it ended its process, or
    emitted too much; ``printed`` is the last output of that process. ``cancelled``: the caller
    stopped reading, as the scenario demands; then ``late`` counts the events emitted after that,
    and ``let_go`` says that the server saw the connection end.
    """

    streamed: bool
    events: tuple[Emitted[Event], ...] = ()
    turn: Emitted[AssistantTurn] | None = None
    turn_given: bool = False
    turn_read: bool = False
    raised: str | None = None
    traceback: str = ""
    hung: bool = False
    ended: str | None = None
    printed: str = ""
    cancelled: bool = False
    late: int = 0
    let_go: bool = True
    requests: tuple[SeenRequest, ...] = ()
    schedules: tuple[Schedule, ...] = ()

    @property
    def broke_off(self) -> bool:
        """Whether the call ended in a way that is a finding of its own, and explains others."""
        return self.raised is not None or self.hung or self.ended is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """The evidence of one case.

    ``schedules`` are the answers the server was ready to give, in order; ``unplayed`` the
    numbers of those that were never requested. ``logs`` is what the client logged.
    ``connection_closed`` is false if a request was still open when the call had returned.
    ``gate_timed_out`` says that the gate of an incremental case had to be released by timeout,
    since the client was waiting for more.
    """

    case: Case
    api_key: str
    base_url: str
    turns: tuple[TurnRecord, ...]
    schedules: tuple[Schedule, ...]
    unplayed: tuple[int, ...] = ()
    logs: tuple[str, ...] = ()
    connection_closed: bool = True
    gate_timed_out: bool = False

    @property
    def requests(self) -> tuple[SeenRequest, ...]:
        """All requests of the case."""
        return tuple(r for t in self.turns for r in t.requests)


class Blame(StrEnum):
    """Whose fault a finding is."""

    CLIENT = "client"
    HARNESS = "harness"
    CASSETTE = "cassette"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found in one case.

    ``kind`` is a row of :data:`~harness.judge.kinds.KINDS`, which gives the level unless the
    scenario sets another ``weight``; ``field`` is what differs, such as ``usage.total_tokens``.
    ``message`` is one line. ``key_path`` is where the requirement is in the scenario's file.
    ``expected`` and ``observed`` are JSON values to be compared side by side; ``event`` is the
    number of the first observed event that differs.
    """

    check: str
    kind: str
    message: str
    field: str = ""
    weight: Level | None = None
    blame: Blame = Blame.CLIENT
    key_path: KeyPath | None = None
    expected: object = None
    observed: object = None
    event: int | None = None

    @property
    def level(self) -> Level:
        """How much it weighs."""
        return self.weight or KINDS[self.kind].level


class Outcome(StrEnum):
    """The result of a case."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    KNOWN = "known"
    STALE = "stale"
    SKIP = "skip"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome of a case with all findings, the weightiest first.

    ``checks`` are those that were run. ``judged`` and ``unexposed`` are the fields that the wire or
    the scenario states, as far as the client was judged on them, or does not expose them; ``given``
    those of which the client gave a value.
    """

    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    checks: tuple[str, ...] = field(default=())
    judged: frozenset[str] = frozenset()
    unexposed: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()

    @property
    def level(self) -> Level | None:
        """The level of the weightiest finding about the client, if any."""
        levels = {f.level for f in self.findings if f.blame is Blame.CLIENT}
        return next((level for level in Level if level in levels), None)

    @property
    def signature(self) -> str:
        """What a baseline compares: the checks that found something, sorted."""
        return "+".join(sorted({f.check for f in self.findings}))


def without(value: Any, secret: str) -> Any:
    """Return the same evidence with every occurrence of ``secret`` replaced.

    Looks into strings, bytes, JSON values, and all types with text from a client, so that a key
    which a client leaked goes no further than the check that found it.
    """
    match value:
        case StrEnum():
            return value
        case str():
            return value.replace(secret, "[key]")
        case bytes():
            return value.replace(secret.encode("utf-8", "replace"), b"[key]")
        case dict():
            return {without(k, secret): without(v, secret) for k, v in value.items()}
        case list() | tuple():
            return type(value)(without(item, secret) for item in value)
        case (Finding() | TurnRecord() | Verdict() | Emitted() | SeenRequest()) | (
            Event() | Part() | AssistantTurn() | ErrorInfo() | Usage()
        ):
            changed = {f.name: without(getattr(value, f.name), secret) for f in fields(value)}
            return replace(value, **changed)
        case _:
            return value
