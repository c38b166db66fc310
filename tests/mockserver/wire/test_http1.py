from __future__ import annotations

import pytest

from mockserver.wire.http1 import WHOLE_LIMIT, Delivery, Message
from mockserver.wire.schedule import Coding, Ending
from tests.mockserver.rawhttp import exchange


def message(*pieces: bytes, **options) -> Message:
    return exchange(*pieces, **options).message


def test_chunked_is_one_chunk_per_piece() -> None:
    whole = message(b"ab", b"x" * 26, headers=(("A", "1"), ("a", "2"))).whole(Delivery.PERSISTENT)
    assert whole == (
        b"HTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\ntransfer-encoding: chunked\r\n\r\n"
        b"2\r\nab\r\n1a\r\n" + b"x" * 26 + b"\r\n0\r\n\r\n"
    )


def test_a_length_is_the_bodys() -> None:
    whole = message(b"abc", coding=Coding.LENGTH).whole(Delivery.PERSISTENT)
    assert whole == b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc"


@pytest.mark.parametrize(
    ("ending", "length"),
    [(Ending.FINISH, "3"), (Ending.TRUNCATE, "4"), (Ending.RESET, "4"), (Ending.STALL, "4")],
)
def test_an_interrupted_body_announces_more_than_it_has(ending: Ending, length: str) -> None:
    broken = message(b"abc", coding=Coding.LENGTH, ending=ending)
    assert broken.framing(Delivery.PERSISTENT) == (("content-length", length),)
    assert broken.closes(Delivery.PERSISTENT) is (ending is not Ending.FINISH)


@pytest.mark.parametrize("ending", [Ending.TRUNCATE, Ending.RESET, Ending.STALL])
def test_an_interrupted_chunked_body_has_no_last_chunk(ending: Ending) -> None:
    whole = message(b"abc", ending=ending).whole(Delivery.PERSISTENT)
    assert whole is not None
    assert whole.endswith(b"\r\n\r\n3\r\nabc\r\n")
    assert b"close" not in whole


def test_closing_delimits_and_is_announced() -> None:
    closing = message(b"abc", coding=Coding.CLOSE)
    whole = closing.whole(Delivery.PERSISTENT)
    assert whole == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc"
    assert closing.closes(Delivery.PERSISTENT)


def test_http_1_0_gets_no_chunks() -> None:
    old = message(b"abc", coding=Coding.CHUNKED)
    assert old.whole(Delivery.HTTP_1_0) == b"HTTP/1.0 200 OK\r\nconnection: close\r\n\r\nabc"
    assert old.closes(Delivery.HTTP_1_0)


@pytest.mark.parametrize(
    ("method", "status", "version", "keep_alive", "delivery"),
    [
        ("GET", 200, (1, 1), True, Delivery.PERSISTENT),
        ("GET", 200, (1, 1), False, Delivery.LAST),
        ("GET", 200, (1, 0), True, Delivery.HTTP_1_0),
        ("HEAD", 200, (1, 1), True, Delivery.BODILESS),
        ("GET", 204, (1, 1), True, Delivery.BODILESS),
        ("GET", 304, (1, 1), False, Delivery.BODILESS_LAST),
        ("HEAD", 200, (1, 0), True, Delivery.BODILESS_LAST),
    ],
)
def test_the_delivery_follows_from_request_and_status(
    method: str, status: int, version: tuple[int, int], keep_alive: bool, delivery: Delivery
) -> None:
    answer = message(b"abc", status=status)
    assert answer.delivery(method, version=version, keep_alive=keep_alive) is delivery


@pytest.mark.parametrize("coding", list(Coding))
def test_an_answer_without_body_ends_with_its_head(coding: Coding) -> None:
    answer = message(b"abc", status=204, coding=coding)
    assert answer.whole(Delivery.BODILESS) == b"HTTP/1.1 204 OK\r\n\r\n"
    assert not answer.closes(Delivery.BODILESS)


def test_pieces_without_chunks_and_large_bodies_are_sent_one_by_one() -> None:
    assert message(b"a", b"b", coding=Coding.LENGTH).whole(Delivery.PERSISTENT) is None
    assert message(b"a", b"b", coding=Coding.CHUNKED).whole(Delivery.HTTP_1_0) is None
    assert message(b"x" * (WHOLE_LIMIT + 1)).whole(Delivery.PERSISTENT) is None
    assert message(b"x" * WHOLE_LIMIT).whole(Delivery.PERSISTENT) is not None


def test_the_whole_is_prepared_once() -> None:
    answer = message(b"a", b"b")
    assert answer.whole(Delivery.PERSISTENT) is answer.whole(Delivery.PERSISTENT)


def test_an_empty_piece_does_not_end_a_chunked_body() -> None:
    whole = message(b"a", b"", b"b").whole(Delivery.PERSISTENT)
    assert whole is not None
    assert whole.endswith(b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n")


def test_header_values_keep_their_bytes_where_latin_1_can() -> None:
    assert b"x: \xe9\r\n" in message(headers=(("x", "é"),)).head(Delivery.PERSISTENT)
    assert "x: 猫\r\n".encode() in message(headers=(("x", "猫"),)).head(Delivery.PERSISTENT)
