"""Turns the bytes of an answer into events, streamed or not. Pure.

What the server sent decides how it is read, not what was asked for or the content type:
gateways answer with a stream to a plain request, with JSON to a request for a stream, and leave
out the content type. An event stream is read as it arrives; if no event is found in a body that
is JSON, it was the whole answer. Keep-alives are skipped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from harness.adapters.common.answer import Answer
from harness.adapters.common.failures import clip, failure, plain, scrub
from harness.adapters.common.json_text import is_json_start
from mockserver.vocabulary import ErrorClass, ErrorInfo, Event, Json
from mockserver.wire import Block, Decoder

_ERROR_FIELD = "error:"
#: The end of a stream after a whole answer, on the same line (decolua/9router#3492).
_TRAILING_DONE = re.compile(r"\s*data: ?\[DONE\]$")


class AnswerBody:
    """Reads one body into ``stream``. ``content_type`` is only named in error messages."""

    def __init__(self, stream: Answer, *, content_type: str | None = None) -> None:
        self._stream = stream
        self._content_type = content_type or "no content type"
        self._decoder = Decoder()
        self._any_event = False
        self._malformed = False
        # Lines that are not SSE fields. Before the first event they may be a JSON answer.
        self._bare_lines: list[str] = []

    @property
    def closed(self) -> bool:
        """Whether the terminal event was emitted; the rest of the body does not matter."""
        return self._stream.closed

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes, split anywhere, and return their events."""
        return [e for block in self._decoder.feed(data) for e in self._block(block)]

    def end(self) -> list[Event]:
        """End because the body did, and return the last events."""
        truncated = failure(
            ErrorClass.TRUNCATED_STREAM, "the body ended in the middle of a JSON value"
        )
        return [*self._finish(truncated), *self._stream.ended()]

    def lost(self, error: ErrorInfo) -> list[Event]:
        """End because the connection broke with ``error``; complete events before it count."""
        return [*self._finish(error), *self._stream.lost(error)]

    def _block(self, block: Block) -> list[Event]:
        data = "" if block.is_keepalive else (block.data or "").strip()
        events = self._unknown_lines(block.ignored, is_last_chance=self._any_event or bool(data))
        self._malformed |= block.malformed
        if not data:
            return events
        self._any_event = True
        if data == "[DONE]":
            return [*events, *self._stream.done()]
        is_named_error = block.event == "error"
        value = _json_or_text(data)
        if value is data and not is_named_error:
            return [*events, *self._stream.fail(self._unreadable("an event", data))]
        self._warn()
        return [*events, *self._stream.chunk(value, is_named_error=is_named_error)]

    def _unknown_lines(self, lines: Iterable[str], *, is_last_chance: bool) -> list[Event]:
        """Read lines unknown to the standard: llama.cpp's ``error:``, and JSON without a field."""
        for line in lines:
            if line.startswith(_ERROR_FIELD):
                value = _json_or_text(line.removeprefix(_ERROR_FIELD).strip())
                return self._stream.chunk(value, is_named_error=True)
            self._bare_lines.append(line)
        if not is_last_chance:
            return []
        value = _json_or_text("\n".join(self._bare_lines))
        self._bare_lines.clear()
        return self._stream.chunk(value) if self._stream.is_answer(value) else []

    def _finish(self, truncated: ErrorInfo) -> list[Event]:
        """Read what is unfinished at the end. ``truncated``: the error if that is part of JSON."""
        last = self._decoder.close()
        events: list[Event] = []
        if last is not None:
            data = "" if last.is_keepalive else (last.data or "").strip()
            if data not in ("", "[DONE]") and _json_or_text(data) is data:
                events = self._unknown_lines(last.ignored, is_last_chance=True)
                return [*events, *self._stream.lost(truncated)]
            events = self._block(last)
        return events if self._any_event else [*events, *self._document(truncated)]

    def _document(self, truncated: ErrorInfo) -> list[Event]:
        """Read a body without any event: one JSON value, or an error."""
        if not self._bare_lines:
            return []
        text = _TRAILING_DONE.sub("", "\n".join(self._bare_lines).strip())
        value = _json_or_text(text)
        if value is text and is_json_start(text):
            return self._stream.lost(truncated)
        if not self._stream.is_answer(value):
            return self._stream.fail(self._unreadable(f"the answer ({self._content_type})", text))
        self._warn()
        return [
            *self._stream.chunk(value, default=ErrorClass.INVALID_REQUEST),
            *self._stream.done(),
        ]

    def _warn(self) -> None:
        if self._malformed:
            self._stream.warn("invalid_utf8", "bytes that are not UTF-8 became U+FFFD")

    def _unreadable(self, what: str, text: str) -> ErrorInfo:
        shown = clip(scrub(plain(text), self._stream.secrets), 200)
        return failure(
            ErrorClass.PROTOCOL, f"{what} is not a {self._stream.api} chunk or answer: {shown}"
        )


def _json_or_text(text: str) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
