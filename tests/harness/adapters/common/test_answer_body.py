import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.chat.stream import ChatStream
from harness.adapters.common.answer_body import AnswerBody
from harness.adapters.common.failures import failure
from mockserver.vocabulary.model import (
    ContentDelta,
    ErrorClass,
    ErrorEvent,
    FinishReason,
    MessageStart,
    MessageStop,
    WarningEvent,
)

START = MessageStart(response_id="c1", model="m1")
A = ContentDelta(delta="a")
STOP = MessageStop(finish_reason=FinishReason.STOP, raw_finish_reason="stop")
LOST = failure(ErrorClass.CONNECTION_LOST, "gone")


def once(pieces, lost=False):
    body = AnswerBody(ChatStream(), content_type="text/x-test")
    events = []
    for piece in pieces:
        events += body.feed(piece)
    events += body.lost(LOST) if lost else body.end()
    assert body.closed
    assert body.feed(b'data: {"error":"late"}\n\n') == []
    return events


def read(data, lost=False):
    """The events of a body, the same whether it comes whole or byte by byte."""
    events = once([data], lost)
    assert once([data[i : i + 1] for i in range(len(data))], lost) == events
    return events


def error_of(data, **how):
    *before, last = read(data, **how)
    assert isinstance(last, ErrorEvent)
    return before, last.error


def test_a_stream(chunk, sse):
    data = sse(chunk({"content": "a"}), chunk({}, "stop"), "[DONE]", chunk({"content": "no"}))
    assert read(data) == [START, A, STOP]


def test_forms_of_framing(chunk, sse):
    data = sse(chunk({"content": "a"}), chunk({}, "stop"), "[DONE]")
    for other in (
        data.replace(b"\n", b"\r\n"),
        data.replace(b"\n", b"\r"),
        data.replace(b"data: ", b"data:"),
        b"\xef\xbb\xbf" + data,
        data.replace(b"data: {", b": ping\n\nevent: x\nid: 7\nretry: 9\nfoo: bar\ndata: {"),
        b"event: ping\n\ndata:\n\ndata:   \n\n" + data,
        b"data: : wait\n\nevent: ping\ndata: 12:01\n\n" + data,
        data.replace(b"data: [DONE]", b"event: heartbeat\ndata: 7\n\ndata: [DONE]"),
        data.replace(b"data: [DONE]\n\n", b"event: ping\ndata: cut"),
        b"event: ping\n" + data,
        data.replace(b"data: [DONE]", b"event: ping\ndata: [DONE]"),
        data.rstrip(b"\n"),
        data.replace(b"data: [DONE]\n\n", b""),
        data.replace(b'"choices"', b'\ndata: "choices"'),
    ):
        assert read(other) == [START, A, STOP]


def test_separators_inside_text_are_text(sse, chunk):
    odd = "a\u2028b\u2029c\x85d"
    assert read(sse(chunk({"content": odd}, "stop")))[1] == ContentDelta(delta=odd)


def test_bytes_that_are_not_utf8(sse, chunk):
    data = sse(chunk({"content": "X"}), chunk({"content": "X"}, "stop")).replace(b"X", b"\xff")
    events = read(data)
    assert [e.delta for e in events if isinstance(e, ContentDelta)] == ["\ufffd", "\ufffd"]
    assert [e.code for e in events if isinstance(e, WarningEvent)] == ["invalid_utf8"]
    whole = {"id": "c1", "choices": [{"message": {"content": "X"}, "finish_reason": "stop"}]}
    events = read(json.dumps(whole).encode().replace(b"X", b"\xff"))
    assert [e.code for e in events if isinstance(e, WarningEvent)] == ["invalid_utf8"]


