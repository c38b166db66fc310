import pytest

from harness.adapters.chat.stream import ChatStream
from harness.adapters.common.failures import failure
from mockserver.vocabulary.fold import fold
from mockserver.vocabulary.model import (
    ContentDelta,
    ErrorClass,
    ErrorEvent,
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
)

START = MessageStart(response_id="c1", model="m1")


STOP = MessageStop(finish_reason=FinishReason.STOP, raw_finish_reason="stop")


DONE = "done"


def play(*chunks, end=DONE, **options):
    stream = ChatStream(**options)
    events = [event for chunk in chunks for event in stream.chunk(chunk)]
    events += stream.done() if end == DONE else stream.ended()
    assert stream.closed
    assert isinstance(events[-1], MessageStop | ErrorEvent)
    assert stream.chunk({"choices": [{"delta": {"content": "late"}}]}) == []
    assert stream.done() == stream.ended() == []
    return events


def content_of(*chunks, **options):
    """The events between start and stop of a turn that is otherwise in order."""
    first, *rest, last = play(*chunks, **options)
    assert isinstance(first, MessageStart)
    assert isinstance(last, MessageStop)
    return rest


def text(delta):
    return ContentDelta(delta=delta)


def thought(delta, channel="text"):
    return ReasoningDelta(delta=delta, channel=channel)


def warning(code):
    return lambda event: isinstance(event, WarningEvent) and event.code == code


def test_a_text_turn_with_usage_at_the_end(chunk):
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    assert play(
        chunk({"role": "assistant", "content": "", "refusal": None}, usage=None),
        chunk({"content": "He"}, usage=None),
        chunk({"content": "y"}, usage=None),
        chunk({}, "stop", usage=None),
        {"id": "c1", "model": "m1", "choices": [], "usage": usage},
        {"id": "c1", "model": "m1", "choices": [], "usage": None, "moderation": {}},
    ) == [
        START,
        text("He"),
        text("y"),
        UsageEvent(usage=Usage(input_tokens=3, output_tokens=2, total_tokens=5)),
        STOP,
    ]


def test_azure_names_the_answer_in_its_second_chunk(chunk):
    first = {"id": "", "model": "", "object": "", "choices": [], "prompt_filter_results": [{}]}
    filter_only = {"id": "", "choices": [{"index": 0, "content_filter_offsets": {}}]}
    assert play(first, chunk({"content": "a"}, "stop"), filter_only) == [START, text("a"), STOP]


def test_an_answer_without_id_starts_with_its_first_content():
    assert play({"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}) == [
        MessageStart(),
        text("a"),
        STOP,
    ]
    assert play({"choices": [{"delta": {}, "finish_reason": "stop"}]}) == [MessageStart(), STOP]


@pytest.mark.parametrize(
    "odd",
    [
        {"choices": None},
        {"choices": {}},
        {"choices": [None, 1]},
        {"choices": [{"index": 0, "delta": None, "finish_reason": None}]},
        {"choices": [{"index": 0}]},
        {"choices": [{"delta": {"content": None, "tool_calls": None, "role": ""}}]},
        {"choices": [{"delta": {"tool_calls": [None], "function_call": None}}]},
        {"choices": [{"delta": {"content": [None, {"type": "new"}], "annotations": [1]}}]},
        {"choices": [{"delta": {"content": 5, "refusal": 5, "reasoning": 5}}]},
        {"choices": [{"delta": {"function_call": {"name": "", "arguments": ""}}}]},
        {"choices": [{"delta": {"new": 1}, "new": 1}], "new": 1, "error": None},
        {"type": "ping"},
        {},
        None,
    ],
)
def test_unusual_chunks_are_skipped(odd, chunk):
    assert content_of(chunk({"content": "a"}), odd, chunk({"content": "b"}), chunk({}, "stop")) == [
        text("a"),
        text("b"),
    ]


def test_think_tags_are_text_by_default(chunk):
    chunks = [chunk({"content": c}) for c in ("<thi", "nk>why</think>ok", "<")]
    plain = [text("<thi"), text("nk>why</think>ok"), text("<")]
    assert content_of(*chunks, chunk({}, "stop")) == plain
    split = [thought("why"), text("ok"), text("<")]
    assert content_of(*chunks, chunk({}, "stop"), think_tags=True) == split
    assert content_of(chunks[0], chunk({}, "stop"), think_tags=True) == [text("<thi")]


def test_a_whole_answer_gives_the_events_of_its_stream():
    made = {"f": '{"a":1}', "g": ""}
    calls = [{"function": {"name": name, "arguments": raw}} for name, raw in made.items()]
    message = {"role": "assistant", "content": "hi", "refusal": None, "tool_calls": calls}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    body = {"id": "c1", "model": "m1", "choices": [choice], "usage": {"prompt_tokens": 1}}
    assert play(body) == [
        START,
        text("hi"),
        ToolCallStart(tool_call_index=0, tool_call_id="call_0", tool_name="f", id_synthesized=True),
        ToolCallDelta(tool_call_index=0, arguments_delta='{"a":1}'),
        ToolCallStart(tool_call_index=1, tool_call_id="call_1", tool_name="g", id_synthesized=True),
        ToolCallEnd(tool_call_index=0, arguments={"a": 1}, arguments_raw='{"a":1}'),
        ToolCallEnd(tool_call_index=1, arguments={}, arguments_raw="{}"),
        UsageEvent(usage=Usage(input_tokens=1)),
        MessageStop(finish_reason=FinishReason.TOOL_CALLS, raw_finish_reason="tool_calls"),
    ]


def test_other_choices_are_dropped_with_one_warning(chunk):
    other = {"index": 1, "delta": {"content": "no"}, "finish_reason": "length"}
    chunks = [chunk({"content": "a"}), {"choices": [other, other]}, {"choices": [other]}]
    events = content_of(*chunks, chunk({}, "stop"))
    assert [e for e in events if not warning("extra_choices")(e)] == [text("a")]
    assert len(events) == 2


CALL = {"tool_calls": [{"index": 0, "id": "x", "function": {"name": "f", "arguments": "{}"}}]}


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", FinishReason.STOP),
        ("eos", FinishReason.STOP),
        ("end_turn", FinishReason.STOP),
        ("STOP", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("max_tokens", FinishReason.LENGTH),
        ("model_length", FinishReason.LENGTH),
        # Without a call there is nothing to run.
        ("tool_calls", FinishReason.STOP),
        ("function_call", FinishReason.STOP),
        ("content_filter", FinishReason.CONTENT_FILTER),
        ("what_is_this", FinishReason.UNKNOWN),
    ],
)
def test_finish_reasons(word, reason, chunk):
    last = play(chunk({"content": "a"}), chunk({}, word))[-1]
    assert last == MessageStop(finish_reason=reason, raw_finish_reason=word)


