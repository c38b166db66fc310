"""Native events against their wire, their turn and other ways of splitting them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from mockserver.cassettes.cassette import Response
from mockserver.dialects.dialect import Difference
from mockserver.dialects.openai_responses import resplit
from mockserver.dialects.openai_responses.native import GRAMMAR, wire_events
from mockserver.vocabulary.fold import fold
from mockserver.vocabulary.model import (
    AssistantTurn,
    ContentDelta,
    Event,
    FinishReason,
    MessageStart,
    MessageStop,
    ReasoningPart,
    Status,
    TextPart,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageEvent,
)
from mockserver.wire.schedule import Schedule, from_response

Json = dict[str, Any]


def answer(*events: Any, status: int = 200) -> Schedule:
    body = "".join(f"data: {e if isinstance(e, str) else json.dumps(e)}\n\n" for e in events)
    headers = (("content-type", "text/event-stream"),)
    return from_response(Response(status=status, reason="", headers=headers, body=body.encode()))


def text(delta: str, part: int = 0) -> Json:
    place = {"output_index": 0, "content_index": part}
    return {"type": "response.output_text.delta", **place, "delta": delta}


def done(output_index: int, **item: Any) -> Json:
    return {"type": "response.output_item.done", "output_index": output_index, "item": item}


CREATED: Json = {"type": "response.created", "response": {"id": "r"}}
MESSAGE = done(0, type="message", content=[{"type": "output_text", "text": "Hé"}])
CALL = done(1, type="function_call", call_id="c", name="f", arguments='{"x": 1}')
USED: Json = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
END: Json = {"type": "response.completed", "response": {"id": "r", "output": [], "usage": USED}}
EVENTS = [CREATED, text("H"), text("é"), MESSAGE, CALL, END]


def turn(content: str = "Hé", arguments: str = '{"x":1}', total: int = 7) -> AssistantTurn:
    usage = Usage(input_tokens=3, output_tokens=4, total_tokens=total)
    events: list[Event] = [
        MessageStart(response_id="r"),
        ContentDelta(delta=content),
        ToolCallStart(tool_call_index=0, tool_call_id="c", tool_name="f"),
        ToolCallEnd(tool_call_index=0, arguments=json.loads(arguments), arguments_raw=arguments),
        UsageEvent(usage=usage),
        MessageStop(finish_reason=FinishReason.TOOL_CALLS, raw_finish_reason="completed"),
    ]
    return fold(events)


def messages(differences: Iterable[Difference]) -> list[str]:
    return [difference.message for difference in differences]


def test_a_wire_that_is_relayed_whole_has_no_difference() -> None:
    assert messages(GRAMMAR.relayed(EVENTS, answer(*EVENTS))) == []
    # A sequence number that the wire left out may be added, and half a character repaired.
    numbered = [{**event, "sequence_number": n} for n, event in enumerate(EVENTS)]
    assert messages(GRAMMAR.relayed(numbered, answer(*EVENTS))) == []
    half = [CREATED, text("\ud83d"), END]
    assert messages(GRAMMAR.relayed([CREATED, text("\ufffd"), END], answer(*half))) == []


def test_what_follows_the_end_of_a_wire_need_not_be_relayed() -> None:
    assert messages(GRAMMAR.relayed(EVENTS, answer(*EVENTS, text("more")))) == []


def test_an_error_without_a_type_is_no_event_to_relay() -> None:
    assert messages(GRAMMAR.relayed([], answer({"error": {"message": "no"}}))) == []


@pytest.mark.parametrize(
    ("events", "message", "at"),
    [
        (EVENTS[:-1], "1 event(s) of the wire were not relayed", None),
        ([*EVENTS[:1], *EVENTS[2:]], "differs from event 2 on the wire", 1),
        ([*EVENTS, END], "differs from event 7 on the wire", 6),
        ([{**CREATED, "sequence_number": 0, "more": 1}], "differs from event 1 on the wire", 0),
    ],
)
def test_the_first_event_that_is_not_the_wire_s_is_named(
    events: list[Json], message: str, at: int | None
) -> None:
    (found,) = GRAMMAR.relayed(events, answer(*EVENTS))
    assert (found.message, found.at) == (message, at)


@pytest.mark.parametrize(
    ("sent", "count"),
    [
        (["[DONE]", CREATED], 0),
        ([CREATED, '{"type":', END], 1),
        ([CREATED, "null", END], 2),
        ([CREATED, "", END], 2),
        ([CREATED, ": wait", END], 2),
        ([CREATED, "[1]", END], 2),
    ],
)
def test_a_wire_ends_where_it_is_no_json(sent: list[Any], count: int) -> None:
    assert len(wire_events(answer(*sent))) == count
    assert wire_events(answer(*sent, status=400)) == []


def test_native_events_that_say_what_the_turn_says() -> None:
    for relayed in (False, True):
        found = GRAMMAR.against_turn(EVENTS, turn(), relayed=relayed, answer=answer(*EVENTS))
        assert messages(found) == []


@pytest.mark.parametrize(
    ("other", "name"),
    [
        (turn(content="Ho"), "the text"),
        (turn(arguments='{"x":2}'), "a tool call"),
        (turn(total=8), "total_tokens"),
    ],
)
def test_native_events_that_say_something_else(other: AssistantTurn, name: str) -> None:
    expected = [f"{name} differs between the native events and the turn"]
    for relayed, wire in ((False, None), (True, answer(*EVENTS))):
        assert (
            messages(GRAMMAR.against_turn(EVENTS, other, relayed=relayed, answer=wire)) == expected
        )


@pytest.mark.parametrize(("shown", "count"), [("Hej ", 0), ("Hej \ufffd", 0), ("Hej", 1)])
def test_half_a_character_at_an_early_end_may_be_shown_or_not(shown: str, count: int) -> None:
    events = [CREATED, text("Hej \ud83d")]
    failed = AssistantTurn(status=Status.FAILED, parts=(TextPart(text=shown),))
    found = GRAMMAR.against_turn(events, failed, relayed=True, answer=answer(*events))
    assert messages(found).count("the text differs between the native events and the turn") == count


def test_a_relayed_answer_that_is_no_stream_is_not_compared() -> None:
    found = GRAMMAR.against_turn([], turn(), relayed=True, answer=None)
    assert messages(found) == []


@pytest.mark.parametrize("word", ["max_output_tokens", "content_filter"])
def test_the_reason_of_an_unfinished_answer_is_compared(word: str) -> None:
    details = {"incomplete_details": {"reason": word}, "output": [], "usage": USED}
    events = [*EVENTS[:-1], {"type": "response.incomplete", "response": details}]
    found = messages(GRAMMAR.against_turn(events, turn(), relayed=False, answer=None))
    assert "the finish reason differs between the native events and the turn" in found
    assert "the status differs between the native events and the turn" in found


def test_where_indexes_contradict_each_other_the_response_at_the_end_is_compared() -> None:
    output = [MESSAGE["item"], {**CALL["item"], "call_id": ""}]
    end = {**END, "response": {**END["response"], "output": output}}
    events = [CREATED, MESSAGE, {**CALL, "output_index": 0}]
    (found,) = GRAMMAR.against_turn([*events, end], turn(), relayed=False, answer=None)
    assert found.expected == (None, "f", {"x": 1})
    # Without its output, nobody knows what the events mean.
    assert messages(GRAMMAR.against_turn([*events, END], turn(), relayed=False, answer=None)) == []


@pytest.mark.parametrize("name", ["signature", "encrypted_content", "redacted_data"])
def test_what_must_go_back_is_somewhere_in_the_events(name: str) -> None:
    part = ReasoningPart(text="", channel="text", **{name: "sig="})
    signed = replace(turn(), parts=(part, *turn().parts))
    lost = GRAMMAR.against_turn(EVENTS, signed, relayed=False, answer=None)
    assert messages(lost) == [f"{name} of the reasoning is missing in the native events"]
    # In any field: the API has none for what other providers sign.
    block = done(2, type="reasoning", provider_specific_fields={"blocks": [{"data": "sig="}]})
    events = [*EVENTS[:-1], block, END]
    assert messages(GRAMMAR.against_turn(events, signed, relayed=False, answer=None)) == []


def test_arguments_that_are_no_json_are_compared_as_text() -> None:
    wrong = done(1, type="function_call", call_id="c", name="f", arguments='{"x":')
    events = [CREATED, MESSAGE, wrong, END]
    (found,) = GRAMMAR.against_turn(events, turn(), relayed=False, answer=None)
    assert found.expected == ("c", "f", '{"x":')


def test_deltas_may_be_split_otherwise() -> None:
    assert messages(GRAMMAR.resplit(EVENTS, relayed=False)) == []
    # The whole text says something else than the deltas, which a relayed wire may do.
    other = [CREATED, text("H"), text("o"), MESSAGE, END]
    assert messages(GRAMMAR.resplit(other, relayed=False)) == [
        "the native events give another turn when their deltas are left out"
    ]
    assert messages(GRAMMAR.resplit(other, relayed=True)) == []


def test_a_split_and_a_join_keep_the_text_and_all_other_events() -> None:
    events = [CREATED, text("Hé there, how are you?"), text("a", 1), text("!"), {**END, "delta": 1}]
    for variant in (resplit.split(events), resplit.joined(events)):
        for part in (0, 1):
            deltas = [e["delta"] for e in events if e.get("content_index") == part]
            again = [e["delta"] for e in variant if e.get("content_index") == part]
            assert "".join(again) == "".join(deltas)
        assert [e for e in variant if "content_index" not in e] == [events[0], events[-1]]
    assert len(resplit.split(events)) > len(events) > len(resplit.joined(events))
    assert resplit.without_deltas(events) == [events[0], events[-1]]


def test_a_sequence_is_held_to_the_grammar() -> None:
    assert messages(GRAMMAR.violations([])) == ["the sequence has no terminal event"]
