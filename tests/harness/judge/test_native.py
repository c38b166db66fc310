from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.adapters.chatcmpl_to_responses import ChatcmplToResponses
from harness.clients import door
from harness.judge import CHECKS
from harness.judge.reading import Reading
from harness.judge.terms import Terms
from harness.judge.transcript import Finding, Transcript, TurnRecord
from harness.suite.scenario import Case, Expectation, Scenario, TurnSpec
from mockserver.cassettes.cassette import Response
from mockserver.vocabulary.fold import fold
from mockserver.vocabulary.model import (
    ContentDelta,
    Event,
    FinishReason,
    MessageStart,
    MessageStop,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageEvent,
)
from mockserver.wire.schedule import Schedule, from_response
from tests.harness.judge.sequences import at, changed, renumbered

Json = dict[str, Any]


NORMALIZED: list[Event] = [
    MessageStart(response_id="c1", model="m"),
    ContentDelta(delta="Hé"),
    ContentDelta(delta=" there"),
    ToolCallStart(tool_call_index=0, tool_call_id="call_a", tool_name="f"),
    ToolCallDelta(tool_call_index=0, arguments_delta='{"x":'),
    ToolCallDelta(tool_call_index=0, arguments_delta="1}"),
    ToolCallEnd(tool_call_index=0, arguments={"x": 1}, arguments_raw='{"x":1}'),
    UsageEvent(usage=Usage(input_tokens=3, output_tokens=4, total_tokens=7)),
    MessageStop(finish_reason=FinishReason.TOOL_CALLS, raw_finish_reason="tool_calls"),
]


def silent() -> list[Json]:
    """Return a valid sequence of the normalized events above: no reasoning, no source."""
    translator = ChatcmplToResponses({"created_at": 1, "model": "m"})
    call = {"index": 0, "id": "call_a", "function": {"name": "f", "arguments": '{"x":'}}
    events = []
    for delta in (
        {"content": "Hé"},
        {"content": " there"},
        {"tool_calls": [call]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]},
    ):
        events += translator.chunk({"id": "c1", "choices": [{"index": 0, "delta": delta}]})
    end = {"index": 0, "delta": {}, "finish_reason": "tool_calls"}
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    return events + translator.chunk({"choices": [end], "usage": usage}) + translator.done()


def reading(
    native: list[Json],
    events: list[Event] | None = None,
    *,
    dialect: str = "openai-chat",
    wire: Schedule | None = None,
    expected: list[Json] | None = None,
    features: frozenset[str] = frozenset({"native_responses"}),
) -> Reading:
    emitted = events if events is not None else NORMALIZED
    *before, last = emitted
    carrying = replace(last, native=tuple(native))
    spec = TurnSpec(
        key_path=(), call=None, expect=Expectation(native=tuple(expected) if expected else None)
    )
    scenario = Scenario(
        id="a/b",
        title="t",
        dialect=dialect,
        requires=frozenset(),
        source=(),
        priority="P0",
        file=Path("a.yaml"),
        cassette=Path("b.yaml"),
        turns=(spec,),
    )
    record = TurnRecord(
        streamed=True,
        events=tuple(door.event(event) for event in (*before, carrying)),
        turn=door.turn(fold(emitted)),
        turn_given=True,
        schedules=() if wire is None else (wire,),
    )
    transcript = Transcript(
        case=Case(scenario=scenario, adapter="x"),
        api_key="k",
        base_url="",
        turns=(record,),
        schedules=(),
    )
    return Reading(transcript, 0, Terms(features=features), spec.expect)


def findings(check: str, seen: Reading) -> list[Finding]:
    found = list(CHECKS[check](seen))
    assert {f.check for f in found} <= {check}
    return found


@pytest.mark.parametrize("check", ["native", "native-turn", "resplit", "native-sequence"])
def test_a_good_translator_is_not_blamed(check: str) -> None:
    assert findings(check, reading(silent())) == []


def test_a_client_without_the_feature_is_not_judged() -> None:
    for check in ("native", "native-turn"):
        assert findings(check, reading([{"id": 1}], features=frozenset())) == []


