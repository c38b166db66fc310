"""The right wire event, by the channel and the place where it first differs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.judge.transcript import Emitted, Finding, TurnRecord
from harness.reports.wireplace import find_place
from harness.suite.scenario import Expectation
from mockserver.cassettes.cassette import Response
from mockserver.wire.schedule import Schedule, from_response


def answer(*chunks: Any, status: int = 200) -> Schedule:
    data = [c if isinstance(c, str) else f"data: {json.dumps(c)}\n\n" for c in chunks]
    headers = (("content-type", "text/event-stream"),)
    body = "".join(data).encode()
    return from_response(Response(status=status, reason="", headers=headers, body=body))


def chunk(delta: dict[str, Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
    choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
    return {"id": "r1", "choices": choices, **more}


def call(index: int, name: str | None, arguments: str, call_id: str | None = None) -> Any:
    function = {"arguments": arguments} | ({"name": name} if name else {})
    return {"tool_calls": [{"index": index, "function": function, "id": call_id}]}


def record(schedule: Schedule, *events: dict[str, Any]) -> TurnRecord:
    emitted = tuple(Emitted(value=None, data=e) for e in events)
    return TurnRecord(streamed=True, events=emitted, schedules=(schedule,))


def finding(kind: str, field: str, expected: Any = None, observed: Any = None, **more: Any) -> Any:
    given = {"check": "c", "message": "m"} | more
    return Finding(kind=kind, field=field, expected=expected, observed=observed, **given)


def place(
    schedule: Schedule,
    found: Finding,
    *events: dict[str, Any],
    wanted: tuple[dict[str, Any], ...] = (),
) -> int | None:
    expect = Expectation(events=wanted) if wanted else None
    at = find_place(record(schedule, *events), found, "openai-chat", expect)
    return None if at is None else at.event


TEXT = answer(
    chunk({"role": "assistant"}),
    chunk({"content": "Hi"}),
    ": keep-alive\n\n",
    chunk({"content": "Hi"}),
    chunk({"content": " there"}),
    chunk({}, "stop"),
    chunk({}, usage={"prompt_tokens": 7, "completion_tokens": 9, "total_tokens": 16}),
    "data: [DONE]\n\n",
)
DELTA = {"type": "content_delta", "delta": "Hi"}
STOP = {"type": "message_stop", "finish_reason": "stop"}


@pytest.mark.parametrize(
    ("found", "event"),
    [
        (finding("text", "text", "HiHi there", "Hi"), 3),
        (finding("text", "text", "HiHi there", "HiHi"), 4),
        (finding("text", "text", "HiHi there", "HiHi tHERE"), 4),
        (finding("text", "text", "HiHi there", ""), 1),
        (finding("text", "text", "HiHi there", "HiHi there" * 2), 4),
        (finding("usage", "usage.total_tokens", 16, 32), 6),
        (finding("usage-missing", "usage.input_tokens", 7), 6),
        (finding("field", "response_id", "r1", "x"), 0),
        (finding("finish-reason", "finish_reason", "stop", "length"), 5),
        (finding("finish-word", "raw_finish_reason", "stop", None), 5),
        (finding("two-endings", "ending"), 5),
        (finding("strict", "ending"), 7),
        (finding("secret", "secret"), None),
    ],
)
def test_the_wire_event_of_a_channel(found: Finding, event: int | None) -> None:
    assert place(TEXT, found) == event


@pytest.mark.parametrize(
    ("seen", "wanted", "event"),
    [
        ((), (), 0),
        ((DELTA,), (), 2),
        ((), (DELTA, DELTA, STOP), 1),
        ((DELTA,), (DELTA, DELTA, STOP), 3),
    ],
)
def test_where_a_client_stopped(
    seen: tuple[dict[str, Any], ...], wanted: tuple[dict[str, Any], ...], event: int
) -> None:
    found = finding("crash", "ValueError", observed="ValueError: x")
    assert place(TEXT, found, *seen, wanted=wanted) == event


@pytest.mark.parametrize(("number", "event"), [(0, 1), (1, 3), (2, 5)])
def test_an_event_that_differs_alone(number: int, event: int) -> None:
    expected = [DELTA, DELTA, {"type": "message_stop", "raw_finish_reason": "stop"}]
    assert place(TEXT, finding("event-sequence", "events", expected, [], event=number)) == event


CALLS = answer(
    chunk(call(0, "look", "", "a")),
    chunk(call(0, None, '{"q":')),
    chunk(call(1, "look", "", "b")),
    chunk(call(0, None, '"x"}')),
    chunk(call(1, None, '{"q":"y"}')),
    chunk({}, "tool_calls"),
)
STARTS = [
    {"type": "tool_call_start", "tool_call_index": n, "tool_call_id": i, "tool_name": "look"}
    for n, i in enumerate("ab")
]
DELTAS = [
    {"type": "tool_call_delta", "tool_call_index": n, "arguments_delta": f'{{"q":"{text}"}}'}
    for n, text in enumerate("xy")
]
ENDS = [
    {"type": "tool_call_end", "tool_call_index": n, "arguments": {"q": text}}
    for n, text in enumerate("xy")
]
WANTED = (STARTS[0], DELTAS[0], STARTS[1], DELTAS[1], *ENDS)


@pytest.mark.parametrize(
    ("found", "event"),
    [
        (finding("tool-call", "tool_calls", ["look", "look"], ["look"]), 2),
        (finding("tool-call", "tool_calls", ["look", "look"], []), 0),
        (finding("tool-call", "tool_calls", 2, 1), 2),
        (finding("call-id", "tool_calls.id", "b", "z", message="id of tool_calls.1 (look)"), 2),
        (finding("tool-call", "tool_calls.name", "look", "l", message="name of tool_calls.1"), 2),
        (
            finding(
                "tool-call", "tool_calls.arguments", {"q": "x"}, {}, message="of tool_calls.0 (x)"
            ),
            1,
        ),
    ],
)
def test_the_wire_event_of_a_call(found: Finding, event: int) -> None:
    assert place(CALLS, found, wanted=WANTED) == event


def test_arguments_are_found_where_they_first_differ() -> None:
    message = "arguments of tool_calls.0 (look)"
    found = finding("tool-call", "tool_calls.arguments", {"q": "x"}, None, message=message)
    cut = DELTAS[0] | {"arguments_delta": '{"q":'}
    assert place(CALLS, found, STARTS[0], cut, wanted=WANTED) == 3


def test_a_crash_at_the_second_call_shows_its_first_chunk() -> None:
    found = finding("crash", "KeyError")
    assert place(CALLS, found, STARTS[0], DELTAS[0], ENDS[0], wanted=WANTED) == 2


def test_an_object_as_arguments_is_found_by_what_is_in_it() -> None:
    function = {"name": "look", "arguments": {"q": "x"}}
    delta = {"tool_calls": [{"index": 0, "id": "a", "function": function}]}
    wire = answer(chunk({"role": "assistant"}), chunk(delta), chunk({}, "tool_calls"))
    wanted = (STARTS[0], ENDS[0])
    assert place(wire, finding("crash", "TypeError"), STARTS[0], wanted=wanted) == 1


def test_a_malformed_event_is_found_by_what_came_before() -> None:
    message = "event 2, content_delta: delta: None is not of type 'string'"
    bad = {"type": "content_delta", "delta": None}
    found = finding("malformed", "events", message=message)
    assert place(TEXT, found, DELTA, bad, wanted=(DELTA, DELTA)) == 3


def test_a_failure_is_found_where_the_wire_reports_it() -> None:
    wire = answer(chunk({"content": "Hi"}), {"error": {"message": "no"}}, "data: [DONE]\n\n")
    assert place(wire, finding("false-success", "ending", "failed", "completed")) == 1
    assert place(wire, finding("error-message", "error.message", "no", "")) == 1


def test_a_stream_that_breaks_off_is_shown_at_its_end() -> None:
    wire = answer(chunk({"content": "Hi"}), 'data: {"choices":')
    assert place(wire, finding("false-success", "ending", "failed", "completed")) == 1


def test_a_whole_answer_is_one_event() -> None:
    message = {"content": "Hi"}
    body = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()
    headers = (("content-type", "application/json"),)
    wire = from_response(Response(status=200, reason="", headers=headers, body=body))
    assert place(wire, finding("text", "text", "Hi", "")) == 0


def test_without_an_answer_there_is_no_event() -> None:
    empty = TurnRecord(streamed=True)
    for found in (finding("text", "text", "a", "b"), finding("no-ending", "ending")):
        assert find_place(empty, found, "openai-chat", None) is None


def test_a_field_that_begins_like_the_text_does_not_hide_it() -> None:
    wire = answer({"note": "Hi"}, chunk({"content": "Hi"}), chunk({"content": " there"}))
    assert place(wire, finding("text", "text", "Hi there", "")) == 1
    assert place(wire, finding("text", "text", "Hi there", "Hi")) == 2


def test_the_element_of_an_array() -> None:
    parts = ({"text": "Hello "}, {"text": "world"})
    values = [{"candidates": [{"content": {"parts": [part]}}]} for part in parts]
    body = f"[{json.dumps(values[0])},\r\n{json.dumps(values[1])}\n]".encode()
    headers = (("content-type", "application/json"),)
    array = from_response(Response(status=200, reason="", headers=headers, body=body))
    lost = finding("text", "text", "Hello world", "Hello ")
    at = find_place(record(array), lost, "gemini", None)
    assert at is not None
    assert at.event == 1


def test_a_wire_without_json_has_no_call_to_look_for() -> None:
    started = {"type": "tool_call_start", "tool_call_index": 0, "tool_name": "weather"}
    assert place(answer(), finding("crash", "ending"), wanted=(started,)) == 0
