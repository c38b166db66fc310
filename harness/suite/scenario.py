"""Scenarios and cases: what is asked of a client, and under which wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from mockserver.cassettes import KeyPath
from mockserver.vocabulary import JsonObject, NeutralCall
from mockserver.wire import RECORDED, FaultKind, Point


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSpec:
    """One request of a sequence: ``METHOD path?query``, and what it must carry."""

    line: str
    headers: Mapping[str, str | None] = field(default_factory=dict)
    contains: JsonObject | None = None
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSpec:
    """What the client must have sent. A header value of ``None`` means absent.

    ``sequence`` names every request, in order; then the headers are for all of them, else for
    the first one. ``contains`` and ``absent`` are about the fields of the first one's body.
    """

    count: int | None = None
    sequence: tuple[StepSpec, ...] | None = None
    identical: bool = False
    path: str | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    contains: JsonObject | None = None
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What the client must emit, in the forms of the schemas; ``None`` is not judged.

    ``native`` has Responses events, of which only the given keys are compared. ``any_of`` has
    several outcomes, each of which is right; then the other fields are ``None``.
    """

    events: tuple[JsonObject, ...] | None = None
    native: tuple[JsonObject, ...] | None = None
    turn: JsonObject | None = None
    error: JsonObject | None = None
    any_of: tuple[Expectation, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether it states all that the answer contains: its events, or the parts of its turn."""
        return self.events is not None or (self.turn is not None and "parts" in self.turn)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """A tool's answer, for the call with that number in the turn before."""

    call: int
    content: str


@dataclass(frozen=True, slots=True)
class GateSpec:
    """Stop behind wire event ``after`` (from 1) until ``seen`` events were emitted."""

    after: int
    seen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSpec:
    """One turn of a conversation. Later turns may repeat the call before with more messages.

    ``key_path`` is where the turn is in the scenario's file. ``again``: the first call is made
    once more, as it was. ``cancel_after``: the caller stops reading at that gate.
    """

    key_path: KeyPath
    call: NeutralCall | None
    results: tuple[ToolResult, ...] = ()
    messages: tuple[JsonObject, ...] = ()
    request: RequestSpec | None = None
    expect: Expectation | None = None
    again: bool = False
    cancel_after: GateSpec | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One provider behaviour and what a client must make of it.

    ``file`` is the YAML file, ``cassette`` the path of the recording; ``interactions`` are the
    numbers of those that are played, ``None`` for all. ``row`` is its place in the file's table,
    from 0. ``together``: the calls of all turns are made at once. ``about`` says which facts it is
    for; ``must`` are kinds of findings that weigh more here, since a standard demands it;
    ``beyond`` says why no document promises the wire, so that losing content there is a should.
    ``expect`` of a turn is ``None`` for a recording without a spec: then only the rules are
    checked.
    """

    id: str
    title: str
    dialect: str
    requires: frozenset[str]
    source: tuple[str, ...]
    priority: str
    file: Path
    row: int = 0
    cassette: Path
    interactions: tuple[int, ...] | None = None
    turns: tuple[TurnSpec, ...]
    together: bool = False
    incremental: tuple[GateSpec, ...] = ()
    twin: str | None = None
    about: tuple[str, ...] = ()
    must: frozenset[str] = frozenset()
    beyond: str | None = None
    axes_skip: Mapping[str, str] = field(default_factory=dict)
    faults_skip: str | None = None

    @property
    def choreographed(self) -> bool:
        """Whether it depends on when the client does what, so that one wire must do."""
        return self.together or any(turn.cancel_after is not None for turn in self.turns)

    @property
    def has_expectation(self) -> bool:
        """Whether it says what a client must emit; a recording without a spec does not."""
        return any(turn.expect is not None for turn in self.turns)

    @property
    def streams(self) -> bool:
        """Whether the first call asks for a stream."""
        call = self.turns[0].call
        return call is not None and call.stream


class CaseKind(StrEnum):
    """What a case varies: the wire losslessly, a fault, or the moment of delivery."""

    WIRE = "wire"
    FAULT = "fault"
    INCREMENTAL = "incremental"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A scenario on one wire with one adapter.

    ``event`` is the number of wire events before the fault. The id is a path:
    ``openai-chat/tools-parallel/framing=one-byte@openai-compat``.
    """

    scenario: Scenario
    adapter: str
    kind: CaseKind = CaseKind.WIRE
    point: Point = RECORDED
    fault: FaultKind | None = None
    event: int = 0
    gate: GateSpec | None = None

    @property
    def variation(self) -> str:
        """The last segment of the id, without the adapter."""
        match self.kind:
            case CaseKind.WIRE:
                return str(self.point)
            case CaseKind.FAULT:
                return f"{self.fault}={self.event}"
            case CaseKind.INCREMENTAL:
                assert self.gate is not None
                return f"hold={self.gate.after}"

    @property
    def id(self) -> str:
        """The stable name of the case."""
        return f"{self.scenario.id}/{self.variation}@{self.adapter}"
