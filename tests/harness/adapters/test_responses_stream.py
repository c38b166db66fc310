import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.answer_body import AnswerBody
from harness.adapters.failures import failure
from harness.adapters.responses_stream import ResponsesStream
from harness.adapters.surrogates import mend
from harness.codec import to_json
from harness.fold import fold
from harness.model import (
    Citation,
    ContentDelta,
    ErrorClass,
    ErrorEvent,
    FinishReason,
    HostedToolEvent,
    MessageStart,
    MessageStop,
    ReasoningDelta,
    ReasoningOmitted,
    ReasoningPart,
    ReasoningSignature,
    RefusalDelta,
    TextPart,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageEvent,
    WarningEvent,
)
from mockserver import store
from mockserver.schedule import from_response
from mockserver.sse import decode

START = MessageStart(response_id="r1", model="m1")
STOP = MessageStop(finish_reason=FinishReason.STOP, raw_finish_reason="completed")
CALLED = MessageStop(finish_reason=FinishReason.TOOL_CALLS, raw_finish_reason="completed")
CREATED = {"type": "response.created", "response": {"id": "r1", "model": "m1"}}


def event(name, **fields):
    return {"type": f"response.{name}", **fields}


def added(index, **item):
    return event("output_item.added", output_index=index, item=item)


def finished(index, **item):
    return event("output_item.done", output_index=index, item=item)


def text(delta, index=0, part=0, **more):
    fields = {"output_index": index, "content_index": part, "delta": delta, **more}
    return event("output_text.delta", **fields)


def args(delta, index=0):
    return event("function_call_arguments.delta", output_index=index, delta=delta)


def completed(output=(), **response):
    return event("completed", response={"id": "r1", "output": list(output), **response})


def message(*texts):
    content = [{"type": "output_text", "text": t, "annotations": []} for t in texts]
    return {"type": "message", "role": "assistant", "content": content}


