import pytest

from harness.adapters.chat.stream import ChatStream
from harness.adapters.common.failures import failure
from mockserver.vocabulary.fold import fold
from mockserver.vocabulary.model import (
    Citation,
    ContentDelta,
    ErrorClass,
    ErrorEvent,
    FinishReason,
    Image,
    MessageStart,
    MessageStop,
    ReasoningDelta,
    ReasoningPart,
    ReasoningSignature,
    RefusalDelta,
    SendBack,
    Status,
    TextPart,
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


CONTENT = {
    "reasoning_content": ([{"reasoning_content": "r", "content": None}], [thought("r")]),
    "reasoning": ([{"reasoning": "r"}], [thought("r")]),
    "both": ([{"reasoning": "r", "reasoning_content": "r"}], [thought("r")]),
    "nulls": ([{"reasoning_content": None, "reasoning": "r"}], [thought("r")]),
    "openrouter": (
        [
            {
                "reasoning": "r",
                "reasoning_details": [{"type": "reasoning.text", "text": "r", "index": 0}],
            },
            {"reasoning_details": [{"type": "reasoning.text", "signature": "s", "index": 0}]},
        ],
        [thought("r"), ReasoningSignature(signature="s")],
    ),
    "openrouter, hidden": (
        [
            {
                "reasoning": "r",
                "reasoning_details": [
                    {"type": "reasoning.summary", "summary": "r"},
                    {"type": "reasoning.encrypted", "data": "e"},
                    {"type": "reasoning.new", "text": "n"},
                ],
            }
        ],
        [thought("r", "summary"), ReasoningSignature(encrypted_content="e")],
    ),
    "litellm": (
        [
            {
                "thinking_blocks": [{"type": "thinking", "thinking": "r", "signature": ""}],
                "reasoning_content": "r",
            },
            {"thinking_blocks": [{"type": "thinking", "thinking": "", "signature": "s"}]},
            {"thinking_blocks": [{"type": "redacted_thinking", "data": "d"}]},
        ],
        [thought("r"), ReasoningSignature(signature="s"), ReasoningSignature(redacted_data="d")],
    ),
    "litellm, one block as an object": (
        [{"thinking_blocks": {"type": "thinking", "thinking": "r", "signature": "s"}}],
        [thought("r"), ReasoningSignature(signature="s")],
    ),
    "signature beside plain reasoning": (
        [{"thinking_blocks": [{"thinking": "", "signature": "s"}], "reasoning_content": "r"}],
        [thought("r"), ReasoningSignature(signature="s")],
    ),
    "mistral": (
        [
            {"content": ""},
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "r"}]}]},
            {"content": [{"type": "text", "text": "a"}]},
            {"content": [{"type": "reference", "reference_ids": [1]}]},
            {"content": "b"},
        ],
        [
            thought("r"),
            text("a"),
            Citation(native=({"type": "reference", "reference_ids": [1]},)),
            text("b"),
        ],
    ),
    "refusal": (
        [{"content": "", "refusal": None}, {"refusal": "I "}, {"refusal": "can't"}],
        [RefusalDelta(delta="I "), RefusalDelta(delta="can't")],
    ),
    "together": ([{"token_id": 1, "content": "a"}], [text("a")]),
    "citations": (
        [
            {"content": "a"},
            {
                "annotations": [
                    {
                        "type": "url_citation",
                        "url_citation": {
                            "url": "u",
                            "title": "t",
                            "start_index": 0,
                            "end_index": 1,
                        },
                    },
                    {"type": "file_citation"},
                ]
            },
        ],
        [text("a"), Citation(url="u", title="t", start=0, end=1)],
    ),
    "surrogates": ([{"content": "a\ud83d"}, {"content": "\ude00b"}], [text("a"), text("😀b")]),
    "surrogates across kinds": (
        [{"content": "\ud83d"}, {"reasoning": "r"}, {"content": "\ude00"}],
        [thought("r"), text("😀")],
    ),
    "a half left over": ([{"content": "a\ud83d"}], [text("a"), text("\ufffd")]),
    "a half left over in a refusal": ([{"refusal": "\ud83d"}], [RefusalDelta(delta="\ufffd")]),
}


@pytest.mark.parametrize(("deltas", "expected"), CONTENT.values(), ids=CONTENT)
def test_content(deltas, expected, chunk):
    assert content_of(*map(chunk, deltas), chunk({}, "stop")) == expected


def test_repeated_citations_are_emitted_once(chunk):
    cite = {"annotations": [{"type": "url_citation", "url_citation": {"url": "u"}}]}
    assert content_of(chunk(cite), chunk(cite), chunk({}, "stop")) == [Citation(url="u")]


def test_signed_blocks_stay_apart_in_the_turn(chunk):
    blocks = [{"thinking": t, "signature": s} for t, s in (("a", "1"), ("b", "2"))]
    message = {"content": "ok", "reasoning_content": "ab", "thinking_blocks": blocks}
    body = {"id": "c1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    assert fold(play(body)).parts == (
        ReasoningPart(text="a", channel="text", signature="1"),
        ReasoningPart(text="b", channel="text", signature="2"),
        TextPart(text="ok"),
    )


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


