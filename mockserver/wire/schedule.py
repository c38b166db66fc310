"""What the server will do for one response, decided before the first byte is sent.

A schedule is pure data: the head, the pieces of the body with their times, and how it ends.
Axes and faults are functions from schedule to schedule; the application executes the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from mockserver.cassettes.cassette import End, Headers, Response, header_value
from mockserver.errors import CodingError, NotEncodedError
from mockserver.wire.body import Body, Media, body_of, media_of
from mockserver.wire.content_coding import decode, encoding_of


class Coding(StrEnum):
    """How the end of a body is marked on the wire (RFC 9112, section 6.3)."""

    CHUNKED = "chunked"
    LENGTH = "length"
    CLOSE = "close"


class Ending(StrEnum):
    """What happens after the last piece.

    ``finish`` ends the body properly, ``truncate`` closes the connection before that, ``reset``
    sends RST, ``stall`` stays silent until the client leaves.
    """

    FINISH = "finish"
    TRUNCATE = "truncate"
    RESET = "reset"
    STALL = "stall"


@dataclass(frozen=True, slots=True)
class Send:
    """A piece of the body, one HTTP chunk, due ``at_ms`` after the request."""

    data: bytes
    at_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Gate:
    """A pause until the session releases it."""

    name: str


Step = Send | Gate

#: Headers that belong to one connection.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        # Not hop-by-hop, but it repeats what the coding says.
        "content-length",
    }
)
_ENDINGS = {
    End.EOF: Ending.FINISH,
    End.TRUNCATED: Ending.TRUNCATE,
    End.RESET: Ending.RESET,
    End.TIMEOUT: Ending.STALL,
    End.CLIENT_CLOSED: Ending.STALL,
}


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """One response to play."""

    status: int
    reason: str
    headers: Headers
    headers_ms: float
    steps: tuple[Step, ...]
    coding: Coding
    ending: Ending
    media: Media

    @cached_property
    def body(self) -> bytes:
        """All bytes of the body, as they are sent."""
        return b"".join(s.data for s in self.steps if isinstance(s, Send))

    @cached_property
    def plain(self) -> Body:
        """The body without content coding, and what is in it.

        A body that is not in the coding of its headers is returned unchanged. Raises
        :class:`CodingError` if it cannot be decoded here.
        """
        try:
            data = decode(self.body, encoding_of(self.headers))
        except NotEncodedError:
            data = self.body
        return body_of(data, self.media)

    @property
    def sends(self) -> tuple[Send, ...]:
        """The pieces of the body without the gates."""
        return tuple(s for s in self.steps if isinstance(s, Send))

    def header(self, name: str) -> str | None:
        """Return the first header of that name, in any case."""
        return header_value(self.headers, name)

    def without_header(self, name: str) -> Headers:
        """Return the headers without those of that name."""
        return tuple((n, v) for n, v in self.headers if n.lower() != name.lower())

    def decoded(self) -> Schedule:
        """Return the same response without content coding: one piece, or one per event.

        Raises :class:`CodingError` if it cannot be decoded here.
        """
        if self.header("content-encoding") is None:
            return self
        return self._decoded

    @cached_property
    def _decoded(self) -> Schedule:
        body = self.plain.data
        at = self.sends[-1].at_ms if self.sends else 0.0
        plain = replace(
            self,
            headers=self.without_header("content-encoding"),
            steps=(Send(body, at),) if body else (),
        )
        return split_at(plain, self.plain.event_ends)

    def __hash__(self) -> int:
        # Enough to distinguish schedules: a body may have thousands of steps.
        return hash((self.status, self.ending, self.body))


def from_response(response: Response) -> Schedule:
    """Make the schedule that replays ``response`` as it was recorded.

    Hop-by-hop headers are left to the server. A ``content-encoding`` over a body that is not
    encoded (some recorders store the decoded body and keep the header) is dropped. Without
    recorded chunks, a stream is split per event and any other body is one piece.
    """
    headers = tuple((n, v) for n, v in response.headers if n.lower() not in HOP_BY_HOP)
    plain = response.body
    try:
        plain = decode(plain, encoding_of(headers))
        is_encoded = plain is not response.body
    except NotEncodedError:
        is_encoded = False
    except CodingError:
        # It can still be played.
        is_encoded = True
    if not is_encoded:
        headers = tuple((n, v) for n, v in headers if n.lower() != "content-encoding")
    media = media_of(response.header("content-type"), plain)
    wire = response.wire
    pieces: list[Step] = []
    if wire.chunks is not None:
        offset = 0
        for chunk in wire.chunks:
            pieces.append(Send(response.body[offset : offset + chunk.length], chunk.at_ms))
            offset += chunk.length
    elif response.body:
        pieces.append(Send(response.body, wire.headers_ms))
    streamed = wire.chunks is not None or media is not Media.OTHER
    schedule = Schedule(
        status=response.status,
        reason=response.reason,
        headers=headers,
        headers_ms=wire.headers_ms,
        steps=tuple(pieces),
        coding=Coding.CHUNKED if streamed else Coding.LENGTH,
        ending=_ENDINGS[wire.end],
        media=media,
    )
    if wire.chunks is None and not is_encoded:
        return split_at(schedule, schedule.plain.event_ends)
    return schedule


def split_at(schedule: Schedule, offsets: Sequence[int]) -> Schedule:
    """Split the body at ``offsets`` only; each piece is due when its first byte was."""
    sends = schedule.sends
    body = schedule.body
    starts: list[tuple[int, float]] = []
    offset = 0
    for send in sends:
        starts.append((offset, send.at_ms))
        offset += len(send.data)
    pieces: list[Step] = []
    begin, index = 0, 0
    for end in sorted({c for c in offsets if 0 < c < len(body)} | {len(body)}):
        if end == begin:
            continue
        while index + 1 < len(starts) and starts[index + 1][0] <= begin:
            index += 1
        pieces.append(Send(body[begin:end], starts[index][1]))
        begin = end
    return replace(schedule, steps=tuple(pieces))


def gate_after(schedule: Schedule, offset: int, name: str) -> Schedule:
    """Stop after ``offset`` bytes until the session releases the gate ``name``."""
    parts = split_at(schedule, [*piece_ends(schedule), offset])
    steps: list[Step] = []
    position = 0
    for send in parts.sends:
        steps.append(send)
        position += len(send.data)
        if position == offset:
            steps.append(Gate(name))
    return replace(parts, steps=tuple(steps))


def piece_ends(schedule: Schedule) -> list[int]:
    """Return the offsets in the body after each of its pieces."""
    ends, offset = [], 0
    for send in schedule.sends:
        offset += len(send.data)
        ends.append(offset)
    return ends
