"""The wires that cases are played on: one schedule for each answer of a scenario on each wire.

The server, the facts and the explanation use the same objects, for every adapter, so that nothing
is split, decoded or parsed twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from harness.plan.planning import played
from harness.suite.scenario import Case, GateSpec, Scenario
from mockserver.wire import (
    Break,
    FaultKind,
    Point,
    Schedule,
    Variation,
    apply_variation,
    axes,
    gate_after,
)

#: The name of the gate in a stream.
GATE = "until-seen"
#: How a stream with a gate is compressed again, if its recording is.
_PACKED = axes.point({"gzip": "yes"})


def schedules_for(case: Case) -> tuple[Schedule, ...]:
    """Return the answers of a case as they are sent, in order."""
    scenario = case.scenario
    if scenario.choreographed:
        return _choreographed(scenario.cassette, scenario.interactions, gates_of(scenario))
    return _sent(
        scenario.cassette, scenario.interactions, case.point, case.fault, case.event, case.gate
    )


def gate_name(number: int) -> str:
    """Return the name of the gate in an answer of a scenario that waits for its caller."""
    return f"{GATE}-{number}"


def gates_of(scenario: Scenario) -> tuple[int | None, ...]:
    """Return for each answer the wire event behind which it waits for the client, if it does.

    Calls that are made together wait behind their first event, or in the middle of a whole answer,
    until all of them have begun.
    """
    if scenario.together:
        return (1,) * len(scenario.turns)
    return tuple(None if t.cancel_after is None else t.cancel_after.after for t in scenario.turns)


@lru_cache(maxsize=64)
def _choreographed(
    cassette: Path, interactions: tuple[int, ...] | None, gates: tuple[int | None, ...]
) -> tuple[Schedule, ...]:
    whole = played(cassette, interactions)
    return tuple(
        schedule
        if number >= len(gates) or (after := gates[number]) is None
        else gate_after(schedule, _offset_of(schedule, after), gate_name(number))
        for number, schedule in enumerate(whole)
    )


def _offset_of(schedule: Schedule, after: int) -> int:
    """Return the bytes before a gate; a body without events waits in its middle."""
    ends = schedule.plain.event_ends
    return ends[after - 1] if ends else len(schedule.body) // 2


@lru_cache(maxsize=256)
def _sent(
    cassette: Path,
    interactions: tuple[int, ...] | None,
    point: Point,
    fault: FaultKind | None,
    event: int,
    gate: GateSpec | None,
) -> tuple[Schedule, ...]:
    whole = played(cassette, interactions)
    if gate is not None:
        return _gated(whole, gate)
    broken = None if fault is None else Break(fault, event)
    return apply_variation(whole, Variation(point, broken))


def _gated(whole: Sequence[Schedule], gate: GateSpec) -> tuple[Schedule, ...]:
    first, *rest = whole
    plain = first.decoded()
    gated = gate_after(plain, plain.plain.event_ends[gate.after - 1], GATE)
    return (gated if plain is first else axes.apply(gated, _PACKED), *rest)
