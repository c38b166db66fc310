"""Seal the frames of an AWS event stream again, after their payloads were edited.

A frame states its length twice and has two checksums. Edits of its payload need edits of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mockserver.wire import eventstream
from mockserver.wire.body import Media, media_of
from mockserver.wire.eventstream import CHECKSUM, PRELUDE, Frame


class UnsealableError(ValueError):
    """An edit is not inside the payload of a good frame, so the stream would be broken."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces the bytes from ``start`` to ``stop`` by ``text``."""

    start: int
    stop: int
    text: bytes


def sealed(body: bytes, edits: Sequence[Edit], content_type: str | None) -> list[Edit]:
    """Return ordered edits with those that they make necessary.

    Raises :class:`UnsealableError`. Nothing is added in a body of another kind.
    """
    if not edits or media_of(content_type, body) is not Media.AWS_FRAMES:
        return list(edits)
    found: list[Edit] = []
    left = list(edits)
    for frame in eventstream.frames(body):
        inside = [e for e in left if e.start < frame.span[1]]
        del left[: len(inside)]
        if inside:
            found += _resealed(body, frame, inside)
    if left:
        raise UnsealableError("behind the last complete frame")
    return found


def _resealed(body: bytes, frame: Frame, edits: Sequence[Edit]) -> Iterator[Edit]:
    (begin, end), payload_end = frame.span, frame.span[1] - CHECKSUM
    if frame.problem is not None:
        raise UnsealableError(f"in a frame that is broken: {frame.problem}")
    if edits[0].start < frame.payload_start or edits[-1].stop > payload_end:
        raise UnsealableError("in the headers of a frame")
    headers = body[begin + PRELUDE : frame.payload_start]
    parts, at = [], frame.payload_start
    for edit in edits:
        parts += [body[at : edit.start], edit.text]
        at = edit.stop
    payload = b"".join((*parts, body[at:payload_end]))
    prelude = eventstream.prelude_of(len(headers), len(payload))
    yield Edit(begin, begin + PRELUDE, prelude)
    yield from edits
    yield Edit(payload_end, end, eventstream.checksum(prelude + headers + payload))