@pytest.mark.parametrize(
    ("native", "message"),
    [
        ([], "the sequence has no terminal event"),
        ([{"type": "response.brand_new"}], "unknown type"),
        ([{"no": "type"}], "unknown type None"),
        ([[1]], "unknown type None"),
        (changed("output_text.delta", delta=7)(silent()), "7 is not of type 'string'"),
        (silent()[:-1], "the sequence has no terminal event"),
    ],
)
def test_a_translator_must_emit_a_valid_sequence(native: list[Json], message: str) -> None:
    assert message in findings("native", reading(native))[0].message


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        (changed("output_text.delta", delta="Ho"), "the text"),
        (changed("completed", type="response.incomplete"), "the status"),
        (changed("completed", response={"usage": {"output_tokens": 5}}), "output_tokens"),
        (changed("output_item.added", 1, item={"call_id": "call_b"}), "a tool call"),
        (
            changed(
                "completed", response={"usage": {"input_tokens_details": {"cached_tokens": 2}}}
            ),
            "cache_read_input_tokens",
        ),
    ],
)
def test_two_views_of_two_turns_are_caught(
    damage: Callable[[list[Json]], list[Json]], name: str
) -> None:
    events = damage(silent())
    for event in events:  # the whole texts must not repair what the damage did
        if event["type"].endswith(".done") or "response" in event:
            for key in ("item", "part", "text", "arguments"):
                event.pop(key, None)
            event.get("response", {}).pop("output", None)
    assert any(name in f.message for f in findings("native-turn", reading(events)))


def test_zeros_for_absent_usage_are_not_counts() -> None:
    normalized = [e for e in NORMALIZED if not isinstance(e, UsageEvent)]
    zeros = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    native = changed("completed", response={"usage": zeros})(silent())
    assert findings("native-turn", reading(native, normalized)) == []
    given = changed("completed", response={"usage": {"input_tokens": 1}})(silent())
    assert findings("native-turn", reading(given, normalized))


def test_native_events_that_depend_on_their_cut_are_caught() -> None:
    events = changed("function_call_arguments.done", arguments="{}")(silent())
    events = changed("output_item.done", 1, item={"arguments": "{}"})(events)
    events = changed("completed", response={"output": []})(events)
    assert "deltas are left out" in findings("resplit", reading(events))[0].message
    late = silent()
    place, done = at(late, "output_text.delta", 1), at(late, "output_text.done")
    late.insert(done, late.pop(place))
    early = changed("output_text.done", text="Hé!")(renumbered(late))
    early.insert(place, early.pop(at(early, "output_text.done")))
    assert "deltas are joined" in findings("resplit", reading(early))[0].message


def test_normalized_events_that_depend_on_their_cut_are_caught() -> None:
    early = [NORMALIZED[0], *NORMALIZED[4:5], *NORMALIZED[1:4], *NORMALIZED[5:6], NORMALIZED[-1]]
    assert "joined" in findings("resplit", reading([], early, features=frozenset()))[0].message


def test_the_expected_native_sequence_is_compared_by_the_keys_given() -> None:
    wanted = [{"type": e["type"]} for e in silent()]
    assert findings("native-sequence", reading(silent(), expected=wanted)) == []
    wanted[2] = {"type": "response.output_item.added", "item": {"type": "reasoning"}}
    found = findings("native-sequence", reading(silent(), expected=wanted))
    assert found[0].message == (
        'native event 3: item.type of response.output_item.added: "reasoning" expected, '
        '"message" given'
    )
    assert found[0].key_path == ("expect", "native", 2)
    for seen in (silent()[:1], [*silent()[:2], {"type": "more"}]):
        assert findings("native-sequence", reading(seen, expected=wanted[:2]))


# --- a wire that is passed on


def wire(*events: Any, status: int = 200) -> Schedule:
    body = "".join(
        f"data: {e if isinstance(e, str) else json.dumps(e, ensure_ascii=False)}\n\n"
        for e in events
    )
    headers = (("content-type", "text/event-stream"),)
    return from_response(
        Response(status=status, reason="", headers=headers, body=body.encode(errors="replace"))
    )


