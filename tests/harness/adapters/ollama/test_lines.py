"""Bytes of NDJSON become values, split anywhere."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.ollama.lines import LinesBody
from harness.adapters.ollama.stream import OllamaStream
from mockserver.vocabulary import (
    AssistantTurn,
    ErrorClass,
    ErrorInfo,
    Event,
    WarningEvent,
    fold,
)

A = '{"model":"m","message":{"content":"aé🎉"},"done":false}'
END = '{"model":"m","message":{"content":""},"done":true,"done_reason":"stop"}'
LOST = ErrorInfo(error_class=ErrorClass.CONNECTION_LOST, message="gone", retryable=True)


def events_of(*pieces: bytes, lost: bool = False) -> list[Event]:
    body = LinesBody(OllamaStream(secrets=["sk-secret"]), content_type="text/x")
    events = [event for piece in pieces for event in body.feed(piece)]
    if not body.closed:
        events += body.lost(LOST) if lost else body.end()
    assert body.closed
    return events


def turn_of(text: str, **more: bool) -> AssistantTurn:
    return fold(events_of(text.encode(), **more))


def error_of(text: str, **more: bool) -> ErrorInfo:
    error = turn_of(text, **more).error
    assert error is not None
    return error


@pytest.mark.parametrize(
    "text",
    [
        f"{A}\n{END}\n",
        f"{A}\n{END}",
        f"{A}\r\n{END}\r\n",
        f"\n{A}\n\n \n{END}\n\n",
        f" {A} \r\n\t{END}",
    ],
)
def test_line_ends_and_blank_lines(text: str) -> None:
    turn = turn_of(text)
    assert (turn.content, turn.raw_finish_reason, turn.error) == ("aé🎉", "stop", None)


@given(st.lists(st.integers(0, 200), max_size=6), st.booleans())
def test_any_split_gives_the_same(cuts: list[int], crlf: bool) -> None:
    data = f"{A}\n\n{A}\n{END}\n".replace("\n", "\r\n" if crlf else "\n").encode()
    ends = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    pieces = [data[a:b] for a, b in pairwise(ends)]
    assert events_of(*pieces) == events_of(data)


def test_each_byte_alone() -> None:
    data = f"{A}\n{END}\n".encode()
    assert events_of(*(bytes([byte]) for byte in data)) == events_of(data)


def test_events_come_with_their_line() -> None:
    body = LinesBody(OllamaStream())
    assert body.feed(A.encode()) == []
    assert len(body.feed(b"\n")) == 2
    assert not body.closed
    assert body.feed(f"{END}\n{A}\n".encode())[-1].type == "message_stop"
    assert body.closed


@pytest.mark.parametrize(
    ("rest", "error_class"),
    [
        ("", ErrorClass.TRUNCATED_STREAM),
        (A[:-3], ErrorClass.TRUNCATED_STREAM),
        (END[:-1], ErrorClass.TRUNCATED_STREAM),
        ("upstream failed", ErrorClass.PROTOCOL),
        ("[1]", ErrorClass.PROTOCOL),
        ("upstream failed\n", ErrorClass.PROTOCOL),
    ],
)
def test_a_body_that_ends_too_early(rest: str, error_class: ErrorClass) -> None:
    turn = turn_of(f"{A}\n{rest}")
    assert turn.error is not None
    assert (turn.content, turn.error.error_class) == ("aé🎉", error_class)


def test_a_connection_that_breaks() -> None:
    assert error_of(f"{A}\n", lost=True).error_class is ErrorClass.CONNECTION_LOST
    assert error_of(f"{A}\n{END[:-1]}", lost=True).error_class is ErrorClass.CONNECTION_LOST
    assert turn_of(f"{A}\n{END}", lost=True).error is None
    assert error_of("", lost=True).error_class is ErrorClass.CONNECTION_LOST


def test_what_is_no_json_is_named() -> None:
    html = error_of("<html>\n<head><title>Bad\nthing</title></head>\n</html>")
    assert html.error_class is ErrorClass.PROTOCOL
    assert html.message == "the answer (text/x) is not Ollama JSON: Bad thing"
    line = error_of(f"{A}\nno key sk-secret\n{A}\n")
    assert line.message == "a line is not Ollama JSON: no key [redacted]"
    last = error_of(f"{A}\nwords")
    assert last.message == "a line is not Ollama JSON: words"


def test_one_value_over_several_lines() -> None:
    whole = json.dumps(json.loads(END) | {"message": {"content": "a"}}, indent=2)
    assert turn_of(whole).content == "a"
    assert turn_of(whole + "\n").content == "a"
    assert error_of(whole[:-2]).error_class is ErrorClass.TRUNCATED_STREAM
    assert error_of(whole[:-2], lost=True).error_class is ErrorClass.CONNECTION_LOST


def test_a_body_without_anything() -> None:
    for text in ("", "\n", " \r\n "):
        assert error_of(text).error_class is ErrorClass.EMPTY_RESPONSE
    assert LinesBody(OllamaStream()).end()[-1].type == "error"


def test_bytes_that_are_not_utf8() -> None:
    events = events_of(f"{A}\n".encode().replace("é".encode(), b"\xff"), END.encode())
    assert fold(events).content == "a\ufffd🎉"
    assert [e.code for e in events if isinstance(e, WarningEvent)] == ["invalid_utf8"]


@pytest.mark.parametrize("value", ["[" * 99999, "1" * 9999, '{"a":' * 9999])
def test_values_that_are_too_much(value: str) -> None:
    assert error_of(f"{A}\n{value}\n").error_class is ErrorClass.PROTOCOL


@given(st.binary(max_size=80))
def test_any_bytes_end_with_one_event(data: bytes) -> None:
    events = events_of(data)
    assert [e.type for e in events].count("error") + (events[-1].type == "message_stop") == 1