@pytest.mark.parametrize("word", ["stop", "other", "tool_calls"])
def test_a_call_makes_the_reason_tool_calls(word, chunk):
    assert play(chunk(CALL), chunk({}, word))[-1] == MessageStop(
        finish_reason=FinishReason.TOOL_CALLS, raw_finish_reason=word
    )


def test_tool_calls_without_text_and_call_is_a_pause(chunk):
    assert play(chunk({"reasoning": "r"}), chunk({}, "tool_calls"))[-1] == MessageStop(
        finish_reason=FinishReason.PAUSE, raw_finish_reason="tool_calls"
    )


@pytest.mark.parametrize("nothing", ["", "null", None])
def test_an_empty_finish_reason_counts_as_absent(nothing, chunk):
    chunks = [chunk({"content": c}, nothing) for c in "ab"]
    assert content_of(*chunks, chunk({}, "stop"), chunk({}, nothing)) == [text("a"), text("b")]


def test_the_first_reason_stays_and_late_text_is_kept(chunk):
    events = play(chunk({"content": "a"}, "length"), chunk({"content": "b"}, "stop"))
    assert events[1:] == [
        text("a"),
        text("b"),
        MessageStop(finish_reason=FinishReason.LENGTH, raw_finish_reason="length"),
    ]


def test_length_leaves_a_truncated_call_incomplete(chunk):
    half = {"tool_calls": [{"index": 0, "id": "x", "function": {"name": "f", "arguments": '{"'}}]}
    turn = fold(play(chunk(half), chunk({}, "length")))
    assert turn.status is Status.INCOMPLETE
    assert turn.finish_reason is FinishReason.LENGTH
    assert turn.tool_calls[0].arguments is None
    assert turn.tool_calls[0].arguments_raw == '{"'


def test_one_bad_call_keeps_the_rest_of_the_turn(chunk):
    bad = {"tool_calls": [{"index": 1, "id": "y", "function": {"name": "g", "arguments": "{{"}}]}
    usage = {"prompt_tokens": 1}
    events = play(chunk({"content": "a"}), chunk(CALL), chunk(bad), chunk({}, "stop", usage=usage))
    turn = fold(events)
    assert turn.error is not None
    assert turn.error.error_class is ErrorClass.INVALID_TOOL_ARGUMENTS
    assert turn.content == "a"
    assert [c.arguments for c in turn.tool_calls] == [{}, None]
    assert [type(e) for e in events[-3:]] == [ToolCallEnd, UsageEvent, ErrorEvent]


def test_done_without_a_reason(chunk):
    events = play(chunk({"content": "a"}))
    assert warning("finish_reason_missing")(events[-2])
    assert events[-1] == MessageStop(finish_reason=FinishReason.UNKNOWN)
    assert play(chunk(CALL))[-1] == MessageStop(finish_reason=FinishReason.TOOL_CALLS)


