"""Build the calls of a scenario, turn by turn, from the client's own answers."""

from __future__ import annotations

from dataclasses import replace

from harness.clients.interface import Call
from harness.suite.scenario import TurnSpec
from mockserver.vocabulary import AssistantTurn, JsonObject, to_json


def first_call(
    spec: TurnSpec, *, dialect: str, base_url: str, api_key: str, timeout: float
) -> Call:
    """Return the call of a turn that states one. ``timeout`` is for scenarios that give none."""
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
    """Return the call after ``turn``, with the client's own answer, tool results, new messages.

    Raises ``LookupError`` if a result is for a tool call that the client did not emit.
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
    """Return a turn as a Chat Completions message that also has the normalized ``parts``."""
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