def call(arguments="", call_id="c1", name="f", **more):
    fields = {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
    return {**fields, **more}


def read(*values, created=True, **options):
    """Feed JSON values and end; the events without native, which must be all that was fed."""
    stream = ResponsesStream(**options)
    values = [CREATED, *values] if created else values
    events, fed = [], []
    for value in values:
        if not stream.closed and isinstance(value, dict) and "type" in value:
            fed.append(json.loads(mend(json.dumps(value, ensure_ascii=False))))
        events += stream.chunk(value)
    events += stream.ended()
    assert stream.closed
    assert stream.chunk(text("late")) == []
    assert [n for e in events for n in e.native] == fed
    return [bare(e) for e in events]


def bare(event):
    return replace(event, native=())


def error_of(*values, **options):
    *before, last = read(*values, **options)
    assert isinstance(last, ErrorEvent)
    return before, last.error


def test_text_comes_once_however_often_it_is_told():
    events = read(
        event("in_progress", response={"id": "r1"}),
        added(0, type="message", id="m", content=[]),
        event("content_part.added", output_index=0, part={"type": "output_text", "text": ""}),
        text("Hel"),
        text("lo"),
        event("output_text.done", output_index=0, content_index=0, text="Hello"),
        event("content_part.done", output_index=0, part={"type": "output_text", "text": "Hello"}),
        finished(0, **message("Hello")),
        completed([message("Hello")], usage={"input_tokens": 3, "output_tokens": 0}),
    )
    assert events == [
        START,
        ContentDelta(delta="Hel", index=0),
        ContentDelta(delta="lo", index=0),
        UsageEvent(usage=Usage(input_tokens=3, output_tokens=0, total_tokens=3)),
        STOP,
    ]


WHOLE = ContentDelta(delta="Hello", index=0)


@pytest.mark.parametrize(
    "values",
    [
        [event("output_text.done", output_index=0, text="Hello"), completed()],
        [event("content_part.done", part={"type": "output_text", "text": "Hello"}), completed()],
        [finished(0, **message("Hello")), completed()],
        [event("output_item.done", item=message("Hello")), completed()],
        [completed([message("Hello")])],
        [added(0, type="message", content=[]), completed([message("Hello")])],
        # Ids rotate, and the output leaves an item out, so that positions shift.
        [
            added(0, type="reasoning", id="a"),
            finished(0, type="reasoning", id="b", summary=[{"text": ""}], encrypted_content="E"),
            added(1, type="message", id="c"),
            text("Hello", 1, item_id="d"),
            completed([{**message("Hello"), "id": "e"}]),
        ],
    ],
    ids=["text", "part", "item", "item-without-index", "output", "late", "rotating"],
)
def test_text_that_is_told_only_as_a_whole(values):
    events = [e for e in read(*values) if not isinstance(e, ReasoningSignature)]
    assert events == [START, WHOLE, STOP]


def test_what_is_missing_of_a_whole_text_is_said():
    events = read(
        text("Hel"),
        event("output_text.done", output_index=0, text="Hello"),
        finished(0, **message("Hello, you")),
        completed([message("another story")]),
    )
    assert [e.delta for e in events[1:-1]] == ["Hel", "lo", ", you"]


def test_deltas_without_any_place_belong_together():
    bare_text = [event("output_text.delta", delta=piece) for piece in ("Hel", "lo")]
    assert [(e.delta, e.index) for e in read(*bare_text, completed())[1:-1]] == [
        ("Hel", 0),
        ("lo", 0),
    ]


def test_a_summary_part_that_is_told_only_as_a_whole():
    parts = [{"type": "summary_text", "text": t} for t in ("One", "Two")]
    done = [
        event("reasoning_summary_part.done", output_index=0, summary_index=n, part=part)
        for n, part in enumerate(parts)
    ]
    assert read(added(0, type="reasoning", summary=[]), *done, completed())[1:-1] == [
        ReasoningDelta(delta="One", channel="summary", index=0),
        ReasoningDelta(delta="Two", channel="summary", index=1),
    ]


def test_parts_and_messages_are_numbered_through():
    events = read(
        added(0, type="message"),
        text("a"),
        text("b", part=1),
        finished(0, **message("a", "b")),
        added(1, type="message"),
        text("c", 1),
        completed(),
    )
    assert [(e.delta, e.index) for e in events[1:-1]] == [("a", 0), ("b", 1), ("c", 2)]
    assert fold(events).parts == (TextPart(text="a"), TextPart(text="b"), TextPart(text="c"))


@pytest.mark.parametrize(
    ("start", "end", "phase"),
    [
        ({"phase": "commentary"}, {"phase": "commentary"}, "commentary"),
        ({"phase": "commentary"}, {"phase": "final_answer"}, "commentary"),
        ({"phase": None}, {"phase": None}, None),
        ({}, {"phase": "final_answer"}, "final_answer"),
    ],
)
def test_the_phase_of_a_message_is_kept(start, end, phase):
    events = read(
        added(0, type="message", content=[], **start),
        *([text("a")] if start else ()),
        finished(0, **message("a"), **end),
        completed(),
    )
    assert fold(events).parts == (TextPart(text="a", phase=phase),)


def test_items_that_all_stand_at_index_0():
    events = read(
        added(0, type="reasoning", id="r"),
        event("reasoning_text.delta", output_index=0, delta="why"),
        added(0, type="message", id="m"),
        text("a"),
        finished(0, **call("{}", call_id="c1")),
        finished(0, **call("{}", call_id="c2")),
        finished(0, **call("{}", call_id="c2")),
        completed(),
    )
    turn = fold(events)
    assert (turn.reasoning, turn.content) == ("why", "a")
    assert [c.id for c in turn.tool_calls] == ["c1", "c2"]


def test_refusal_reasoning_and_sources():
    source = {"type": "url_citation", "url": "https://x.test", "title": "X", "start_index": 0}
    events = read(
        event("reasoning_summary_part.added", output_index=0, summary_index=0),
        event("reasoning_summary_text.delta", output_index=0, summary_index=0, delta="One"),
        event("reasoning_summary_text.done", output_index=0, summary_index=0, text="One"),
        event("reasoning_summary_text.delta", output_index=0, summary_index=1, delta="Two"),
        event("reasoning_text.delta", output_index=0, content_index=0, delta="raw"),
        finished(0, type="reasoning", summary=[{"type": "summary_text", "text": "One"}]),
        event("refusal.delta", output_index=1, delta="No"),
        event("refusal.done", output_index=1, refusal="Nope"),
        text("t", 1, 1),
        event("output_text.annotation.added", output_index=1, content_index=1, annotation=source),
        finished(
            1,
            type="message",
            content=[
                {"type": "refusal", "refusal": "Nope"},
                {
                    "type": "output_text",
                    "text": "t",
                    "annotations": [source, {"type": "file_citation", "filename": "a.txt"}],
                },
            ],
        ),
        completed(),
    )
    assert events == [
        START,
        ReasoningDelta(delta="One", channel="summary", index=0),
        ReasoningDelta(delta="Two", channel="summary", index=1),
        ReasoningDelta(delta="raw", channel="text", index=2),
        RefusalDelta(delta="No", index=0),
        RefusalDelta(delta="pe", index=0),
        ContentDelta(delta="t", index=0),
        Citation(url="https://x.test", title="X", start=0, index=0),
        Citation(title="a.txt", index=0),
        STOP,
    ]


def test_the_encrypted_content_of_the_finished_item_wins():
    events = read(
        added(0, type="reasoning", encrypted_content="early"),
        event("reasoning_summary_text.delta", output_index=0, summary_index=0, delta="s"),
        finished(0, type="reasoning", summary=[], encrypted_content="late"),
        completed(),
    )
    assert events[2] == ReasoningSignature(encrypted_content="late", index=0)
    assert fold(events).parts == (
        ReasoningPart(text="s", channel="summary", encrypted_content="late"),
    )


def test_encrypted_content_of_an_item_that_never_finished():
    events = read(added(0, type="reasoning", encrypted_content="early"), completed())
    assert events[1:-1] == [ReasoningSignature(encrypted_content="early", index=0)]
    told = {"type": "reasoning", "encrypted_content": "told"}
    events = read(added(0, type="reasoning", encrypted_content="early"), completed([told]))
    assert events[1:-1] == [ReasoningSignature(encrypted_content="told", index=0)]


def test_reasoning_without_a_word():
    events = read(finished(0, type="reasoning", summary=[]), completed())
    assert events == [START, ReasoningOmitted(), STOP]


def test_hidden_reasoning_that_ends_late_keeps_its_place():
    events = read(
        added(0, type="reasoning", encrypted_content="early"),
        added(1, **call()),
        finished(1, **call("{}")),
        finished(0, type="reasoning", summary=[], encrypted_content="late"),
        completed(),
    )
    assert [type(e) for e in events[1:3]] == [ReasoningSignature, ToolCallStart]
    reasoning, tool = fold(events).parts
    assert (reasoning.encrypted_content, tool.id) == ("late", "c1")


def test_calls_by_call_id_in_order():
    events = read(
        added(0, **call(id="fc_1")),
        args('{"x":'),
        added(1, **call(call_id="c2", name="g", id="fc_2")),
        args("{}", 1),
        args("1}"),
        event("function_call_arguments.done", output_index=0, arguments='{"x":1}'),
        finished(1, **call("{}", call_id="c2", name="g")),
        finished(0, **call('{"x":1}')),
        completed(),
    )
    assert events == [
        START,
        ToolCallStart(tool_call_index=0, tool_call_id="c1", tool_name="f"),
        ToolCallDelta(tool_call_index=0, arguments_delta='{"x":'),
        ToolCallStart(tool_call_index=1, tool_call_id="c2", tool_name="g"),
        ToolCallDelta(tool_call_index=1, arguments_delta="{}"),
        ToolCallDelta(tool_call_index=0, arguments_delta="1}"),
        ToolCallEnd(tool_call_index=1, arguments={}, arguments_raw="{}"),
        ToolCallEnd(tool_call_index=0, arguments={"x": 1}, arguments_raw='{"x":1}'),
        CALLED,
    ]


@pytest.mark.parametrize(
    ("values", "raw", "arguments"),
    [
        ([added(0, **call()), finished(0, **call('{"x":1}'))], '{"x":1}', {"x": 1}),
        ([finished(0, **call({"x": 1}))], '{"x":1}', {"x": 1}),
        ([added(0, **call()), args('{"x":1}')], '{"x":1}', {"x": 1}),
        ([added(0, **call()), args('{"x":1}'), finished(0, **call())], '{"x":1}', {"x": 1}),
        ([added(0, **call()), args('{"x": 1}'), finished(0, **call('{"x":1}'))], '{"x": 1}', None),
        ([finished(0, **call(""))], "{}", {}),
        ([added(0, **call())], "{}", {}),
        ([finished(0, **call("null"))], "{}", {}),
    ],
    ids=["done-only", "object", "never-done", "empty-done", "spacing", "empty", "bare", "null"],
)
def test_the_arguments_of_one_call(values, raw, arguments):
    events = read(*values, completed())
    assert events[-1] == CALLED
    assert not any(isinstance(e, WarningEvent) for e in events)
    assert fold(events).tool_calls[0].arguments_raw == raw
    assert fold(events).tool_calls[0].arguments == (arguments or {"x": 1} if raw != "{}" else {})


def test_calls_left_open_are_settled_in_the_order_of_the_output():
    events = read(added(1, **call(call_id="b")), added(0, **call(call_id="a")), completed())
    ends = [e.tool_call_index for e in events if isinstance(e, ToolCallEnd)]
    starts = {e.tool_call_id: e.tool_call_index for e in events if isinstance(e, ToolCallStart)}
    assert ends == [starts["a"], starts["b"]] == [1, 0]


def test_whole_arguments_that_contradict_the_deltas_come_too_late():
    events = read(added(0, **call()), args('{"x":1}'), finished(0, **call('{"x":2}')), completed())
    assert [e.code for e in events if isinstance(e, WarningEvent)] == ["arguments_differ"]
    assert fold(events).tool_calls[0].arguments == {"x": 1}


def test_ids_and_names_that_come_late_or_never():
    events = read(
        added(0, type="function_call", id="fc_1", name="f"),
        args("{"),
        finished(0, **call("{}", call_id="late")),
        finished(1, type="function_call", id="fc_2", name="g", arguments="{}"),
        finished(2, type="function_call", name="h", arguments="{}"),
        finished(3, **call("{}", call_id="late")),
        completed(),
        taken_ids={"call_2"},
    )
    starts = [e for e in events if isinstance(e, ToolCallStart)]
    assert [(s.tool_call_id, s.id_synthesized) for s in starts] == [
        ("late", False),
        ("call_1", True),
        ("call_3", True),
        ("call_4", True),
    ]


def test_bad_arguments_fail_the_turn_after_the_good_calls():
    events, error = error_of(
        finished(0, **call('{"x":')),
        finished(1, **call("{}", call_id="c2")),
        completed(usage={"output_tokens": 7}),
    )
    assert (error.error_class, error.retryable) == (ErrorClass.INVALID_TOOL_ARGUMENTS, False)
    assert '{"x":' in error.message
    assert isinstance(events[-2], ToolCallEnd)
    assert events[-1] == UsageEvent(usage=Usage(output_tokens=7))
    _, error = error_of(finished(0, **call("{}", name="")), completed())
    assert error.error_class is ErrorClass.PROTOCOL


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("max_output_tokens", FinishReason.LENGTH),
        ("content_filter", FinishReason.CONTENT_FILTER),
        ("new_reason", FinishReason.LENGTH),
    ],
)
def test_incomplete_is_no_error(reason, finish):
    events = read(
        text("a"),
        added(1, **call()),
        args('{"x":', 1),
        finished(1, **call('{"x":', status="incomplete")),
        event("incomplete", response={"incomplete_details": {"reason": reason}}),
    )
    assert events[-1] == MessageStop(finish_reason=finish, raw_finish_reason=reason)
    assert fold(events).tool_calls[0].arguments is None


