"""The text of a body, free of its content coding, with what is in it worked out once.

Bodies with the same text are one object, so that every wire of an answer, every adapter and
every check share one decoding. What is handed out is shared: nobody may change it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import pairwise

from mockserver.wire import sse


class Media(StrEnum):
    """What a body is, as far as cutting it into events goes."""

    SSE = "sse"
    NDJSON = "ndjson"
    OTHER = "other"


@dataclass(frozen=True)
class Body:
    """A decoded body; :func:`body_of` makes it."""

    data: bytes
    media: Media

    @cached_property
    def blocks(self) -> tuple[sse.Block, ...]:
        """The complete events of an event stream; none of any other body."""
        return self._decoded[0]

    @property
    def unfinished(self) -> sse.Block | None:
        """The event that an event stream left without its blank line."""
        return self._decoded[1]

    @cached_property
    def event_ends(self) -> tuple[int, ...]:
        """Offsets behind each event; none in what is not a stream."""
        match self.media:
            case Media.SSE:
                return tuple(sse.event_ends(self.data))
            case Media.NDJSON:
                return tuple(sse.line_ends(self.data))
            case Media.OTHER:
                return ()

    @cached_property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Start and end of each event; what follows the last one is one more."""
        rest = () if self.event_ends[-1:] == (len(self.data),) else (len(self.data),)
        return tuple(pairwise((0, *self.event_ends, *rest)))

    @cached_property
    def _decoded(self) -> tuple[tuple[sse.Block, ...], sse.Block | None]:
        if self.media is not Media.SSE:
            return (), None
        decoder = sse.Decoder()
        return tuple(decoder.feed(self.data)), decoder.close()


@lru_cache(maxsize=128)
def body_of(data: bytes, media: Media) -> Body:
    """The body with that text: the same object for the same text, while it is in use."""
    return Body(data, media)


def media_of(content_type: str | None, body: bytes) -> Media:
    """Tell streams from other bodies by content type, and by the first field without one.

    A JSON error under ``text/event-stream`` (Gemini sends such) is not a stream.
    """
    kind = (content_type or "").split(";")[0].strip().lower()
    start = body.lstrip(b"\xef\xbb\xbf\r\n \t")[:6]
    if kind == "text/event-stream":
        return Media.OTHER if start[:1] in (b"{", b"[", b"<") else Media.SSE
    if kind in {"application/x-ndjson", "application/jsonl", "application/ndjson"}:
        return Media.NDJSON
    if not kind and start.startswith((b"data:", b"event:", b": ")):
        return Media.SSE
    return Media.OTHER
