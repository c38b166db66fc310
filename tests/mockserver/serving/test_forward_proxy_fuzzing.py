"""Whatever a client sends to a proxy, the next client is served."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver import MockServer
from mockserver.cassettes.writer import dump
from mockserver.serving.proxying import EveryHost
from tests.mockserver.rawhttp import cassette, connect, interaction

WORDS = st.sampled_from(
    [
        *(b"CONNECT ", b"GET ", b"POST ", b"http://", b"https://", b"a.test", b"a_b", b"[::1]"),
        *(b":", b":443", b":80", b":0", b":99999", b"/v1", b" HTTP/1.1", b" HTTP/1.0", b"\r\n"),
        *(
            b"\n",
            b"\r\n\r\n",
            b"host: a.test\r\n",
            b"content-length: 3\r\n",
            b"abc",
            b"\x16\x03\x01",
        ),
        *(b"\x16\x03\x01\x00\x05hello", b"PRI * HTTP/2.0\r\n\r\n", b"\0", b"\xff", b"x" * 70_000),
        b"CONNECT a.test:443 HTTP/1.1\r\n\r\n",
        b"CONNECT a.test:80 HTTP/1.1\r\n\r\n",
    ]
)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockServer]:
    file: Path = tmp_path_factory.mktemp("fuzzing") / "made.yaml"
    file.write_bytes(dump(cassette(interaction(b"Hello", path="/v1/chat"))))
    with MockServer(file, proxy_hosts=EveryHost(lambda _: None)) as running:
        yield running


#: More are tried by hand: TAPECHECK_EXAMPLES=5000.
EXAMPLES = int(os.environ.get("TAPECHECK_EXAMPLES", "20"))


def test_bytes_of_any_kind_do_no_harm(proxy: MockServer, caplog: pytest.LogCaptureFixture) -> None:
    with httpx.Client(trust_env=False) as direct:

        @settings(max_examples=EXAMPLES)
        @given(parts=st.lists(st.lists(WORDS, max_size=6).map(b"".join), max_size=4))
        def check(parts: list[bytes]) -> None:
            with connect(proxy.url) as sock, contextlib.suppress(OSError):
                for part in parts:
                    sock.sendall(part)
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536):
                    pass
            assert direct.post(f"{proxy.url}/v1/chat").text == "Hello"

        check()
    gc.collect()
    assert caplog.text == ""
