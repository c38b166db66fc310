"""Writes a schedule as an HTTP/1.1 message (RFC 9112), without I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from mockserver.cassettes.cassette import Headers
from mockserver.wire.schedule import Coding, Ending, Gate, Schedule, Send

LAST_CHUNK = b"0\r\n\r\n"

#: Longer messages are written piece by piece and not prepared as a whole.
WHOLE_LIMIT = 256 * 1024


class Delivery(Enum):
    """How an answer is sent, given the client's HTTP version and method."""

    PERSISTENT = "HTTP/1.1"
    LAST = "HTTP/1.1, connection closes"
    HTTP_1_0 = "HTTP/1.0"
    BODILESS = "no body"
    BODILESS_LAST = "no body, connection closes"

    @property
    def bodiless(self) -> bool:
        """Whether the message ends with its head."""
        return self in (Delivery.BODILESS, Delivery.BODILESS_LAST)


@dataclass(frozen=True)
class Message:
    """A schedule as HTTP/1.1, computed once and sent many times."""

    schedule: Schedule

    def delivery(self, method: str, *, version: tuple[int, int], keep_alive: bool) -> Delivery:
        """Return the delivery for a request (RFC 9112, sections 6.3 and 9.3)."""
        if method == "HEAD" or self.schedule.status in (204, 304):
            return Delivery.BODILESS if keep_alive and version >= (1, 1) else Delivery.BODILESS_LAST
        if version < (1, 1):
            return Delivery.HTTP_1_0
        return Delivery.PERSISTENT if keep_alive else Delivery.LAST

    def coding(self, delivery: Delivery) -> Coding:
        """Return how the end of the body is marked: HTTP/1.0 knows no chunks."""
        if delivery is Delivery.HTTP_1_0 and self.schedule.coding is Coding.CHUNKED:
            return Coding.CLOSE
        return self.schedule.coding

    def closes(self, delivery: Delivery) -> bool:
        """Whether the connection ends with this answer."""
        return self._says_close(delivery) or self.schedule.ending is not Ending.FINISH

    def head(self, delivery: Delivery) -> bytes:
        """Return status line and headers: the recorded ones, then those of the connection."""
        schedule = self.schedule
        version = "HTTP/1.0" if delivery is Delivery.HTTP_1_0 else "HTTP/1.1"
        lines = [f"{version} {schedule.status} {schedule.reason}"]
        lines += [
            f"{name}: {value}" for name, value in (*schedule.headers, *self.framing(delivery))
        ]
        text = "\r\n".join((*lines, "", ""))
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError:
            return text.encode()

    def framing(self, delivery: Delivery) -> Headers:
        """Return the headers that :meth:`head` adds to the recorded ones."""
        headers: list[tuple[str, str]] = []
        if not delivery.bodiless:
            match self.coding(delivery):
                case Coding.CHUNKED:
                    headers.append(("transfer-encoding", "chunked"))
                case Coding.LENGTH:
                    # An interrupted body is announced as longer than it is.
                    missing = self.schedule.ending is not Ending.FINISH
                    headers.append(("content-length", str(len(self.schedule.body) + missing)))
        if self._says_close(delivery):
            headers.append(("connection", "close"))
        return tuple(headers)

    def frame(self, send: Send, delivery: Delivery) -> bytes:
        """Return one piece of the body as it is sent; an empty chunk would end a chunked body."""
        if send.data and self.coding(delivery) is Coding.CHUNKED:
            return b"%x\r\n%b\r\n" % (len(send.data), send.data)
        return send.data

    def tail(self, delivery: Delivery) -> bytes:
        """Return what properly ends the body."""
        chunked = self.coding(delivery) is Coding.CHUNKED and not delivery.bodiless
        return LAST_CHUNK if chunked and self.schedule.ending is Ending.FINISH else b""

    def whole(self, delivery: Delivery) -> bytes | None:
        """Return the message in one piece, or ``None`` if it must be sent in several.

        Chunks keep their bounds in one piece; without them, only separate writes do.
        """
        return self._persistent if delivery is Delivery.PERSISTENT else self._join(delivery)

    @cached_property
    def _persistent(self) -> bytes | None:
        return self._join(Delivery.PERSISTENT)

    def _join(self, delivery: Delivery) -> bytes | None:
        if delivery.bodiless:
            return self.head(delivery)
        steps = self.schedule.steps
        unmarked = self.coding(delivery) is not Coding.CHUNKED and len(steps) > 1
        gated = any(isinstance(step, Gate) for step in steps)
        if unmarked or gated or len(self.schedule.body) > WHOLE_LIMIT:
            return None
        return b"".join(self.parts(delivery))

    def parts(self, delivery: Delivery) -> Iterator[bytes]:
        """Yield all pieces of the message; a gate is passed."""
        yield self.head(delivery)
        for send in self.schedule.sends:
            yield self.frame(send, delivery)
        yield self.tail(delivery)

    def _says_close(self, delivery: Delivery) -> bool:
        # A connection that will be interrupted does not announce it.
        if delivery is not Delivery.PERSISTENT and delivery is not Delivery.BODILESS:
            return True
        return self.schedule.coding is Coding.CLOSE and not delivery.bodiless