@pytest.mark.parametrize(
    ("rest", "error_class", "message"),
    [
        (b'data: {"error":{"message":"m","type":"server_error"}}\n\n', "server_error", "m"),
        (b'event: error\ndata: {"error":{"code":"tool_use_failed"}}\n\n', None, None),
        (b"event: error\ndata: it broke\n\n", "stream_error", "it broke"),
        (b'event: error\ndata: {"message":"odd"}\n\n', "stream_error", "odd"),
        (b'error: {"code":400,"message":"context size exceeded"}\n\n', "context_length", None),
        (b"error: gone\n\n", "stream_error", "gone"),
        (b'{\n"error": {\n"message": "m",\n"code": 503}\n}\n\n', "overloaded", "m"),
        (b'{\n"error": {\n"message": "m",\n"code": 503}\n}', "overloaded", "m"),
        (b'{"error":"m"}', "stream_error", "m"),
        (b"data: {oops}\n\n", "protocol", None),
        (b"data: : x\ndata: {}\n\n", "protocol", None),
        (b"event: x\ndata: ping\n\n", "protocol", None),
        (b'event: ping\ndata: {"error":"m"}\n\n', "stream_error", "m"),
        (b"data: [1]\n\n", "protocol", None),
        (b"data: NULL\n\n", "protocol", None),
    ],
)
def test_errors_inside_the_stream_win_over_what_follows(rest, error_class, message, sse, chunk):
    data = sse(chunk({"content": "a"}, "stop")) + rest
    for tail in (b"", b"data: [DONE]\n\n"):
        if tail and not rest.endswith(b"\n\n"):
            continue
        before, error = error_of(data + tail)
        assert before == [START, A]
        assert error.error_class == (error_class or "invalid_tool_arguments")
        if message:
            assert error.message == message


def test_keepalives_alone_are_no_answer():
    assert error_of(b"data: :\n\nevent: ping\ndata: x\n\n")[1].error_class == "empty_response"
    assert error_of(b"event: ping\ndata: x")[1].error_class == "empty_response"


def test_error_field_in_the_place_of_an_answer():
    before, error = error_of(
        b'error: {"code":400,"message":"the context size"}\n\ndata: [DONE]\n\n'
    )
    assert (before, error.error_class) == ([], ErrorClass.INVALID_REQUEST)
    assert error_of(b"error: unfinished")[1].message == "unfinished"


@pytest.mark.parametrize(
    "cut", ["", "d", "data", 'data: {"id":"c1","cho', "data: [DO", 'data: {"id":"c1"}', "{", ": x"]
)
def test_a_stream_that_ends_too_early(cut, sse, chunk):
    before, error = error_of(sse(chunk({"content": "a"})) + cut.encode())
    assert (before, error.error_class) == ([START, A], ErrorClass.TRUNCATED_STREAM)
    before, error = error_of(sse(chunk({"content": "a"})) + cut.encode(), lost=True)
    assert (before, error.error_class) == ([START, A], ErrorClass.CONNECTION_LOST)
    whole = sse(chunk({"content": "a"}, "stop")) + cut.encode()
    assert read(whole) == read(whole, lost=True) == [START, A, STOP]


def test_the_last_chunk_counts_without_its_blank_line(sse, chunk):
    data = sse(chunk({"content": "a"}, "stop")).rstrip(b"\n")
    assert read(data) == read(data, lost=True) == [START, A, STOP]


def test_a_split_inside_a_character_gives_no_warning(sse, chunk):
    data = sse(chunk({"content": "a"})) + sse(chunk({"content": "é"})).partition(b"\xa9")[0]
    before, error = error_of(data)
    assert (before, error.error_class) == ([START, A], ErrorClass.TRUNCATED_STREAM)


@pytest.mark.parametrize(
    "nothing", [b"", b"\n\n", b": ping\n\n: ping\n\n", b"event: x\n\ndata:\n\n"]
)
def test_no_event_at_all(nothing):
    assert error_of(nothing)[1].error_class is ErrorClass.EMPTY_RESPONSE
    assert error_of(nothing, lost=True)[1].error_class is ErrorClass.CONNECTION_LOST


def test_done_alone(sse):
    assert error_of(sse("[DONE]"))[1].error_class is ErrorClass.EMPTY_RESPONSE


