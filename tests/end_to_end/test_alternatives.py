"""Each outcome that a scenario accepts passes: no rule about the wire forbids it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx
import pytest

from harness import Call
from harness.clients.interface import Adapter
from harness.judge.baseline import Baseline
from harness.judge.kinds import Level
from harness.judge.terms import PROFILES
from harness.plan.planning import Plan, Settings
from harness.run.runner import Runner
from harness.suite.loader import completed
from harness.suite.scenario import Case, Expectation, Scenario
from harness.suite.schemas import schema
from mockserver.dialects import find_dialect, written_request
from mockserver.vocabulary import AssistantTurn, event_from_json, fold
from tests.harness import bundled


def alternatives() -> Iterator[tuple[Scenario, int]]:
    for scenario in bundled.scenarios().values():
        expect = scenario.turns[0].expect
        # The scripted client asks at one path, and /api/generate is another.
        if expect is not None and "generate" not in scenario.requires:
            yield from ((scenario, number) for number in range(len(expect.any_of)))


def events_of(expect: Expectation) -> Iterator[dict[str, Any]]:
    """Yield what a client emits that has this outcome."""
    if expect.events is not None:
        yield from map(completed, expect.events)
        return
    turn = expect.turn or {}
    error = expect.error or turn.get("error")
    yield {"type": "message_start", **_some(turn, "response_id", "model")}
    parts = turn.get("parts", ())
    if turn.get("reasoning") and not parts:
        yield {"type": "reasoning_delta", "delta": turn["reasoning"], "channel": "text"}
    if turn.get("content") and not parts:
        yield {"type": "content_delta", "delta": turn["content"]}
    yield from (event for part in parts for event in _part(part))
    calls = turn.get("tool_calls", [p for p in parts if p["type"] == "tool_call"])
    for number, call in enumerate(calls):
        whole = error is None and call.get("arguments", {}) is not None
        yield from _call(number, call, whole=whole)
    if turn.get("usage"):
        yield {"type": "usage", "usage": turn["usage"]}
    if error is not None:
        yield completed({"type": "error", "error": dict(error)})
    else:
        stop = {"finish_reason": "tool_calls" if calls else "stop"}
        stop |= _some(turn, "finish_reason", "raw_finish_reason")
        yield {"type": "message_stop", **stop}


def _part(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    match part:
        case {"type": "text", "text": str(text)} if text:
            yield {"type": "content_delta", "delta": text}
        case {"type": "reasoning"}:
            if part.get("text"):
                yield {"type": "reasoning_delta", "delta": part["text"], "channel": "text"}
            if signed := _some(part, "signature", "encrypted_content", "redacted_data"):
                yield {"type": "reasoning_signature", **signed}
        case {"type": "image"}:
            yield part


def _call(number: int, call: dict[str, Any], *, whole: bool) -> Iterator[dict[str, Any]]:
    raw = call.get("arguments_raw") or json.dumps(call.get("arguments", {}))
    of = {"tool_call_index": number}
    made = {} if "id" in call else {"id_synthesized": True}
    given = {"tool_call_id": call.get("id", f"made-{number}"), "tool_name": call["name"], **made}
    yield {"type": "tool_call_start", **of, **given}
    yield {"type": "tool_call_delta", **of, "arguments_delta": raw}
    if whole:
        end = {"arguments": call.get("arguments", {}), "arguments_raw": raw}
        yield {"type": "tool_call_end", **of, **end, **_some(call, "thought_signature")}


def _some(turn: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: turn[name] for name in names if name in turn}


def client(scenario: Scenario, number: int) -> Adapter:
    """Return a client that has this outcome whatever it reads."""
    expect = scenario.turns[0].expect
    assert expect is not None
    outcome = expect.any_of[number]
    asked = scenario.turns[0].call
    assert asked is not None
    dialect = find_dialect(scenario.dialect)
    request = written_request(dialect, replace(asked, options={}))
    base = dialect.base_path([request.url.path])
    path = request.url.path.removeprefix(base) + f"?{request.url.query}".rstrip("?")

    async def run(call: Call) -> AsyncIterator[dict[str, Any] | AssistantTurn]:
        async with httpx.AsyncClient() as http:
            # A wire may be broken, or silent; this client knows what it wants to say.
            for _ in range(1 if outcome.error else 1 + call.max_retries):
                with suppress(httpx.HTTPError):
                    await http.post(
                        call.base_url + path,
                        content=request.body,
                        headers=request.headers,
                        timeout=1,
                    )
        events = list(events_of(outcome))
        if call.stream:
            for event in events:
                yield event
        else:
            yield fold(map(event_from_json, events))

    return Adapter(
        name=f"outcome-{number}",
        run=run,
        dialects=frozenset({scenario.dialect}),
        features=frozenset(schema("scenario")["$defs"]["feature"]["enum"]) - {"native_responses"},
        exposes=PROFILES["accumulator"],
    )


@pytest.mark.parametrize(
    ("scenario", "number"), [pytest.param(s, n, id=f"{s.id}-{n}") for s, n in alternatives()]
)
def test_a_client_with_this_outcome_has_no_fault(scenario: Scenario, number: int) -> None:
    adapter = client(scenario, number)
    case = Case(scenario=scenario, adapter=adapter.name)
    plan = Plan(
        settings=Settings(),
        adapters=(adapter,),
        baselines={adapter.name: Baseline.empty(scenario.file)},
        cases=(case,),
        skips=(),
    )

    async def play() -> list[str]:
        async with Runner(plan, deadline=5, gate_timeout=0.5) as runner:
            result = await runner.run_case(case)
        findings = result.verdict.findings
        return [f"{f.kind}: {f.message}" for f in findings if f.level is Level.MUST]

    assert asyncio.run(play()) == []
