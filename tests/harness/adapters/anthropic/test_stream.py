"""The reader of one answer: its beginning, its end, its errors."""

from __future__ import annotations

import pytest

from harness.adapters.anthropic.stream import MessagesStream
from harness.adapters.common.failures import failure
from mockserver.vocabulary import (
    ContentDelta,
    ErrorClass,
    ErrorEvent,
    FinishReason,
    Json,
    JsonObject,
    MessageStart,
    MessageStop,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageEvent,
    WarningEvent,
)
from tests.harness.adapters.messages_events import (
    START,
    STOP,
    delta,
    ending,
    error_of,
    fed,
    kinds,
    partial,
    read,
    reason,
    start,
    stop,
    text,
    tool,
)

LOST = failure(ErrorClass.CONNECTION_LOST, "connection broken")
COUNTS = UsageEvent(usage=Usage(input_tokens=5, output_tokens=1, total_tokens=6))


def test_a_text() -> None:
    assert read(start(0, "text", text=""), text("a"), text(""), text("b"), stop()) == [
        ContentDelta(delta="a", index=0),
        ContentDelta(delta="b", index=0),
    ]


def test_the_end_has_the_counts_and_the_reason() -> None:
    usage = {"output_tokens": 7, "cache_read_input_tokens": 4, "cache_creation_input_tokens": None}
    assert read(text("a"), reason("end_turn", usage=usage), STOP)[-2:] == [
        UsageEvent(
            usage=Usage(input_tokens=9, output_tokens=7, total_tokens=16, cache_read_input_tokens=4)
        ),
        MessageStop(finish_reason=FinishReason.STOP, raw_finish_reason="end_turn"),
    ]


def test_without_counts_there_are_none() -> None:
    found = fed({"type": "message_start", "message": {}}, text("a"), reason("end_turn"), STOP)
    assert "usage" not in kinds(found)
    only_output = fed(text("a"), reason("end_turn", usage={"output_tokens": 2}), STOP)
    assert UsageEvent(usage=Usage(output_tokens=2)) in only_output


def test_nothing_comes_behind_the_end() -> None:
    stream = MessagesStream()
    fed(START, text("a"), reason("end_turn"), STOP, stream=stream)
    assert stream.closed
    assert stream.chunk(text("b")) == []
    assert stream.done() == []
    assert stream.ended() == []
    assert stream.lost(LOST) == []


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([text(1)], "the text of a text_delta is not text"),
        ([tool(), partial({})], "the partial_json of a input_json_delta is not text"),
        ([partial("{}")], "a input_json_delta has no block with the index 0"),
        ([tool(), partial("{}"), stop(), partial("{}")], "goes on after the end of its block"),
        ([1], "an event is an object, not int"),
    ],
)
def test_what_cannot_be_read_fails(events: list[Json], message: str) -> None:
    found = read(*events, text("late"))
    assert error_of(found) is ErrorClass.PROTOCOL
    assert isinstance(found[-1], ErrorEvent)
    assert message in found[-1].error.message
    assert "late" not in str(found)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (text("a", 3), "block_without_start"),
        (start(0, None), "block_without_type"),
        (start(0, ""), "block_without_type"),
        ({"type": "content_block_start", "index": 0}, "block_without_type"),
        ({"type": "content_block_delta", "index": 0}, "delta_without_type"),
    ],
)
def test_what_can_be_read_anyhow_is_a_warning(event: JsonObject, code: str) -> None:
    found = read(event)
    assert [e.code for e in found if isinstance(e, WarningEvent)] == [code]
    assert not any(isinstance(e, ErrorEvent) for e in found)


def test_unknown_events_and_deltas_are_skipped() -> None:
    known = [start(0, "text"), text("a")]
    unknown = [{"type": "new"}, {"x": 1}, None, {"type": 1}, delta(0, "new"), delta(0, None)]
    assert read(*known, *unknown, delta(9, "new"), stop(7)) == [ContentDelta(delta="a", index=0)]


@pytest.mark.parametrize(
    ("events", "finish"),
    [
        ([text("a"), reason("end_turn")], (FinishReason.STOP, "end_turn")),
        ([text("a"), reason("stop_sequence")], (FinishReason.STOP, "stop_sequence")),
        ([text("a"), reason("pause_turn")], (FinishReason.PAUSE, "pause_turn")),
        ([text("a"), reason("compaction")], (FinishReason.PAUSE, "compaction")),
        ([reason("refusal")], (FinishReason.REFUSAL, "refusal")),
        ([text("a"), reason("new")], (FinishReason.UNKNOWN, "new")),
        ([reason("end_turn")], (FinishReason.STOP, "end_turn")),
        ([text("a"), reason("tool_use")], (FinishReason.STOP, "tool_use")),
        ([reason("tool_use")], (FinishReason.UNKNOWN, "tool_use")),
        ([tool(), reason("end_turn")], (FinishReason.TOOL_CALLS, "end_turn")),
        ([tool(), reason("new")], (FinishReason.UNKNOWN, "new")),
        ([reason("end_turn"), reason("max_tokens")], (FinishReason.STOP, "end_turn")),
        ([text("a"), reason("null"), reason("")], (FinishReason.UNKNOWN, None)),
        ([tool()], (FinishReason.TOOL_CALLS, None)),
        (
            [text("a"), reason("model_context_window_exceeded")],
            (FinishReason.LENGTH, "model_context_window_exceeded"),
        ),
    ],
)
def test_why_the_model_stopped(
    events: list[JsonObject], finish: tuple[FinishReason, str | None]
) -> None:
    assert ending(read(*events, STOP)) == finish


