"""Turns the frames of an answer into JSON values for its reader. Pure.

What the server sent decides how it is read, not what was asked for: a stream of frames begins with
the length of the first, which is no text; anything else is read as other APIs' answers are. An
event becomes ``{"messageStop": {…}}``, as the SDKs name it, an exception ``{"__type": …}`` with
its fields, and an error without a model ``{"code": …, "message": …}``.
"""

from __future__ import annotations

import json

from harness.adapters.common.answer import Answer
from harness.adapters.common.answer_body import AnswerBody
from harness.adapters.common.failures import clip, failure, scrub
from harness.adapters.common.transport import BodyReader
from mockserver.vocabulary import ErrorClass, ErrorInfo, Event
from mockserver.wire import Frame, FrameDecoder


class FrameBody:
    """Reads one body into ``stream``."""

    def __init__(self, stream: Answer, *, content_type: str | None = None) -> None:
        self._stream = stream
        self._content_type = content_type
        self._decoder = FrameDecoder()
        self._text: BodyReader | None = None
        self._begun = False

    @property
    def closed(self) -> bool:
        """Whether the terminal event was emitted; the rest of the body does not matter."""
        return self._stream.closed

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes, split anywhere, and return their events."""
        if data and not self._begun:
            self._begun = True
            # The length of a frame is below 32 MiB, so that its first byte is 0 or 1.
            if data[0] > 1:
                self._text = AnswerBody(self._stream, content_type=self._content_type)
        if self._text is not None:
            return self._text.feed(data)
        events: list[Event] = []
        for frame in self._decoder.feed(data):
            events += self._frame(frame)
        return events

    def end(self) -> list[Event]:
        """End because the body did, and return the last events."""
        if self._text is not None:
            return self._text.end()
        if self._decoder.pending:
            message = "the body ended in the middle of a frame"
            return self._stream.lost(failure(ErrorClass.TRUNCATED_STREAM, message))
        return self._stream.ended()

    def lost(self, error: ErrorInfo) -> list[Event]:
        """End because the connection broke with ``error``; complete frames before it count."""
        return self._text.lost(error) if self._text is not None else self._stream.lost(error)

    def _frame(self, frame: Frame) -> list[Event]:
        if frame.problem is not None:
            problem = self._shown(frame.problem, 300)
            return self._stream.fail(failure(ErrorClass.PROTOCOL, problem))
        kind = frame.text(":message-type")
        if kind == "error":
            said = {"code": frame.text(":error-code"), "message": frame.text(":error-message")}
            return self._stream.chunk(said, default=ErrorClass.SERVER_ERROR)
        try:
            text = frame.payload.decode()
        except UnicodeDecodeError:
            self._stream.warn("invalid_utf8", "bytes that are not UTF-8 became U+FFFD")
            text = frame.payload.decode(errors="replace")
        try:
            payload = json.loads(text or "{}")
        except (ValueError, RecursionError):
            payload = None
        if kind == "exception":
            fields = payload if isinstance(payload, dict) else {"message": text}
            said = {"__type": frame.text(":exception-type"), **fields}
            return self._stream.chunk(said)
        if kind != "event":
            shown = self._shown(kind, 40)
            self._stream.warn("unknown_frame", f"a frame of type {shown!r} was skipped")
            return []
        if not isinstance(payload, dict):
            name, shown = self._shown(frame.text(":event-type"), 40), self._shown(text, 200)
            message = f"the payload of {name!r} is no JSON object: {shown}"
            return self._stream.fail(failure(ErrorClass.PROTOCOL, message))
        return self._stream.chunk({frame.text(":event-type"): payload})

    def _shown(self, text: str, limit: int) -> str:
        return clip(scrub(text, self._stream.secrets), limit)
