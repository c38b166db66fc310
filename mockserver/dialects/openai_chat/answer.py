"""Writes answers of Chat Completions, streamed and whole. Pure.

As https://platform.openai.com/docs/api-reference/chat-streaming documents it and api.openai.com
sends it: the role first, then the content, then the finish reason, then the usage. Reasoning is in
``reasoning_content``, as servers of open models send it; OpenAI sends none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mockserver.cassettes.cassette import Response
from mockserver.dialects.capacity import Capacity
from mockserver.dialects.openai_writing import (
    CREATED,
    error_answer,
    error_object,
    headers_of,
    usage_object,
)
from mockserver.dialects.writing import Pace, deltas, digest, sse_event, streamed, whole
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import (
    AssistantTurn,
    Citation,
    FinishReason,
    Json,
    JsonObject,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)

CAPACITY = Capacity(
    words={
        FinishReason.STOP: "stop",
        FinishReason.LENGTH: "length",
        FinishReason.TOOL_CALLS: "tool_calls",
        FinishReason.CONTENT_FILTER: "content_filter",
    },
    parts=frozenset({ReasoningPart, TextPart, RefusalPart, ToolCallPart}),
    order=(ReasoningPart, TextPart, RefusalPart, ToolCallPart),
    citations=True,
    urls_only=True,
    usage=frozenset(
        {
            "input_tokens",
            "output_tokens",
            "total_tokens",
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
            "reasoning_tokens",
        }
    ),
)


def write_answer(turn: AssistantTurn, call: NeutralCall, pace: Pace) -> Response:
    """Return the answer that says a turn, streamed if the call is.

    Raises :class:`~mockserver.dialects.UnwritableError` for a failure that no server says.
    """
    if call.stream:
        return streamed(_events(turn, call, pace), pace, headers=headers_of(turn))
    if turn.error is not None:
        return error_answer(turn.error)
    return whole(_completion(turn, call), headers=headers_of(turn), pace=pace)


def _events(turn: AssistantTurn, call: NeutralCall, pace: Pace) -> Iterator[bytes]:
    wants_usage = call.stream_usage
    head = _head(turn, call, "chat.completion.chunk")

    def chunk(delta: JsonObject, reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        usage = {"usage": None} if wants_usage else {}
        return sse_event({**head, "choices": [choice], **usage})

    content = "" if any(isinstance(part, TextPart) for part in turn.parts) else None
    yield chunk({"role": "assistant", "content": content, "refusal": None})
    calls = 0
    for part in turn.parts:
        match part:
            case TextPart():
                yield from (chunk({"content": piece}) for piece in deltas(part.text, pace))
                if annotations := _annotations(part.citations):
                    yield chunk({"annotations": annotations})
            case ReasoningPart():
                yield from (chunk({"reasoning_content": p}) for p in deltas(part.text, pace))
            case RefusalPart():
                yield from (chunk({"refusal": piece}) for piece in deltas(part.refusal, pace))
            case ToolCallPart():
                yield from map(chunk, _call_deltas(part, calls, pace))
                calls += 1
    if turn.error is not None:
        yield sse_event({"error": error_object(turn.error)})
        return
    yield chunk({}, turn.raw_finish_reason)
    if wants_usage and turn.usage is not None:
        yield sse_event({**head, "choices": [], "usage": _usage(turn)})
    yield sse_event("[DONE]")


def _call_deltas(call: ToolCallPart, index: int, pace: Pace) -> Iterator[JsonObject]:
    opened = {"name": call.name, "arguments": ""}
    first = {"index": index, "id": call.id, "type": "function", "function": opened}
    yield {"tool_calls": [first]}
    for piece in deltas(call.arguments_raw, pace):
        yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _completion(turn: AssistantTurn, call: NeutralCall) -> JsonObject:
    texts = [part for part in turn.parts if isinstance(part, TextPart)]
    message: JsonObject = {
        "role": "assistant",
        "content": turn.content if texts else None,
        "refusal": turn.refusal or None,
        "annotations": _annotations([c for part in texts for c in part.citations]),
    }
    if turn.reasoning:
        message["reasoning_content"] = turn.reasoning
    if turn.tool_calls:
        message["tool_calls"] = [
            {
                "id": part.id,
                "type": "function",
                "function": {"name": part.name, "arguments": part.arguments_raw},
            }
            for part in turn.tool_calls
        ]
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": turn.raw_finish_reason,
    }
    usage = {} if turn.usage is None else {"usage": _usage(turn)}
    return {**_head(turn, call, "chat.completion"), "choices": [choice], **usage}


def _head(turn: AssistantTurn, call: NeutralCall, kind: str) -> JsonObject:
    return {
        "id": turn.response_id or "chatcmpl-" + digest(turn, length=29),
        "object": kind,
        "created": CREATED,
        "model": turn.model or call.model,
        "service_tier": "default",
        "system_fingerprint": "fp_" + digest(turn.model or call.model, length=10),
    }


def _annotations(citations: Sequence[Citation]) -> list[Json]:
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "end_index": citation.end,
                "start_index": citation.start,
                "title": citation.title,
                "url": citation.url,
            },
        }
        for citation in citations
    ]


def _usage(turn: AssistantTurn) -> JsonObject:
    assert turn.usage is not None
    return usage_object(turn.usage, "prompt_tokens", "completion_tokens")
