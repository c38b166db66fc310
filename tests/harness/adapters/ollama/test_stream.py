"""Objects of lines become events."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.ollama.stream import OllamaStream
from mockserver.vocabulary import (
    AssistantTurn,
    ContentDelta,
    ErrorClass,
    ErrorInfo,
    Event,
    FinishReason,
    MessageStart,
    MessageStop,
    ReasoningDelta,
    Status,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageEvent,
    WarningEvent,
    fold,
)

LOST = ErrorInfo(error_class=ErrorClass.CONNECTION_LOST, message="gone", retryable=True)
START = MessageStart(model="m")


def line(content: Any = "", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    message |= {k: more.pop(k) for k in ("thinking", "tool_calls") if k in more}
    return {"model": "m", "message": message, "done": False, **more}


def end(reason: Any = "stop", **more: Any) -> dict[str, Any]:
    return {**line(), "done": True, "done_reason": reason, **more}


def call(name: Any = "f", arguments: Any = None, **more: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}, **more}


def events_of(*values: Any, taken: tuple[str, ...] = ()) -> list[Event]:
    stream = OllamaStream(taken_ids=taken)
    events = [event for value in values for event in stream.chunk(value)]
    return events if stream.closed else [*events, *stream.ended()]


def turn_of(*values: Any, **more: Any) -> AssistantTurn:
    return fold(events_of(*values, **more))


def error_of(*values: Any, **more: Any) -> ErrorInfo:
    error = turn_of(*values, **more).error
    assert error is not None
    return error


def test_a_stream() -> None:
    assert events_of(
        line(thinking="t"), line("a"), line("b"), end(prompt_eval_count=3, eval_count=2)
    ) == [
        START,
        ReasoningDelta(delta="t", channel="text"),
        ContentDelta(delta="a"),
        ContentDelta(delta="b"),
        UsageEvent(usage=Usage(input_tokens=3, output_tokens=2, total_tokens=5)),
        MessageStop(finish_reason=FinishReason.STOP, raw_finish_reason="stop"),
    ]


def test_all_on_one_line() -> None:
    one = end(prompt_eval_count=3)
    one["message"] = {"thinking": "t", "content": "a", "tool_calls": [call()]}
    assert events_of(one) == [
        START,
        ReasoningDelta(delta="t", channel="text"),
        ContentDelta(delta="a"),
        ToolCallStart(tool_call_index=0, tool_call_id="call_0", tool_name="f", id_synthesized=True),
        ToolCallDelta(tool_call_index=0, arguments_delta="{}"),
        ToolCallEnd(tool_call_index=0, arguments={}, arguments_raw="{}"),
        UsageEvent(usage=Usage(input_tokens=3)),
        MessageStop(finish_reason=FinishReason.TOOL_CALLS, raw_finish_reason="stop"),
    ]


def test_the_other_endpoint() -> None:
    first = {"model": "m", "response": "a", "thinking": "t"}
    turn = turn_of(first, {"model": "m", "response": "b", "done": True, "done_reason": "stop"})
    assert (turn.content, turn.reasoning, turn.model) == ("ab", "t", "m")


def test_nothing_counts_behind_the_end() -> None:
    stream = OllamaStream()
    stream.chunk(end())
    assert stream.closed
    assert stream.chunk(line("b")) == stream.done() == stream.fail(LOST) == []


@pytest.mark.parametrize(
    ("word", "calls", "reason", "status"),
    [
        ("stop", [], FinishReason.STOP, Status.COMPLETED),
        ("stop", [call()], FinishReason.TOOL_CALLS, Status.COMPLETED),
        ("length", [], FinishReason.LENGTH, Status.INCOMPLETE),
        ("length", [call()], FinishReason.LENGTH, Status.INCOMPLETE),
        ("tool_calls", [call()], FinishReason.TOOL_CALLS, Status.COMPLETED),
        ("tool_calls", [], FinishReason.STOP, Status.COMPLETED),
        ("odd", [], FinishReason.UNKNOWN, Status.COMPLETED),
        ("odd", [call()], FinishReason.TOOL_CALLS, Status.COMPLETED),
    ],
)
def test_reasons(word: str, calls: list[Any], reason: FinishReason, status: Status) -> None:
    turn = turn_of(line("a", tool_calls=calls), end(word))
    assert (turn.finish_reason, turn.raw_finish_reason, turn.status) == (reason, word, status)


@pytest.mark.parametrize("word", [None, "", 7])
def test_an_end_without_a_reason_is_a_warning(word: Any) -> None:
    events = events_of(line("a"), end(word))
    assert fold(events).finish_reason is FinishReason.UNKNOWN
    assert [e.code for e in events if isinstance(e, WarningEvent)] == ["finish_reason_missing"]


def test_the_first_reason_counts() -> None:
    assert turn_of(line("a", done_reason="length"), end("stop")).raw_finish_reason == "length"


@pytest.mark.parametrize("word", ["load", "unload", None])
def test_an_answer_for_which_nothing_was_generated(word: str | None) -> None:
    error = error_of(end(word))
    assert (error.error_class, error.retryable) == (ErrorClass.EMPTY_RESPONSE, False)
    assert (word or "no done_reason") in error.message


def test_an_empty_stop_is_an_answer() -> None:
    turn = turn_of(end(eval_count=1))
    assert (turn.status, turn.parts) == (Status.COMPLETED, ())


def test_a_reason_is_enough_at_the_end() -> None:
    assert turn_of(line("a"), line(done_reason="stop")).status is Status.COMPLETED
    stream = OllamaStream()
    stream.chunk(line("a", done_reason="stop"))
    assert stream.lost(LOST)[-1].type == "message_stop"


def test_ends_without_a_reason() -> None:
    assert error_of(line("a")).error_class is ErrorClass.TRUNCATED_STREAM
    assert error_of(line("a")).message == "the stream ended without a done line"
    assert error_of().error_class is ErrorClass.EMPTY_RESPONSE
    stream = OllamaStream()
    stream.chunk(line("a"))
    assert stream.lost(LOST)[-1].type == "error"


@pytest.mark.parametrize(
    ("value", "error_class"),
    [
        ({"error": "boom"}, ErrorClass.SERVER_ERROR),
        ({"error": {"message": "boom"}}, ErrorClass.SERVER_ERROR),
        ({"error": "model 'x' not found"}, ErrorClass.MODEL_NOT_FOUND),
        ({"error": "the input length exceeds the context length"}, ErrorClass.CONTEXT_LENGTH),
        ({"error": True, "done": True}, ErrorClass.SERVER_ERROR),
        ([1], ErrorClass.PROTOCOL),
        ("x", ErrorClass.PROTOCOL),
        (7, ErrorClass.PROTOCOL),
        (None, ErrorClass.PROTOCOL),
    ],
)
def test_lines_that_end_the_turn(value: Any, error_class: ErrorClass) -> None:
    turn = turn_of(line("a"), value, line("b"), end())
    assert turn.error is not None
    assert (turn.error.error_class, turn.content) == (error_class, "a")
    assert events_of(value)[0].type == "error"


def test_an_error_hides_secrets_and_keeps_the_request() -> None:
    stream = OllamaStream(secrets=["sk-secret"], request_id="r1")
    error = fold(stream.chunk({"error": "no sk-secret"})).error
    assert error is not None
    assert (error.message, error.request_id) == ("no [redacted]", "r1")


@pytest.mark.parametrize("none", [None, "", False, 0, [], {}])
def test_errors_that_are_none(none: Any) -> None:
    assert turn_of({**line("a"), "error": none}, end()).content == "a"


def test_each_call_is_one() -> None:
    turn = turn_of(
        line(tool_calls=[call("f", {"a": "é"}, id="x"), call("f", {}, id="x")]),
        line(tool_calls=[call("g", {}, id=" "), call("h", {}, id=7)]),
        end(),
        taken=("call_2",),
    )
    assert [(c.name, c.id, c.id_synthesized) for c in turn.tool_calls] == [
        ("f", "x", False),
        ("f", "call_1", True),
        ("g", "call_3", True),
        ("h", "call_4", True),
    ]
    assert turn.tool_calls[0].arguments_raw == '{"a":"é"}'


@pytest.mark.parametrize(
    ("given_", "arguments"),
    [
        ({"a": 1}, {"a": 1}),
        (None, {}),
        ("", {}),
        ('{"a": 1}', {"a": 1}),
        ({"a": "\ud83d"}, {"a": "\ufffd"}),
        ({"a": "\ud83d\udc27"}, {"a": "🐧"}),
    ],
)
def test_arguments(given_: Any, arguments: Any) -> None:
    (one,) = turn_of(line(tool_calls=[call("f", given_)]), end()).tool_calls
    assert one.arguments == arguments


@pytest.mark.parametrize(
    ("bad", "error_class"),
    [
        (call("f", "city=Bern"), ErrorClass.INVALID_TOOL_ARGUMENTS),
        (call("f", [1]), ErrorClass.INVALID_TOOL_ARGUMENTS),
        (call("f", 7), ErrorClass.INVALID_TOOL_ARGUMENTS),
        (call(None, {"a": 1}), ErrorClass.PROTOCOL),
        (call("", {"a": 1}), ErrorClass.PROTOCOL),
        ({"function": "f"}, ErrorClass.PROTOCOL),
        ({}, ErrorClass.PROTOCOL),
    ],
)
def test_calls_that_cannot_be_run_fail_the_turn(bad: Any, error_class: ErrorClass) -> None:
    turn = turn_of(line(tool_calls=[bad, call("g", {})]), end())
    assert turn.error is not None
    assert turn.error.error_class is error_class
    assert turn.tool_calls[-1].name == "g"


def test_arguments_that_are_too_deep() -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = {"a": deep}
    assert error_of(line(tool_calls=[call("f", deep)]), end()).error_class is (
        ErrorClass.INVALID_TOOL_ARGUMENTS
    )


@pytest.mark.parametrize("odd", [None, 7, "x", {}, [7], ["x"]])
def test_odd_fields_are_left_out(odd: Any) -> None:
    turn = turn_of(line(7, thinking=[1], tool_calls=odd), line("a"), end())
    assert (turn.content, turn.reasoning, turn.tool_calls) == ("a", "", ())


def test_half_characters_are_joined() -> None:
    turn = turn_of(line("\ud83d", thinking="\ud83d"), line("\udc27", thinking="x"), end())
    assert (turn.content, turn.reasoning) == ("🐧", "\ufffdx")
    assert turn_of(line("a\ud83d"), end()).content == "a\ufffd"


def test_the_model_may_come_late() -> None:
    assert turn_of({"message": {"content": "a"}}, end()).model is None
    assert turn_of({**line("a"), "model": "n"}, end()).model == "n"


def test_objects_are_answers() -> None:
    assert OllamaStream().is_answer({})
    assert not OllamaStream().is_answer([])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["message", "content", "tool_calls", "function", "arguments", "error"])
            | st.sampled_from(["done", "done_reason", "eval_count", "response", "name", "id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=9,
)


@given(st.lists(VALUES, max_size=4))
def test_any_values_end_once(values: list[Any]) -> None:
    types = [event.type for event in events_of(*values)]
    assert types.count("message_stop") + types.count("error") == 1
    assert types[-1] in ("message_stop", "error")