def test_the_end_keeps_what_is_said_about_a_refusal() -> None:
    details = {"type": "refusal", "category": "bio"}
    event = {**reason("refusal"), "delta": {"stop_reason": "refusal", "stop_details": details}}
    assert read(event, STOP)[-1].native == ({"stop_details": details},)


def test_an_end_without_a_reason() -> None:
    found = read(text("a"), STOP)
    assert [e.code for e in found if isinstance(e, WarningEvent)] == [
        "block_without_start",
        "finish_reason_missing",
    ]
    assert error_of(read(STOP)) is ErrorClass.EMPTY_RESPONSE


def test_a_body_that_ends_early() -> None:
    stream = MessagesStream()
    fed(START, text("a"), stream=stream)
    found = stream.ended()
    assert error_of(found) is ErrorClass.TRUNCATED_STREAM
    assert COUNTS in found
    assert error_of(MessagesStream().ended()) is ErrorClass.EMPTY_RESPONSE


def test_a_body_that_ends_behind_the_reason() -> None:
    for end in (MessagesStream.ended, lambda stream: stream.lost(LOST)):
        stream = MessagesStream()
        fed(START, text("a"), reason("end_turn"), stream=stream)
        assert ending(end(stream)) == (FinishReason.STOP, "end_turn")
    stream = MessagesStream()
    fed(START, text("a"), stream=stream)
    assert error_of(stream.lost(LOST)) is ErrorClass.CONNECTION_LOST


@pytest.mark.parametrize(
    ("kind", "error_class"),
    [
        ("overloaded_error", ErrorClass.OVERLOADED),
        ("rate_limit_error", ErrorClass.RATE_LIMIT),
        ("api_error", ErrorClass.SERVER_ERROR),
        ("new_error", ErrorClass.STREAM_ERROR),
    ],
)
def test_errors_in_a_stream(kind: str, error_class: ErrorClass) -> None:
    event = {"type": "error", "error": {"type": kind, "message": "m"}, "request_id": "r"}
    found = fed(START, text("a"), reason("end_turn"), event)
    assert error_of(found) is error_class
    assert isinstance(found[-1], ErrorEvent)
    assert (found[-1].error.code, found[-1].error.request_id) == (kind, "r")


def test_an_error_by_the_name_of_its_event() -> None:
    found = MessagesStream(request_id="r2", secrets=["sk-secret"]).chunk(
        "sk-secret is wrong", is_named_error=True
    )
    assert isinstance(found[0], ErrorEvent)
    assert found[0].error.request_id == "r2"
    assert "sk-secret" not in found[0].error.message


def test_a_message_that_begins_again() -> None:
    again = read(START, start(0, "text"), text("a"), START)
    assert again == [ContentDelta(delta="a", index=0)]
    other = {"type": "message_start", "message": {"id": "m2", "model": "c"}}
    assert error_of(read(text("a"), other)) is ErrorClass.STREAM_ERROR
    restarted = read(other, text("a"))
    assert next(e.code for e in restarted if isinstance(e, WarningEvent)) == "answer_restarted"
    assert read({"type": "message_start", "message": 1}) == []


def test_content_of_a_start_is_content() -> None:
    message = {"id": "m1", "content": [{"type": "text", "text": "a"}]}
    found = fed({"type": "message_start", "message": message})
    assert found[1:] == [ContentDelta(delta="a", index=0)]


def test_a_whole_message() -> None:
    message = {
        "type": "message",
        "id": "m1",
        "model": "c",
        "content": [
            {"type": "text", "text": "a"},
            {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 5, "output_tokens": 1},
    }
    stream = MessagesStream()
    assert stream.is_answer(message)
    found = [*stream.chunk(message), *stream.done()]
    assert found == [
        MessageStart(response_id="m1", model="c"),
        ContentDelta(delta="a", index=0),
        ToolCallStart(tool_call_index=0, tool_call_id="t", tool_name="f"),
        ToolCallDelta(tool_call_index=0, arguments_delta='{"a":1}'),
        ToolCallEnd(tool_call_index=0, arguments={"a": 1}, arguments_raw='{"a":1}'),
        COUNTS,
        MessageStop(finish_reason=FinishReason.TOOL_CALLS, raw_finish_reason="tool_use"),
    ]


def test_what_is_an_answer() -> None:
    stream = MessagesStream()
    assert stream.is_answer({"content": []})
    assert stream.is_answer({"type": "error", "error": {"type": "api_error"}})
    assert not stream.is_answer({"content": "x"})
    assert not stream.is_answer("x")
    assert kinds(stream.chunk({"content": [], "stop_reason": "end_turn"})) == ["message_start"]


def test_what_is_nested_too_deeply_fails() -> None:
    deep: Json = 1
    for _ in range(5000):
        deep = [deep]
    found = read(start(0, "tool_use", id="t", name="f", input={"a": deep}), stop())
    assert error_of(found) is ErrorClass.PROTOCOL
    ended = read(start(0, "tool_use", id="t", name="f", input={"a": deep}), STOP)
    assert error_of(ended) is ErrorClass.PROTOCOL
