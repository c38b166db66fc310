"""Writes the answers of Ollama's server. Pure.

A stream has one JSON object for each line; the last has the reason and the counts. JSON is written
as Go does, with <, > and & escaped, and counts that are zero left out. Source:
https://github.com/ollama/ollama/blob/main/api/types.go, server/routes.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mockserver.cassettes.cassette import Response
from mockserver.dialects.capacity import Capacity
from mockserver.dialects.ollama.words import ENDPOINT, GENERATE
from mockserver.dialects.writing import Pace, compact, deltas, retry_after, streamed, whole
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorClass, ErrorInfo
from mockserver.vocabulary.model import (
    AssistantTurn,
    FinishReason,
    Json,
    JsonObject,
    Part,
    ReasoningPart,
    Status,
    TextPart,
    ToolCallPart,
)

CAPACITY = Capacity(
    # The reason is the same with tool calls.
    words={
        FinishReason.STOP: "stop",
        FinishReason.LENGTH: "length",
        FinishReason.TOOL_CALLS: "stop",
    },
    parts=frozenset({ReasoningPart, TextPart, ToolCallPart}),
    order=(ReasoningPart, TextPart, ToolCallPart),
    call_text=False,
    response_id=False,
    usage=frozenset({"input_tokens", "output_tokens"}),
)
STATUSES: Mapping[ErrorClass, int] = {
    ErrorClass.AUTHENTICATION: 401,
    ErrorClass.PERMISSION: 403,
    ErrorClass.MODEL_NOT_FOUND: 404,
    ErrorClass.INVALID_REQUEST: 400,
    ErrorClass.CONTEXT_LENGTH: 400,
    ErrorClass.PAYLOAD_TOO_LARGE: 413,
    ErrorClass.CONTENT_FILTERED: 400,
    ErrorClass.QUOTA_EXHAUSTED: 402,
    ErrorClass.RATE_LIMIT: 429,
    ErrorClass.OVERLOADED: 503,
    ErrorClass.TIMEOUT: 504,
    ErrorClass.CANCELLED: 499,
}
_SERVER_ERROR = 500
#: What the text of an error says where its status does not.
_TEXTS: Mapping[ErrorClass, str] = {
    ErrorClass.MODEL_NOT_FOUND: "model not found",
    ErrorClass.CONTEXT_LENGTH: "the input length exceeds the context length",
}
_BEGIN = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
#: Nanoseconds that the parts of the work are said to take.
_TIMES = {"total_duration": 417_208_334, "load_duration": 52_116_875}
_PROMPT_TIME, _TIME = 21_903_250, 338_541_917


def write_answer(turn: AssistantTurn, call: NeutralCall, pace: Pace) -> Response:
    """Write the answer of ``/api/chat``, or of ``/api/generate`` if the call asks there."""
    is_failed = turn.status is Status.FAILED
    if is_failed and turn.error is not None and not (call.stream and turn.parts):
        return write_error(turn.error, call)
    make = _generated if call.options.get(ENDPOINT) == GENERATE else _said
    model = turn.model or call.model
    if not call.stream:
        return as_go_writes(
            whole(make(model, _created(pace, 0), _message(turn.parts), _end(turn)), pace=pace)
        )
    messages = list(_messages(turn.parts, pace))
    lines = [make(model, _created(pace, n), m, {"done": False}) for n, m in enumerate(messages)]
    if not is_failed:
        at = _created(pace, len(lines))
        lines.append(make(model, at, {"content": ""}, _end(turn)))
    elif turn.error is not None:
        lines.append({"error": turn.error.message})
    return streamed(
        [go_json(line).encode() + b"\n" for line in lines],
        pace,
        content_type="application/x-ndjson",
    )


def write_error(error: ErrorInfo, _call: NeutralCall) -> Response:
    """Write the answer for an error: the text is all that there is besides the status."""
    text = error.message
    known = _TEXTS.get(error.error_class)
    if known is not None and known not in text:
        text = f"{known}: {text}" if text else known
    status = error.status or STATUSES.get(error.error_class, _SERVER_ERROR)
    request_id = () if error.request_id is None else (("x-request-id", error.request_id),)
    return as_go_writes(
        whole(
            {"error": text},
            status=status,
            headers=(*request_id, *retry_after(error.retry_after)),
        )
    )


def _messages(parts: Sequence[Part], pace: Pace) -> Iterator[JsonObject]:
    """Yield what each line says. Tool calls are sent when they are complete, a line each."""
    calls = 0
    for part in parts:
        match part:
            case TextPart():
                yield from ({"content": piece} for piece in deltas(part.text, pace))
            case ReasoningPart():
                yield from ({"content": "", "thinking": piece} for piece in deltas(part.text, pace))
            case ToolCallPart(arguments=dict()):
                yield {"content": "", "tool_calls": [_call(part, calls)]}
                calls += 1


def _message(parts: Sequence[Part]) -> JsonObject:
    """Return all that the parts say."""
    thinking = "".join(p.text for p in parts if isinstance(p, ReasoningPart))
    calls = [p for p in parts if isinstance(p, ToolCallPart) and p.arguments is not None]
    message: JsonObject = {"content": "".join(p.text for p in parts if isinstance(p, TextPart))}
    if thinking:
        message["thinking"] = thinking
    if calls:
        message["tool_calls"] = [_call(call, number) for number, call in enumerate(calls)]
    return message


def _call(part: ToolCallPart, number: int) -> JsonObject:
    call: JsonObject = {} if part.id_synthesized else {"id": part.id}
    call["function"] = {"index": number, "name": part.name, "arguments": part.arguments or {}}
    return call


def _said(model: str, created: str, message: JsonObject, end: JsonObject) -> JsonObject:
    said = {"role": "assistant", **message}
    return {"model": model, "created_at": created, "message": said, **end}


def _generated(model: str, created: str, message: JsonObject, end: JsonObject) -> JsonObject:
    response = {"response": message["content"]}
    thinking = {"thinking": message["thinking"]} if "thinking" in message else {}
    return {"model": model, "created_at": created, **response, **thinking, **end}


def _end(turn: AssistantTurn) -> JsonObject:
    """Return the reason, the counts and the times of the last line."""
    end: JsonObject = {"done": True, "done_reason": turn.raw_finish_reason or "stop", **_TIMES}
    usage = turn.usage
    if usage is not None and usage.input_tokens:
        end |= {"prompt_eval_count": usage.input_tokens, "prompt_eval_duration": _PROMPT_TIME}
    if usage is not None and usage.output_tokens:
        end |= {"eval_count": usage.output_tokens, "eval_duration": _TIME}
    return end


def _created(pace: Pace, number: int) -> str:
    at = _BEGIN + timedelta(milliseconds=pace.first_ms + number * pace.each_ms)
    return at.isoformat().replace("+00:00", "Z")


def as_go_writes(response: Response) -> Response:
    """Return a whole answer with its JSON as Go writes it."""
    return replace(response, body=_escaped(response.body.decode()).encode())


def go_json(value: Json) -> str:
    """Return JSON text as Go writes it."""
    return _escaped(compact(value))


def _escaped(text: str) -> str:
    """Escape what Go escapes in JSON text; these characters stand in strings only."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
