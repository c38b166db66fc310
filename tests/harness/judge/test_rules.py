"""The rules for every client, each on one small wire of Chat Completions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.clients import door
from harness.judge import judge
from harness.judge.kinds import Level
from harness.judge.terms import EXPOSABLE, Terms
from harness.judge.transcript import Finding, Outcome, SeenRequest, Transcript, TurnRecord, Verdict
from harness.suite.scenario import Case, Expectation, Scenario, TurnSpec
from mockserver.cassettes.cassette import Response
from mockserver.vocabulary import fold, read_event, to_json
from mockserver.wire import from_response

Json = dict[str, Any]
KEY = "sk-tapecheck-0123"
STRICT = Terms(exposes=frozenset(EXPOSABLE), errors="class", level=Level.MAY)
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


def chunk(finish: str | None = None, usage: Json | None = None, **delta: Any) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "choices": [choice]} | ({} if usage is None else {"usage": usage})


def called(*arguments: str, finish: str = "tool_calls") -> list[Json]:
    start = {"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}
    pieces = [{"index": 0, "function": {"arguments": piece}} for piece in arguments]
    return [*(chunk(tool_calls=[p]) for p in (start, *pieces)), chunk(finish)]


TEXT = [chunk(content="Hel"), chunk(content="lo"), chunk("stop", usage=USAGE)]
START: Json = {"type": "message_start", "response_id": "c1"}
COUNTED: Json = {
    "type": "usage",
    "usage": {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7},
}
STOP: Json = {"type": "message_stop", "finish_reason": "stop", "raw_finish_reason": "stop"}
HELLO: list[Json] = [START, {"type": "content_delta", "delta": "Hello"}, COUNTED, STOP]
CALL: list[Json] = [
    START,
    {"type": "tool_call_start", "tool_call_index": 0, "tool_call_id": "a", "tool_name": "f"},
    {"type": "tool_call_delta", "tool_call_index": 0, "arguments_delta": '{"x":1}'},
    {
        "type": "tool_call_end",
        "tool_call_index": 0,
        "arguments": {"x": 1},
        "arguments_raw": '{"x":1}',
    },
    {"type": "message_stop", "finish_reason": "tool_calls", "raw_finish_reason": "tool_calls"},
]
FAILURE: Json = {
    "type": "error",
    "error": {"class": "truncated_stream", "message": "cut", "retryable": True},
}


def folded(events: Sequence[Json]) -> Json:
    typed = [read_event(event, []) for event in events]
    turn: Json = to_json(fold([event for event in typed if event is not None]))
    return turn


def judged(
    wire: Sequence[Json | str],
    emitted: Sequence[Json],
    *,
    turn: Json | None = None,
    terms: Terms = STRICT,
    expect: Expectation | None = None,
    must: Iterable[str] = (),
    beyond: str | None = None,
    done: bool = True,
    **record: Any,
) -> Verdict:
    """Judge a client that emitted these events for this wire."""
    sent = [c if isinstance(c, str) else json.dumps(c) for c in wire] + ["[DONE]"] * done
    schedule = from_response(
        Response(
            status=200,
            reason="OK",
            headers=(("content-type", "text/event-stream"),),
            body="".join(f"data: {line}\n\n" for line in sent).encode(),
        )
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
        must=frozenset(must),
        beyond=beyond,
    )
    asked = SeenRequest(method="POST", path="/", query="", headers=(), body=b"{}", exchange=0)
    transcript_fields = {k: record.pop(k) for k in ("logs", "connection_closed") if k in record}
    given = None if record.get("cancelled") else turn or folded(emitted)
    transcript = Transcript(
        case=Case(scenario=scenario, adapter="x"),
        api_key=KEY,
        base_url="",
        turns=(
            TurnRecord(
                **{
                    "streamed": True,
                    "events": tuple(door.event(event) for event in emitted),
                    "turn": None if given is None else door.turn(given),
                    "turn_given": given is not None,
                    "requests": (asked,),
                    "schedules": (schedule,),
                    **record,
                }
            ),
        ),
        schedules=(schedule,),
        **transcript_fields,
    )
    return judge(transcript, terms)


def found(verdict: Verdict, check: str) -> list[tuple[str, str]]:
    return [(f.kind, f.message) for f in verdict.findings if f.check == check]


@pytest.mark.parametrize(("wire", "events"), [(TEXT, HELLO), (called('{"x":', "1}"), CALL)])
def test_a_right_client_is_not_blamed(wire: list[Json], events: list[Json]) -> None:
    verdict = judged(wire, events)
    assert verdict.findings == ()
    assert verdict.outcome is Outcome.PASS


# --- 1: one ending


@pytest.mark.parametrize(
    ("events", "kind", "message"),
    [
        (HELLO[:-1], "no-ending", "the stream ended with neither message_stop nor error"),
        ([*HELLO, STOP], "two-endings", "1 event(s) after the terminal one"),
        ([*HELLO, COUNTED], "after-ending", "1 event(s) after the terminal one"),
    ],
)
def test_a_stream_has_one_ending(events: list[Json], kind: str, message: str) -> None:
    assert found(judged(TEXT, events, turn=folded(HELLO)), "terminal") == [(kind, message)]


# --- 2: the events and the turn


def test_the_turn_is_that_of_the_events() -> None:
    assert found(judged(TEXT, HELLO, turn=folded(HELLO)), "fold") == []
    other = folded([*HELLO[:1], *HELLO[2:]])
    # What an SDK assembled is no word of the client about what the harness made of the chunks.
    assert found(judged(TEXT, HELLO, turn=other, turn_read=True), "fold") == []
    assert found(judged(TEXT, HELLO, turn=other), "fold") == [
        ("turn", "the turn differs from its folded events")
    ]


# --- 3: a complete turn


def test_a_cut_stream_is_no_success() -> None:
    cut = judged(TEXT[:2], HELLO, done=False)
    assert found(cut, "completeness") == [
        ("false-success", "the turn is completed, but the wire ended without a finish reason")
    ]
    assert found(judged(TEXT[:2], [*HELLO[:2], FAILURE], done=False), "completeness") == []


def test_a_complete_turn_has_no_cut_call() -> None:
    verdict = judged(called('{"x":', "1}"), [*CALL[:3], CALL[4]])
    assert ("tool-call", "a completed turn contains the incomplete tool call 'f'") in found(
        verdict, "completeness"
    )


# --- 4: usage


@pytest.mark.parametrize(
    ("given", "found_kinds"),
    [
        ({"input_tokens": 6, "output_tokens": 8, "total_tokens": 14}, ["usage"] * 3),
        ({"input_tokens": 3, "output_tokens": 4}, ["usage-missing"]),
    ],
)
def test_the_last_usage_counts(given: Json, found_kinds: list[str]) -> None:
    events = [*HELLO[:2], {"type": "usage", "usage": given}, STOP]
    assert [kind for kind, _ in found(judged(TEXT, events), "usage")] == found_kinds


def test_absent_usage_is_not_zero() -> None:
    wire = [*TEXT[:2], chunk("stop")]
    zeros = {"type": "usage", "usage": {"input_tokens": 0, "output_tokens": 0}}
    verdict = judged(wire, [*HELLO[:2], zeros, STOP])
    assert [kind for kind, _ in found(verdict, "usage")] == ["zero-for-absent"]
    assert judged(wire, [*HELLO[:2], zeros, STOP], terms=Terms()).outcome is Outcome.PASS


# --- 5: tool calls


def test_a_call_is_opened_once_and_closed_once() -> None:
    wire = called('{"x":', "1}")
    twice = judged(wire, [*CALL[:2], CALL[1], *CALL[2:]])
    assert ("tool-call", "tool call 0 starts twice or out of order") in found(twice, "tool-calls")
    late = judged(wire, [*CALL[:4], CALL[2], CALL[4]])
    message = "tool_call_delta for tool call 0, which is not open"
    assert ("tool-call", message) in found(late, "tool-calls")


def test_the_deltas_of_a_call_join_to_its_arguments() -> None:
    other = {**CALL[2], "arguments_delta": '{"x":2}'}
    message = "the joined deltas of tool call 0 differ from its arguments"
    verdict = judged(called('{"x":', "1}"), [*CALL[:2], other, *CALL[3:]])
    assert ("tool-call", message) in found(verdict, "tool-calls")


def test_a_lost_call_is_missed() -> None:
    verdict = judged(called('{"x":', "1}"), [START, CALL[4]])
    assert ("tool-call", "1 tool call (f) expected, 0 tool calls given") in found(
        verdict, "calls-kept"
    )


def test_two_calls_with_one_id_are_confused() -> None:
    again = [{**e, "tool_call_index": 1} for e in CALL[1:4]]
    second = {"index": 1, "id": "b", "function": {"name": "f", "arguments": '{"x":1}'}}
    wire = [*called('{"x":', "1}")[:-1], chunk(tool_calls=[second]), chunk("tool_calls")]
    verdict = judged(wire, [*CALL[:4], *again, CALL[4]])
    assert ("call-id", "two tool calls have the same id") in found(verdict, "tool-calls")


# --- 6: finish reasons


@pytest.mark.parametrize(
    ("finish", "given", "kind"),
    [
        ("stop", "tool_calls", None),
        ("stop", "stop", "stop-with-call"),
        ("tool_calls", "length", "finish-reason"),
    ],
)
def test_the_finish_reason_of_a_call(finish: str, given: str, kind: str | None) -> None:
    end = {"type": "message_stop", "finish_reason": given, "raw_finish_reason": finish}
    verdict = judged(called('{"x":', "1}", finish=finish), [*CALL[:4], end])
    assert [k for k, _ in found(verdict, "finish-reason")] == ([kind] if kind else [])


def test_a_cut_answer_is_not_reported_as_whole() -> None:
    wire = [*TEXT[:2], chunk("length", usage=USAGE)]
    verdict = judged(wire, HELLO)
    assert found(verdict, "finish-reason") == [
        ("finish-reason", "finish_reason length expected, stop given for 'length'"),
        ("finish-word", 'raw_finish_reason "length" expected, "stop" given'),
    ]
    assert judged(wire, HELLO, terms=Terms()).level is Level.MUST


# --- 7: content


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Hel", 'text cut: 3 of 5 characters given, "lo" lost'),
        ("HelloHello", 'text doubled: "Hello" expected, given twice'),
        ("Jello", 'text differs at character 1: "Hello" expected, "Jello" given'),
    ],
)
def test_text_is_kept_whole(text: str, message: str) -> None:
    events = [START, {"type": "content_delta", "delta": text}, *HELLO[2:]]
    assert found(judged(TEXT, events), "content-kept") == [("text", message)]


def test_a_failed_turn_may_keep_a_part() -> None:
    events = [START, {"type": "content_delta", "delta": "Hel"}, FAILURE]
    assert found(judged(TEXT[:2], events, done=False), "content-kept") == []


def test_a_refusal_is_kept() -> None:
    wire = [chunk(refusal="No"), chunk("stop", usage=USAGE)]
    events = [START, {"type": "content_delta", "delta": "No"}, *HELLO[2:]]
    assert {kind for kind, _ in found(judged(wire, events), "content-kept")} >= {"refusal"}


# --- 8: errors on the wire


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ({"error": {"message": "no", "type": "server_error"}}, "an error"),
        ('{"choices":[', "an event that is not JSON"),
    ],
)
def test_an_error_on_the_wire_is_no_success(line: Json | str, what: str) -> None:
    verdict = judged([*TEXT, line], HELLO)
    assert found(verdict, "in-band-error") == [
        ("false-success", f"the wire carried {what}, but the turn is completed")
    ]


# --- 9: secrets, and what else every client must do


@pytest.mark.parametrize(
    ("record", "where"),
    [
        ({"events": (door.event({"type": "content_delta", "delta": KEY}),)}, "an event"),
        ({"turn": {**folded(HELLO), "model": KEY}}, "the turn"),
        ({"raised": f"KeyError: {KEY}"}, "an exception"),
        ({"logs": (f"sent {KEY}",)}, "a log record"),
    ],
)
def test_the_key_is_kept(record: Json, where: str) -> None:
    verdict = judged(TEXT, HELLO, **record)
    assert ("secret", f"the API key appears in {where}") in found(verdict, "secrets")


@pytest.mark.parametrize(
    ("record", "check", "kind"),
    [
        ({"raised": "KeyError: 'a'"}, "hygiene", "crash"),
        ({"hung": True}, "hygiene", "hang"),
        ({"ended": "the client ended its process"}, "hygiene", "process"),
        ({"connection_closed": False}, "hygiene", "connection-open"),
        ({"requests": ()}, "evidence", "no-request"),
        ({"events": ()}, "evidence", "no-answer"),
    ],
)
def test_what_a_call_leaves_behind(record: Json, check: str, kind: str) -> None:
    assert kind in {k for k, _ in found(judged(TEXT, HELLO, **record), check)}


# --- the events of a client that declares to be exact


@pytest.mark.parametrize("granularity", ["any", "exact"])
def test_the_same_text_in_other_pieces(granularity: str) -> None:
    halves = [{"type": "content_delta", "delta": half} for half in ("Hel", "lo")]
    verdict = judged(
        TEXT,
        [START, *halves, *HELLO[2:]],
        expect=Expectation(events=tuple(HELLO)),
        terms=replace(STRICT, granularity=granularity),
    )
    says = 'event 2: delta of content_delta: "Hello" expected, "Hel" given'
    assert found(verdict, "sequence") == (
        [("event-sequence", says)] if granularity == "exact" else []
    )


def test_the_same_content_in_other_parts() -> None:
    expect = Expectation(turn={"parts": [{"type": "text", "text": t} for t in ("Hel", "lo")]})
    assert found(judged(TEXT, HELLO, expect=expect), "turn") == []
    exact = judged(TEXT, HELLO, expect=expect, terms=replace(STRICT, granularity="exact"))
    assert found(exact, "turn") == [("parts", "the same content in other parts")]


# --- the verdict


def test_findings_fail_a_client_at_their_level_and_above() -> None:
    wire, events = called('{"x":', "1}", finish="stop"), [*CALL[:4], STOP]
    outcomes = {level: judged(wire, events, terms=Terms(level=level)).outcome for level in Level}
    assert outcomes == {
        Level.MUST: Outcome.PASS,
        Level.SHOULD: Outcome.PASS,
        Level.MAY: Outcome.FAIL,
    }


def test_the_weightiest_finding_leads() -> None:
    events = [START, {"type": "content_delta", "delta": "Jello"}, STOP]
    levels = [f.level for f in judged(TEXT, events).findings]
    assert levels == sorted(levels, key=list(Level).index)
    assert levels[0] is Level.MUST
    assert Level.SHOULD in levels


def test_a_scenario_can_raise_a_kind() -> None:
    wire, events = called('{"x":', "1}", finish="stop"), [*CALL[:4], STOP]
    verdict = judged(wire, events, terms=Terms(), must=["stop-with-call"])
    assert verdict.outcome is Outcome.FAIL
    assert verdict.level is Level.MUST
    assert all(f.level is Level.MUST for f in verdict.findings)


def test_lost_content_weighs_less_on_a_wire_that_nothing_promises() -> None:
    events = [START, {"type": "content_delta", "delta": "Jello"}, STOP]
    assert judged(TEXT, events, terms=Terms()).level is Level.MUST
    verdict = judged(TEXT, events, terms=Terms(), beyond="nobody sends it")
    assert (verdict.outcome, verdict.level) == (Outcome.PASS, Level.SHOULD)
    silent = judged(TEXT[:1], [START, STOP], done=False, beyond="nobody sends it", terms=Terms())
    assert silent.level is Level.MUST  # a failure reported as success


STOPPED = Expectation(turn={"content": "Hello", "finish_reason": "stop"})
REFUSED = Expectation(error={"class": "protocol"})


def of_outcomes(*outcomes: Expectation, events: Sequence[Json] = HELLO) -> list[Finding]:
    verdict = judged(TEXT, events, expect=Expectation(any_of=outcomes))
    return [f for f in verdict.findings if f.check in ("turn", "error")]


def test_any_of_several_outcomes_is_right() -> None:
    assert of_outcomes(STOPPED, REFUSED) == []
    assert of_outcomes(REFUSED, STOPPED) == []


def test_the_nearest_of_several_outcomes_is_the_one_to_compare_with() -> None:
    other = [START, {"type": "content_delta", "delta": "Jello"}, COUNTED, STOP]
    far = Expectation(turn={"content": "X", "finish_reason": "length"})
    for outcomes in ((STOPPED, far), (far, STOPPED)):
        (one,) = of_outcomes(*outcomes, events=other)
        assert one.expected == "Hello"


# --- what was judged


def test_what_is_judged_and_what_is_not_exposed_is_counted() -> None:
    expect = Expectation(events=tuple(HELLO))
    silent = judged(TEXT, HELLO, expect=expect, terms=Terms(exposes=frozenset({"usage"})))
    assert silent.judged == {"text", "ending", "usage"}
    assert silent.unexposed == {"response_id", "finish_reason", "raw_finish_reason"}
    assert silent.given == {"response_id", "finish_reason", "raw_finish_reason", "usage"}


def test_undeclared_fields_count_as_judged_where_they_are_given() -> None:
    expect = Expectation(events=tuple(HELLO))
    verdict = judged(TEXT, HELLO[1:], expect=expect, terms=Terms())
    assert "response_id" in verdict.unexposed
    assert "response_id" in judged(TEXT, HELLO, expect=expect, terms=Terms()).judged
