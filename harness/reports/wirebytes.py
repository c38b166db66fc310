"""Show the bytes on the wire behind an event, where a failure began."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mockserver.vocabulary import JsonObject
from mockserver.wire import Body, Media, Schedule

#: Fields of an event whose text is on the wire, the most specific first.
_EVIDENCE = ("delta", "arguments_delta", "tool_name", "raw_finish_reason", "response_id")
#: Bytes per line of a hex dump, and the most that is shown of one event.
_WIDTH, _LIMIT = 16, 512


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of a decoded body: its wire event's number from 1, its offset, its bytes.

    ``chunk_ends`` are the offsets inside at which one HTTP chunk ended and the next began.
    """

    number: int
    start: int
    data: bytes
    chunk_ends: tuple[int, ...]


def find_excerpt(schedule: Schedule, expected: Sequence[JsonObject], event: int) -> Excerpt | None:
    """Find the wire event from which the expected event of that number comes.

    Walks the expected events along the wire, each to the next wire event that contains its text.
    ``None`` for a body that is not a stream.
    """
    plain = schedule.plain
    if plain.media is Media.OTHER:
        return None
    at = 0
    for wanted in expected[: event + 1]:
        at = _find(plain, at, wanted)
    start, end = plain.spans[at]
    chunk_ends, offset = [], 0
    if schedule.header("content-encoding") is None:
        for send in schedule.sends:
            offset += len(send.data)
            if start < offset < end:
                chunk_ends.append(offset - start)
    return Excerpt(at + 1, start, plain.data[start:end], tuple(chunk_ends))


def _find(plain: Body, at: int, event: JsonObject) -> int:
    text = next((event[k] for k in _EVIDENCE if isinstance(event.get(k), str)), None)
    if text is None:
        return at
    encodings = {
        json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode() for ascii_only in (False, True)
    }
    for number in range(at, len(plain.spans)):
        piece = plain.data[slice(*plain.spans[number])]
        if any(encoding in piece for encoding in encodings):
            return number
    return at


def excerpt_lines(excerpt: Excerpt, width: int) -> Iterator[str]:
    """Yield the excerpt in lines: offsets, text with bytes escaped, a hex dump if needed.

    A chunk boundary inside is marked ``┊``. The dump is given only for bytes that text cannot
    show: what is not UTF-8, control characters, and separators that look like spaces.
    """
    end = excerpt.start + len(excerpt.data)
    chunks = f", in {len(excerpt.chunk_ends) + 1} chunks" if excerpt.chunk_ends else ""
    yield f"wire event {excerpt.number}, bytes {excerpt.start}-{end}{chunks}"
    data = excerpt.data[:_LIMIT]
    pieces, begin = [], 0
    for cut in (*(c for c in excerpt.chunk_ends if c < len(data)), len(data)):
        pieces.append(_printable(data[begin:cut]))
        begin = cut
    text = "┊".join(pieces) + ("…" if len(excerpt.data) > _LIMIT else "")
    room = max(width - 2, 20)
    for start in range(0, len(text), room):
        yield f"  {text[start : start + room]}"
    if (odd := _odd(data)) is not None:
        first = max(odd - odd % _WIDTH, 0)
        yield from _dump(data[first : first + 4 * _WIDTH], excerpt.start + first)


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
