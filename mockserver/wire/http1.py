"""Writes a schedule as an HTTP/1.1 message (RFC 9112), without I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from mockserver.cassettes.cassette import Headers
from mockserver.wire.schedule import Coding, Ending, Hold, Schedule, Send

LAST_CHUNK = b"0\r\n\r\n"

#: Answers whose message is longer are written piece by piece and not kept as one.
WHOLE_LIMIT = 256 * 1024


class Form(Enum):
    """How a client's version and method let an answer travel."""

    PERSISTENT = "HTTP/1.1"
    LAST = "HTTP/1.1, connection closes"
    OLD = "HTTP/1.0"
    BODILESS = "no body"
    BODILESS_LAST = "no body, connection closes"

    @property
    def bodiless(self) -> bool:
        """Whether the message ends with its head."""
        return self in (Form.BODILESS, Form.BODILESS_LAST)


@dataclass(frozen=True)
class Message:
    """A schedule with what is computed from it once and sent many times."""

    schedule: Schedule

    def form(self, method: str, *, version: tuple[int, int], keep_alive: bool) -> Form:
        """Return the form for a request (RFC 9112, sections 6.3 and 9.3)."""
        if method == "HEAD" or self.schedule.status in (204, 304):
            return Form.BODILESS if keep_alive and version >= (1, 1) else Form.BODILESS_LAST
        if version < (1, 1):
            return Form.OLD
        return Form.PERSISTENT if keep_alive else Form.LAST

    def coding(self, form: Form) -> Coding:
        """Return how the end of the body is marked: HTTP/1.0 knows no chunks."""
        if form is Form.OLD and self.schedule.coding is Coding.CHUNKED:
            return Coding.CLOSE
        return self.schedule.coding

    def closes(self, form: Form) -> bool:
        """Whether the connection ends with this answer."""
        return self._says_close(form) or self.schedule.ending is not Ending.FINISH

    def head(self, form: Form) -> bytes:
        """Return status line and headers: the recorded ones, then those of the connection."""
        schedule = self.schedule
        version = "HTTP/1.0" if form is Form.OLD else "HTTP/1.1"
        lines = [f"{version} {schedule.status} {schedule.reason}"]
        lines += [f"{name}: {value}" for name, value in (*schedule.headers, *self.framing(form))]
        text = "\r\n".join((*lines, "", ""))
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError:
            return text.encode()

    def framing(self, form: Form) -> Headers:
        """Return the headers that :meth:`head` adds to the recorded ones."""
        headers: list[tuple[str, str]] = []
        if not form.bodiless:
            match self.coding(form):
                case Coding.CHUNKED:
                    headers.append(("transfer-encoding", "chunked"))
                case Coding.LENGTH:
                    # A body that breaks off was promised to be longer than it is.
                    missing = self.schedule.ending is not Ending.FINISH
                    headers.append(("content-length", str(len(self.schedule.body) + missing)))
        if self._says_close(form):
            headers.append(("connection", "close"))
        return tuple(headers)

    def frame(self, send: Send, form: Form) -> bytes:
        """Return one piece of the body as it travels; an empty one would end a chunked body."""
        if send.data and self.coding(form) is Coding.CHUNKED:
            return b"%x\r\n%b\r\n" % (len(send.data), send.data)
        return send.data

    def tail(self, form: Form) -> bytes:
        """Return what lawfully ends the body."""
        chunked = self.coding(form) is Coding.CHUNKED and not form.bodiless
        return LAST_CHUNK if chunked and self.schedule.ending is Ending.FINISH else b""

    def whole(self, form: Form) -> bytes | None:
        """Return the message in one piece, or ``None`` if it must be sent in several.

        Chunks keep their bounds in one piece; without them, only separate writes do.
        """
        return self._persistent if form is Form.PERSISTENT else self._join(form)

    @cached_property
    def _persistent(self) -> bytes | None:
        return self._join(Form.PERSISTENT)

    def _join(self, form: Form) -> bytes | None:
        if form.bodiless:
            return self.head(form)
        steps = self.schedule.steps
        unmarked = self.coding(form) is not Coding.CHUNKED and len(steps) > 1
        held = any(isinstance(step, Hold) for step in steps)
        if unmarked or held or len(self.schedule.body) > WHOLE_LIMIT:
            return None
        return b"".join(self._parts(form))

    def _parts(self, form: Form) -> Iterator[bytes]:
        yield self.head(form)
        for send in self.schedule.sends:
            yield self.frame(send, form)
        yield self.tail(form)

    def _says_close(self, form: Form) -> bool:
        # A connection that will break off says nothing of it beforehand.
        if form is not Form.PERSISTENT and form is not Form.BODILESS:
            return True
        return self.schedule.coding is Coding.CLOSE and not form.bodiless
