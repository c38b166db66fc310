"""A body without its content coding. What is in it is computed once.

Bodies with the same text are one object, so that every wire of an answer, every adapter and
every check share one decoding. Everything returned here is shared: do not change it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import pairwise

from mockserver.wire import eventstream, sse
from mockserver.wire.json_array import Element, Elements, element_ends

#: Content types under which gateways send event streams.
_MISLABELED = frozenset({"", "application/json", "text/plain"})
#: A stream in the form of one array. An error in a list of its own is none.
_ARRAY = re.compile(rb'\[\s*\{\s*"(?!error")')


class Media(StrEnum):
    """What a body is, for splitting it into events.

    ``AWS_FRAMES`` are those of :mod:`mockserver.wire.eventstream`, which AWS calls an event stream.
    """

    SSE = "sse"
    NDJSON = "ndjson"
    JSON_ARRAY = "json-array"
    AWS_FRAMES = "aws-frames"
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

    @cached_property
    def frames(self) -> tuple[eventstream.Frame, ...]:
        """The complete frames of an AWS event stream; none of any other body."""
        return eventstream.frames(self.data) if self.media is Media.AWS_FRAMES else ()

    @property
    def unfinished(self) -> sse.Block | None:
        """The last event of an event stream, if its blank line is missing."""
        return self._decoded[1]

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """The complete elements of a stream that is one array; none of any other body."""
        return tuple(Elements().feed(self.data)) if self.media is Media.JSON_ARRAY else ()

    @cached_property
    def event_ends(self) -> tuple[int, ...]:
        """Offsets after each event; empty for a body that is not a stream."""
        match self.media:
            case Media.SSE:
                return tuple(sse.event_ends(self.data))
            case Media.NDJSON:
                return tuple(sse.line_ends(self.data))
            case Media.JSON_ARRAY:
                return tuple(element_ends(self.data))
            case Media.AWS_FRAMES:
                return tuple(eventstream.frame_ends(self.data))
            case Media.OTHER:
                return ()

    @cached_property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Start and end of each event; data after the last one counts as one more."""
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
    """Return the body with that text: the same object for the same text, while it is cached."""
    return Body(data, media)


def media_of(content_type: str | None, body: bytes) -> Media:
    """Return the kind of a body, from its content type and from how it begins.

    A JSON error under ``text/event-stream`` (Gemini sends such) is not a stream; what begins like
    one is, under ``application/json``, ``text/plain`` or no content type at all, since gateways
    send such and no JSON begins like that. A list of objects is a stream of them (Gemini's).
    """
    kind = (content_type or "").split(";")[0].strip().lower()
    text = body.lstrip(b"\xef\xbb\xbf\r\n \t")
    start = text[:6]
    if kind == "text/event-stream":
        return Media.OTHER if start[:1] in (b"{", b"[", b"<") else Media.SSE
    if kind == eventstream.CONTENT_TYPE:
        return Media.OTHER if start[:1] in (b"{", b"[", b"<") else Media.AWS_FRAMES
    if kind in {"application/x-ndjson", "application/jsonl", "application/ndjson"}:
        return Media.NDJSON
    if kind in _MISLABELED and start.startswith((b"data:", b"event:", b": ")):
        return Media.SSE
    if kind == "application/json" and _ARRAY.match(text):
        return Media.JSON_ARRAY
    return Media.OTHER
