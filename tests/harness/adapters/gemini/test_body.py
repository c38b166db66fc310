"""A body says by its first byte which form it has."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.common.failures import failure
from harness.adapters.gemini.body import GeminiBody
from harness.adapters.gemini.stream import GeminiStream
from mockserver.vocabulary import AssistantTurn, ErrorClass, Event, WarningEvent, fold

ONE = {"candidates": [{"content": {"parts": [{"text": 'a"]🎉'}]}}]}
TWO = {"candidates": [{"content": {"parts": [{"text": "b"}]}, "finishReason": "STOP"}]}
ARRAY = f"[{json.dumps(ONE, indent=2)},\r\n{json.dumps(TWO, ensure_ascii=False)}\n]".encode()
EVENTS = f"data: {json.dumps(ONE)}\r\n\r\ndata: {json.dumps(TWO)}\r\n\r\n".encode()
LOST = failure(ErrorClass.CONNECTION_LOST, "gone")


def read(*pieces: bytes) -> list[Event]:
    body = GeminiBody(GeminiStream(), content_type="application/json")
    found = [event for piece in pieces for event in body.feed(piece)]
    return [*found, *body.end()]


def turn(*pieces: bytes) -> AssistantTurn:
    return fold(read(*pieces))


def failed(*pieces: bytes) -> ErrorClass:
    error = turn(*pieces).error
    assert error is not None
    return error.error_class


@pytest.mark.parametrize("form", [ARRAY, EVENTS, json.dumps({**ONE, **TWO}).encode()])
@given(data=st.data())
def test_every_form_is_read_wherever_it_is_cut(form: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(form)), max_size=6)))
    pieces = [form[a:b] for a, b in zip([0, *cuts], [*cuts, len(form)], strict=True)]
    assert turn(*pieces) == turn(form)
    assert turn(*pieces).error is None
    assert turn(b"\xef\xbb\xbf \r\n", *pieces) == turn(form)


def test_an_element_is_handed_out_when_it_is_there() -> None:
    body = GeminiBody(GeminiStream())
    first = ARRAY.index(b",\r\n")
    assert body.feed(ARRAY[: first - 1]) == []
    assert [e.type for e in body.feed(ARRAY[first - 1 : first])] == [
        "message_start",
        "content_delta",
    ]
    assert not body.closed


@pytest.mark.parametrize(
    ("body", "error_class"),
    [
        (b"", ErrorClass.EMPTY_RESPONSE),
        (b" \n", ErrorClass.EMPTY_RESPONSE),
        (b"[]", ErrorClass.EMPTY_RESPONSE),
        (b"[", ErrorClass.EMPTY_RESPONSE),
        (ARRAY[:40], ErrorClass.TRUNCATED_STREAM),
        (ARRAY[: ARRAY.index(b",\r\n")] + b"]", ErrorClass.TRUNCATED_STREAM),
        (ARRAY[: ARRAY.index(b",\r\n")] + b"}", ErrorClass.PROTOCOL),
        (b"[{nil}]", ErrorClass.PROTOCOL),
        (b"[7]", ErrorClass.PROTOCOL),
        (b"[" + b"[" * 100_000, ErrorClass.TRUNCATED_STREAM),
        (b"[" * 100_000 + b"]" * 100_000, ErrorClass.PROTOCOL),
        (b"<html>", ErrorClass.PROTOCOL),
    ],
)
def test_bodies_that_are_no_answer(body: bytes, error_class: ErrorClass) -> None:
    assert failed(body) is error_class


def test_the_end_of_the_array_may_be_missing_behind_the_finish_word() -> None:
    assert turn(ARRAY[:-2]).error is None


def test_bytes_that_are_not_utf8_have_a_warning() -> None:
    body = json.dumps([ONE, TWO], ensure_ascii=False).encode().replace(b"\x9f", b"\xff")
    found = read(body)
    assert [e.code for e in found if isinstance(e, WarningEvent)] == ["invalid_utf8"]
    assert fold(found).error is None
    assert not [
        e
        for e in read(json.dumps([{**TWO, "x": "\ufffd"}], ensure_ascii=False).encode())
        if isinstance(e, WarningEvent)
    ]


@pytest.mark.parametrize("begun", [b"", ARRAY[:30], EVENTS[:30]])
def test_a_lost_connection(begun: bytes) -> None:
    body = GeminiBody(GeminiStream())
    found: list[Any] = [*body.feed(begun), *body.lost(LOST)]
    assert fold(found).error == LOST
    assert body.closed


def test_a_secret_is_not_shown() -> None:
    body = GeminiBody(GeminiStream(secrets=("k-123456",)))
    error = fold([*body.feed(b'[{"k-123456"}]')]).error
    assert error is not None
    assert "[redacted]" in error.message
