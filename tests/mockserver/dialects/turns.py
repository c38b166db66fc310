"""Strategies of neutral turns and calls, for the properties of every dialect.

A turn is one that a client could have read from some wire: its finish reason and status fit its
parts, its ids are unique, its counts add up. It has at least one text or tool call, which every
dialect can say. :func:`~mockserver.dialects.fit` reduces it to what one dialect can say.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from mockserver.dialects import Pace
from mockserver.vocabulary import (
    AssistantTurn,
    Citation,
    FinishReason,
    ImagePart,
    Json,
    JsonObject,
    NeutralCall,
    Part,
    ReasoningPart,
    RefusalPart,
    Status,
    TextPart,
    ToolCallPart,
    Usage,
    to_json,
)

#: Characters on which readers of streams fail: line ends of other standards, a byte order mark,
#: several code points for one letter, characters that UTF-16 cannot write in one unit.
_HARD = st.sampled_from(
    ["\n", "\r\n", "\u2028", "\x85", "\ufeff", "e\u0301", "🎉", "👩🏽‍🚀", '"', "\\", "\x00"]
)
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_BASE64 = _LETTERS + "+/"
_INCOMPLETE = {FinishReason.LENGTH, FinishReason.CONTENT_FILTER}

#: Text without lone surrogates, which UTF-8 cannot carry. It begins with a letter: blank text, and
#: tags at the beginning, mean something to some clients.
texts = st.builds(
    lambda first, rest: first + "".join(rest),
    st.sampled_from(_LETTERS),
    st.lists(_HARD | st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=5),
)
#: Opaque data that goes back unchanged.
seals = st.binary(min_size=6, max_size=30).map(lambda b: base64.b64encode(b).decode())
#: Names of tools and of models.
names = st.text(_LETTERS + "_", min_size=1, max_size=20).map(lambda name: f"f{name}")

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(-1e9, 1e9, allow_subnormal=False).filter(lambda f: not f.is_integer())
    | texts
    | st.just("")
)
#: JSON objects, as the arguments of tools.
objects = st.dictionaries(
    texts,
    st.recursive(
        _SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)
paces = st.builds(
    Pace,
    size=st.sampled_from([0, 1, 2, 3, 8]),
    first_ms=st.sampled_from([0.0, 120.0]),
    each_ms=st.sampled_from([0.0, 15.0]),
)


def argument_texts(arguments: JsonObject) -> st.SearchStrategy[str]:
    """Return texts of one object: compact, spaced or indented, with or without escapes."""
    return st.builds(
        lambda form, escaped: json.dumps(arguments, ensure_ascii=escaped, **form),
        st.sampled_from(
            [{}, {"separators": (",", ":")}, {"indent": 2}, {"separators": (" ,", " : ")}]
        ),
        st.booleans(),
    )


@st.composite
def tool_calls(draw: st.DrawFn) -> ToolCallPart:
    """Make a complete call. Its id is made unique by :func:`turns`."""
    arguments = draw(objects)
    return ToolCallPart(
        id="call",
        name=draw(names),
        arguments=arguments,
        arguments_raw=draw(argument_texts(arguments)),
        thought_signature=draw(st.none() | seals),
    )


@st.composite
def text_parts(draw: st.DrawFn) -> TextPart:
    """Make a text, of which a source may be cited."""
    text = draw(texts)
    cited = draw(
        st.lists(st.tuples(st.integers(0, 9), names), max_size=2, unique_by=lambda c: c[1])
    )
    return TextPart(
        text=text,
        phase=draw(st.sampled_from([None, None, "commentary", "final_answer"])),
        thought_signature=draw(st.none() | seals),
        citations=tuple(
            Citation(
                url=f"https://example.com/{name}",
                title=f"About {name}",
                start=min(start, len(text) - 1),
                end=len(text),
            )
            for start, name in cited
        ),
    )


@st.composite
def reasoning_parts(draw: st.DrawFn) -> ReasoningPart:
    """Make reasoning: shown and signed, shown in part, or hidden behind opaque data."""
    seal = {draw(st.sampled_from(["signature", "encrypted_content"])): draw(seals)}
    match draw(st.sampled_from(["plain", "signed", "redacted"])):
        case "redacted":
            return ReasoningPart(text="", channel="text", redacted_data=draw(seals))
        case kind:
            channel = draw(st.sampled_from(["text", "summary"]))
            signed: Mapping[str, Any] = seal if kind == "signed" else {}
            return ReasoningPart(text=draw(texts), channel=channel, **signed)


images = st.builds(
    lambda kind, data, signature: ImagePart(
        url=f"data:{kind};base64,{data}", thought_signature=signature
    ),
    st.sampled_from(["image/png", "image/jpeg"]),
    seals,
    st.none() | seals,
)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Make counts that add up, with details or without."""
    given, made = draw(st.integers(1, 10**6)), draw(st.integers(1, 10**6))

    def detail(most: int) -> int | None:
        return draw(st.none() | st.integers(0, most))

    return Usage(
        input_tokens=given,
        output_tokens=made,
        total_tokens=given + made,
        cache_read_input_tokens=detail(given // 2),
        cache_creation_input_tokens=detail(given // 2),
        reasoning_tokens=detail(made),
    )


@st.composite
def turns(draw: st.DrawFn) -> AssistantTurn:
    """Make a turn that ended with a reason: parts in any order, all that a turn can hold."""
    any_part = text_parts() | reasoning_parts() | tool_calls() | images
    found: list[Part] = draw(st.lists(any_part, max_size=5))
    if draw(st.integers(0, 9)) == 0:
        found.append(RefusalPart(refusal=draw(texts)))
    if not any(isinstance(part, TextPart | ToolCallPart) for part in found):
        found.append(draw(text_parts() | tool_calls()))
    parts = tuple(_with_own_id(part, number) for number, part in enumerate(found))
    reason = draw(st.sampled_from(_reasons(parts)))
    return AssistantTurn(
        response_id=draw(names.map(lambda name: f"resp_{name}")),
        model=draw(names),
        status=Status.INCOMPLETE if reason in _INCOMPLETE else Status.COMPLETED,
        finish_reason=reason,
        usage=draw(st.none() | usages()),
        parts=parts,
    )


def _with_own_id(part: Part, number: int) -> Part:
    return replace(part, id=f"call_{number}{part.name}") if isinstance(part, ToolCallPart) else part


def _reasons(parts: tuple[Part, ...]) -> list[FinishReason]:
    if any(isinstance(part, ToolCallPart) for part in parts):
        return [FinishReason.TOOL_CALLS]
    if any(isinstance(part, RefusalPart) for part in parts):
        return [FinishReason.STOP, FinishReason.REFUSAL]
    return [FinishReason.STOP, *_INCOMPLETE, FinishReason.PAUSE]


tools: st.SearchStrategy[JsonObject] = st.builds(
    lambda name, description, field, required: {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {
                "type": "object",
                "properties": {field: {"type": "string"}},
                "required": [field] if required else [],
            },
        },
    },
    names,
    texts,
    names,
    st.booleans(),
)

#: Options by their Chat Completions name, with values that every dialect takes.
OPTIONS: Mapping[str, st.SearchStrategy[Json]] = {
    "temperature": st.sampled_from([0.25, 0.5, 1.5]),
    "top_p": st.sampled_from([0.25, 0.5]),
    "max_completion_tokens": st.integers(1, 10**5),
    "stop": st.lists(texts, min_size=1, max_size=2),
    "reasoning_effort": st.sampled_from(["low", "medium", "high"]),
    "response_format": st.just(
        {
            "type": "json_schema",
            "json_schema": {
                "name": "answer",
                "schema": {"type": "object", "properties": {"city": {"type": "string"}}},
                "strict": True,
            },
        }
    ),
}


@st.composite
def calls(
    draw: st.DrawFn, *, options: tuple[str, ...] = ("temperature", "top_p", "max_completion_tokens")
) -> NeutralCall:
    """Make a call: a system message, then questions, answers and the results of their tools.

    ``options`` names those of :data:`OPTIONS` that the dialect knows. ``tool_choice`` comes with
    tools only.
    """
    messages: list[JsonObject] = []
    if draw(st.booleans()):
        messages.append({"role": "system", "content": draw(texts)})
    messages.append(draw(user_messages))
    for number in range(draw(st.integers(0, 2))):
        turn = draw(history(number))
        messages.append(turn)
        messages += [
            {"role": "tool", "tool_call_id": call["id"], "content": draw(texts)}
            for call in turn.get("tool_calls", ())
        ]
        if "tool_calls" not in turn or draw(st.booleans()):
            messages.append(draw(user_messages))
    given = draw(st.lists(tools, max_size=2, unique_by=_name_of))
    chosen = draw(st.lists(st.sampled_from(options), unique=True)) if options else []
    values = {name: draw(OPTIONS[name]) for name in chosen}
    if draw(st.booleans()) and given:
        named = {"type": "function", "function": {"name": given[0]["function"]["name"]}}
        values["tool_choice"] = draw(st.sampled_from(["required", "none", named]))
    return NeutralCall(
        model=draw(names),
        messages=tuple(messages),
        tools=tuple(given),
        stream=draw(st.booleans()),
        options=values,
    )


def _name_of(tool: JsonObject) -> str:
    return str(tool["function"]["name"])


#: Texts, or texts and pictures.
user_messages: st.SearchStrategy[JsonObject] = (
    texts
    | st.tuples(texts, images).map(
        lambda pair: [
            {"type": "text", "text": pair[0]},
            {"type": "image_url", "image_url": {"url": pair[1].url}},
        ]
    )
).map(lambda content: {"role": "user", "content": content})


@st.composite
def history(draw: st.DrawFn, number: int) -> JsonObject:
    """Make an earlier answer: a text, tool calls, or both; ``number`` makes its ids unique.

    It has no ``parts``: :func:`assistant_message` makes one from a turn.
    """
    found = draw(st.lists(tool_calls(), max_size=2))
    text = draw(st.none() | texts) if found else draw(texts)
    message: JsonObject = {"role": "assistant", "content": text}
    if found:
        message["tool_calls"] = [
            {
                "id": f"call_{number}_{place}",
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments_raw},
            }
            for place, call in enumerate(found)
        ]
    return message


def assistant_message(turn: AssistantTurn) -> JsonObject:
    """Return a turn as the message that a client sends back: as Chat Completions, with parts."""
    message: JsonObject = {"role": "assistant", "content": turn.content or None}
    if turn.tool_calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments_raw},
            }
            for call in turn.tool_calls
        ]
    return {**message, "parts": to_json(turn.parts)}
