"""Writes answers of Cohere's chat, version 2. Pure.

The order of a real answer: thinking and text, one content block each, then the tool calls.
Source: https://docs.cohere.com/reference/chat-stream, and recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.cassettes.cassette import Headers, Response
from mockserver.dialects.capacity import Capacity
from mockserver.dialects.cohere import citations, failures
from mockserver.dialects.writing import Pace, deltas, made_id, sse_event, streamed, whole
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorClass
from mockserver.vocabulary.model import (
    AssistantTurn,
    FinishReason,
    JsonObject,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    Usage,
)

ID_FORM = "########-####-4###-a###-############"
CAPACITY = Capacity(
    words={
        FinishReason.STOP: "COMPLETE",
        FinishReason.LENGTH: "MAX_TOKENS",
        FinishReason.TOOL_CALLS: "TOOL_CALL",
    },
    parts=frozenset({ReasoningPart, TextPart, ToolCallPart}),
    order=(ReasoningPart, TextPart, ToolCallPart),
    citations=True,
    stop_word="STOP_SEQUENCE",
    model=False,
    usage=frozenset({"input_tokens", "output_tokens", "cache_read_input_tokens"}),
)


def write_answer(turn: AssistantTurn, call: NeutralCall, pace: Pace) -> Response:
    """Return the answer; a failed one that is not streamed is an HTTP error."""
    answer_id = turn.response_id or made_id(ID_FORM, turn)
    headers = trace_of(answer_id)
    if call.stream:
        events = (sse_event(event, event["type"]) for event in _events(turn, answer_id, pace))
        return streamed(events, pace, content_type="text/event-stream", headers=headers)
    if turn.error is not None:
        return failures.write_error(turn.error, call)
    return whole(_whole(turn, answer_id), headers=headers, pace=pace)


def trace_of(answer_id: str) -> Headers:
    """Return the header that names an answer for Cohere's support."""
    return (("x-debug-trace-id", made_id("#" * 32, "trace", of=answer_id)),)


def _whole(turn: AssistantTurn, answer_id: str) -> JsonObject:
    message: JsonObject = {"role": "assistant"}
    texts = [p for p in turn.parts if isinstance(p, ReasoningPart | TextPart)]
    calls = [p for p in turn.parts if isinstance(p, ToolCallPart)]
    if texts:
        message["content"] = [_block(part, part.text) for part in texts]
    if calls:
        message["tool_calls"] = [_call(part, part.arguments_raw) for part in calls]
    if cited := list(_citations(turn)):
        message["citations"] = cited
    return {
        "id": answer_id,
        "message": message,
        "finish_reason": turn.raw_finish_reason or "COMPLETE",
        **_usage(turn.usage),
    }


def _events(turn: AssistantTurn, answer_id: str, pace: Pace) -> Iterator[JsonObject]:
    empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": []}
    yield {
        "id": answer_id,
        "type": "message-start",
        "delta": {"message": {**empty, "citations": []}},
    }
    texts = [p for p in turn.parts if isinstance(p, ReasoningPart | TextPart)]
    for index, part in enumerate(texts):
        yield _event("content-start", index, content=_block(part, ""))
        for piece in deltas(part.text, pace):
            yield _event("content-delta", index, content=_piece(part, piece))
        yield _event("content-end", index)
    calls = [p for p in turn.parts if isinstance(p, ToolCallPart)]
    for index, call in enumerate(calls):
        yield _event("tool-call-start", index, tool_calls=_call(call, ""))
        for piece in deltas(call.arguments_raw, pace):
            arguments = {"function": {"arguments": piece}}
            yield _event("tool-call-delta", index, tool_calls=arguments)
        if call.arguments is not None:
            yield _event("tool-call-end", index)
    for index, citation in enumerate(_citations(turn)):
        yield _event("citation-start", index, citations=citation)
        yield _event("citation-end", index)
    end: JsonObject = {"finish_reason": turn.raw_finish_reason or "COMPLETE"}
    if turn.error is not None:
        is_late = turn.error.error_class is ErrorClass.TIMEOUT
        end = {"error": turn.error.message, "finish_reason": "TIMEOUT" if is_late else "ERROR"}
    yield {"id": answer_id, "type": "message-end", "delta": {**end, **_usage(turn.usage)}}


def _event(kind: str, index: int, **message: JsonObject) -> JsonObject:
    event: JsonObject = {"type": kind, "index": index}
    return {**event, "delta": {"message": message}} if message else event


def _block(part: ReasoningPart | TextPart, text: str) -> JsonObject:
    kind = "text" if isinstance(part, TextPart) else "thinking"
    return {"type": kind, kind: text}


def _piece(part: ReasoningPart | TextPart, text: str) -> JsonObject:
    return {"text": text} if isinstance(part, TextPart) else {"thinking": text}


def _call(call: ToolCallPart, arguments: str) -> JsonObject:
    function = {"name": call.name, "arguments": arguments}
    return {"id": call.id, "type": "function", "function": function}


def _citations(turn: AssistantTurn) -> Iterator[JsonObject]:
    texts = [p for p in turn.parts if isinstance(p, ReasoningPart | TextPart)]
    number = 0
    for index, part in enumerate(texts):
        for citation in part.citations if isinstance(part, TextPart) else ():
            yield citations.written(citation, part.text, number, index)
            number += 1


def _usage(usage: Usage | None) -> JsonObject:
    """Return both pairs of counts, with the same numbers: nothing is known of the billing."""
    if usage is None:
        return {}
    pair = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    known = {name: count for name, count in pair.items() if count is not None}
    written: JsonObject = {"billed_units": known, "tokens": known} if known else {}
    if usage.cache_read_input_tokens is not None:
        written["cached_tokens"] = usage.cache_read_input_tokens
    return {"usage": written}
