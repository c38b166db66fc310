from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.judge.transcript import Emitted, Transcript, TurnRecord
from harness.reports.breaks import Broken, How, Reaction, broken_of
from harness.suite.scenario import Case, Expectation, Scenario, TurnSpec
from mockserver.cassettes.cassette import Response
from mockserver.wire import Break, FaultKind, Schedule, Variation, apply_variation, from_response

DELTA = {"type": "content_delta", "delta": "Hi"}
STOP = {"type": "message_stop", "finish_reason": "stop"}
ERROR = {"type": "error", "error": {"class": "truncated_stream", "message": "m"}}
MUST_FAIL = Expectation(events=(DELTA, ERROR))


def chunk(text: str, reason: str | None = None) -> str:
    delta = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
    return f"data: {json.dumps({'id': 'r', 'choices': [delta]})}\n\n"


WHOLE = chunk("Hi") + chunk("", "stop") + "data: [DONE]\n\n"
BEGUN = chunk("Hi")


def answer(body: str, status: int = 200, kind: str = "text/event-stream") -> Schedule:
    headers = (("content-type", kind),)
    return from_response(Response(status=status, reason="", headers=headers, body=body.encode()))


def seen(
    schedule: Schedule, *events: dict[str, Any], expect: Expectation | None = None, **more: Any
) -> Broken | None:
    scenario = Scenario(
        id="a/b",
        title="A title",
        dialect="openai-chat",
        requires=frozenset(),
        source=(),
        priority="P0",
        file=Path("/specs/b.yaml"),
        cassette=Path("/cassettes/b.yaml"),
        turns=(TurnSpec(key_path=(), call=None, expect=expect),),
    )
    fault = more.pop("fault", None)
    emitted = tuple(Emitted(value=None, data=e) for e in events)
    turn = TurnRecord(streamed=True, events=emitted, schedules=(schedule,), **more)
    case = Case(scenario=scenario, adapter="one", fault=fault)
    return broken_of(
        Transcript(case=case, api_key="k", base_url="", turns=(turn,), schedules=(schedule,))
    )


@pytest.mark.parametrize(
    ("fault", "how"),
    [
        (FaultKind.CUT, How.EARLY_END),
        (FaultKind.END, How.CLOSED),
        (FaultKind.RESET, How.RESET),
        (FaultKind.STALL, How.STALL),
    ],
)
def test_a_fault_is_a_break_until_the_outcome_is_decided(fault: FaultKind, how: How) -> None:
    early, late = (
        apply_variation((answer(WHOLE),), Variation(broken=Break(fault, events)))[0]
        for events in (1, 2)
    )
    assert seen(early, DELTA, ERROR, fault=fault) == Broken(how, Reaction.TOLD)
    assert seen(late, DELTA, STOP, fault=fault) is None


@pytest.mark.parametrize(
    ("schedule", "how"),
    [
        (answer(BEGUN + 'data: {"choices":'), How.CUT_IN_EVENT),
        (answer('{"choices": [', kind="application/json"), How.CUT_IN_EVENT),
        (answer("<html>", kind="text/html"), How.GARBLED),
        (answer("", kind="application/json"), How.EARLY_END),
        (answer(BEGUN + "data: {oops\n\n"), How.GARBLED),
        (answer(BEGUN + 'data: {"error": {"message": "m"}}\n\n'), How.IN_BAND),
        (answer("{}", 500, "application/json"), How.STATUS),
    ],
)
def test_a_scenario_breaks_where_the_wire_says_so(schedule: Schedule, how: How) -> None:
    broken = seen(schedule, DELTA, STOP, expect=MUST_FAIL)
    assert broken == Broken(how, Reaction.SILENT)


@pytest.mark.parametrize(
    "expect",
    [
        Expectation(events=(DELTA, STOP)),
        Expectation(turn={"status": "completed"}),
        Expectation(any_of=(MUST_FAIL, Expectation(events=(STOP,)))),
    ],
)
def test_what_may_succeed_is_no_break(expect: Expectation) -> None:
    assert seen(answer(BEGUN), DELTA, STOP, expect=expect) is None


@pytest.mark.parametrize(
    ("more", "reaction"),
    [
        ({"hung": True}, Reaction.HANG),
        ({"raised": "KeyError: 'choices'"}, Reaction.FOREIGN),
        ({"ended": "it ended its process"}, Reaction.FOREIGN),
        ({}, Reaction.SILENT),
        ({"turn": Emitted(value=None, data={"status": "failed"})}, Reaction.TOLD),
        ({"turn": Emitted(value=None, data={"status": "completed"})}, Reaction.SILENT),
    ],
)
def test_a_reaction_is_what_the_caller_sees(more: dict[str, Any], reaction: Reaction) -> None:
    expect = Expectation(turn={"status": "failed"})
    assert seen(answer(BEGUN), expect=expect, **more) == Broken(How.EARLY_END, reaction)


def test_a_call_that_was_given_up_is_no_break() -> None:
    assert seen(answer(BEGUN), DELTA, expect=MUST_FAIL, cancelled=True) is None