def test_a_custom_tool_takes_free_text():
    item = {"type": "custom_tool_call", "call_id": "c1", "name": "patch"}
    events = read(
        added(0, **item, input=""),
        event("custom_tool_call_input.delta", output_index=0, delta='say "hi'),
        event("custom_tool_call_input.delta", output_index=0, delta='"\n'),
        event("custom_tool_call_input.done", output_index=0, input='say "hi"\n'),
        finished(0, **item, input='say "hi"\n'),
        finished(1, **{**item, "call_id": "c2"}, input=""),
        completed(),
    )
    turn = fold(events)
    assert [c.arguments for c in turn.tool_calls] == [{"input": 'say "hi"\n'}, {"input": ""}]
    said = "".join(e.arguments_delta for e in events if isinstance(e, ToolCallDelta))
    assert said == "".join(c.arguments_raw for c in turn.tool_calls)
    cut = read(added(0, **item), event("incomplete", response={}))
    assert fold(cut).tool_calls[0].arguments is None


def test_hosted_tools_and_unknown_things():
    search = {"type": "web_search_call", "id": "ws", "status": "in_progress"}
    events = read(
        {"type": "codex.rate_limits", "plan": "pro"},
        added(0, **search),
        event("web_search_call.searching", output_index=0),
        finished(0, **{**search, "status": "completed"}),
        added(1, type="compaction", encrypted_content="no reasoning"),
        event("new_thing", output_index=1, delta="?"),
        finished(1, type="compaction", encrypted_content="no reasoning"),
        finished(2, type="message", content=[{"type": "new_part", "text": "?"}]),
        text("a", 3),
        added(4, type="mcp_call", status="calling"),
        completed([{"type": "new_item"}]),
    )
    assert events == [
        START,
        HostedToolEvent(kind="web_search", status="completed"),
        ContentDelta(delta="a", index=0),
        HostedToolEvent(kind="mcp", status="calling"),
        STOP,
    ]


