"""The official ``openai`` package, used as an ordinary caller would."""

from __future__ import annotations

import json
from typing import Any

import openai

from mockserver.vocabulary.call import NeutralCall
from tests.second_opinion.turn import Turn


def ask(base_url: str, call: NeutralCall, turn: Turn) -> None:
    """Make a call and read the answer into ``turn``, as far as it comes."""
    client = openai.OpenAI(
        base_url=base_url,
        api_key="sk-second-opinion",
        max_retries=call.max_retries,
        timeout=call.timeout or 5.0,
    )
    with client:
        _ask(client, call, turn)


def status_of(exc: Exception) -> int | None:
    """Return the HTTP status of an exception of the SDK."""
    return exc.status_code if isinstance(exc, openai.APIStatusError) else None


def _ask(client: openai.OpenAI, call: NeutralCall, turn: Turn) -> None:
    known = {"n", "response_format", "max_completion_tokens", "temperature"}
    arguments: dict[str, Any] = {k: v for k, v in call.options.items() if k in known}
    if call.tools:
        arguments["tools"] = list(call.tools)
    if call.stream:
        arguments["stream_options"] = {"include_usage": True}
    answer = client.chat.completions.create(
        model=call.model, messages=list(call.messages), stream=call.stream, **arguments
    )
    if not call.stream:
        _read(answer.model_dump(), "message", turn, {})
        return
    calls: dict[Any, list[Any]] = {}
    for chunk in answer:
        _read(chunk.model_dump(), "delta", turn, calls)
    turn.calls = [(c[0], c[1], _parsed(c[2])) for c in calls.values()]


def _read(chunk: dict[str, Any], key: str, turn: Turn, calls: dict[Any, list[Any]]) -> None:
    if (usage := chunk.get("usage")) is not None:
        turn.usage = (
            usage.get("prompt_tokens"),
            usage.get("completion_tokens"),
            usage.get("total_tokens"),
        )
    for choice in chunk.get("choices") or ():
        if choice["index"] != 0:
            continue
        turn.finish = choice.get("finish_reason") or turn.finish
        delta = choice.get(key) or {}
        turn.text += delta.get("content") or ""
        turn.refusal += delta.get("refusal") or ""
        for place, piece in enumerate(delta.get("tool_calls") or ()):
            number = piece.get("index") if key == "delta" else place
            joined = calls.setdefault(number, [None, "", ""])
            function = piece.get("function") or {}
            joined[0] = joined[0] or piece.get("id")
            joined[1] += function.get("name") or ""
            if isinstance(function.get("arguments"), str):
                joined[2] += function["arguments"]
        if key == "message":
            turn.calls = [(c[0], c[1], _parsed(c[2])) for c in calls.values()]


def _parsed(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments
