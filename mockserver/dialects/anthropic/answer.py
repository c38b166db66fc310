"""Writes a turn as the Messages API answers it: as events, or whole.

The order of events, the ``ping`` after the first start, the empty first piece of a tool's input
and the places of the counts are those of recorded answers. A signature is one piece.
Source: https://platform.claude.com/docs/en/build-with-claude/streaming.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mockserver.cassettes.cassette import Headers, Response
from mockserver.dialects.anthropic.error_answer import error_body, write_error
from mockserver.dialects.writing import (
    Pace,
    deltas,
    digest,
    id_beside,
    sse_event,
    streamed,
    whole,
)
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import (
    AssistantTurn,
    Citation,
    Json,
    JsonObject,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    Usage,
)

#: The finish word of an answer that ends at a stop sequence.
STOP_WORD = "stop_sequence"
#: What the usage says beside its counts.
_USAGE: JsonObject = {
    "inference_geo": "not_available",
    "server_tool_use": None,
    "service_tier": "standard",
}


def write_answer(turn: AssistantTurn, call: NeutralCall, pace: Pace) -> Response:
    """Return the answer that says ``turn``, streamed if ``call`` is."""
    request_id = id_beside("req_011C" + "#" * 20, turn, "request", call.model)
    if call.stream:
        return streamed(
            (sse_event(event, event["type"]) for event in _events(turn, call, pace, request_id)),
            pace,
            headers=_headers(request_id),
        )
    if turn.error is not None:
        return write_error(turn.error, call)
    message = {
        **_message(turn, call),
        "content": [
            _as_whole(block)
            for part in turn.parts
            if not _is_cut(part)
            for block in _blocks(part, turn)
        ],
        "stop_reason": turn.raw_finish_reason,
        "stop_sequence": _stop_sequence(turn, call),
        "stop_details": None,
        "container": None,
        "usage": _USAGE | _last_usage(turn.usage),
    }
    return whole(message, headers=_headers(request_id), pace=pace)


def _headers(request_id: str) -> Headers:
    return (("request-id", request_id),)


def _message(turn: AssistantTurn, call: NeutralCall) -> JsonObject:
    return {
        "model": turn.model or call.model,
        "id": turn.response_id or "msg_01" + digest(turn, call, length=20),
        "type": "message",
        "role": "assistant",
    }


def _events(
    turn: AssistantTurn, call: NeutralCall, pace: Pace, request_id: str
) -> Iterator[JsonObject]:
    message = {
        **_message(turn, call),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "container": None,
        "usage": _USAGE | _first_usage(turn.usage),
    }
    if turn.error is None or turn.parts or turn.usage is not None:
        yield {"type": "message_start", "message": message}
    blocks = [(part, block) for part in turn.parts for block in _blocks(part, turn)]
    for index, (part, block) in enumerate(blocks):
        yield _start(index, block)
        if index == 0:
            yield {"type": "ping"}
        for delta in _deltas(part, block, pace):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        if turn.error is None or index < len(blocks) - 1:
            yield {"type": "content_block_stop", "index": index}
    if turn.error is not None:
        yield error_body(turn.error, request_id)
        return
    yield {
        "type": "message_delta",
        "delta": {
            "stop_reason": turn.raw_finish_reason,
            "stop_sequence": _stop_sequence(turn, call),
            "stop_details": None,
            "container": None,
        },
        "usage": _last_usage(turn.usage),
    }
    yield {"type": "message_stop"}


def _blocks(part: Part, turn: AssistantTurn) -> Iterator[JsonObject]:
    """Yield the blocks of a part, complete."""
    match part:
        case TextPart():
            block: JsonObject = {"type": "text", "text": part.text}
            if part.citations:
                block = {"citations": list(map(_citation, part.citations)), **block}
            yield block
        case ReasoningPart():
            if part.text or part.signature is not None:
                yield {
                    "type": "thinking",
                    "thinking": part.text,
                    "signature": part.signature or "",
                }
            if part.redacted_data is not None:
                yield {"type": "redacted_thinking", "data": part.redacted_data}
        case ToolCallPart():
            yield {
                "type": "tool_use",
                "id": "toolu_01" + digest(turn, part, length=20)
                if part.id_synthesized
                else part.id,
                "name": part.name,
                "input": part.arguments or {},
            }


def _as_whole(block: JsonObject) -> JsonObject:
    """Return a block with the fields that only whole answers have.

    The API's schema wants a list of citations or null, and the SDK of Vercel takes no null.
    """
    match block["type"]:
        case "text":
            return {"citations": [], **block}
        case "tool_use":
            return {**block, "caller": {"type": "direct"}}
    return block


def _stop_sequence(turn: AssistantTurn, call: NeutralCall) -> Json:
    """Return the sequence that ended the answer: with several it is not known which."""
    if turn.raw_finish_reason != STOP_WORD:
        return None
    stop = call.options.get("stop")
    return stop[0] if isinstance(stop, list) and stop else stop


def _is_cut(part: Part) -> bool:
    """Return whether a part is a call whose input is no object, which a whole answer needs."""
    return isinstance(part, ToolCallPart) and part.arguments is None


def _citation(citation: Citation) -> JsonObject:
    """Return a source of a web search, which is the only one with an address."""
    return {
        "type": "web_search_result_location",
        "cited_text": "",
        "url": citation.url or "",
        "title": citation.title,
        "encrypted_index": "E" + digest(citation, length=20),
    }


def _start(index: int, block: JsonObject) -> JsonObject:
    """Return the start of a block: what deltas bring is empty in it."""
    empty = {"text": "", "thinking": "", "signature": "", "input": {}, "citations": []}
    opened = {name: empty.get(name, value) for name, value in block.items()}
    return {"type": "content_block_start", "index": index, "content_block": opened}


def _deltas(part: Part, block: JsonObject, pace: Pace) -> Iterator[JsonObject]:
    match block["type"]:
        case "text":
            for citation in block.get("citations", ()):
                yield {"type": "citations_delta", "citation": citation}
            yield from _cut("text_delta", "text", block["text"], pace)
        case "thinking":
            yield from _cut("thinking_delta", "thinking", block["thinking"], pace)
            if block["signature"]:
                yield {"type": "signature_delta", "signature": block["signature"]}
        case "tool_use" if isinstance(part, ToolCallPart):
            yield {"type": "input_json_delta", "partial_json": ""}
            if part.arguments != {} or part.arguments_raw != "{}":
                yield from _cut("input_json_delta", "partial_json", part.arguments_raw, pace)


def _cut(kind: str, name: str, text: str, pace: Pace) -> Iterable[JsonObject]:
    return ({"type": kind, name: piece} for piece in deltas(text, pace))


def _first_usage(usage: Usage | None) -> JsonObject:
    """Return the counts before the answer, of which one token is written."""
    return _input(usage) | {"output_tokens": min(_output(usage)["output_tokens"], 1)}


def _last_usage(usage: Usage | None) -> JsonObject:
    counts = _input(usage) | _output(usage)
    if usage is not None and usage.reasoning_tokens is not None:
        counts["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return counts


def _input(usage: Usage | None) -> JsonObject:
    """Return the counts of the input; what came from a cache, or went there, is counted apart."""
    usage = usage or Usage()
    caches = {
        name: count
        for name in ("cache_creation_input_tokens", "cache_read_input_tokens")
        if (count := getattr(usage, name)) is not None
    }
    plain = (usage.input_tokens or 0) - sum(caches.values())
    counts: JsonObject = {"input_tokens": max(plain, 0), **caches}
    if (made := usage.cache_creation_input_tokens) is not None:
        times = {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": made}
        counts["cache_creation"] = times
    return counts


def _output(usage: Usage | None) -> JsonObject:
    return {"output_tokens": (usage.output_tokens if usage else None) or 0}


def _call_id(turn: AssistantTurn, part: ToolCallPart) -> str:
    """Return an id of the provider's form for a call whose id a client made."""
    return "toolu_01" + digest(turn, part, length=20) if part.id_synthesized else part.id