def failed(*chunks, **options):
    *before, last = play(*chunks, **options)
    assert isinstance(last, ErrorEvent)
    return before, last.error


def test_done_with_nothing_is_an_empty_response(chunk):
    assert failed()[1].error_class is ErrorClass.EMPTY_RESPONSE
    assert failed(chunk({"role": "assistant"}))[1].error_class is ErrorClass.EMPTY_RESPONSE
    assert (
        play(chunk({"role": "assistant"}), chunk({}, "content_filter"))[-1].type == "message_stop"
    )


def test_the_end_alone_is_not_a_finish_reason(chunk):
    before, error = failed(chunk({"content": "a\ud83d"}), end="eof")
    assert error.error_class is ErrorClass.TRUNCATED_STREAM
    assert before == [START, text("a")]
    assert failed(end="eof")[1].error_class is ErrorClass.EMPTY_RESPONSE
    assert play(chunk({"content": "a"}, "stop"), end="eof") == [START, text("a"), STOP]


def test_an_uncertain_call_is_not_emitted_when_the_stream_breaks(chunk):
    late = {"tool_calls": [{"index": 0, "id": "x", "function": {"name": "f"}}]}
    assert failed(chunk(late), end="eof")[0] == [START]


def test_lost(chunk):
    lost = failure(ErrorClass.CONNECTION_LOST, "gone")
    stream = ChatStream(request_id="r")
    stream.chunk(chunk({"content": "a"}, usage={"prompt_tokens": 1}))
    usage, last = stream.lost(lost)
    assert usage == UsageEvent(usage=Usage(input_tokens=1))
    assert last.error.error_class is ErrorClass.CONNECTION_LOST
    assert last.error.request_id == "r"
    assert stream.lost(lost) == []
    stream = ChatStream()
    stream.chunk(chunk({"content": "a"}, "stop"))
    assert stream.lost(lost) == [STOP]


@pytest.mark.parametrize(
    ("value", "error_class"),
    [
        ({"error": {"message": "m", "type": "server_error"}}, ErrorClass.SERVER_ERROR),
        ({"error": "boom", "id": "c9"}, ErrorClass.STREAM_ERROR),
        ({"error": {"code": 502, "message": "m"}, "choices": []}, ErrorClass.SERVER_ERROR),
        ({"object": "error", "message": "m", "code": 400}, ErrorClass.INVALID_REQUEST),
        ({"error_type": "x", "error_message": "m"}, ErrorClass.STREAM_ERROR),
        ([{"error": {"code": 429}}], ErrorClass.RATE_LIMIT),
        ([], ErrorClass.PROTOCOL),
        ("text", ErrorClass.PROTOCOL),
        ({"choices": [{"error": {"code": 429, "message": "m"}}]}, ErrorClass.RATE_LIMIT),
        ({"choices": [{"delta": {}, "finish_reason": "error"}]}, ErrorClass.STREAM_ERROR),
        (
            {"choices": [{"finish_reason": "insufficient_system_resource"}]},
            ErrorClass.OVERLOADED,
        ),
    ],
)
def test_errors_inside_end_the_turn_at_once_even_after_a_reason(value, error_class, chunk):
    for before in ([], [chunk({"content": "a"})], [chunk({"content": "a"}, "length")]):
        events, error = failed(*before, value)
        assert error.error_class is error_class
        assert events == ([START, text("a")] if before else [])


def test_an_error_chunk_keeps_its_text_and_usage():
    choice = {"index": 0, "delta": {"content": "last"}, "finish_reason": "error"}
    value = {
        "id": "c1",
        "error": {"code": 502, "message": "upstream"},
        "choices": [choice],
        "usage": {"prompt_tokens": 1},
    }
    events, error = failed(value)
    assert events == [
        MessageStart(response_id="c1"),
        text("last"),
        UsageEvent(usage=Usage(input_tokens=1)),
    ]
    assert error.message == "upstream"


def test_groq_usage_and_request_id(chunk):
    first = chunk({"role": "assistant"}, x_groq={"id": "req_1"})
    last = chunk({}, "stop", x_groq={"usage": {"prompt_tokens": 4}}, usage={"prompt_tokens": 5})
    assert content_of(first, chunk({"content": "a"}), last) == [
        text("a"),
        UsageEvent(usage=Usage(input_tokens=5)),
    ]
    assert failed(first, {"error": "x"})[1].request_id == "req_1"
    _, error = failed(first, chunk({}, x_groq={"error": "over capacity"}))
    assert (error.message, error.request_id) == ("over capacity", "req_1")


def test_no_secret_in_errors():
    _, error = failed({"error": {"message": "bad key sk-12345"}}, secrets=("sk-12345",))
    assert error.message == "bad key [redacted]"
