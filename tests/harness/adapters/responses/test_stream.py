import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.common.answer_body import AnswerBody
from harness.adapters.common.failures import failure
from harness.adapters.responses.stream import ResponsesStream
from mockserver.library import library
from mockserver.vocabulary.codec import to_json
from mockserver.vocabulary.fold import fold
from mockserver.vocabulary.model import (
    ContentDelta,
    ErrorClass,
    ErrorEvent,
    FinishReason,
    HostedToolEvent,
    Image,
    MessageStart,
    MessageStop,
    Usage,
    UsageEvent,
)
from mockserver.wire.schedule import from_response
from mockserver.wire.sse import decode
from tests.harness.adapters.responses_events import (
    CALLED,
    CREATED,
    START,
    STOP,
    added,
    args,
    bare,
    call,
    completed,
    error_of,
    event,
    finished,
    message,
    read,
    text,
)


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
    some = completed([{"type": "new_item"}])
    assert read(some, created=False) == [MessageStart(response_id="r1"), STOP]


def test_neither_output_nor_usage_is_an_empty_response():
    events, error = error_of(completed(usage=None))
    assert events == [START]
    assert (error.error_class, error.retryable) == (ErrorClass.EMPTY_RESPONSE, True)
    counted = completed(usage={"output_tokens": 0})
    assert read(counted)[-1] == STOP


def test_images_and_plain_content():
    image = {"type": "image_generation_call", "status": "completed", "result": "iVBO"}
    assert read(
        finished(0, **image),
        finished(1, **image, output_format="webp"),
        finished(2, **{**message(), "content": ["a", {"text": "b"}]}),
        finished(3, **{**message(), "content": "c"}),
        completed(),
    ) == [
        START,
        HostedToolEvent(kind="image_generation", status="completed"),
        Image(url="data:image/png;base64,iVBO"),
        HostedToolEvent(kind="image_generation", status="completed"),
        Image(url="data:image/webp;base64,iVBO"),
        ContentDelta(delta="a", index=0),
        ContentDelta(delta="b", index=1),
        ContentDelta(delta="c", index=2),
        STOP,
    ]


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


def test_lone_surrogates_are_never_emitted():
    events = read(text("a\ud83d"), text("\ude00"), text("\ud83d"), completed())
    assert [e.delta for e in events[1:-1]] == ["a", "😀", "\ufffd"]
    events = read(added(0, **call()), args('{"x":"\ud83d'), args('"}'), completed())
    assert fold(events).tool_calls[0].arguments == {"x": "\ufffd"}


def test_native_events_have_no_surrogates_either():
    stream = ResponsesStream()
    native = [n for d in ("a\ud83d", "\ude00") for e in stream.chunk(text(d)) for n in e.native]
    assert [n["delta"] for n in native] == ["a\ufffd", "\ufffd"]


def test_an_error_without_a_type_is_not_a_native_event():
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


def test_broken_events_and_unexpected_bodies():
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


def test_real_recordings_have_their_expected_turns(recordings):
    index = json.loads((recordings / "index.json").read_text(encoding="utf-8"))
    known = [i for i in index["interactions"] if i["dialect"] == "openai-responses"]
    known = [i for i in known if i["status"] == 200]
    assert known
    for entry in known:
        interaction = library.load(recordings / entry["file"]).interactions[entry["interaction"]]
        data = from_response(interaction.response).decoded().body
        events = over(data, 1000)
        turn, known = fold(events), entry["expected"]
        assert (turn.content, turn.reasoning) == (known["text"], known["reasoning"]), entry["id"]
        assert turn.refusal == known["refusal"], entry["id"]
        assert [
            {"id": c.id, "name": c.name, "arguments": c.arguments_raw} for c in turn.tool_calls
        ] == known["tool_calls"], entry["id"]
        assert str(turn.status) == known["finish_reason"], entry["id"]
        usage = to_json(turn.usage)
        assert {k: usage[k] for k in ("input_tokens", "output_tokens", "total_tokens")} == {
            k: known["usage"][k] for k in ("input_tokens", "output_tokens", "total_tokens")
        }, entry["id"]
        if entry["transport"] == "sse":
            wire = [json.loads(b.data) for b in decode(data) if b.data and b.data != "[DONE]"]
            assert [n for e in events for n in e.native] == wire, entry["id"]


def part_delta(**fields):
    return event("content_part.delta", output_index=0, content_index=0, **fields)


@pytest.mark.parametrize(
    "delta",
    [
        part_delta(delta="Hi"),
        part_delta(delta={"text": "Hi"}),
        part_delta(delta={"type": "text", "text": "Hi"}),
        part_delta(part={"type": "output_text", "text": "Hi"}),
    ],
)
def test_a_delta_of_a_part_has_text(delta):
    assert read(delta, completed()) == [START, ContentDelta(delta="Hi", index=0), STOP]


@pytest.mark.parametrize("delta", [None, 3, [], {}, {"text": 3}, {"type": "audio", "text": "Hi"}])
def test_a_delta_of_a_part_without_text_is_skipped(delta):
    last = completed([{"type": "new_item"}])
    assert read(part_delta(delta=delta), last) == [START, STOP]


def test_deltas_that_come_under_two_names_are_emitted_once():
    events = read(part_delta(delta="a"), text("a"), part_delta(delta="b"), text("b"), completed())
    assert [e.delta for e in events if isinstance(e, ContentDelta)] == ["a", "b"]


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ({"output": [message("Hi")]}, FinishReason.STOP),
        ({"status": None, "output": [message("Hi")]}, FinishReason.STOP),
        ({"output": [call("{}")]}, FinishReason.TOOL_CALLS),
        (
            {"output": [], "incomplete_details": {"reason": "content_filter"}},
            FinishReason.CONTENT_FILTER,
        ),
        ({"output": []}, None),
        ({"status": "lost", "output": []}, None),
    ],
)
def test_a_whole_response_without_a_status_ends_as_its_output_says(response, reason):
    turn = fold(ResponsesStream().chunk(response))
    assert (turn.finish_reason, turn.error is None) == (reason, reason is not None)


def test_usage_beside_the_response():
    last = {**completed(usage=None), "usage": {"input_tokens": 5}}
    assert UsageEvent(usage=Usage(input_tokens=5)) in read(text("a"), last)
