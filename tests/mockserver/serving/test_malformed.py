"""Malformed requests: each gets an error or a closed connection, and the server goes on.

``tests/fuzzing.py`` says how many are tried.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver import MockServer
from tests.fuzzing import fuzzed
from tests.mockserver.rawhttp import CHAT, cassette, connect, interaction

#: Pieces of requests, right and wrong.
PIECES = [
    b"GET ",
    b"POST ",
    b"PRI * HTTP/2.0\r\n\r\n",
    b"\x16\x03\x01",
    b"/v1/chat/completions",
    b"/s/x/../y?%zz&a=%00",
    b"/c/tape/~eol=no/x",
    b" HTTP/1.1\r\n",
    b" HTTP/9.9\r\n",
    b"host: [::1]\r\n",
    b"host: evil.example\r\n",
    b"origin: null\r\n",
    b"content-length: 5\r\n",
    b"content-length: -1\r\n",
    b"content-length: 99999999999999999999\r\n",
    b"transfer-encoding: chunked\r\n",
    b"content-encoding: gzip\r\n",
    b"expect: 100-continue\r\n",
    b"connection: upgrade\r\nupgrade: websocket\r\n",
    b"x: " + b"y" * 9000 + b"\r\n",
    b"\r\n",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"zz\r\n",
    b"\x00\xff\xfe",
]


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer() as running:
        yield running


@fuzzed
@given(
    st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), min_size=1, max_size=12),
    st.booleans(),
)
def test_fuzzed_requests_leave_the_server_going(
    server: MockServer, pieces: list[bytes], half_close: bool
) -> None:
    with connect(server.url) as sock:
        sock.settimeout(0.02)
        try:
            sock.sendall(b"".join(pieces))
            if half_close:
                sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
        except OSError:
            pass


def test_it_answers_as_before(server: MockServer) -> None:
    assert httpx.get(f"{server.url}/__tapecheck/health", trust_env=False).json()["status"] == "ok"
    with server.session(cassette(interaction(b"{}"))) as session:
        assert httpx.post(session.url + CHAT, trust_env=False).content == b"{}"
