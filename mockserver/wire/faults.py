"""Lossy changes of a schedule: the answer is interrupted, and a client must report it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from mockserver.wire import eventstream
from mockserver.wire.body import Media
from mockserver.wire.schedule import Coding, Ending, Schedule, Send, Step, piece_ends


class FaultKind(StrEnum):
    """How an answer is interrupted.

    ``cut`` is a proper end too early, ``end`` a connection that closes before the end, ``reset``
    one that is reset, ``stall`` silence. ``garble`` damages the JSON of one event, and the rest
    follows.
    """

    CUT = "cut"
    END = "end"
    RESET = "reset"
    STALL = "stall"
    GARBLE = "garble"


#: What the harness does to a stream after each of its events.
SWEPT = (FaultKind.CUT, FaultKind.RESET, FaultKind.STALL)


@dataclass(frozen=True, slots=True)
class Fault:
    """An interruption after byte ``offset`` of the decoded body; what is garbled begins there."""

    kind: FaultKind
    offset: int

    def __str__(self) -> str:
        return f"{self.kind}@{self.offset}"


_ENDINGS = {
    FaultKind.CUT: Ending.FINISH,
    FaultKind.END: Ending.TRUNCATE,
    FaultKind.RESET: Ending.RESET,
    FaultKind.STALL: Ending.STALL,
}
#: The first member of a JSON object up to its colon.
_MEMBER = re.compile(rb'\{\s*"(?:[^"\\]|\\.)*"\s*(?=:)', re.DOTALL)


def apply(schedule: Schedule, fault: Fault) -> Schedule:
    """Return ``schedule`` interrupted at the fault.

    The body loses its content coding, and a body that announced its length is sent chunked
    instead: the announced length would reveal the cut. Raises ``ValueError`` for
    an offset outside the body, and for one behind which there is no JSON to garble.
    """
    plain, length = schedule.decoded(), len(schedule.plain.data)
    if not 0 <= fault.offset <= length:
        raise ValueError(f"fault at byte {fault.offset} is outside the body of {length} bytes")
    if fault.kind is FaultKind.GARBLE:
        return _garbled(plain, fault.offset)
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


def can_garble(schedule: Schedule, offset: int) -> bool:
    """Return whether there is JSON to garble behind a byte of the decoded body."""
    return _damage(schedule.decoded(), offset) is not None


def _garbled(plain: Schedule, offset: int) -> Schedule:
    """Leave out the first colon of the JSON behind ``offset``.

    Without it the text is no JSON, but quotes and brackets are still in pairs: the events behind it
    can be found in every kind of stream.
    """
    damage = _damage(plain, offset)
    if damage is None:
        raise ValueError(f"there is no JSON to garble behind byte {offset}")
    return _replaced(plain, *damage)


def _damage(plain: Schedule, offset: int) -> tuple[int, int, bytes] | None:
    """Return which bytes to replace by what; a frame gets the lengths and checksums of its own."""
    if plain.media is not Media.AWS_FRAMES:
        match = _MEMBER.search(plain.body, offset)
        return None if match is None else (match.end(), match.end() + 1, b"")
    for frame in plain.plain.frames:
        match = _MEMBER.search(frame.payload)
        if frame.span[0] >= offset and match is not None and frame.problem is None:
            payload = frame.payload[: match.end()] + frame.payload[match.end() + 1 :]
            return *frame.span, eventstream.encode(frame.headers, payload)
    return None


def _replaced(schedule: Schedule, begin: int, end: int, data: bytes) -> Schedule:
    """Put ``data`` in the place of at least as many bytes; the pieces keep their times."""
    body = schedule.body[:begin] + data + schedule.body[end:]
    moved = [
        at if at <= begin else max(at - (end - begin - len(data)), begin)
        for at in piece_ends(schedule)
    ]
    steps: list[Step] = []
    starts = iter([0, *moved])
    ends = iter(moved)
    for step in schedule.steps:
        if isinstance(step, Send):
            step = replace(step, data=body[next(starts) : next(ends)])
        if not isinstance(step, Send) or step.data:
            steps.append(step)
    return replace(schedule, steps=tuple(steps))


def parse(text: str) -> Fault:
    """Read ``kind@offset``. Raises ``ValueError`` that says what is wrong."""
    kind, separator, offset = text.partition("@")
    if kind not in set(FaultKind) or not separator or not offset.isdecimal():
        raise ValueError(f"no fault {text!r}: use {'|'.join(FaultKind)}@OFFSET")
    return Fault(FaultKind(kind), int(offset))