WHOLE = {
    "id": "c1",
    "object": "chat.completion",
    "model": "m1",
    "choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}],
}


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(WHOLE).encode(),
        json.dumps(WHOLE, indent=2).encode() + b"\n",
        b"\n\n\n" + json.dumps(WHOLE).encode(),
        b"\xef\xbb\xbf" + json.dumps(WHOLE).encode(),
        json.dumps(WHOLE, indent=2).replace("\n", "\r\n\r\n").encode(),
        json.dumps(WHOLE).encode() + b"\ndata: [DONE]\n\n",
        json.dumps(WHOLE).encode() + b"data: [DONE]",
        json.dumps(WHOLE, indent=2).encode() + b"\n\ndata: [DONE]",
        b"data: " + json.dumps(WHOLE).encode() + b"\n\n",
    ],
)
def test_a_whole_answer_as_json(data):
    assert read(data) == [START, A, STOP]


def test_a_whole_answer_without_a_reason_is_complete():
    odd = {**WHOLE, "choices": [{"message": {"content": "a"}, "finish_reason": ""}]}
    events = read(json.dumps(odd).encode())
    assert events[-1] == MessageStop(finish_reason=FinishReason.UNKNOWN)


def test_every_truncation_of_a_json_answer_fails():
    data = json.dumps(WHOLE).encode()
    for n in range(1, len(data)):
        assert error_of(data[:n])[1].error_class is ErrorClass.TRUNCATED_STREAM
        assert error_of(data[:n], lost=True)[1].error_class is ErrorClass.CONNECTION_LOST


@pytest.mark.parametrize(
    ("data", "error_class"),
    [
        (b'{"error":"Unexpected endpoint or method. (POST /x)"}', ErrorClass.INVALID_REQUEST),
        (b'{"error":{"message":"m","code":429}}', ErrorClass.RATE_LIMIT),
        (b'[{"error":{"code":400,"message":"m"}}]', ErrorClass.INVALID_REQUEST),
        (b'{"object":"error","message":"m","type":"server_error"}', ErrorClass.SERVER_ERROR),
        (b'{"choices":[]}', ErrorClass.EMPTY_RESPONSE),
        (b'{"hello":1}', ErrorClass.PROTOCOL),
        (b"[]", ErrorClass.PROTOCOL),
        (b"{oops}", ErrorClass.PROTOCOL),
        (b"404 page not found", ErrorClass.PROTOCOL),
        (b"<html>\n<title>Log in: x</title>\n</html>", ErrorClass.PROTOCOL),
    ],
)
def test_status_200_with_something_else(data, error_class):
    before, error = error_of(data)
    assert (before, error.error_class) == ([], error_class)
    if error_class is ErrorClass.PROTOCOL:
        assert "text/x-test" in error.message
        assert "<" not in error.message


def test_chunks_without_their_field_among_others(sse, chunk):
    bare = json.dumps(chunk({"content": "a"})).encode() + b"\n\n"
    events = read(sse(chunk({"content": "a"})) + bare + bare + sse(chunk({}, "stop")))
    assert events == [START, A, A, A, STOP]


def test_a_line_of_a_megabyte(sse, chunk):
    data = sse(chunk({"content": "x" * 2**20}, "stop"))
    pieces = [data[i : i + 1000] for i in range(0, len(data), 1000)]
    assert once(pieces)[1] == ContentDelta(delta="x" * 2**20)


@given(data=st.data())
def test_splits_between_reads_do_not_matter(data, chunk, sse):
    call = {"index": 0, "id": "x", "function": {"name": "get_", "arguments": ""}}
    body = sse(
        chunk({"content": "é😀"}),
        chunk({"reasoning": "r", "content": "\u2028"}),
        chunk({"tool_calls": [call]}),
        chunk({"tool_calls": [{"index": 0, "function": {"name": "it", "arguments": '{"a"'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}),
        chunk({}, "stop", usage={"prompt_tokens": 1}),
        "[DONE]",
    )
    if data.draw(st.booleans()):
        body = body.replace(b"\n", b"\r\n")
    if data.draw(st.booleans()):
        body = body.replace(b"data: [DONE]", b'{"error":\n"x"}')
    cuts = sorted(data.draw(st.sets(st.integers(0, len(body)))))
    pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert once(pieces) == once([body])
