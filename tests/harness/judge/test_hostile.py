"""No check raises, no matter what a client emits: errors are findings about the client."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.clients import door
from harness.judge import judge
from harness.judge.kinds import Level
from harness.judge.terms import EXPOSABLE, GRANULARITIES, Terms
from harness.judge.transcript import Blame, Outcome, SeenRequest, Transcript, TurnRecord
from harness.suite.scenario import Case, CaseKind, Expectation, Scenario, TurnSpec
from mockserver.cassettes.cassette import Response
from mockserver.vocabulary.codec import to_json
from mockserver.vocabulary.fold import fold
from mockserver.vocabulary.model import JsonObject
from mockserver.wire.faults import FaultKind
from mockserver.wire.schedule import from_response
from tests.harness.judge.test_native import NORMALIZED, silent

EVENTS = [to_json(event) for event in NORMALIZED]
TURN = to_json(fold(NORMALIZED))
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "odd",
    [],
    [None],
    {},
    {"type": []},
    float("nan"),
    b"",
]
WIRE = from_response(
    Response(
        status=200,
        reason="OK",
        headers=(("content-type", "text/event-stream"),),
        body=b'data: {"choices":[{"delta":{"content":"H"},"finish_reason":"stop"}]}\n\n',
    )
)
#: All that a client may expose is judged, down to conventions.
STRICT = Terms(
    features=frozenset({"native_responses"}),
    exposes=frozenset(EXPOSABLE),
    errors="class",
    level=Level.MAY,
)
FAULT = {"kind": CaseKind.FAULT, "fault": FaultKind.CUT, "event": 1}


def variants(data: Any) -> Iterator[Any]:
    """Yield ``data`` with one value in it, at any depth, removed or replaced."""
    match data:
        case dict():
            for key, inner in data.items():
                yield {k: v for k, v in data.items() if k != key}
                yield from ({**data, key: odd} for odd in ODD)
                yield from ({**data, key: changed} for changed in variants(inner))
        case list():
            for n, inner in enumerate(data):
                yield [*data[:n], *data[n + 1 :]]
                yield from ([*data[:n], odd, *data[n + 1 :]] for odd in ODD)
                yield from ([*data[:n], changed, *data[n + 1 :]] for changed in variants(inner))


def judged(events: Sequence[Any], turn: Any, *, granularity: str = "exact", **case: Any) -> Outcome:
    expect = Expectation(
        events=tuple(EVENTS), native=({"type": "x"},), turn={"content": "a"}, error=None
    )
    scenario = Scenario(
        id="a/b",
        title="t",
        dialect="openai-chat",
        requires=frozenset(),
        source=(),
        priority="P0",
        file=Path("a.yaml"),
        cassette=Path("b.yaml"),
        turns=(TurnSpec(key_path=(), call=None, expect=expect),),
    )
    asked = SeenRequest(method="POST", path="/", query="", headers=(), body=b"{}", exchange=0)
    record = TurnRecord(
        streamed=True,
        events=tuple(door.event(e) for e in events),
        turn=door.turn(turn),
        turn_given=True,
        requests=(asked,),
        schedules=(WIRE,),
    )
    transcript = Transcript(
        case=Case(scenario=scenario, adapter="x", **case),
        api_key="sk-tapecheck",
        base_url="",
        turns=(record,),
        schedules=(WIRE,),
    )
    verdict = judge(transcript, replace(STRICT, granularity=granularity))
    assert {f.blame for f in verdict.findings} <= {Blame.CLIENT}
    return verdict.outcome


@pytest.mark.parametrize("case", [{}, FAULT], ids=["wire", "fault"])
@pytest.mark.parametrize("at", range(len(EVENTS)), ids=[e["type"] for e in EVENTS])
def test_an_odd_event_is_a_finding(at: int, case: JsonObject) -> None:
    for event in [*variants(EVENTS[at]), *({**EVENTS[at], "type": odd} for odd in ODD)]:
        if "type" in event:
            events = [*EVENTS[:at], event, *EVENTS[at + 1 :]]
            for granularity in GRANULARITIES:
                assert judged(events, TURN, granularity=granularity, **case) is Outcome.FAIL


@pytest.mark.parametrize("raw", ["[" * 100_000, '{"x":' * 100_000, "9" * 5000, '"\\ud83d"'])
def test_unreadable_arguments_are_a_finding(raw: str) -> None:
    delta = {"type": "tool_call_delta", "tool_call_index": 0, "arguments_delta": raw}
    end = {**EVENTS[6], "arguments_raw": raw}
    assert judged([*EVENTS[:4], delta, end, *EVENTS[7:]], TURN) is Outcome.FAIL
    parts = [p if p["type"] != "tool_call" else {**p, "arguments_raw": raw} for p in TURN["parts"]]
    native = [{**e, "arguments": raw} if "arguments" in e else e for e in silent()]
    last = {**EVENTS[-1], "native": native}
    assert judged([*EVENTS[:-1], last], {**TURN, "parts": parts}) is Outcome.FAIL


def test_an_odd_turn_is_a_finding() -> None:
    for turn in variants(TURN):
        assert judged(EVENTS, turn) is Outcome.FAIL


# Thousands of sequences go the same way.
@pytest.mark.unmeasured
@pytest.mark.parametrize("at", range(len(silent())))
def test_an_odd_native_event_is_a_finding(at: int) -> None:
    sequence = silent()
    # An end that covers more than this one does.
    details = {"incomplete_details": {"reason": "content_filter"}, "error": {"message": "m"}}
    sequence[-1] = {**sequence[-1], "response": {**sequence[-1]["response"], **details}}
    for event in variants(sequence[at]):
        native = [*sequence[:at], event, *sequence[at + 1 :]]
        assert judged([*EVENTS[:-1], {**EVENTS[-1], "native": native}], TURN) is Outcome.FAIL
