"""The Messages state machine: stream events in, normalized events out. Pure.

A whole message is an event too: its blocks come at once. The turn ends with ``message_stop``, or
with the body once there was a stop reason; until then counts and an error may follow. Events go
by the ``type`` in their JSON, since gateways leave out the names of events; unknown ones are
skipped.

A second ``message_start`` with the same id repeats the first. With another id, another answer
began, and what came before cannot be taken back, so the turn fails.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from harness.adapters.anthropic.blocks import Blocks
from harness.adapters.common.answer import Answer
from harness.adapters.common.failures import failure, from_payload, is_error
from harness.adapters.common.surrogates import fix_surrogates, fix_surrogates_in
from mockserver.vocabulary import (
    ErrorClass,
    ErrorInfo,
    Event,
    FinishReason,
    Json,
    MessageStart,
    MessageStop,
    UsageEvent,
)

#: The API's words for why the model stopped.
FINISH_REASONS: Mapping[str, FinishReason] = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "tool_use": FinishReason.TOOL_CALLS,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "pause_turn": FinishReason.PAUSE,
    "compaction": FinishReason.PAUSE,
    "refusal": FinishReason.REFUSAL,
}


class MessagesStream(Answer):
    """One answer of the Messages API. Feed it with stream events, or with a whole message.

    ``taken_ids`` are the tool call ids of earlier turns. The ``native`` of the last event has what
    the API says about a refusal, if it does.
    """

    api = "Messages"
    terminal = "stop_reason"

    def __init__(
        self,
        *,
        taken_ids: Collection[str] = (),
        secrets: Collection[str] = (),
        request_id: str | None = None,
    ) -> None:
        super().__init__(secrets=secrets, request_id=request_id)
        self._id: str | None = None
        self._model: str | None = None
        self._finish: str | None = None
        self._details: tuple[Json, ...] = ()
        self._blocks = Blocks(taken_ids)

    def is_answer(self, value: Json) -> bool:
        """Return whether ``value`` is a whole message or an error."""
        return is_error(value) or (
            isinstance(value, Mapping) and isinstance(value.get("content"), list)
        )

    def chunk(
        self,
        value: Json,
        *,
        is_named_error: bool = False,
        default: ErrorClass = ErrorClass.STREAM_ERROR,
    ) -> list[Event]:
        """Take one stream event, or a whole message; see :meth:`Answer.chunk`."""
        if self.closed or value is None:
            return []
        self._any_chunk = True
        if is_named_error or is_error(value):
            return self.fail(from_payload(value, default=default, secrets=self.secrets))
        if not isinstance(value, Mapping):
            what = type(value).__name__
            return self.fail(failure(ErrorClass.PROTOCOL, f"an event is an object, not {what}"))
        kind = value.get("type")
        if kind == "message_stop":
            return self.done()
        is_whole = kind == "message" or (kind is None and self.is_answer(value))
        events = self._taken(self._whole(value) if is_whole else self._event(kind, value))
        for code, message in self._blocks.take_problems():
            self.warn(code, message)
        if self._started:
            at = 1 if events and isinstance(events[0], MessageStart) else 0
            events[at:at] = self._take_warnings()
        return [*events, *self.fail(self._blocks.error)] if self._blocks.error else events

    def done(self) -> list[Event]:
        """End because the server said that this was all, even without a stop reason."""
        if self.closed:
            return []
        if self._finish is None and not self._blocks.has_content:
            return self.fail(failure(ErrorClass.EMPTY_RESPONSE, "the answer has no content"))
        if self._finish is None:
            self.warn("finish_reason_missing", "the answer ended without a stop_reason")
        return self._complete()

    def lost(self, error: ErrorInfo) -> list[Event]:
        """End because the connection broke; after a stop reason the turn is complete."""
        if self._finish is not None and not self.closed:
            return self._complete()
        return self.fail(error)

    def _event(self, kind: Json, event: Mapping[str, Json]) -> Iterator[Event]:
        match kind:
            case "message_start":
                message = event.get("message")
                if isinstance(message, Mapping):
                    yield from self._start(message)
            case "content_block_start":
                yield from self._opened(
                    self._blocks.start(event.get("index"), event.get("content_block"))
                )
            case "content_block_delta":
                yield from self._opened(self._blocks.delta(event.get("index"), event.get("delta")))
            case "content_block_stop":
                yield from self._opened(self._blocks.stop(event.get("index")))
            case "message_delta":
                self._usage.add(event.get("usage"))
                self._reason_given(event.get("delta"))

    def _start(self, message: Mapping[str, Json]) -> Iterator[Event]:
        new_id = _text_or_none(message.get("id"))
        if self._started and self._id not in (None, new_id) and new_id is not None:
            if self._blocks.has_content:
                text = "another message began before the end of this one"
                self._blocks.error = failure(ErrorClass.STREAM_ERROR, text)
                return
            self.warn("answer_restarted", "a message began after another one without content")
        self._head(message)
        yield from self._opened(iter(()))
        content = message.get("content")
        for block in content if isinstance(content, list) else ():
            yield from self._blocks.whole(block)

    def _whole(self, message: Mapping[str, Json]) -> Iterator[Event]:
        self._head(message)
        yield from self._opened(iter(()))
        for block in message["content"] if isinstance(message.get("content"), list) else ():
            yield from self._blocks.whole(block)

    def _head(self, message: Mapping[str, Json]) -> None:
        self._id = self._id or _text_or_none(message.get("id"))
        self._model = self._model or _text_or_none(message.get("model"))
        self._usage.add(message.get("usage"))
        self._reason_given(message)

    def _reason_given(self, data: Json) -> None:
        """Read why the model stopped; the first word counts."""
        word = _text_or_none(data.get("stop_reason")) if isinstance(data, Mapping) else None
        if word is not None and word != "null" and self._finish is None:
            self._finish = word
            if details := data.get("stop_details"):
                self._details = (fix_surrogates_in({"stop_details": details}),)

    def _taken(self, events: Iterator[Event]) -> list[Event]:
        """Return all events, or those before a value that is nested too deeply to be written."""
        found: list[Event] = []
        try:
            found.extend(events)
        except RecursionError:
            message = "an event has a value that is nested too deeply"
            self._blocks.error = failure(ErrorClass.PROTOCOL, message)
        return found

    def _opened(self, events: Iterator[Event]) -> Iterator[Event]:
        """Put the start before the first events."""
        found = list(events)
        if not self._started:
            self._started = True
            yield MessageStart(response_id=self._id, model=self._model)
        yield from found

    def _complete(self) -> list[Event]:
        reason = self._reason()
        is_cut = reason is FinishReason.LENGTH
        events = self._taken(self._opened(self._blocks.close(incomplete=is_cut)))
        for code, message in self._blocks.take_problems():
            self.warn(code, message)
        if self._blocks.error:
            return [*events, *self.fail(self._blocks.error)]
        self.closed = True
        stop = MessageStop(
            finish_reason=reason, raw_finish_reason=self._finish, native=self._details
        )
        return [*events, *self._take_warnings(), *self._usage_event(), stop]

    def _reason(self) -> FinishReason:
        reason = FINISH_REASONS.get(self._finish or "", FinishReason.UNKNOWN)
        if self._blocks.calls and reason is FinishReason.STOP:
            return FinishReason.TOOL_CALLS
        if self._blocks.calls and self._finish is None:
            return FinishReason.TOOL_CALLS
        if reason is FinishReason.TOOL_CALLS and not self._blocks.calls:
            # Nobody can run a call that is not there.
            return FinishReason.STOP if self._blocks.has_text else FinishReason.UNKNOWN
        return reason

    def _usage_event(self) -> list[Event]:
        """Return the counts; the API counts what came from a cache, or went there, apart."""
        usage = self._usage.total()
        if usage is None:
            return []
        if usage.input_tokens is not None:
            cached = (usage.cache_read_input_tokens, usage.cache_creation_input_tokens)
            total = usage.input_tokens + sum(count or 0 for count in cached)
            usage = replace(usage, input_tokens=total)
        return [UsageEvent(usage=usage)]


def _text_or_none(value: Json) -> str | None:
    return fix_surrogates(value) if isinstance(value, str) and value else None
