"""Reads the body of an answer: an event stream, one array of chunks, or one whole answer. Pure.

A stream that is not asked for as events comes as one JSON array, an element for each chunk.
"""

from __future__ import annotations

import json

from harness.adapters.common.answer import Answer
from harness.adapters.common.answer_body import AnswerBody
from harness.adapters.common.failures import clip, failure, plain, scrub
from mockserver.vocabulary import ErrorClass, ErrorInfo, Event
from mockserver.wire import Elements

_SPACE = b"\xef\xbb\xbf \t\r\n"


class GeminiBody:
    """Reads one body into ``stream``; its first byte says which form it has."""

    def __init__(self, stream: Answer, *, content_type: str | None = None) -> None:
        self._stream = stream
        self._content_type = content_type
        self._begun = b""
        self._body: AnswerBody | _ArrayBody | None = None

    @property
    def closed(self) -> bool:
        """Whether the terminal event was emitted; the rest of the body does not matter."""
        return self._stream.closed

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes, split anywhere, and return their events."""
        if self._body is None:
            self._begun += data
            text = self._begun.lstrip(_SPACE)
            if not text:
                return []
            if text.startswith(b"["):
                self._body, data = _ArrayBody(self._stream), text
            else:
                self._body, data = self._events(), self._begun
        return self._body.feed(data)

    def end(self) -> list[Event]:
        """End because the body did, and return the last events."""
        return (self._body or self._events()).end()

    def lost(self, error: ErrorInfo) -> list[Event]:
        """End because the connection broke with ``error``; complete chunks before it count."""
        return (self._body or self._events()).lost(error)

    def _events(self) -> AnswerBody:
        return AnswerBody(self._stream, content_type=self._content_type)


class _ArrayBody:
    def __init__(self, stream: Answer) -> None:
        self._stream = stream
        self._elements = Elements()

    def feed(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        for element in self._elements.feed(data):
            text = element.data.decode(errors="replace")
            try:
                value = json.loads(text)
            except (ValueError, RecursionError):
                return [*events, *self._stream.fail(self._unreadable(text))]
            if "\ufffd" in text and not _is_utf8(element.data):
                self._stream.warn("invalid_utf8", "bytes that are not UTF-8 became U+FFFD")
            events += self._stream.chunk(value)
        if self._elements.broken:
            events += self._stream.fail(self._unreadable("a bracket in a wrong place"))
        return events

    def end(self) -> list[Event]:
        if self._elements.closed or not self._elements.pending:
            return self._stream.ended()
        message = "the body ended in the middle of a JSON value"
        return self._stream.lost(failure(ErrorClass.TRUNCATED_STREAM, message))

    def lost(self, error: ErrorInfo) -> list[Event]:
        return self._stream.lost(error)

    def _unreadable(self, text: str) -> ErrorInfo:
        shown = clip(scrub(plain(text), self._stream.secrets), 200)
        return failure(
            ErrorClass.PROTOCOL, f"an element is not a {self._stream.api} chunk: {shown}"
        )


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
