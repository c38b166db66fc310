"""Lossless changes of a schedule: the same answer, sent in another way.

A correct client gives the same result at every point of these axes. A value that
changes nothing for a given body (``eol=crlf`` on CRLF, ``framing=utf8`` on ASCII) returns the
schedule itself, so that it is not counted as tested.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mockserver.errors import did_you_mean
from mockserver.wire import eventstream, sse
from mockserver.wire.body import Body, Media
from mockserver.wire.schedule import Coding, Schedule, Send, Step, piece_ends, split_at

#: Every axis with its values, in the order in which they are applied. The first value of each
#: is the wire as recorded.
AXES: Mapping[str, tuple[str, ...]] = {
    "eol": ("recorded", "lf", "crlf", "cr"),
    "space": ("recorded", "none"),
    "comments": ("recorded", "between", "inside"),
    "bom": ("recorded", "yes"),
    "gzip": ("recorded", "yes"),
    "framing": (
        "recorded",
        "event",
        "blob",
        "one-byte",
        "utf8",
        "crlf",
        "escape",
        "frame",
        "random",
    ),
    "coding": ("recorded", "chunked", "length", "close"),
}

#: Bodies above this are split byte by byte only near their ends and delimiters.
ONE_BYTE_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Point:
    """A choice of one value per axis; axes left at ``recorded`` are absent.

    ``seed`` is used by ``framing=random``.
    """

    values: tuple[tuple[str, str], ...] = ()
    seed: int = 0

    def __str__(self) -> str:
        return ",".join(f"{axis}={value}" for axis, value in self.values) or "recorded"


#: The wire as it was recorded.
RECORDED = Point()


def point(values: Mapping[str, str], seed: int = 0) -> Point:
    """Make a point. Raises ``ValueError`` that lists the known names for an unknown one."""
    for axis, value in values.items():
        if axis not in AXES:
            close = did_you_mean(axis, AXES)
            raise ValueError(f"unknown axis {axis!r}{close}; known axes: {', '.join(AXES)}")
        if value not in (known := AXES[axis]):
            close = did_you_mean(value, known)
            raise ValueError(
                f"unknown value {axis}={value}{close}; known values: {', '.join(known)}"
            )
    chosen = ((a, values[a]) for a in AXES if values.get(a, "recorded") != "recorded")
    return Point(tuple(chosen), seed)


def apply(schedule: Schedule, at: Point) -> Schedule:
    """Return ``schedule`` as sent at that point; the same object if the wire does not change."""
    for axis, value in at.values:
        if axis == "framing":
            schedule = _framing(schedule, value, at.seed)
        else:
            schedule = _TRANSFORMS[axis](schedule, value)
    return schedule


# --- text of a stream -------------------------------------------------------------------
#
# A stream of JSON lines may end them with CRLF and have blank ones between; the rest is of event
# streams alone.

_LINE = re.compile(rb"([^\r\n]*)(\r\n|\n|\r|\Z)")
#: A lone CR is white space inside of JSON, not the end of a line.
_JSON_LINE = re.compile(rb"([^\n]*?)(\r?\n|\Z)")
_FIELD_SPACE = re.compile(rb"\A(data|event|id|retry): (?! )")
_EOL = {"lf": b"\n", "crlf": b"\r\n", "cr": b"\r"}


#: Bodies that are made of lines.
_LINED = frozenset({Media.SSE, Media.NDJSON})


def _eol(schedule: Schedule, value: str) -> Schedule:
    if schedule.media is Media.NDJSON and value == "cr":
        return schedule
    return _rewrite(schedule, lambda line, end: line + (_EOL[value] if end else b""))


def _space(schedule: Schedule, _value: str) -> Schedule:
    if schedule.media is Media.NDJSON:
        return schedule
    return _rewrite(schedule, lambda line, end: _FIELD_SPACE.sub(rb"\1:", line) + end)


def _comments(schedule: Schedule, value: str) -> Schedule:
    def between(line: bytes, end: bytes) -> bytes:
        return line + end if line or not end else end + b": keep-alive" + end * 2

    def inside(line: bytes, end: bytes) -> bytes:
        return b":" + end + line + end if line.startswith(b"data") and end else line + end

    if schedule.media is Media.NDJSON:
        return _rewrite(schedule, _blank_between) if value == "between" else schedule
    return _rewrite(schedule, between if value == "between" else inside)


def _blank_between(line: bytes, end: bytes) -> bytes:
    return line + end * 2


def _bom(schedule: Schedule, _value: str) -> Schedule:
    plain = schedule.decoded()
    text = schedule.plain.data
    if plain.media is not Media.SSE or not text or text.startswith(sse.BOM):
        return schedule
    first, *rest = plain.steps
    assert isinstance(first, Send)
    return replace(plain, steps=(replace(first, data=sse.BOM + first.data), *rest))


def _rewrite(schedule: Schedule, change: Callable[[bytes, bytes], bytes]) -> Schedule:
    if schedule.media not in _LINED:
        return schedule
    plain = schedule.decoded()
    pattern = _LINE if schedule.media is Media.SSE else _JSON_LINE
    segments = [
        (match.group(), change(match.group(1), match.group(2)))
        for match in pattern.finditer(plain.body)
        if match.group()
    ]
    body = b"".join(new for _, new in segments)
    if body == plain.body:
        return schedule
    offsets = list(_moved(plain.sends, segments))
    times = [send.at_ms for send in plain.sends]
    steps: list[Step] = []
    begin = 0
    for end, at_ms in zip(offsets, times, strict=True):
        if end > begin:
            steps.append(Send(body[begin:end], at_ms))
            begin = end
    return replace(plain, steps=tuple(steps))


def _moved(sends: Sequence[Send], segments: Sequence[tuple[bytes, bytes]]) -> Iterator[int]:
    """Yield the end of each piece after each segment was rewritten."""
    old = new = target = 0
    queue = iter(segments)
    current = next(queue, (b"", b""))
    for send in sends:
        target += len(send.data)
        while target > old + len(current[0]):
            old, new = old + len(current[0]), new + len(current[1])
            current = next(queue, (b"", b""))
        inside = target - old
        yield new + (len(current[1]) if inside == len(current[0]) else min(inside, len(current[1])))


# --- content coding, framing, transfer coding -------------------------------------------


def _gzip(schedule: Schedule, _value: str) -> Schedule:
    if schedule.header("content-encoding") is not None or not schedule.body:
        return schedule
    packer = zlib.compressobj(wbits=31)
    last = schedule.sends[-1]
    steps: list[Step] = []
    for step in schedule.steps:
        if isinstance(step, Send):
            data = packer.compress(step.data)
            data += packer.flush(zlib.Z_FINISH if step is last else zlib.Z_SYNC_FLUSH)
            step = replace(step, data=data)
        steps.append(step)
    return replace(
        schedule, headers=(*schedule.headers, ("content-encoding", "gzip")), steps=tuple(steps)
    )


def reframes(schedule: Schedule, value: str, seed: int) -> bool:
    """Return whether a value of ``framing`` changes the schedule, without splitting it."""
    offsets = _split_offsets(schedule, value, seed)
    if offsets is None:
        return False
    size = len(schedule.body)
    return {*(c for c in offsets if c < size), size} - {0} != set(piece_ends(schedule))


def _framing(schedule: Schedule, value: str, seed: int) -> Schedule:
    offsets = _split_offsets(schedule, value, seed)
    return schedule if offsets is None else _unless_same(schedule, split_at(schedule, offsets))


def _split_offsets(schedule: Schedule, value: str, seed: int) -> list[int] | None:
    """Return where a value of ``framing`` splits a body; ``None`` where nothing matches."""
    body = schedule.body
    match value:
        case "event" if schedule.header("content-encoding") is not None:
            return None
        case "event":
            return list(schedule.plain.event_ends)
        case "blob":
            return []
        case "one-byte":
            return _byte_offsets(body)
        case "random":
            return _random_offsets(body, seed)
        case "utf8":
            offsets = [m.start() + 1 for m in re.finditer(rb"[\xc2-\xf4][\x80-\xbf]", body)]
        case "crlf":
            offsets = [m.start() + 1 for m in re.finditer(rb"\r\n", body)]
        case "escape":
            offsets = [m.start() + 1 for m in re.finditer(rb"\\.", body)]
            offsets += [m.start() + 3 for m in re.finditer(rb"\\u[0-9A-Fa-f]{4}", body)]
        case "frame" if schedule.header("content-encoding") is None:
            offsets = list(_inside_frames(schedule.plain))
        case "frame":
            return None
        case _:
            raise AssertionError(value)
    return offsets or None


def _inside_frames(plain: Body) -> Iterator[int]:
    """Yield offsets inside each part of each AWS frame: prelude, headers, payload, checksum."""
    for frame in plain.frames:
        begin, end = frame.span
        headers = begin + eventstream.PRELUDE
        yield from (begin + 2, begin + 6, headers - 2, headers + 1)
        yield from ((headers + frame.payload_start) // 2, frame.payload_start)
        yield from ((frame.payload_start + end) // 2, end - eventstream.CHECKSUM, end - 2)


def _random_offsets(body: bytes, seed: int) -> list[int]:
    # Not for secrets: the seed gives the same offsets again.
    source = random.Random(f"{seed}:{len(body)}")  # noqa: S311
    offsets, offset = [], 0
    while offset < len(body):
        offset += source.choice((1, 2, 3, 7, 20, 64, 300))
        offsets.append(offset)
    return offsets


def _byte_offsets(body: bytes) -> list[int]:
    if len(body) <= ONE_BYTE_LIMIT:
        return list(range(1, len(body)))
    offsets = {*range(1, 512), *range(len(body) - 512, len(body))}
    for match in re.finditer(rb"[\r\n]+|[^\x00-\x7f]+|\\.", body):
        if len(offsets) > ONE_BYTE_LIMIT:
            break
        offsets.update(range(match.start() - 3, match.end() + 8))
    offsets.update(range(0, len(body), 4093))
    return sorted(offsets)


def _coding(schedule: Schedule, value: str) -> Schedule:
    coding = Coding(value)
    return schedule if schedule.coding is coding else replace(schedule, coding=coding)


def _unless_same(before: Schedule, after: Schedule) -> Schedule:
    return before if [s.data for s in before.sends] == [s.data for s in after.sends] else after


_TRANSFORMS: Mapping[str, Callable[[Schedule, str], Schedule]] = {
    "eol": _eol,
    "space": _space,
    "comments": _comments,
    "bom": _bom,
    "gzip": _gzip,
    "coding": _coding,
}
