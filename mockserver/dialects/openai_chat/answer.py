"""Writes answers of Chat Completions, streamed and whole. Pure.

As https://platform.openai.com/docs/api-reference/chat-streaming documents it and api.openai.com
sends it: the role first, then the content, then the finish reason, then the usage. Reasoning is in
``reasoning_content``, as servers of open models send it; OpenAI sends none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mockserver.cassettes.cassette import Response
from mockserver.dialects.capacity import Capacity
from mockserver.dialects.openai_writing import (
    CREATED,
    error_answer,
    error_object,
    headers_of,
    usage_object,
)
from mockserver.dialects.writing import (
    HOLE,
    Pace,
    deltas,
    digest,
    sse_event,
    sse_form,
    streamed,
    whole,
)
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
    Usage,
)

#: The most choices that the API gives.
_CHOICES = 128

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
    usage = {"usage": None} if wants_usage else {}

    def data(index: int, delta: Json, reason: str | None) -> JsonObject:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": reason}
        return {**head, "choices": [choice], **usage}

    for index in range(_choices(call)):
        begun = sse_form(data(index, HOLE, None))
        for delta, reason in _deltas(turn, call, pace):
            yield begun(delta) if reason is None else sse_event(data(index, delta, reason))
    if turn.error is not None:
        yield sse_event({"error": error_object(turn.error)})
        return
    if wants_usage and turn.usage is not None:
        yield sse_event({**head, "choices": [], "usage": _usage(turn.usage, call)})
    yield sse_event("[DONE]")


def _deltas(
    turn: AssistantTurn, call: NeutralCall, pace: Pace
) -> Iterator[tuple[JsonObject, str | None]]:
    """Yield the deltas of a choice, and the reason with the last one."""
    content = "" if any(isinstance(part, TextPart) for part in turn.parts) else None
    yield {"role": "assistant", "content": content, "refusal": None}, None
    calls = 0
    for part in turn.parts:
        match part:
            case TextPart():
                yield from (({"content": piece}, None) for piece in deltas(part.text, pace))
                if annotations := _annotations(part.citations):
                    yield {"annotations": annotations}, None
            case ReasoningPart():
                yield from (({"reasoning_content": p}, None) for p in deltas(part.text, pace))
            case RefusalPart():
                yield from (({"refusal": piece}, None) for piece in deltas(part.refusal, pace))
            case ToolCallPart():
                of_call = _older_deltas if _is_older(call) else _call_deltas
                yield from ((delta, None) for delta in of_call(part, calls, pace))
                calls += 1
    if turn.error is None:
        yield {}, _reason(turn, call)


def _call_deltas(call: ToolCallPart, index: int, pace: Pace) -> Iterator[JsonObject]:
    opened = {"name": call.name, "arguments": ""}
    first = {"index": index, "id": call.id, "type": "function", "function": opened}
    yield {"tool_calls": [first]}
    for piece in deltas(call.arguments_raw, pace):
        yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _older_deltas(call: ToolCallPart, _index: int, pace: Pace) -> Iterator[JsonObject]:
    yield {"function_call": {"name": call.name, "arguments": ""}}
    for piece in deltas(call.arguments_raw, pace):
        yield {"function_call": {"arguments": piece}}


def _is_older(call: NeutralCall) -> bool:
    """Return whether functions are offered in the older way, in which one at a time is called."""
    return not call.tools and bool(call.options.get("functions"))


def _reason(turn: AssistantTurn, call: NeutralCall) -> str | None:
    is_call = turn.finish_reason is FinishReason.TOOL_CALLS
    return "function_call" if is_call and _is_older(call) else turn.raw_finish_reason


def _choices(call: NeutralCall) -> int:
    """Return how many choices are asked for; all of them say the same."""
    number = call.options.get("n")
    return number if isinstance(number, int) and 1 <= number <= _CHOICES else 1


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
    if turn.tool_calls and _is_older(call):
        called = turn.tool_calls[0]
        message["function_call"] = {"name": called.name, "arguments": called.arguments_raw}
    elif turn.tool_calls:
        message["tool_calls"] = [
            {
                "id": part.id,
                "type": "function",
                "function": {"name": part.name, "arguments": part.arguments_raw},
            }
            for part in turn.tool_calls
        ]
    choice = {"message": message, "logprobs": None, "finish_reason": _reason(turn, call)}
    choices = [{"index": index, **choice} for index in range(_choices(call))]
    usage = {} if turn.usage is None else {"usage": _usage(turn.usage, call)}
    return {**_head(turn, call, "chat.completion"), "choices": choices, **usage}


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


def _usage(usage: Usage, call: NeutralCall) -> JsonObject:
    """Return the counts; those of the output are of all choices."""
    more = _choices(call) - 1
    if more and usage.output_tokens is not None:
        added = more * usage.output_tokens
        total = None if usage.total_tokens is None else usage.total_tokens + added
        usage = replace(usage, output_tokens=usage.output_tokens + added, total_tokens=total)
    return usage_object(usage, "prompt_tokens", "completion_tokens")
