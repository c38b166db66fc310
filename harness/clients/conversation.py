"""Builds the calls of a scenario, turn by turn, out of the client's own answers."""

from __future__ import annotations

from dataclasses import replace

from harness.clients.interface import Call
from harness.suite.scenario import TurnSpec
from mockserver.vocabulary import AssistantTurn, JsonObject, to_json


def first_call(
    spec: TurnSpec, *, dialect: str, base_url: str, api_key: str, timeout: float
) -> Call:
    """The call of a turn that states one. ``timeout`` holds where the scenario is silent."""
    assert spec.call is not None
    call = spec.call
    return Call(
        base_url=base_url,
        api_key=api_key,
        model=call.model,
        messages=call.messages,
        tools=call.tools,
        stream=call.stream,
        timeout=call.timeout or timeout,
        max_retries=call.max_retries,
        options=call.options,
        dialect=dialect,
    )


def next_call(before: Call, turn: AssistantTurn, spec: TurnSpec) -> Call:
    """The call that goes on after ``turn``: the client's own words, results, new messages.

    Raises ``LookupError`` if a result is for a tool call that the client did not hand out.
    """
    results = []
    for result in spec.results:
        if result.call >= len(turn.tool_calls):
            raise LookupError(f"no tool call {result.call} to answer")
        results.append(
            {
                "role": "tool",
                "tool_call_id": turn.tool_calls[result.call].id,
                "content": result.content,
            }
        )
    return replace(
        before, messages=(*before.messages, assistant_message(turn), *results, *spec.messages)
    )


def assistant_message(turn: AssistantTurn) -> JsonObject:
    """A turn as a Chat Completions message, with its normalized ``parts`` beside."""
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
    message["parts"] = to_json(turn.parts)
    return message
