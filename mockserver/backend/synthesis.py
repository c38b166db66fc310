"""What a model could have answered: a turn for any call, the same for the same call. Pure.

Texts do what a short instruction says, else they are one sentence with a mark, a word that occurs
nowhere else. Tools are called once each, then their results are answered: so every loop ends.
"""

from __future__ import annotations

import re
from dataclasses import replace

from mockserver.backend import tokens
from mockserver.backend.arguments import instance
from mockserver.backend.asked import Asked, Tool
from mockserver.backend.choice import chosen
from mockserver.dialects.writing import compact, digest
from mockserver.vocabulary.model import (
    AssistantTurn,
    FinishReason,
    Json,
    JsonObject,
    Part,
    ReasoningPart,
    RefusalPart,
    Status,
    TextPart,
    ToolCallPart,
    Usage,
)

#: A short instruction that says what to answer.
_SAY = re.compile(
    r"""\s*(?:please\s+)?
    (?:say|reply\s+with|respond\s+with|answer\s+with|repeat|echo)
    (?:\s+(?:only|just|exactly|the\s+words?))*\s*:?\s+
    (?P<text>.{1,200}?)\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_QUOTES = "\"'`“”‘’«»"
_BIRDS = ("wren", "finch", "heron", "lark", "robin", "swift", "tern", "crane", "plover", "siskin")
#: Options that limit the tokens of an answer.
_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")


def synthesise(asked: Asked, *, seed: int = 0, number: int = 0) -> AssistantTurn:
    """Return an answer to a call.

    ``number`` says how often the same was asked before: ids differ then, texts do not. Raises
    :class:`~mockserver.backend.arguments.UnmetSchemaError` for a schema that nothing meets.
    """
    request = asked.request
    key = digest(seed, request.uri, request.body.decode(errors="replace"), length=32)
    parts: list[Part] = []
    if asked.dialect.wants_reasoning(asked.call):
        parts.append(reasoning(asked, f"The user asks; {mark(key)} answers.", key))
    tools = chosen(asked)
    if tools:
        for at, tool in enumerate(tools):
            unique = digest(key, number, at, length=24)
            parts.append(tool_call(asked, tool.name, tool_arguments(tool, key), unique))
    else:
        parts.append(TextPart(text=_text(asked, key)))
    return completed(asked, parts, unique=digest(key, number, length=24))


def completed(asked: Asked, parts: list[Part], *, unique: str) -> AssistantTurn:
    """Return the turn of these parts: cut at the limit of the call, with its token counts.

    ``unique`` becomes a part of its id.
    """
    kept, reason = _limited(asked, parts)
    turn = AssistantTurn(
        response_id=asked.dialect.ids.answer + unique,
        status=Status.INCOMPLETE if reason is FinishReason.LENGTH else Status.COMPLETED,
        finish_reason=reason,
        parts=tuple(kept),
    )
    return replace(turn, usage=_usage(asked, turn))


def mark(key: str) -> str:
    """Return a word that occurs in no other answer."""
    return f"{_BIRDS[int(key[:4], 16) % len(_BIRDS)]}-{int(key[4:12], 16) % 100_000}"


def _usage(asked: Asked, turn: AssistantTurn) -> Usage:
    given = tokens.of_request(asked)
    made, reasoning = tokens.of_turn(turn)
    return Usage(
        input_tokens=given,
        output_tokens=made,
        total_tokens=given + made,
        reasoning_tokens=reasoning,
    )


def reasoning(asked: Asked, text: str, key: str) -> ReasoningPart:
    """Return reasoning with what must come back; that depends on ``key``."""
    capacity = asked.dialect.capacity
    channel = capacity.channel if capacity else "text"
    part = ReasoningPart(text=text, channel=channel)
    seals = capacity.seals if capacity else frozenset()
    seal = digest("signature", key, length=64)
    if "signature" in seals:
        return replace(part, signature=seal)
    return replace(part, encrypted_content=seal) if "encrypted_content" in seals else part


def tool_call(asked: Asked, name: str, arguments: Json, unique: str) -> ToolCallPart:
    """Return a call of a tool; ``unique`` becomes a part of its id."""
    return ToolCallPart(
        id=asked.dialect.ids.call + unique,
        name=name,
        arguments=arguments,
        arguments_raw=compact(arguments),
    )


def tool_arguments(tool: Tool, key: str) -> Json:
    """Return arguments that the schema of a tool allows. Raises as :func:`synthesise` does."""
    return instance(tool.parameters or {"type": "object"}, mark(key))


def _text(asked: Asked, key: str) -> str:
    form = asked.call.options.get("response_format")
    if isinstance(form, dict) and form.get("type") in ("json_schema", "json_object"):
        return compact(instance(_schema(form), mark(key)))
    if found := _SAY.fullmatch(asked.question):
        return found["text"].strip(_QUOTES) or found["text"]
    return f"This is an answer that tapecheck made up; its mark is {mark(key)}."


def _schema(form: JsonObject) -> JsonObject:
    inner = form.get("json_schema")
    schema = inner.get("schema") if isinstance(inner, dict) else None
    if isinstance(schema, dict):
        return schema
    answer = {"answer": {"type": "string"}}
    return {"type": "object", "properties": answer, "required": ["answer"]}


def _limited(asked: Asked, parts: list[Part]) -> tuple[list[Part], FinishReason]:
    """Return as many tokens of the parts as the call allows, and why they end there."""
    has_call = any(isinstance(part, ToolCallPart) for part in parts)
    whole = FinishReason.TOOL_CALLS if has_call else FinishReason.STOP
    wanted = [asked.call.options.get(name) for name in _LIMITS]
    left = next((n for n in wanted if isinstance(n, int) and not isinstance(n, bool)), None)
    if left is None:
        return parts, whole
    kept: list[Part] = []
    for part in parts:
        pieces = tokens.tokens(_text_of(part))
        if len(pieces) > left:
            if left:
                kept.append(_cut(part, "".join(pieces[:left])))
            return kept, FinishReason.LENGTH
        left -= len(pieces)
        kept.append(part)
    return kept, whole


def _text_of(part: Part) -> str:
    match part:
        case TextPart() | ReasoningPart():
            return part.text
        case RefusalPart():
            return part.refusal
        case ToolCallPart():
            return part.arguments_raw
    return ""


def _cut(part: Part, text: str) -> Part:
    match part:
        case TextPart() | ReasoningPart():
            return replace(part, text=text)
        case RefusalPart():
            return replace(part, refusal=text)
        case ToolCallPart():
            return replace(part, arguments=None, arguments_raw=text)
    return part