@pytest.mark.parametrize(
    ("last", "stop"),
    [
        (event("done", response={"status": "completed"}), STOP),
        (event("done", response={"id": "r1"}), STOP),
        (event("done"), STOP),
        (completed(usage=None), STOP),
        (event("completed", response={"output": None}), STOP),
        (
            event("done", response={"status": "incomplete"}),
            MessageStop(finish_reason=FinishReason.LENGTH, raw_finish_reason="incomplete"),
        ),
    ],
)
def test_forms_of_the_end(last, stop):
    assert read(text("a"), last) == [START, ContentDelta(delta="a", index=0), stop]


FAILED = {"code": "rate_limit_exceeded", "message": "Slow down. Please try again in 11.054s."}


@pytest.mark.parametrize(
    "value",
    [
        {"type": "error", "error": {"type": "tokens", "param": None, **FAILED}},
        {"type": "error", "param": None, "sequence_number": 3, **FAILED},
        event("failed", response={"status": "failed", "error": FAILED}),
        event("done", response={"status": "failed", "error": FAILED}),
        event("completed", response={"error": FAILED}),
        {"error": FAILED},
    ],
    ids=["nested", "flat", "failed", "done", "completed", "bare"],
)
def test_errors_in_the_stream(value):
    again = event("failed", response={"error": FAILED})
    before, error = error_of(text("a"), value, again, completed(), request_id="req_1")
    assert before == [START, ContentDelta(delta="a", index=0)]
    assert (error.error_class, error.code) == (ErrorClass.RATE_LIMIT, "rate_limit_exceeded")
    assert (error.retry_after, error.request_id) == (11.054, "req_1")