def _call(n, call_id):
    return {"index": n, "id": call_id, "function": {"name": "f", "arguments": "{}"}}


def _message(message):
    return {"id": "c1", "choices": [{"message": message, "finish_reason": "stop"}]}


def test_a_message_after_deltas_repeats_them(chunk):
    deltas = [chunk({"content": "a", "reasoning_content": "r"}), chunk({"content": "b"})]
    whole = _message({"content": "ab", "reasoning_content": "r", "refusal": "no"})
    assert content_of(*deltas, whole) == [
        thought("r"),
        text("a"),
        text("b"),
        RefusalDelta(delta="no"),
    ]


def test_a_message_repeats_the_calls_of_deltas_or_brings_its_own(chunk):
    whole = _message({"tool_calls": [_call(0, "x"), _call(1, "y")]})
    after_call = fold(play(chunk({"tool_calls": [_call(5, "x")]}), whole))
    assert [call.id for call in after_call.tool_calls] == ["x"]
    after_text = fold(play(chunk({"content": "a", "tool_calls": []}), whole))
    assert [call.id for call in after_text.tool_calls] == ["x", "y"]
    legacy = chunk({"function_call": {"name": "f", "arguments": "{}"}})
    again = _message({"function_call": {"name": "f", "arguments": "{}"}})
    assert len(fold(play(legacy, again)).tool_calls) == 1


def test_a_whole_answer_may_be_split_over_choices():
    nameless = {"function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"content": "a"},
        {"tool_calls": [_call(0, "x"), nameless]},
        {"tool_calls": [nameless], "function_call": nameless["function"]},
        {"function_call": nameless["function"]},
        {"function_call": nameless["function"]},
        {"content": "b"},
    ]
    choices = [{"message": m, "finish_reason": "stop"} for m in messages]
    turn = fold(play({"choices": choices}))
    assert turn.content == "ab"
    assert [call.id_synthesized for call in turn.tool_calls] == [False, True, True, True, True]
    assert turn.finish_reason is FinishReason.TOOL_CALLS


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (["plain ", "string"], [text("plain "), text("string")]),
        ([{"text": "d"}], [text("d")]),
        ({"text": "d"}, [text("d")]),
        ([{"type": "output_text", "text": "d"}, {"type": "sound", "text": "x"}], [text("d")]),
        ([{"type": "refusal", "refusal": "no"}], [RefusalDelta(delta="no")]),
        ([{"type": "image_url", "image_url": {"url": "u"}}], [Image(url="u")]),
        ([{"type": "output_image", "image_url": "u"}], [Image(url="u")]),
        ([None, 5, [], {"text": None}], []),
    ],
)
def test_forms_of_content(content, expected, chunk):
    assert content_of(chunk({"content": content}), chunk({}, "stop")) == expected
    whole = _message({"content": content})
    assert content_of(whole) == expected


def test_images_come_once(chunk):
    url = "data:image/png;base64,iVBO"
    image = {"type": "image_url", "image_url": {"url": url}}
    chunks = [chunk({"content": "a", "images": [image]}), chunk({"images": [image, "x", {}]})]
    again = _message({"content": "a", "images": [image]})
    assert content_of(*chunks, again) == [text("a"), Image(url=url)]
    assert content_of(_message({"images": [{"b64_json": "iVBO"}]})) == [Image(url=url)]


def test_what_must_be_sent_back(chunk):
    google = {"google": {"thought_signature": "s"}}
    litellm = {"thought_signatures": ["s"], "other": 1}
    assert content_of(
        chunk({"content": "a"}),
        chunk({"extra_content": google}),
        chunk({"provider_specific_fields": litellm, "thoughtSignature": "t"}, "stop"),
        _message({"content": "a", "extra_content": google}),
    ) == [
        text("a"),
        SendBack(fields={"extra_content": google}),
        SendBack(
            fields={
                "thoughtSignature": "t",
                "provider_specific_fields": {"thought_signatures": ["s"]},
            }
        ),
    ]


def test_another_answer_in_the_middle(chunk):
    first = chunk({"role": "assistant", "content": "a"})
    again = chunk({"role": "assistant", "content": "a b"})
    other = {**again, "id": "c2", "model": "m2"}
    events, error = failed(first, other)
    assert events == [START, text("a")]
    assert (error.error_class, error.retryable) == (ErrorClass.STREAM_ERROR, True)
    assert "m2" in error.message
    *_, warned, _text, _stop = play(first, {**again, "id": "c2"}, chunk({}, "stop"))
    assert warning("answer_restarted")(warned)
    for same in (again, {**again, "model": "m2"}, {**chunk({"content": "b"}), "id": "c2"}):
        assert play(first, same, chunk({}, "stop"))[0] == START
    assert play(first, chunk({}, "stop"), other)[-1] == STOP


def test_usage_alone_is_an_empty_response(chunk):
    usage = {"id": "", "choices": [], "usage": {"prompt_tokens": 5}}
    error = play(usage, end="eof")[-1].error
    assert error.error_class is ErrorClass.EMPTY_RESPONSE
    error = play(chunk({"role": "assistant"}), usage, end="eof")[-1].error
    assert error.error_class is ErrorClass.TRUNCATED_STREAM