CODEX: list[Json] = [
    {"type": "response.created", "response": {"id": "r", "output": []}},
    {"type": "codex.rate_limits", "plan": "pro"},
    {
        "type": "response.output_item.done",
        "output_index": 0,
        "item": {"type": "message", "content": [{"type": "output_text", "text": "Hé"}]},
    },
    {"type": "response.done", "response": {"id": "r", "output": [], "usage": None}},
]
SAID: list[Event] = [
    MessageStart(response_id="r"),
    ContentDelta(delta="Hé"),
    MessageStop(finish_reason=FinishReason.STOP, raw_finish_reason="completed"),
]


def passed_on(native: list[Json], *sent: Any, events: list[Event] | None = None) -> Reading:
    return reading(native, events or SAID, dialect="codex", wire=wire(*(sent or CODEX)))


def test_an_invalid_wire_that_is_relayed_is_not_the_clients_fault() -> None:
    for check in ("native", "native-turn", "resplit"):
        assert findings(check, passed_on(CODEX)) == []
        assert findings(check, passed_on(renumbered(CODEX))) == []


@pytest.mark.parametrize(
    ("native", "message"),
    [
        (CODEX[:-1], "1 event(s) of the wire were not relayed"),
        ([CODEX[0], *CODEX[2:]], "native event 2 differs from event 2 on the wire"),
        ([CODEX[1], CODEX[0], *CODEX[2:]], "native event 1 differs"),
        ([*CODEX, CODEX[-1]], "native event 5 differs"),
        ([*CODEX[:-1], {**CODEX[-1], "type": "response.completed"}], "native event 4 differs"),
    ],
)
def test_a_wire_must_be_passed_on_whole_and_in_order(native: list[Json], message: str) -> None:
    assert message in findings("native", passed_on(native))[0].message


def test_what_follows_the_end_may_be_passed_on_or_not() -> None:
    failed = {"type": "response.failed", "response": {"error": {"message": "no"}}}
    sent = [CODEX[0], {"type": "error", "message": "no"}, failed]
    for native in (sent[:2], sent):
        assert findings("native", passed_on(native, *sent)) == []
    assert findings("native", passed_on(sent[:1], *sent))


def test_an_event_that_is_no_json_ends_what_can_be_passed_on() -> None:
    assert findings("native", passed_on(CODEX[:2], *CODEX[:2], '{"type":', CODEX[2])) == []
    assert findings("native", passed_on(CODEX[:2], *CODEX[:2], "[1]", CODEX[2])) == []


@pytest.mark.parametrize("check", ["native", "resplit"])
def test_json_that_is_no_event_may_be_passed_on(check: str) -> None:
    assert findings(check, passed_on([*CODEX[:2], [1]], *CODEX[:2], "[1]")) == []


def test_the_passed_on_text_must_be_that_of_the_turn() -> None:
    other = [replace(e, delta="Ho") if isinstance(e, ContentDelta) else e for e in SAID]
    found = findings("native-turn", passed_on(CODEX, events=other))
    assert [f.message for f in found] == ["the text differs between the native events and the turn"]


@pytest.mark.parametrize(("name", "wrong"), [("g", 0), ("h", 1)])
def test_calls_beside_a_custom_tool_are_compared_with_their_own(name: str, wrong: int) -> None:
    native: list[Json] = [
        {"type": "response.output_item.done", "output_index": n, "item": item}
        for n, item in enumerate(
            [
                {"type": "custom_tool_call", "call_id": "a", "name": "f", "input": "free"},
                {"type": "function_call", "call_id": "b", "name": name, "arguments": "{}"},
            ]
        )
    ]
    native.append({"type": "response.completed", "response": {"output": []}})
    events: list[Event] = [
        ToolCallStart(tool_call_index=0, tool_call_id="a", tool_name="f"),
        ToolCallEnd(
            tool_call_index=0, arguments={"input": "free"}, arguments_raw='{"input":"free"}'
        ),
        ToolCallStart(tool_call_index=1, tool_call_id="b", tool_name="g"),
        ToolCallEnd(tool_call_index=1, arguments={}, arguments_raw="{}"),
        MessageStop(finish_reason=FinishReason.TOOL_CALLS, raw_finish_reason="completed"),
    ]
    assert len(findings("native-turn", passed_on(native, *native, events=events))) == wrong
