"""Show the bytes of one wire event, in which a failure began."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from harness.judge.transcript import Blame, Finding, Transcript
from harness.reports.wireplace import find_place
from mockserver.errors import CodingError
from mockserver.wire import Ending, Media, Schedule

#: Bytes per line of a hex dump, and the most that is shown of one event.
_WIDTH, _LIMIT = 16, 512
#: Bytes that are shown before a text far inside of an event.
_BEFORE = 160


_ENDS = {
    Ending.FINISH: "then the answer ends",
    Ending.TRUNCATE: "then the connection is closed",
    Ending.RESET: "then the connection is reset",
    Ending.STALL: "then nothing more comes",
}


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of a decoded body: its wire event's number from 1 of ``count``, offset and bytes.

    ``number`` is 0 for a body that is no stream. ``chunk_ends`` are the offsets inside at which
    one HTTP chunk ended and the next began; ``skipped`` are the bytes that are not shown.
    """

    number: int
    count: int
    start: int
    data: bytes
    chunk_ends: tuple[int, ...] = ()
    skipped: int = 0


def turn_of(finding: Finding) -> int:
    """Return the number of the turn that a finding is about."""
    match finding.key_path:
        case ("turns", int() as number, *_):
            return number
    return 0


def event_lines(
    transcript: Transcript, finding: Finding, width: int, shown: set[tuple[int, int]]
) -> Iterator[str]:
    """Yield the wire event in which a finding began; the bytes of one that was ``shown`` not."""
    number, turns = turn_of(finding), transcript.turns
    if number >= len(turns) or finding.blame is not Blame.CLIENT:
        return
    scenario = transcript.case.scenario
    try:
        place = find_place(turns[number], finding, scenario.dialect, scenario.turns[number].expect)
    except CodingError as exc:
        yield f"the wire cannot be shown: {exc}"
        return
    if place is None:
        return
    schedules = turns[number].schedules
    schedule = schedules[place.answer]
    first, *rest = excerpt_lines(excerpt_of(schedule, place.event, place.near), width)
    several = f"answer {place.answer + 1} of {len(schedules)}, " * (len(schedules) > 1)
    if (place.answer, place.event) in shown:
        yield f"{several}{first}, as above"
        return
    shown.add((place.answer, place.event))
    yield f"{several}{first}"
    yield from rest
    if place.event + 1 == len(schedule.plain.spans):
        yield _ENDS[schedule.ending]


def excerpt_of(schedule: Schedule, event: int, near: str = "") -> Excerpt:
    """Return the wire event of that number, from 0, shown from shortly before the text in it."""
    plain = schedule.plain
    is_stream = plain.media is not Media.OTHER
    start, end = plain.spans[event] if plain.spans else (0, 0)
    data = plain.data[start:end]
    chunk_ends, offset = [], 0
    if is_stream and schedule.header("content-encoding") is None:
        for send in schedule.sends:
            offset += len(send.data)
            if start < offset < end:
                chunk_ends.append(offset - start)
    skipped = max(_found(data, near) - _BEFORE, 0) if len(data) > _LIMIT else 0
    return Excerpt(
        number=event + 1 if is_stream else 0,
        count=len(plain.spans),
        start=start,
        data=data,
        chunk_ends=tuple(chunk_ends),
        skipped=skipped,
    )


def _found(data: bytes, text: str) -> int:
    for ascii_only in (False, True):
        encoded = json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode(errors="replace")
        if encoded and (at := data.find(encoded)) >= 0:
            return at
    return 0


def excerpt_lines(excerpt: Excerpt, width: int) -> Iterator[str]:
    """Yield the excerpt in lines: offsets, text with bytes escaped, a hex dump if needed.

    A chunk boundary inside is marked ``┊``. The dump is given only for bytes that text cannot
    show: what is not UTF-8, control characters, and separators that look like spaces.
    """
    if not excerpt.data:
        yield "an empty body"
        return
    end = excerpt.start + len(excerpt.data)
    chunks = f", in {len(excerpt.chunk_ends) + 1} chunks" if excerpt.chunk_ends else ""
    what = f"wire event {excerpt.number} of {excerpt.count}" if excerpt.number else "body"
    yield f"{what}, bytes {excerpt.start}-{end}{chunks}"
    stop = excerpt.skipped + _LIMIT
    cuts = [c for c in excerpt.chunk_ends if excerpt.skipped < c < stop]
    edges = pairwise((excerpt.skipped, *cuts, min(stop, len(excerpt.data))))
    text = "┊".join(_printable(excerpt.data[a:b]) for a, b in edges)
    text = "…" * (excerpt.skipped > 0) + text + "…" * (len(excerpt.data) > stop)
    room = max(width - 2, 20)
    for start in range(0, len(text), room):
        yield f"  {text[start : start + room]}"
    data = excerpt.data[excerpt.skipped : stop]
    if (odd := _odd(data)) is not None:
        first = odd - odd % _WIDTH
        yield from _dump(data[first : first + 4 * _WIDTH], excerpt.start + excerpt.skipped + first)


def _printable(data: bytes) -> str:
    out = []
    for character in data.decode(errors="surrogateescape"):
        if "\udc80" <= character <= "\udcff":
            out.append(f"\\x{ord(character) - 0xDC00:02x}")
        elif character.isprintable():
            out.append(character)
        else:
            out.append(character.encode("unicode_escape").decode())
    return "".join(out)


def _odd(data: bytes) -> int | None:
    text = data.decode(errors="surrogateescape")
    match = re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\udc80-\udcff]", text)
    if match is None:
        return None
    return len(text[: match.start()].encode(errors="surrogateescape"))


def _dump(data: bytes, offset: int) -> Iterator[str]:
    for start in range(0, len(data), _WIDTH):
        row = data[start : start + _WIDTH]
        text = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        yield f"  {offset + start:06x}  {row.hex(' '):<{_WIDTH * 3 - 1}}  {text}"
