"""The rules alone notice each fault of a client: its scenario states nothing here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from harness import Call
from harness.adapters.openai_compat import openai_compat
from harness.adapters.response_strategies import response_strategies
from harness.clients.interface import Adapter
from harness.judge.baseline import Baseline
from harness.judge.terms import PROFILES
from harness.judge.transcript import Finding
from harness.plan.expand import Axes, expand
from harness.plan.planning import Plan, Settings, schedules_of
from harness.run.runner import Runner
from harness.suite.scenario import Case, Scenario
from mockserver.vocabulary import (
    AssistantTurn,
    Citation,
    ContentDelta,
    ErrorClass,
    ErrorEvent,
    ErrorInfo,
    Event,
    FinishReason,
    MessageStart,
    MessageStop,
    ReasoningDelta,
    ReasoningSignature,
    RefusalDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageEvent,
)
from tests.harness import bundled

Change = Callable[[list[Event]], list[Event]]
TEXT = "openai-chat/text-basic"
CALLS = "openai-chat/tools-interleaved"
REFUSED = "http/401-invalid-key/stream"
REASONING = "openrouter/reasoning-details/signature"
REFUSAL = "openai-chat/refusal-logprobs/refusal"
CITATION = "openai-chat/annotations-audio/annotations-stream"
SIGNED_CALL = "gemini-compat/tool-call"
LENGTH = "openai-chat/tool-args-cut-by-length/single"
RESPONSES_TEXT = "openai-responses/text-basic"
RESPONSES_CITATION = "openai-responses/citations-and-hosted-search"
RESPONSES_REFUSAL = "openai-responses/refusal"

STOP = FinishReason.STOP
SCENARIOS = bundled.scenarios()


def unstated(scenario: Scenario) -> Scenario:
    """Return the scenario without what it expects."""
    turns = tuple(replace(turn, expect=None, request=None) for turn in scenario.turns)
    return replace(scenario, turns=turns)


def findings(scenario_id: str, change: Change) -> tuple[Finding, ...]:
    scenario = unstated(SCENARIOS[scenario_id])
    client = openai_compat if scenario.dialect == "openai-chat" else response_strategies

    async def run(call: Call) -> AsyncIterator[Any]:
        events = [e async for e in client.run(call) if not isinstance(e, AssistantTurn)]
        for event in change(events):
            yield event

    adapter = replace(
        client, name="mutant", run=run, exposes=PROFILES["everything"], granularity="any"
    )
    wires = schedules_of(scenario)
    (case, *_) = expand(scenario, adapter.name, wires, Axes(mode="none"), faults=False)
    return verdict_of(adapter, case)


def verdict_of(adapter: Adapter, case: Case) -> tuple[Finding, ...]:
    plan = Plan(
        settings=Settings(),
        adapters=(adapter,),
        baselines={adapter.name: Baseline.empty(case.scenario.file)},
        cases=(case,),
        skips=(),
    )

    async def play() -> tuple[Finding, ...]:
        async with Runner(plan, deadline=5, gate_timeout=1) as runner:
            return (await runner.run_case(case)).verdict.findings

    return asyncio.run(play())


def of_type(kind: type[Event], **changes: Any) -> Change:
    """Replace fields of all events of one type; a value may be a function of the event."""

    def change(events: list[Event]) -> list[Event]:
        out: list[Event] = []
        for event in events:
            if isinstance(event, kind):
                values = {k: v(event) if callable(v) else v for k, v in changes.items()}
                event = replace(event, **values)
            out.append(event)
        return out

    return change


def without(*kinds: type[Event]) -> Change:
    return lambda events: [e for e in events if not isinstance(e, kinds)]


def swap_calls(events: list[Event]) -> list[Event]:
    """Give the arguments of each of two calls to the other."""
    ends = [e for e in events if isinstance(e, ToolCallEnd)]
    other = {id(a): b for a, b in zip(ends, reversed(ends), strict=True)}
    return [
        replace(e, arguments=other[id(e)].arguments, arguments_raw=other[id(e)].arguments_raw)
        if isinstance(e, ToolCallEnd)
        else e
        for e in events
        if not isinstance(e, ToolCallDelta)
    ]


def lose_last_call(events: list[Event]) -> list[Event]:
    last = max(e.tool_call_index for e in events if isinstance(e, ToolCallStart))
    return [e for e in events if getattr(e, "tool_call_index", None) != last]


def double_call(events: list[Event]) -> list[Event]:
    calls = [e for e in events if isinstance(e, ToolCallStart | ToolCallDelta | ToolCallEnd)]
    last = max(e.tool_call_index for e in calls)
    again = [
        replace(e, tool_call_index=last + 1, **({"tool_call_id": "x"} if start else {}))
        for e in calls
        if e.tool_call_index == last
        for start in [isinstance(e, ToolCallStart)]
    ]
    return [*events[:-1], *again, events[-1]]


def tell_reasoning_as_text(events: list[Event]) -> list[Event]:
    return [ContentDelta(delta=e.delta) if isinstance(e, ReasoningDelta) else e for e in events]


def tell_refusal_as_text(events: list[Event]) -> list[Event]:
    return [ContentDelta(delta=e.delta) if isinstance(e, RefusalDelta) else e for e in events]


def lose_last_delta(events: list[Event]) -> list[Event]:
    last = max(i for i, e in enumerate(events) if isinstance(e, ContentDelta))
    return events[:last] + events[last + 1 :]


def fail(events: list[Event]) -> list[Event]:
    error = ErrorInfo(error_class=ErrorClass.PROTOCOL, message="odd", retryable=False)
    return [*events[:-1], ErrorEvent(error=error)]


def succeed(_: list[Event]) -> list[Event]:
    return [MessageStart(), MessageStop(finish_reason=FinishReason.STOP)]


def start_twice(events: list[Event]) -> list[Event]:
    return [*events[:-1], MessageStart(response_id="other"), events[-1]]


def added_up(event: UsageEvent) -> Usage:
    return replace(event.usage, input_tokens=2 * (event.usage.input_tokens or 0))


def reworded(event: ErrorEvent) -> ErrorInfo:
    return replace(event.error, message="something went wrong")


def as_server_error(event: ErrorEvent) -> ErrorInfo:
    return replace(event.error, error_class=ErrorClass.SERVER_ERROR)


@dataclass(frozen=True)
class Mutant:
    """A fault, the scenario in which it shows, and the kind of finding that names it."""

    name: str
    scenario: str
    kind: str
    change: Change


MUTANTS = (
    Mutant("a call under another name", CALLS, "tool-call", of_type(ToolCallStart, tool_name="x")),
    Mutant(
        "a call without its arguments",
        CALLS,
        "tool-call",
        lambda events: of_type(ToolCallEnd, arguments={}, arguments_raw="{}")(
            without(ToolCallDelta)(events)
        ),
    ),
    Mutant("two calls swapped", CALLS, "tool-call", swap_calls),
    Mutant("a call lost", CALLS, "tool-call", lose_last_call),
    Mutant("a call doubled", CALLS, "tool-call", double_call),
    Mutant(
        "ids replaced",
        CALLS,
        "call-id",
        of_type(ToolCallStart, tool_call_id=lambda e: f"mine_{e.tool_call_index}"),
    ),
    Mutant(
        "ids made up",
        CALLS,
        "call-id-missing",
        of_type(ToolCallStart, tool_call_id=lambda e: f"c{e.tool_call_index}", id_synthesized=True),
    ),
    Mutant("text doubled", TEXT, "text", of_type(ContentDelta, delta=lambda e: e.delta * 2)),
    Mutant("the last delta lost", TEXT, "text", lose_last_delta),
    Mutant("reasoning lost", REASONING, "reasoning", without(ReasoningDelta)),
    Mutant("reasoning as text", REASONING, "text", tell_reasoning_as_text),
    Mutant("a signature lost", REASONING, "signature", without(ReasoningSignature)),
    Mutant(
        "a signature changed", REASONING, "signature", of_type(ReasoningSignature, signature="x")
    ),
    Mutant("another model", TEXT, "field", of_type(MessageStart, model="x")),
    Mutant("the model lost", TEXT, "field-missing", of_type(MessageStart, model=None)),
    Mutant("another id", TEXT, "field", of_type(MessageStart, response_id="x")),
    Mutant("usage added up", TEXT, "usage", of_type(UsageEvent, usage=added_up)),
    Mutant("usage lost", TEXT, "usage-missing", without(UsageEvent)),
    Mutant(
        "the finish word lost", TEXT, "finish-word", of_type(MessageStop, raw_finish_reason=None)
    ),
    Mutant("length as stop", LENGTH, "finish-reason", of_type(MessageStop, finish_reason=STOP)),
    Mutant("a refusal lost", REFUSAL, "refusal", without(RefusalDelta)),
    Mutant("a refusal as text", REFUSAL, "text", tell_refusal_as_text),
    Mutant("a citation lost", CITATION, "citation", without(Citation)),
    Mutant("another source", CITATION, "citation", of_type(Citation, url="https://x.example")),
    Mutant(
        "a call's signature lost",
        SIGNED_CALL,
        "signature",
        of_type(ToolCallEnd, thought_signature=None),
    ),
    Mutant(
        "the provider's message lost", REFUSED, "error-message", of_type(ErrorEvent, error=reworded)
    ),
    Mutant("another family", REFUSED, "error-family", of_type(ErrorEvent, error=as_server_error)),
    Mutant("success for a failure", REFUSED, "false-success", succeed),
    Mutant("failure for an answer", TEXT, "false-failure", fail),
    Mutant("two starts", TEXT, "malformed", start_twice),
    Mutant("Responses: text cut", RESPONSES_TEXT, "text", lose_last_delta),
    Mutant("Responses: another model", RESPONSES_TEXT, "field", of_type(MessageStart, model="x")),
    Mutant("Responses: usage", RESPONSES_TEXT, "usage", of_type(UsageEvent, usage=added_up)),
    Mutant("Responses: failure", RESPONSES_TEXT, "false-failure", fail),
    Mutant("Responses: a source lost", RESPONSES_CITATION, "citation", without(Citation)),
    Mutant("Responses: a refusal lost", RESPONSES_REFUSAL, "refusal", without(RefusalDelta)),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_the_rules_alone_notice_a_fault(mutant: Mutant) -> None:
    assert mutant.kind in {f.kind for f in findings(mutant.scenario, mutant.change)}


@pytest.mark.parametrize("scenario", sorted({m.scenario for m in MUTANTS}))
def test_the_unchanged_client_is_not_blamed(scenario: str) -> None:
    assert [f.message for f in findings(scenario, list)] == []
