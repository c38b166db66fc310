from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mockserver.cassettes.cassette import Chunk, End, Interaction, Request, Wire
from mockserver.serving.verify import Seen, fetch, verify_cassette
from mockserver.wire import http1
from mockserver.wire.http1 import Delivery, Message
from mockserver.wire.schedule import Ending, Send
from tests.mockserver.rawhttp import cassette, interaction, request

SSE = "text/event-stream"
BODY = "data: a\n\ndata: 🎉\n\n".encode()


def stream(*sizes: int, end: End = End.EOF) -> Interaction:
    wire = Wire(chunks=tuple(Chunk(0, s) for s in sizes), end=end, end_ms=1)
    return interaction(BODY, content_type=SSE, wire=wire)


@pytest.fixture(params=[1, 65536], ids=["a byte at a time", "at once"])
def receive(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take so many bytes at a time from the socket."""
    monkeypatch.setattr("mockserver.serving.verify._RECEIVE", request.param)


@pytest.mark.usefixtures("receive")
@pytest.mark.parametrize("end", list(End))
@pytest.mark.parametrize(
    "sizes", [(len(BODY),), (9, 8, 4), (1,) * len(BODY)], ids=["one", "in emoji", "bytes"]
)
def test_correct_cassettes_verify(sizes: tuple[int, ...], end: End) -> None:
    assert sum(sizes) == len(BODY)
    assert verify_cassette(cassette(stream(*sizes, end=end), stream(*sizes))) == []


@pytest.mark.parametrize("end", list(End))
@pytest.mark.parametrize("body", [b"{}", b""])
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_with_a_length_and_empty_ones_verify(chunked: bool, body: bytes, end: End) -> None:
    chunks = tuple(Chunk(0, len(body)) for _ in body[:1]) if chunked else None
    assert verify_cassette(cassette(interaction(body, wire=Wire(end=end, chunks=chunks)))) == []


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304), ("DELETE", 500)]
)
def test_answers_of_every_kind_verify(method: str, status: int) -> None:
    base = interaction(b"" if status == 204 else b"{}", method=method, path="/a b/ü?q=ü&r=%20")
    answer = replace(base.response, status=status, reason="", headers=(("A", "1"), ("a", "2")))
    assert verify_cassette(cassette(replace(base, response=answer))) == []


@pytest.mark.parametrize("method", ["post", "Post", "get", "head", "delete"])
def test_a_method_in_lower_case_verifies(method: str) -> None:
    """Google's SDK, recorded by vcrpy, leaves ``post``; every server wants ``POST``."""
    assert verify_cassette(cassette(interaction(BODY, content_type=SSE, method=method))) == []


def test_a_long_head_verifies() -> None:
    base = interaction(b"{}")
    headers = (*base.response.headers, ("x-policy", "a" * 200_000))
    assert (
        verify_cassette(cassette(replace(base, response=replace(base.response, headers=headers))))
        == []
    )


def test_blanks_around_a_header_are_no_part_of_it() -> None:
    base = interaction(b"{}")
    answer = replace(base.response, headers=(("x-a", " 1\t"), ("x-b", "")))
    assert verify_cassette(cassette(replace(base, response=answer))) == []


def spoil_frame(self: Message, send: Send, delivery: Delivery) -> bytes:
    return b"%x\r\n%b\r\n" % (len(send.data), send.data.upper())


def split_frame(self: Message, send: Send, delivery: Delivery) -> bytes:
    a, b = send.data[:1], send.data[1:]
    return b"1\r\n%b\r\n%x\r\n%b\r\n" % (a, len(b), b)


@pytest.mark.parametrize(
    ("name", "replacement", "message"),
    [
        ("frame", spoil_frame, "body differs from byte 0 on (21 bytes instead of 21)"),
        ("frame", split_frame, "sent in 4 chunks instead of the recorded 2"),
        ("tail", lambda *_: b"", "ends with stall instead of finish"),
        ("framing", lambda *_: (), "headers differ in transfer-encoding"),
        ("head", lambda *_: b"HTTP/1.1 201 X\r\n\r\n", "status 201 'X' instead of 200 'OK'"),
        ("head", lambda *_: b"nonsense\r\n\r\n", "not a readable response: illegal status line"),
        ("head", lambda *_: b"HTTP/1.1 100 OK\r\n\r\n", "not a readable response: begins with"),
    ],
)
def test_every_difference_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str, replacement, message: str
) -> None:
    tape = cassette(stream(9, 12), path=Path("dir/tape.yaml"))
    monkeypatch.setattr(http1.Message, name, replacement)
    # Without a tail, the reader waits for bytes that never come.
    monkeypatch.setattr("mockserver.serving.verify._TIMEOUT", 0.1)
    problems = [str(p) for p in verify_cassette(tape)]
    assert any(message in p for p in problems), problems
    assert all(p.startswith("dir/tape.yaml: interaction 0: ") for p in problems)


@contextmanager
def scripted(answer: bytes) -> Iterator[str]:
    """Run a server that sends ``answer`` to any request and closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"


@pytest.mark.usefixtures("receive")
@pytest.mark.parametrize(
    ("answer", "pieces", "ending"),
    [
        (CHUNKED + b"1\r\na\r\na\r\n0123456789\r\n0\r\n\r\n", (b"a", b"0123456789"), "finish"),
        (CHUNKED + b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", (b"a", b"bc"), "finish"),
        (CHUNKED + b"3\r\nab", (b"ab",), "truncate"),
        (CHUNKED + b"3\r\nabc", (b"abc",), "truncate"),
        (CHUNKED + b"3\r\nabc\r\n5", (b"abc",), "truncate"),
        (CHUNKED + b"3\r\nabc\r\n", (b"abc",), "truncate"),
        (CHUNKED + b"3\r\nabc\r\n0\r\n", (b"abc",), "truncate"),
        (CHUNKED, (), "truncate"),
        (OK + b"content-length: 3\r\n\r\nabc", (b"abc",), "finish"),
        (OK + b"content-length: 3\r\n\r\nab", (b"ab",), "truncate"),
        (OK + b"content-length: 0\r\n\r\n", (), "finish"),
        (OK + b"x: 1\r\n\r\nabc", (b"abc",), "finish"),
        (b"HTTP/1.1 204 \r\n\r\n", (), "finish"),
    ],
)
def test_the_reader_knows_chunks_and_endings(
    answer: bytes, pieces: tuple[bytes, ...], ending: str
) -> None:
    with scripted(answer) as url:
        seen = fetch(url, request())
    assert (seen.pieces, seen.ending) == (pieces, Ending(ending))


def test_the_reader_keeps_headers_as_they_are() -> None:
    with scripted(OK + b"B: 1\r\na: \xe9\r\nB: 2 \r\ncontent-length: 0\r\n\r\n") as url:
        seen = fetch(url, Request(method="GET", uri="http://h"))
    assert seen == Seen(
        200,
        "OK",
        (("B", "1"), ("a", "é"), ("B", "2"), ("content-length", "0")),
        (),
        Ending.FINISH,
    )


@pytest.mark.usefixtures("receive")
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        OK,
        b"HTTP/2 200\r\n\r\n",
        OK + b"no colon\r\n\r\n",
        CHUNKED + b"XY\r\n",
        CHUNKED + b"1\r\nab\r\n",
        CHUNKED + b"0\r\nmore\r\n\r\n",
        CHUNKED + b"0\r\nmore: of it\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ],
)
def test_what_is_not_http_is_reported_so(answer: bytes) -> None:
    with scripted(answer) as url, pytest.raises(ValueError):
        fetch(url, request())
