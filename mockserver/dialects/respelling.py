"""Say the events of a stream in other words: the same JSON spelled otherwise, events beside. Pure.

What a provider may send and rarely does. Each event is one chunk.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from mockserver.cassettes.cassette import Chunk, Response
from mockserver.dialects.writing import compact
from mockserver.vocabulary.model import Json
from mockserver.wire import eventstream
from mockserver.wire.body import Body, Media
from mockserver.wire.eventstream import Header
from mockserver.wire.schedule import from_response


class Spelling(StrEnum):
    """How the JSON of an event is spelled.

    ``escaped`` has every character beyond ASCII as an escape, ``spaced`` blanks behind commas and
    colons.
    """

    COMPACT = "compact"
    ESCAPED = "escaped"
    SPACED = "spaced"


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event of a stream: JSON, or text that is none, such as ``[DONE]``.

    ``name`` is that of an event stream or a frame, ``headers`` are all of a frame.
    """

    data: Json
    name: str | None = None
    spelling: Spelling = Spelling.COMPACT
    is_text: bool = False
    headers: tuple[Header, ...] = field(default=(), repr=False)


def events_of(response: Response) -> tuple[StreamEvent, ...]:
    """Return the events of a written stream; none of an answer that is not one."""
    plain = from_response(response).plain
    match plain.media:
        case Media.SSE:
            return tuple(_of_block(b.event, b.data or "") for b in plain.blocks)
        case Media.NDJSON:
            return tuple(StreamEvent(json.loads(line)) for line in plain.data.splitlines() if line)
        case Media.AWS_FRAMES:
            return tuple(_of_frame(frame) for frame in plain.frames)
    return ()


def respelled(response: Response, events: Iterable[StreamEvent]) -> Response:
    """Return a stream with other events in the place of its own, all due at once."""
    media = _media(response)
    pieces = [_bytes_of(event, media) for event in events]
    chunks = tuple(Chunk(response.wire.headers_ms, len(piece)) for piece in pieces)
    wire = replace(response.wire, chunks=chunks, end_ms=response.wire.headers_ms)
    return replace(response, body=b"".join(pieces), wire=wire)


def _media(response: Response) -> Media:
    plain: Body = from_response(response).plain
    return plain.media


def _of_block(name: str, data: str) -> StreamEvent:
    named = None if name in ("", "message") else name
    try:
        return StreamEvent(json.loads(data), named)
    except ValueError:
        return StreamEvent(data, named, is_text=True)


def _of_frame(frame: eventstream.Frame) -> StreamEvent:
    name = next((h.value for h in frame.headers if h.name == ":event-type"), None)
    named = name if isinstance(name, str) else None
    return StreamEvent(json.loads(frame.payload), named, headers=tuple(frame.headers))


def _bytes_of(event: StreamEvent, media: Media) -> bytes:
    text = event.data if event.is_text else _spelled(event.data, event.spelling)
    match media:
        case Media.NDJSON:
            return f"{text}\n".encode()
        case Media.AWS_FRAMES:
            return eventstream.encode(event.headers, text.encode())
    name = "" if event.name is None else f"event: {event.name}\n"
    return f"{name}data: {text}\n\n".encode()


def _spelled(data: Json, spelling: Spelling) -> str:
    match spelling:
        case Spelling.ESCAPED:
            return json.dumps(data, separators=(",", ":"))
        case Spelling.SPACED:
            return json.dumps(data, ensure_ascii=False)
    return compact(data)
