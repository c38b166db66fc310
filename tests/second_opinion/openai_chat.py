"""Play scenarios to the official ``openai`` package, used as an ordinary caller would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import openai

from harness.plan.planning import cassette_of, schedules_of
from harness.suite.scenario import Expectation, Scenario
from mockserver import MockServer
from mockserver.dialects.registry import base_path
from mockserver.library.session import Exchange
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.codec import event_from_json, to_json
from mockserver.vocabulary.fold import fold


@dataclass
class Turn:
    """A turn in the fields that both sides share; ``None`` for what is absent."""

    text: str = ""
    refusal: str = ""
    calls: list[tuple[str | None, str | None, Any]] = field(default_factory=list)
    finish: str | None = None
    usage: tuple[int | None, int | None, int | None] | None = None
    error: int | str | None = None


def sdk_turn(server: MockServer, scenario: Scenario) -> Turn:
    """Play the scenario to the SDK. An exception that is not the SDK's own is ``error`` too."""
    cassette = cassette_of(scenario.cassette)
    numbers = scenario.interactions or range(len(cassette.interactions))
    exchanges = [
        Exchange(cassette.interactions[n].request, s)
        for n, s in zip(numbers, schedules_of(scenario), strict=True)
    ]
    call = scenario.turns[0].call
    assert call is not None
    with server.session(exchanges=exchanges) as session:
        paths = [exchange.request.url.path for exchange in exchanges]
        client = openai.OpenAI(
            base_url=session.url + base_path(scenario.dialect, paths),
            api_key="sk-second-opinion",
            max_retries=call.max_retries,
            timeout=call.timeout or 5.0,
        )
        turn = Turn()
        try:
            with client:
                _ask(client, call, turn)
        except openai.APIStatusError as exc:
            turn.error = exc.status_code
        except openai.OpenAIError as exc:
            turn.error = type(exc).__name__
        except Exception as exc:
            # httpx's errors escape from the SDK while it streams.
            turn.error = type(exc).__name__
    return turn


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


def outcomes(scenario: Scenario) -> tuple[Expectation, ...]:
    """Return what the scenario expects, the choice of the bundled clients first."""
    expect = scenario.turns[0].expect
    assert expect is not None
    return expect.any_of or (expect,)


def expected_turn(expect: Expectation) -> Turn:
    """Return an outcome in the same fields."""
    data: dict[str, Any] = {}
    if expect.events is not None:
        data = to_json(fold(event_from_json(e) for e in _filled(expect.events)))
    turn = expect.turn or {}
    data |= turn
    error = expect.error or data.get("error")
    parts = data.get("parts", [])
    calls = data.get("tool_calls", [p for p in parts if p["type"] == "tool_call"])
    usage = data.get("usage")
    return Turn(
        text=data.get("content", _joined(parts, "text", "text")),
        refusal=data.get("refusal", _joined(parts, "refusal", "refusal")),
        calls=[_call(c) for c in calls],
        finish=data.get("raw_finish_reason"),
        usage=None
        if usage is None
        else (usage.get("input_tokens"), usage.get("output_tokens"), usage.get("total_tokens")),
        error=None if error is None else error.get("status", error["class"]),
    )


def _call(call: dict[str, Any]) -> tuple[str | None, str | None, Any]:
    call_id = None if call.get("id_synthesized") else call.get("id")
    arguments = call.get("arguments")
    return call_id, call.get("name"), call.get("arguments_raw") if arguments is None else arguments


def _joined(parts: list[dict[str, Any]], kind: str, field_name: str) -> str:
    return "".join(p[field_name] for p in parts if p["type"] == kind)


def _filled(events: tuple[dict[str, Any], ...]) -> Iterator[dict[str, Any]]:
    for event in events:
        match event["type"]:
            case "warning":
                yield {"message": "any", **event}
            case "error":
                error = {k: v for k, v in event["error"].items() if k != "message_contains"}
                yield {"type": "error", "error": {"message": "", "retryable": False, **error}}
            case "tool_call_start":
                yield {"tool_call_id": "made", **event}
            case "tool_call_end":
                yield {"arguments_raw": json.dumps(event["arguments"]), **event}
            case _:
                yield event


def differences(expected: Turn, seen: Turn, judged: set[str]) -> list[str]:
    """Return the names of the fields that differ, of those that the scenario ``judged`` states.

    Both failing is agreement, whatever the status: the SDK knows no other classes. Where one
    side fails, the rest is not compared.
    """
    if (expected.error is None) != (seen.error is None):
        return ["silent" if seen.error is None else "raises"]
    if expected.error is not None:
        statuses = isinstance(expected.error, int) and isinstance(seen.error, int)
        return ["status"] if statuses and expected.error != seen.error else []
    return [
        name
        for name in ("text", "refusal", "calls", "finish", "usage")
        if name in judged and getattr(expected, name) != getattr(seen, name)
    ]


def judged_by(expect: Expectation) -> set[str]:
    """Return the fields of a turn that an outcome states."""
    if expect.events is not None:
        return {"text", "refusal", "calls", "finish", "usage"}
    names = {
        "content": "text",
        "refusal": "refusal",
        "tool_calls": "calls",
        "raw_finish_reason": "finish",
        "usage": "usage",
    }
    return {names[k] for k in expect.turn or {} if k in names}