@pytest.mark.parametrize(
    ("value", "error_class"),
    [
        (event("failed", response={"error": None}), ErrorClass.STREAM_ERROR),
        (event("failed"), ErrorClass.STREAM_ERROR),
        (event("cancelled", response={}), ErrorClass.CANCELLED),
        (event("done", response={"status": "cancelled"}), ErrorClass.CANCELLED),
        (event("done", response={"status": "queued"}), ErrorClass.PROTOCOL),
        ([1], ErrorClass.PROTOCOL),
    ],
)
def test_other_failures(value, error_class):
    _, error = error_of(value)
    assert error.error_class is error_class
    assert error.message


def test_usage_of_a_failed_response_is_kept():
    before, _ = error_of(
        event("failed", response={"error": FAILED, "usage": {"input_tokens": 5}}), created=False
    )
    assert before == [UsageEvent(usage=Usage(input_tokens=5))]


def test_ends_without_a_terminal_event():
    _, error = error_of(text("a"))
    assert error.error_class is ErrorClass.TRUNCATED_STREAM
    _, error = error_of(created=False)
    assert error.error_class is ErrorClass.EMPTY_RESPONSE
    stream = ResponsesStream()
    stream.chunk(text("a"))
    lost = failure(ErrorClass.CONNECTION_LOST, "gone")
    assert stream.lost(lost) == [ErrorEvent(error=lost)]


