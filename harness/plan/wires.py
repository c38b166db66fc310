"""The wires that cases are played on: one schedule for each answer of a scenario on each wire.

The server, the facts and the explanation use the same objects, for every adapter, so that nothing
is split, decoded or parsed twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from harness.plan.planning import played
from harness.suite.scenario import Case, GateSpec
from mockserver.wire import Fault, FaultKind, Point, Schedule, axes, faults, gate_after

#: The name of the gate in a stream.
GATE = "until-seen"
#: How a stream with a gate is compressed again, if its recording is.
_PACKED = axes.point({"gzip": "yes"})


def schedules_for(case: Case) -> tuple[Schedule, ...]:
    """Return the answers of a case as they are sent, in order."""
    scenario = case.scenario
    return _sent(
        scenario.cassette, scenario.interactions, case.point, case.fault, case.event, case.gate
    )


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
    if fault is not None:
        return _broken(whole, fault, event)
    if gate is not None:
        return _gated(whole, gate)
    return tuple(axes.apply(s, point) for s in whole)


def _broken(whole: Sequence[Schedule], fault: FaultKind, event: int) -> tuple[Schedule, ...]:
    *others, last = whole
    offset = (0, *last.plain.event_ends)[event]
    return (*others, faults.apply(last, Fault(fault, offset)))


def _gated(whole: Sequence[Schedule], gate: GateSpec) -> tuple[Schedule, ...]:
    first, *rest = whole
    plain = first.decoded()
    gated = gate_after(plain, plain.plain.event_ends[gate.after - 1], GATE)
    return (gated if plain is first else axes.apply(gated, _PACKED), *rest)
