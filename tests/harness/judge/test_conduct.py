import json
from types import SimpleNamespace

import pytest

from harness.clients import door
from harness.judge.conduct import cassette, evidence, schema
from harness.judge.faults import fault
from harness.judge.terms import Terms
from harness.judge.transcript import UNPAIRED, Blame, Emitted, SeenRequest, TurnRecord
from harness.suite.scenario import CaseKind, Expectation, RequestSpec
from mockserver.cassettes.cassette import Response
from mockserver.dialects import facts_of
from mockserver.vocabulary import (
    ContentDelta,
    ErrorClass,
    ErrorEvent,
    ErrorInfo,
    FinishReason,
    MessageStop,
    Status,
    to_json,
)
from mockserver.wire import SWEPT, FaultKind, from_response

POST = SeenRequest(
    method="POST", path="/v1/responses", query="", headers=(), body=b"{}", exchange=0
)
TURN = Emitted(value=None, data={})


def found(count, *requests, unplayed=()):
    reading = SimpleNamespace(
        number=0,
        spec=SimpleNamespace(request=None if count is None else RequestSpec(count=count)),
        case=SimpleNamespace(kind=CaseKind.WIRE, scenario=SimpleNamespace(turns=(1,))),
        turn=SimpleNamespace(status=Status.COMPLETED),
        record=TurnRecord(streamed=False, requests=requests, turn=TURN),
        transcript=SimpleNamespace(turns=(1,), schedules=(1,), unplayed=unplayed),
    )
    return [finding.message for finding in evidence(reading)]


@pytest.mark.parametrize("count", [None, 1])
def test_no_request_is_no_evidence(count):
    assert found(count, unplayed=(1,)) == ["the client sent no request"]
    assert found(count, POST, unplayed=(1,)) == ["1 recorded answer(s) were never requested"]
    assert found(count, POST) == []


def test_no_request_may_be_what_is_asked_for():
    assert found(0, unplayed=(1,)) == []


@pytest.mark.parametrize(
    ("delta", "kind", "says"),
    [
        (7, "malformed", "event 1, content_delta: delta: 7 is not of type 'string'"),
        ("", "empty-event", "event 1, content_delta: delta: '' should be non-empty"),
        ("\ud83d", "surrogates", f"event 1, delta: {UNPAIRED}"),
    ],
)
def test_an_event_that_violates_its_schema(delta, kind, says):
    events = (door.event({"type": "content_delta", "delta": delta}),)
    reading = SimpleNamespace(record=SimpleNamespace(events=events, turn=None))
    assert [(f.kind, f.message) for f in schema(reading)] == [(kind, says)]


def test_a_turn_that_violates_its_schema():
    turn = door.turn({"status": "done", "parts": []})
    reading = SimpleNamespace(record=SimpleNamespace(events=(), turn=turn))
    assert {f.kind for f in schema(reading)} == {"malformed"}


def test_an_empty_cassette_is_not_the_clients_fault():
    (finding,) = cassette(SimpleNamespace(transcript=SimpleNamespace(schedules=())))
    assert (finding.kind, finding.blame) == ("setup", Blame.CASSETTE)


def sent(text="Hi", finish=None, *, done=False, calls=False, error=False):
    delta = {"content": text}
    if calls:
        function = {"name": "f", "arguments": "{"}
        delta["tool_calls"] = [{"index": 0, "id": "c1", "function": function}]
    chunks = [{"choices": [{"index": 0, "delta": delta}]}]
    if finish:
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    if error:
        chunks.append({"error": {"message": "no"}})
    lines = [json.dumps(chunk) for chunk in chunks] + ["[DONE]"] * done
    body = "".join(f"data: {line}\n\n" for line in lines).encode()
    headers = (("content-type", "text/event-stream"),)
    return from_response(Response(status=200, reason="OK", headers=headers, body=body))


def after_fault(kind, wire, last, *, expect=None, said=()):
    """Return what the check of faults says of a turn that says ``said`` and ends with ``last``."""
    reading = SimpleNamespace(
        case=SimpleNamespace(
            fault=FaultKind(kind), event=1, scenario=SimpleNamespace(dialect="openai-chat")
        ),
        expect=expect,
        record=SimpleNamespace(raised=None, broke_off=False, events=(*said, last)),
        event_data=[to_json(event) for event in (*said, last)],
        facts=facts_of("openai-chat", wire),
        terms=Terms(errors="class"),
    )
    return [finding.message for finding in fault(reading)]


def error(name):
    info = ErrorInfo(error_class=ErrorClass(name), message="m", retryable=True)
    return ErrorEvent(error=info)


STOP = MessageStop(finish_reason=FinishReason.STOP, raw_finish_reason="stop")
MUST_NOT = "{} after the terminal event must not fail the turn"


@pytest.mark.parametrize(
    ("kind", "last", "message"),
    [
        ("cut", STOP, "cut after wire event 1: success instead of empty_response or truncated"),
        ("cut", error("timeout"), "cut after wire event 1: timeout instead of"),
        ("cut", error("truncated_stream"), None),
        ("reset", STOP, "reset after wire event 1: success instead of connection_lost"),
        ("reset", error("connection_lost"), None),
        ("stall", STOP, "stall after wire event 1: success instead of timeout"),
        ("stall", error("timeout"), None),
    ],
)
def test_a_recording_that_is_interrupted_must_fail(kind, last, message):
    messages = after_fault(kind, sent(), last)
    assert len(messages) == (message is not None)
    assert not messages or messages[0].startswith(message)


def test_the_beginning_of_an_expected_turn_is_compared():
    expect = Expectation(turn={"parts": [{"type": "text", "text": "Hi there"}]})
    last = error("truncated_stream")
    for text, messages in {
        "Hi": [],
        "Ho": ["the text before the end is not the beginning of the answer's"],
    }.items():
        said = (ContentDelta(delta=text),)
        assert after_fault("cut", sent(), last, expect=expect, said=said) == messages


@pytest.mark.parametrize("kind", SWEPT)
def test_a_fault_behind_the_end_of_a_recording_must_not_matter(kind):
    whole = sent(finish="stop")
    assert after_fault(kind, whole, STOP) == []
    assert after_fault(kind, whole, error("server_error")) == [MUST_NOT.format(kind)]
    assert after_fault(kind, sent(finish="stop", error=True), error("stream_error")) == []


def test_a_reset_behind_the_end_of_a_recording_may_be_reported():
    with_calls = sent(finish="tool_calls", calls=True)
    for whole in (sent(finish="stop"), with_calls):
        assert after_fault("reset", whole, error("connection_lost")) == []
        assert after_fault("cut", whole, error("truncated_stream")) == [MUST_NOT.format("cut")]
        assert after_fault("stall", whole, error("timeout")) == [MUST_NOT.format("stall")]


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        (sent(finish="tool_calls", calls=True), "invalid_tool_arguments"),
        (sent(finish="insufficient_system_resource"), "overloaded"),
        (sent(text="", finish="stop"), "empty_response"),
        (sent(done=True), "truncated_stream"),
    ],
)
def test_an_answer_that_is_a_failure_by_itself_may_fail(wire, name):
    assert after_fault("cut", wire, error(name)) == []
