"""Strategies of neutral calls, for the properties of every dialect.

:mod:`harness.fuzz.turns` draws the turns.
"""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from harness.fuzz.turns import images, names, texts, tool_calls
from harness.fuzz.turns import paces as paces
from harness.fuzz.turns import turns as turns
from mockserver.vocabulary import AssistantTurn, Json, JsonObject, NeutralCall, to_json

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
