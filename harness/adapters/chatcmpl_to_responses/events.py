"""Translates the events of one Chat Completions answer into Responses stream events. Pure.

The quirks of Chat Completions are handled before, in ``chat/stream.py``. The turn is one
message item, however text and calls alternate, and an item for each call and each block of
reasoning; ``output_index`` is the order in which they began. A block of reasoning ends with its
signature, or where another item begins. Everything else may grow until the answer ends, and is
done then, in the order of the output.

Reasoning is ``reasoning_text``, and a summary only where the provider calls it one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from harness.adapters.chatcmpl_to_responses.items import (
    OUTPUT_TEXT,
    REASONING_TEXT,
    REFUSAL,
    SUMMARY_TEXT,
    CallItem,
    ImageItem,
    Item,
    MessageItem,
    PartKind,
    ReasoningItem,
)
from harness.adapters.chatcmpl_to_responses.logprobs import token_logprobs
from mockserver.vocabulary import (
    Citation,
    ContentDelta,
    ErrorClass,
    ErrorEvent,
    ErrorInfo,
    Event,
    FinishReason,
    Image,
    Json,
    JsonObject,
    MessageStart,
    MessageStop,
    ReasoningDelta,
    ReasoningSignature,
    RefusalDelta,
    SendBack,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageEvent,
    merged,
)

#: The id of a response without an id of its own.
FAKE_ID = "__fake_id__"
_INCOMPLETE: Mapping[FinishReason, str] = {
    FinishReason.LENGTH: "max_output_tokens",
    FinishReason.CONTENT_FILTER: "content_filter",
}
#: The API's own codes, for an error without one.
_CODES: Mapping[ErrorClass, str] = {
    ErrorClass.RATE_LIMIT: "rate_limit_exceeded",
    ErrorClass.CONTEXT_LENGTH: "context_length_exceeded",
    ErrorClass.QUOTA_EXHAUSTED: "insufficient_quota",
    ErrorClass.OVERLOADED: "server_is_overloaded",
}


class ResponsesEvents:
    """Adds the Responses events of one answer to its normalized events, as ``native``.

    Feed it every event of one answer, in order. ``shell`` has the fields of the Response object
    that only the caller knows: ``created_at`` (epoch seconds), which is required, ``model`` (the
    provider's wins), ``tools`` and others. Ids of items are made from the id of the response and
    the index in the output, so that they are unique.
    """

    def __init__(self, shell: Mapping[str, Json]) -> None:
        self._shell: JsonObject = {
            "id": FAKE_ID,
            "object": "response",
            "status": "in_progress",
            "error": None,
            "incomplete_details": None,
            "model": "",
            "output": [],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": None,
            **shell,
        }
        self._started = False
        self._sequence_number = 0
        self._items: list[Item] = []
        self._message: MessageItem | None = None
        self._reasoning: ReasoningItem | None = None
        self._calls: dict[int, CallItem] = {}
        self._last: Item | None = None
        self._usage = Usage()

    def feed(self, event: Event) -> Event:
        """Return ``event`` with the Responses events that it causes as its ``native``.

        The log probabilities of its text are read from its old ``native``.
        """
        return replace(event, native=tuple(self._numbered(event)))

    def _numbered(self, event: Event) -> Iterator[JsonObject]:
        for data in self._events_for(event):
            kind = data.pop("type")
            yield {"type": kind, "sequence_number": self._sequence_number, **data}
            self._sequence_number += 1

    def _events_for(self, event: Event) -> Iterator[JsonObject]:
        if not self._started:
            yield from self._start(event)
        match event:
            case ContentDelta():
                yield from self._add_text(event.delta, OUTPUT_TEXT, token_logprobs(event.native))
            case RefusalDelta():
                yield from self._add_text(event.delta, REFUSAL)
            case Citation(url=str()):
                yield from self._cite(event)
            case ReasoningDelta():
                kind = SUMMARY_TEXT if event.channel == "summary" else REASONING_TEXT
                yield from self._add_reasoning(event.delta, kind)
            case ReasoningSignature():
                yield from self._add_signature(event)
            case ToolCallStart():
                yield from self._start_call(event)
            case ToolCallDelta():
                self._last = call = self._calls[event.tool_call_index]
                yield from call.add(event.arguments_delta)
            case ToolCallEnd():
                call = self._calls[event.tool_call_index]
                call.finish(event.arguments_raw, _fields_to_send_back(event))
            case Image():
                image = ImageItem(url=event.url, **self._new_item_fields("ig"))
                yield from self._open(image)
                yield from image.done("completed")
            case SendBack():
                yield from self._open_message()
                assert self._message is not None
                self._message.send_back = merged(self._message.send_back, event.fields)
            case UsageEvent():
                self._usage = self._usage.merged(event.usage)
            case MessageStop():
                yield from self._stop(event.finish_reason)
            case ErrorEvent():
                yield from self._fail(event.error)

    def _start(self, event: Event) -> Iterator[JsonObject]:
        self._started = True
        if isinstance(event, MessageStart):
            self._shell["id"] = event.response_id or self._shell["id"]
            self._shell["model"] = event.model or self._shell["model"]
        yield {"type": "response.created", "response": self._response("in_progress")}
        yield {"type": "response.in_progress", "response": self._response("in_progress")}

    def _add_text(
        self, piece: str, kind: PartKind, logprobs: Sequence[JsonObject] = ()
    ) -> Iterator[JsonObject]:
        yield from self._open_message()
        assert self._message is not None
        yield from self._message.add(kind, piece, logprobs)

    def _cite(self, citation: Citation) -> Iterator[JsonObject]:
        yield from self._open_message()
        assert self._message is not None
        # The API has no citation without offsets; 0 to 0 means that they are unknown.
        yield from self._message.cite(
            {
                "type": "url_citation",
                "url": citation.url,
                "title": citation.title or "",
                "start_index": citation.start or 0,
                "end_index": citation.end or 0,
            }
        )

    def _open_message(self) -> Iterator[JsonObject]:
        if self._message is None:
            self._message = MessageItem(**self._new_item_fields("msg"))
            yield from self._open(self._message)
        self._last = self._message

    def _add_reasoning(self, piece: str, kind: PartKind) -> Iterator[JsonObject]:
        yield from self._open_reasoning()
        assert self._reasoning is not None
        yield from self._reasoning.add(kind, piece)

    def _open_reasoning(self) -> Iterator[JsonObject]:
        if self._reasoning is None:
            reasoning = ReasoningItem(**self._new_item_fields("rs"))
            yield from self._open(reasoning)
            self._reasoning = reasoning
        self._last = self._reasoning

    def _add_signature(self, event: ReasoningSignature) -> Iterator[JsonObject]:
        if event.redacted_data is not None:
            yield from self._close_reasoning()
        yield from self._open_reasoning()
        reasoning = self._reasoning
        assert reasoning is not None
        reasoning.encrypted_content = (
            event.signature or event.encrypted_content or event.redacted_data
        )
        if event.redacted_data is not None:
            reasoning.block = {"type": "redacted_thinking", "data": event.redacted_data}
        elif event.signature is not None:
            thinking = {"thinking": reasoning.text, "signature": event.signature}
            reasoning.block = {"type": "thinking", **thinking}
        yield from self._close_reasoning()

    def _start_call(self, event: ToolCallStart) -> Iterator[JsonObject]:
        call = CallItem(
            call_id=event.tool_call_id, name=event.tool_name, **self._new_item_fields("fc")
        )
        self._calls[event.tool_call_index] = self._last = call
        yield from self._open(call)

    def _open(self, item: Item) -> Iterator[JsonObject]:
        yield from self._close_reasoning()
        self._items.append(item)
        yield item.added()

    def _new_item_fields(self, prefix: str) -> JsonObject:
        number = len(self._items)
        return {"id": f"{prefix}_{self._shell['id']}_{number}", "output_index": number}

    def _close_reasoning(self) -> Iterator[JsonObject]:
        if self._reasoning is not None:
            closing, self._reasoning = self._reasoning, None
            yield from closing.done("completed")

    def _stop(self, finish: FinishReason) -> Iterator[JsonObject]:
        reason = _INCOMPLETE.get(finish)
        for item in self._open_items():
            if isinstance(item, CallItem):
                complete = item.complete
            else:
                complete = not (reason and item is self._last)
            yield from item.done("completed" if complete else "incomplete")
        if reason:
            details = {"incomplete_details": {"reason": reason}}
            yield {"type": "response.incomplete", "response": self._response("incomplete", details)}
        else:
            yield {"type": "response.completed", "response": self._response("completed")}

    def _fail(self, error: ErrorInfo) -> Iterator[JsonObject]:
        for item in self._open_items():
            complete = isinstance(item, CallItem) and item.complete
            yield from item.done("completed" if complete else "incomplete")
        code = error.code or _CODES.get(error.error_class, str(error.error_class))
        fields = {"error": {"code": code, "message": error.message}}
        yield {"type": "response.failed", "response": self._response("failed", fields)}

    def _open_items(self) -> list[Item]:
        return [item for item in self._items if item.status == "in_progress"]

    def _response(self, status: str, fields: Mapping[str, Json] | None = None) -> JsonObject:
        return {
            **self._shell,
            "status": status,
            "output": [item.to_json() for item in self._items],
            "usage": _usage(self._usage),
            **(fields or {}),
        }


def _fields_to_send_back(call: ToolCallEnd) -> JsonObject:
    signature = call.thought_signature
    google = {"google": {"thought_signature": signature}} if signature else {}
    return merged(google, call.send_back or {})


def _usage(usage: Usage) -> JsonObject | None:
    """Return the counts in the API's form, which has no unknown: a missing count is 0."""
    if usage == Usage():
        return None
    return {
        "input_tokens": usage.input_tokens or 0,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_input_tokens or 0,
            "cache_write_tokens": usage.cache_creation_input_tokens or 0,
        },
        "output_tokens": usage.output_tokens or 0,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": usage.total_tokens or 0,
    }