def test_the_start_waits_for_an_id_or_for_content():
    item = event("output_item.done", item=message("a"))
    events = read(event("queued"), item, completed(), created=False)
    assert events[0] == MessageStart()
    assert read(completed(), created=False) == [MessageStart(response_id="r1"), STOP]


def test_a_whole_response_instead_of_a_stream():
    whole = {
        "id": "r1",
        "object": "response",
        "model": "m1",
        "status": "completed",
        "error": None,
        "output": [message("a"), call("{}")],
        "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    }
    events = ResponsesStream().chunk(whole)
    assert [type(e) for e in events[:2]] == [MessageStart, ContentDelta]
    assert events[-1] == CALLED
    (error,) = ResponsesStream().chunk({**whole, "status": "failed", "error": FAILED})[-1:]
    assert error.error.error_class is ErrorClass.RATE_LIMIT


def test_surrogate_halves_never_leave():
    events = read(text("a\ud83d"), text("\ude00"), text("\ud83d"), completed())
    assert [e.delta for e in events[1:-1]] == ["a", "😀", "\ufffd"]
    events = read(added(0, **call()), args('{"x":"\ud83d'), args('"}'), completed())
    assert fold(events).tool_calls[0].arguments == {"x": "\ufffd"}


def test_native_events_hold_no_halves_either():
    stream = ResponsesStream()
    native = [n for d in ("a\ud83d", "\ude00") for e in stream.chunk(text(d)) for n in e.native]
    assert [n["delta"] for n in native] == ["a\ufffd", "\ufffd"]


def test_an_error_without_a_type_is_no_native_event():
    (event,) = ResponsesStream().chunk({"error": {"message": "no"}})
    assert event.native == ()


def test_the_last_sequence_number_is_known():
    stream = ResponsesStream()
    stream.chunk({**CREATED, "sequence_number": 0})
    stream.chunk(text("a", sequence_number=4))
    stream.chunk(text("b"))
    assert stream.sequence_number == 4


# --- bytes ------------------------------------------------------------------------------


def over(data, size):
    body = AnswerBody(ResponsesStream())
    events = [e for at in range(0, len(data), size) for e in body.feed(data[at : at + size])]
    return events if body.closed else [*events, *body.end()]


def stream_of(*values, form="data: {}\n\n"):
    return "".join(form.replace("{}", json.dumps(v, ensure_ascii=False)) for v in values).encode()


@pytest.mark.parametrize(
    "form",
    [
        "event: x\ndata: {}\n\n",
        "data: {}\nevent: x\n\n",
        "data:{}\n\n",
        ": keep-alive\n\ndata: {}\n\n",
        "data: {}\r\n\r\n",
        "\n\ndata: {}\n\n\n",
    ],
)
@pytest.mark.parametrize("tail", [b"", b"data: [DONE]\n\n"])
def test_framing_changes_nothing(form, tail):
    values = [CREATED, text("line\u2028end"), completed()]
    events = over(stream_of(*values, form=form) + tail, 10**6)
    assert [bare(e) for e in events] == [
        START,
        ContentDelta(delta="line\u2028end", index=0),
        STOP,
    ]
    assert [n for e in events for n in e.native] == values


def test_done_without_a_terminal_event():
    events = over(stream_of(CREATED, text("a")) + b"data: [DONE]\n\n", 10**6)
    assert bare(events[-1]) == MessageStop(finish_reason=FinishReason.UNKNOWN)
    assert events[-2].code == "finish_reason_missing"
    events = over(stream_of(CREATED) + b"data: [DONE]\n\n", 10**6)
    assert events[-1].error.error_class is ErrorClass.EMPTY_RESPONSE


def test_broken_events_and_foreign_bodies():
    last = over(stream_of(CREATED, text("a")) + b"data: {nope}\n\n", 10**6)[-1]
    assert last.error.error_class is ErrorClass.PROTOCOL
    last = over(b'{"object":"chat.completion","choices":[]}', 10**6)[-1]
    assert last.error.error_class is ErrorClass.PROTOCOL
    assert "Responses" in last.error.message
    last = over(b'{"error":{"message":"no such path"}}', 10**6)[-1]
    assert last.error.error_class is ErrorClass.INVALID_REQUEST


@given(st.integers(1, 40))
def test_the_size_of_reads_changes_nothing(size):
    data = stream_of(
        CREATED,
        text("é🎉"),
        added(1, **call()),
        args('{"q":"ü"}', 1),
        finished(1, **call('{"q":"ü"}')),
        completed(usage={"input_tokens": 1}),
        form="event: x\r\ndata: {}\r\n\r\n",
    )
    assert over(data, size) == over(data, len(data))


def test_real_recordings_say_what_they_are_known_to_say(recordings):
    index = json.loads((recordings / "index.json").read_text(encoding="utf-8"))
    known = [i for i in index["interactions"] if i["dialect"] == "openai-responses"]
    known = [i for i in known if i["status"] == 200]
    assert known
    for entry in known:
        interaction = store.load(recordings / entry["file"]).interactions[entry["interaction"]]
        data = from_response(interaction.response).decoded().body
        events = over(data, 1000)
        turn, told = fold(events), entry["expected"]
        assert (turn.content, turn.reasoning) == (told["text"], told["reasoning"]), entry["id"]
        assert turn.refusal == told["refusal"], entry["id"]
        assert [
            {"id": c.id, "name": c.name, "arguments": c.arguments_raw} for c in turn.tool_calls
        ] == told["tool_calls"], entry["id"]
        assert str(turn.status) == told["finish_reason"], entry["id"]
        usage = to_json(turn.usage)
        assert {k: usage[k] for k in ("input_tokens", "output_tokens", "total_tokens")} == {
            k: told["usage"][k] for k in ("input_tokens", "output_tokens", "total_tokens")
        }, entry["id"]
        if entry["transport"] == "sse":
            wire = [json.loads(b.data) for b in decode(data) if b.data and b.data != "[DONE]"]
            assert [n for e in events for n in e.native] == wire, entry["id"]
