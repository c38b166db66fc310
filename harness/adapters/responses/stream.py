"""The Responses state machine: stream events in, normalized events out. Pure.

Reads what api.openai.com and compatible servers send: the Codex backend leaves the terminal
``output`` empty and may end with ``response.done``, others leave out deltas, item ends, ids or
sequence numbers. Unknown event types and items are skipped.

Every wire event, unchanged except for lone surrogates, is in the ``native`` of a normalized
event: the first one that it causes, or the next one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from harness.adapters.common.answer import Answer
from harness.adapters.common.failures import failure, from_payload, is_error
from harness.adapters.common.surrogates import fix_surrogates_in
from harness.adapters.responses.calls import text_of
from harness.adapters.responses.items import Items
from harness.adapters.responses.texts import Channel
from mockserver.vocabulary import (
    ErrorClass,
    ErrorInfo,
    Event,
    FinishReason,
    Json,
    MessageStart,
    MessageStop,
)

_TEXTS = {
    "response.output_text": (Channel.TEXT, "content_index", "text"),
    "response.refusal": (Channel.REFUSAL, "content_index", "refusal"),
    "response.reasoning_text": (Channel.REASONING, "content_index", "text"),
    "response.reasoning_summary_text": (Channel.SUMMARY, "summary_index", "text"),
}
_PARTS = {
    "response.content_part.done": "content_index",
    "response.reasoning_summary_part.done": "summary_index",
}
_ARGUMENTS = {
    "response.function_call_arguments": ("function_call", "arguments"),
    "response.custom_tool_call_input": ("custom_tool_call", "input"),
}
_TERMINAL = {
    "response.completed": "completed",
    "response.done": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.cancelled": "cancelled",
}


class ResponsesStream(Answer):
    """One answer of the Responses API. Feed it with stream events, or with a whole response.

    A terminal wire event ends the answer at once, and so does an ``error``, even if
    ``response.failed`` would say it again.

    ``taken_ids`` are the tool call ids of earlier turns. ``sequence_number`` is the last one
    seen, from which a broken stream may be resumed.
    """

    api = "Responses"
    terminal = "terminal event"
    has_errors = True

    def __init__(
        self,
        *,
        taken_ids: Collection[str] = (),
        secrets: Collection[str] = (),
        request_id: str | None = None,
    ) -> None:
        super().__init__(secrets=secrets, request_id=request_id)
        self.sequence_number: int | None = None
        self._items = Items(taken_ids)
        self._native: list[Json] = []

    def is_answer(self, value: Json) -> bool:
        """Return whether ``value`` is a whole response or an error."""
        return is_error(value) or (isinstance(value, Mapping) and is_response(value))

    def chunk(
        self,
        value: Json,
        *,
        is_named_error: bool = False,
        default: ErrorClass = ErrorClass.STREAM_ERROR,
    ) -> list[Event]:
        """Take one stream event, or a whole response; see :meth:`Answer.chunk`."""
        if self.closed:
            return []
        self._any_chunk = True
        return self._with_native(self._take(value, is_named_error, default))

    def done(self) -> list[Event]:
        """End because the server said that this was all, though no terminal event came."""
        if self.closed:
            return []
        if not self._items:
            return self.fail(failure(ErrorClass.EMPTY_RESPONSE, "the answer has no content"))
        self.warn("finish_reason_missing", "the answer ended without a terminal event")
        return self._with_native(self._complete({}, None, FinishReason.UNKNOWN))

    def fail(self, error: ErrorInfo) -> list[Event]:
        """End with an error."""
        return self._with_native(super().fail(error))

    def _take(self, value: Json, is_named_error: bool, default: ErrorClass) -> list[Event]:
        whole = isinstance(value, Mapping) and is_response(value)
        if isinstance(value, Mapping) and not whole and ("type" in value or not is_error(value)):
            self._native.append(fix_surrogates_in(value))
        if (is_named_error or is_error(value)) and not whole:
            return self.fail(from_payload(value, default=default, secrets=self.secrets))
        if not isinstance(value, Mapping):
            what = type(value).__name__
            return self.fail(failure(ErrorClass.PROTOCOL, f"an event is an object, not {what}"))
        if _count(value.get("sequence_number")) is not None:
            self.sequence_number = value["sequence_number"]
        return self._response(value, _status_of(value)) if whole else self._event(value)

    def _event(self, event: Mapping[str, Json]) -> list[Event]:
        kind = text_of(event.get("type"))
        response = event.get("response")
        response = response if isinstance(response, Mapping) else {}
        self._usage.add(event.get("usage"))
        if kind in _TERMINAL:
            status = text_of(response.get("status")) if kind == "response.done" else ""
            return self._response(response, status or _TERMINAL[kind])
        self._usage.add(response.get("usage"))
        events = list(self._content(kind, event))
        return self._opened(events, response) if events or response.get("id") else []

    def _content(self, kind: str, event: Mapping[str, Json]) -> Iterator[Event]:
        stem, _, verb = kind.rpartition(".")
        if stem in _TEXTS:
            channel, number, whole = _TEXTS[stem]
            part = _count(event.get(number)) or 0
            if verb == "delta":
                yield from self._items.piece(event, channel, part, event.get("delta"))
            elif verb == "done":
                yield from self._items.whole(event, channel, part, event.get(whole))
        elif stem in _ARGUMENTS:
            item_type, whole = _ARGUMENTS[stem]
            yield from self._items.arguments(
                event,
                item_type,
                delta=event.get("delta") if verb == "delta" else None,
                whole=event.get(whole) if verb == "done" else None,
            )
        elif kind in _PARTS:
            number = _PARTS[kind]
            yield from self._items.part(event, _count(event.get(number)) or 0, event.get("part"))
        elif kind == "response.content_part.delta":  # OpenRouter's name of a text delta
            delta = event.get("delta") or event.get("part")
            part = _count(event.get("content_index")) or 0
            yield from self._items.part_piece(event, part, delta)
        elif kind == "response.output_text.annotation.added":
            part = _count(event.get("content_index")) or 0
            yield from self._items.annotation(event, part, event.get("annotation"))
        elif kind == "response.output_item.added":
            yield from self._items.added(event)
        elif kind == "response.output_item.done":
            yield from self._items.finished(event)

    def _response(self, response: Mapping[str, Json], status: str) -> list[Event]:
        """End with the response of a terminal event."""
        self._usage.add(response.get("usage"))
        if response.get("error") or status == "failed":
            error = response.get("error") or "the response failed without a reason"
            return self.fail(from_payload(error, secrets=self.secrets))
        match status:
            case "completed":
                return self._complete(response, status, FinishReason.STOP)
            case "incomplete":
                details = response.get("incomplete_details")
                reason = text_of(details.get("reason")) if isinstance(details, Mapping) else ""
                filtered = reason == "content_filter"
                finish = FinishReason.CONTENT_FILTER if filtered else FinishReason.LENGTH
                return self._complete(response, reason or status, finish, incomplete=True)
            case "cancelled":
                error = failure(ErrorClass.CANCELLED, "the response was cancelled", code=status)
                return self.fail(error)
        message = f"the response ended with status {status!r}"
        return self.fail(failure(ErrorClass.PROTOCOL, message))

    def _complete(
        self,
        response: Mapping[str, Json],
        raw: str | None,
        reason: FinishReason,
        *,
        incomplete: bool = False,
    ) -> list[Event]:
        settled = list(self._items.settle(response.get("output"), incomplete=incomplete))
        events = self._opened(settled, response)
        calls = self._items.calls
        if calls.error:
            return [*events, *self.fail(calls.error)]
        is_silent = not (self._items or response.get("output") or self._usage.total())
        if raw == "completed" and is_silent:
            # Neither output nor usage: the server lost the answer (Wei-Shaw/sub2api#5415).
            error = failure(ErrorClass.EMPTY_RESPONSE, "the answer has no content")
            return [*events, *self.fail(error)]
        if calls and not incomplete:
            reason = FinishReason.TOOL_CALLS
        self.closed = True
        stop = MessageStop(finish_reason=reason, raw_finish_reason=raw)
        return [*events, *self._usage_event(), stop]

    def _opened(self, events: list[Event], response: Mapping[str, Json]) -> list[Event]:
        """Put the start before the first events, and warnings before the others."""
        before: list[Event] = []
        if not self._started:
            self._started = True
            before.append(
                MessageStart(
                    response_id=text_of(response.get("id")) or None,
                    model=text_of(response.get("model")) or None,
                )
            )
        return [*before, *self._take_warnings(), *events]

    def _with_native(self, events: list[Event]) -> list[Event]:
        """Attach the wire events so far to the first of ``events``."""
        if not events or not self._native:
            return events
        native, self._native = tuple(self._native), []
        return [replace(events[0], native=native), *events[1:]]


def is_response(value: Mapping[str, Json]) -> bool:
    """Return whether ``value`` is a whole response rather than an event."""
    return value.get("object") == "response" or "output" in value


def _status_of(response: Mapping[str, Json]) -> str:
    """Return the status of a whole response; some servers send the output without it."""
    if response.get("status") is not None:
        return text_of(response["status"])
    if response.get("incomplete_details"):
        return "incomplete"
    return "completed" if response.get("output") else ""


def _count(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
