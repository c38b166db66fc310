"""Lossy changes of a schedule: the answer is interrupted, and a client must report it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from mockserver.wire.schedule import Coding, Ending, Schedule, Send, Step


class FaultKind(StrEnum):
    """How an answer is interrupted: a proper end too early, a reset, or silence."""

    CUT = "cut"
    RESET = "reset"
    STALL = "stall"


@dataclass(frozen=True, slots=True)
class Fault:
    """An interruption after byte ``offset`` of the decoded body."""

    kind: FaultKind
    offset: int

    def __str__(self) -> str:
        return f"{self.kind}@{self.offset}"


_ENDINGS = {
    FaultKind.CUT: Ending.FINISH,
    FaultKind.RESET: Ending.RESET,
    FaultKind.STALL: Ending.STALL,
}


def apply(schedule: Schedule, fault: Fault) -> Schedule:
    """Return ``schedule`` interrupted at the fault.

    The body loses its content coding, and a body that announced its length is sent chunked
    instead: the announced length would reveal the cut. Raises ``ValueError`` for
    an offset outside the body.
    """
    plain, length = schedule.decoded(), len(schedule.plain.data)
    if not 0 <= fault.offset <= length:
        raise ValueError(f"fault at byte {fault.offset} is outside the body of {length} bytes")
    steps: list[Step] = []
    left = fault.offset
    for step in plain.steps:
        if isinstance(step, Send):
            if left == 0:
                break
            step = replace(step, data=step.data[:left])
            left -= len(step.data)
        steps.append(step)
    coding = Coding.CHUNKED if plain.coding is Coding.LENGTH else plain.coding
    return replace(plain, steps=tuple(steps), coding=coding, ending=_ENDINGS[fault.kind])


def parse(text: str) -> Fault:
    """Read ``kind@offset``. Raises ``ValueError`` that says what is wrong."""
    kind, separator, offset = text.partition("@")
    if kind not in set(FaultKind) or not separator or not offset.isdecimal():
        raise ValueError(f"no fault {text!r}: use {'|'.join(FaultKind)}@OFFSET")
    return Fault(FaultKind(kind), int(offset))
