"""Turns the bytes of an NDJSON answer into events. Pure.

One JSON value for each line; lines end with LF or CRLF, and the end of the last may be missing.
Blank lines are skipped. If the first line is not JSON, the body is one value over several lines,
or something else. What the server sent decides, not the content type.
"""

from __future__ import annotations

import json

from harness.adapters.common.answer import Answer
from harness.adapters.common.failures import clip, failure, plain, scrub
from harness.adapters.common.json_text import is_json_start
from mockserver.vocabulary import ErrorClass, ErrorInfo, Event, Json

_NOT_JSON = object()


class LinesBody:
    """Reads one body into ``stream``. ``content_type`` is only named in error messages."""

    def __init__(self, stream: Answer, *, content_type: str | None = None) -> None:
        self._stream = stream
        self._content_type = content_type or "no content type"
        self._unfinished: list[bytes] = []
        self._any_value = False
        #: The lines of a body whose first line is not JSON.
        self._text: list[str] = []

    @property
    def closed(self) -> bool:
        """Whether the terminal event was emitted; the rest of the body does not matter."""
        return self._stream.closed

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes, split anywhere, and return their events."""
        first, *rest = data.split(b"\n")
        self._unfinished.append(first)
        events: list[Event] = []
        for piece in rest:
            line, self._unfinished = b"".join(self._unfinished), [piece]
            events += self._line(self._decoded(line))
        return events

    def end(self) -> list[Event]:
        """End because the body did, and return the last events."""
        truncated = failure(
            ErrorClass.TRUNCATED_STREAM, "the body ended in the middle of a JSON value"
        )
        return [*self._last(truncated), *self._stream.ended()]

    def lost(self, error: ErrorInfo) -> list[Event]:
        """End because the connection broke with ``error``; complete values before it count."""
        return [*self._last(error), *self._stream.lost(error)]

    def _line(self, line: str) -> list[Event]:
        if not line.strip():
            return []
        value = _NOT_JSON if self._text else _parsed(line)
        if value is not _NOT_JSON:
            self._any_value = True
            return self._stream.chunk(value)
        if self._any_value:
            return self._stream.fail(self._unreadable("a line", line))
        self._text.append(line)
        return []

    def _last(self, truncated: ErrorInfo) -> list[Event]:
        """Read what has no line end. ``truncated``: the error if that is part of a value."""
        line, self._unfinished = self._decoded(b"".join(self._unfinished)), []
        if not self._text and (not line.strip() or _parsed(line) is not _NOT_JSON):
            return self._line(line)
        text = "\n".join([*self._text, line])
        value = _parsed(text)
        if value is not _NOT_JSON:
            return self._stream.chunk(value)
        if is_json_start(text):
            return self._stream.lost(truncated)
        what = "a line" if self._any_value else f"the answer ({self._content_type})"
        return self._stream.fail(self._unreadable(what, text))

    def _decoded(self, line: bytes) -> str:
        try:
            return line.decode()
        except UnicodeDecodeError:
            self._stream.warn("invalid_utf8", "bytes that are not UTF-8 became U+FFFD")
            return line.decode(errors="replace")

    def _unreadable(self, what: str, text: str) -> ErrorInfo:
        shown = clip(scrub(plain(text), self._stream.secrets), 200)
        return failure(ErrorClass.PROTOCOL, f"{what} is not {self._stream.api} JSON: {shown}")


def _parsed(text: str) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _NOT_JSON
