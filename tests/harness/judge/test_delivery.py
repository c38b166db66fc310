"""Calls that their caller gives up, calls at the same time, and events that come too late."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.judge.delivery import incremental, together
from harness.suite.scenario import Expectation, GateSpec, TurnSpec
from tests.harness.judge.test_rules import HELLO, START, TEXT, found, judged

EXPECT = Expectation(events=tuple(HELLO))
FIRST: list[dict[str, Any]] = [START, {"type": "content_delta", "delta": "Hel"}]


def test_a_call_that_was_given_up_need_not_end() -> None:
    verdict = judged(TEXT, FIRST, expect=EXPECT, cancelled=True)
    assert verdict.findings == ()


@pytest.mark.parametrize(
    ("record", "events", "kind", "message"),
    [
        (
            {"let_go": False},
            FIRST,
            "cancel",
            "the caller stopped reading, but the connection stayed open",
        ),
        ({"late": 1}, FIRST, "cancel", "1 event(s) after the caller had stopped reading"),
        (
            {},
            [START, {"type": "content_delta", "delta": "Jel"}],
            "text",
            "the text before the end is not the beginning of the answer's",
        ),
    ],
)
def test_a_call_that_was_given_up_goes_no_further(
    record: dict[str, Any], events: list[dict[str, Any]], kind: str, message: str
) -> None:
    verdict = judged(TEXT, events, expect=EXPECT, cancelled=True, **record)
    assert found(verdict, "cancel") == [(kind, message)]


def at_once(text: str) -> list[tuple[str, str]]:
    turns = tuple(
        TurnSpec(
            key_path=(),
            call=None,
            expect=Expectation(events=({"type": "content_delta", "delta": said},)),
        )
        for said in ("Hello there", "Good night")
    )
    reading: Any = SimpleNamespace(
        case=SimpleNamespace(scenario=SimpleNamespace(together=True, turns=turns)),
        number=0,
        spec=turns[0],
        event_data=[{"type": "content_delta", "delta": text}],
    )
    return [(f.kind, f.message) for f in together(reading)]


def test_no_piece_of_one_call_is_in_another() -> None:
    assert at_once("Hello there") == []
    assert at_once("Hello Good night") == [
        ("mixed-up", "call 1 has a piece of call 2, made at the same time")
    ]


@pytest.mark.parametrize("late", [False, True])
def test_an_event_is_handed_on_before_the_rest_is_sent(late: bool) -> None:
    reading: Any = SimpleNamespace(
        case=SimpleNamespace(gate=GateSpec(after=4, seen=2)),
        transcript=SimpleNamespace(gate_timed_out=late),
    )
    assert [f.kind for f in incremental(reading)] == (["buffered"] if late else [])
