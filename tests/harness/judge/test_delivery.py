"""Calls that their caller gives up, calls at the same time, and events that come too late."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.judge.delivery import cancel, incremental, together
from harness.judge.transcript import TurnRecord
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


def test_late_events_are_shown_without_the_failure_behind_them() -> None:
    late = {"type": "content_delta", "delta": "lo"}
    error = {"type": "error", "error": {"class": "cancelled"}}
    reading: Any = SimpleNamespace(
        record=TurnRecord(streamed=True, cancelled=True, late=1),
        expect=None,
        event_data=[*FIRST, late, error],
    )
    (finding,) = cancel(reading)
    assert finding.observed == [late]


def turn(*deltas: str, content: str | None = None) -> TurnSpec:
    events = tuple({"type": "content_delta", "delta": delta} for delta in deltas)
    expect = Expectation(
        events=events or None, turn=None if content is None else {"content": content}
    )
    return TurnSpec(key_path=(), call=None, expect=expect)


#: Two calls, with the events or the whole content that they expect.
PIECES = (turn("Alfta", " and", " Bollnäs."), turn("Ludvika", " and", " Mora."))
WHOLES = (turn(content="Alfta and Bollnäs."), turn(content="Ludvika and Mora."))


def at_once(turns: tuple[TurnSpec, ...], emitted: str, *, streamed: bool) -> list[tuple[str, str]]:
    reading: Any = SimpleNamespace(
        case=SimpleNamespace(scenario=SimpleNamespace(together=True, turns=turns)),
        number=0,
        spec=turns[0],
        event_data=[{"type": "content_delta", "delta": emitted}] if streamed else [],
        turn=SimpleNamespace(content=emitted),
    )
    return [(f.kind, f.message) for f in together(reading)]


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize(
    ("turns", "emitted"),
    [(PIECES, "Alfta and Mora."), (PIECES, "Ludvika"), (WHOLES, "Ludvika and Mora.")],
)
def test_no_piece_of_one_call_is_in_another(
    turns: tuple[TurnSpec, ...], emitted: str, streamed: bool
) -> None:
    assert at_once(turns, emitted, streamed=streamed) == [
        ("mixed-up", "call 1 has a piece of call 2, made at the same time")
    ]


@pytest.mark.parametrize("turns", [PIECES, WHOLES])
@pytest.mark.parametrize("emitted", ["Alfta and Bollnäs.", "Alfta and"])
def test_what_both_calls_have_is_no_other_s(turns: tuple[TurnSpec, ...], emitted: str) -> None:
    assert at_once(turns, emitted, streamed=True) == []


@pytest.mark.parametrize("late", [False, True])
def test_an_event_is_handed_on_before_the_rest_is_sent(late: bool) -> None:
    reading: Any = SimpleNamespace(
        case=SimpleNamespace(gate=GateSpec(after=4, seen=2)),
        transcript=SimpleNamespace(gate_timed_out=late),
    )
    assert [f.kind for f in incremental(reading)] == (["buffered"] if late else [])
