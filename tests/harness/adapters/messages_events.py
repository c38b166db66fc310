"""Events of the Messages API, and what the reader of an answer makes of them."""

from __future__ import annotations

from harness.adapters.anthropic.stream import MessagesStream
from mockserver.vocabulary import (
    ErrorClass,
    ErrorEvent,
    Event,
    FinishReason,
    Json,
    JsonObject,
    MessageStart,
    MessageStop,
)

START = {
    "type": "message_start",
    "message": {"id": "m1", "model": "c", "usage": {"input_tokens": 5, "output_tokens": 1}},
}
STOP = {"type": "message_stop"}


def start(index: Json, kind: Json, **fields: Json) -> JsonObject:
    block = {"type": kind, **fields}
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: Json, kind: Json, **fields: Json) -> JsonObject:
    piece = {"type": kind, **fields}
    return {"type": "content_block_delta", "index": index, "delta": piece}


def text(piece: Json, index: Json = 0) -> JsonObject:
    return delta(index, "text_delta", text=piece)


def partial(piece: Json, index: Json = 0) -> JsonObject:
    return delta(index, "input_json_delta", partial_json=piece)


def stop(index: Json = 0) -> JsonObject:
    return {"type": "content_block_stop", "index": index}


def reason(word: Json, **fields: Json) -> JsonObject:
    return {"type": "message_delta", "delta": {"stop_reason": word}, **fields}


def tool(index: int = 0, **fields: Json) -> JsonObject:
    return start(index, "tool_use", **{"id": f"t{index}", "name": "f", "input": {}, **fields})


def fed(*events: Json, stream: MessagesStream | None = None) -> list[Event]:
    reader = stream or MessagesStream()
    return [event for value in events for event in reader.chunk(value)]


def read(*events: Json) -> list[Event]:
    """Return the events behind the first, which is always the start."""
    first, *others = fed(START, *events)
    assert first == MessageStart(response_id="m1", model="c")
    return others


def kinds(events: list[Event]) -> list[str]:
    return [event.type for event in events]


def error_of(events: list[Event]) -> ErrorClass:
    last = events[-1]
    assert isinstance(last, ErrorEvent)
    return last.error.error_class


def ending(events: list[Event]) -> tuple[FinishReason, str | None]:
    last = events[-1]
    assert isinstance(last, MessageStop)
    return last.finish_reason, last.raw_finish_reason
