"""What comes to a recorder's proxy: tunnels, heads in pieces, and what is no HTTP."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import struct
import threading
from pathlib import Path

import httpx
import pytest

from mockserver.errors import RecordingError
from mockserver.recording.recorder import Recorder
from tests.mockserver.live import Gate, Live
from tests.mockserver.talking import talk
from tests.mockserver.taping import hello, nothing_left
from tests.mockserver.tls import server_context


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"CONNECT nonsense HTTP/1.1\r\n\r\n", b"400"),
        (b"CONNECT a\x01b:443 HTTP/1.1\r\n\r\n", b"400"),
        (b"CONNECT :443 HTTP/1.1\r\n\r\n", b"400"),
        (b"CONNECT a.test:99999 HTTP/1.1\r\n\r\n", b"400"),
        (b"CONNECT \xff\xfe:443 HTTP/1.1\r\n\r\n", b"400"),
        (b"CONNECT 169.254.169.254:80 HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT a.test:443 HTTP/1.1\r\n\r\n\x16\x03\x01", b"400"),
        (b"CONNECT a.test:443 HTTP/1.1\r\nx: " + b"y" * 70_000, b"431"),
        (b"CONNECT " + b"y" * 70_000, b"431"),
        (b"GET http:///x HTTP/1.1\r\nhost: a\r\n\r\n", b"4"),
        (b"GET http://a.test:http/x HTTP/1.1\r\nhost: a\r\n\r\n", b"4"),
        (b"GET ftp://a.test/x HTTP/1.1\r\nhost: a\r\n\r\n", b"4"),
        (b"nonsense\r\n\r\n", b"400"),
    ],
)
def test_what_is_no_request_to_a_proxy_is_refused(
    proxy: Recorder, request_: bytes, status: bytes
) -> None:
    assert talk(proxy, request_).split(b" ")[1].startswith(status)


def test_a_request_in_pieces_is_read(proxy: Recorder) -> None:
    parts = [bytes([byte]) for byte in b"CONNECT a.test:443 HTTP/1.1\r\nhost: a.test\r\n\r\n"]
    assert b"--allow-host a.test" in talk(proxy, *parts)


def test_an_allowed_host_that_does_not_answer_is_named(proxy: Recorder) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        got = talk(proxy, f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode())
    assert got.startswith(b"HTTP/1.1 502")
    assert f"no connection to 127.0.0.1:{port}".encode() in got


def test_a_half_closed_tunnel_still_gets_its_answer(proxy: Recorder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            peer, _ = listening.accept()
            with peer:
                received = b""
                while piece := peer.recv(100):
                    received += piece
                peer.sendall(received.upper())

        thread = threading.Thread(target=serve)
        thread.start()
        port = int(proxy.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
            to = listening.getsockname()[1]
            sock.sendall(f"CONNECT 127.0.0.1:{to} HTTP/1.1\r\n\r\n".encode())
            assert sock.recv(1000) == b"HTTP/1.1 200 Connection established\r\n\r\n"
            sock.sendall(b"hello")
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(1000) == b"HELLO"
            assert sock.recv(1000) == b""
        thread.join()


@pytest.mark.parametrize("reset", [False, True])
def test_a_slow_client_of_a_tunnel_gets_all_that_was_sent(proxy: Recorder, reset: bool) -> None:
    """Nothing piles up: a host is read no faster than its client reads."""
    sent = os.urandom(20_000_000)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        went = 0
        began, full = Gate(), Gate()

        def serve() -> None:
            nonlocal went
            peer, _ = listening.accept()
            with peer:
                peer.recv(1)
                began.wait()
                peer.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    # What the kernel and the proxy take while the client does not read.
                    while went < len(sent):
                        went += peer.send(sent[went : went + 65536])
                full.open()
                peer.settimeout(20)
                if reset:
                    linger = struct.pack("ii", 1, 0)
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                else:
                    peer.sendall(sent[went:])

        thread = threading.Thread(target=serve)
        thread.start()
        port = int(proxy.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
            to = listening.getsockname()[1]
            sock.sendall(f"CONNECT 127.0.0.1:{to} HTTP/1.1\r\n\r\n".encode())
            assert sock.recv(1000)
            sock.sendall(b"x")
            began.open()
            full.wait()
            if reset:
                thread.join()
            received = bytearray()
            with contextlib.suppress(ConnectionResetError):
                while piece := sock.recv(65536):
                    received += piece
        thread.join()
    assert went < len(sent)
    if not reset:
        assert received == sent


def test_open_tunnels_end_with_the_recorder(loop: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with Recorder(environment={}, proxy=True, allow_hosts=["127.0.0.1"]) as proxy:
            port = int(proxy.url.rpartition(":")[2])
            sock = socket.create_connection(("127.0.0.1", port), timeout=10)
            to = listening.getsockname()[1]
            sock.sendall(f"CONNECT 127.0.0.1:{to} HTTP/1.1\r\n\r\n".encode())
            assert sock.recv(1000)
            peer, _ = listening.accept()
            file = proxy.trusted
            assert file is not None
        with sock, peer:
            for end in (sock, peer):
                end.settimeout(10)
                with contextlib.suppress(ConnectionResetError):
                    assert end.recv(1) == b""
    assert not file.parent.exists()


def test_websockets_and_other_protocols_are_refused_in_a_tunnel(
    proxy: Recorder, through: httpx.Client, path: Path
) -> None:
    upgrade = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-key": "x"}
    with Live(hello, server_context()) as live, proxy.tape(path, [live.provider()]) as tape:
        got = through.get(f"{live.url}/v1/realtime", headers=upgrade)
        assert "WebSocket" in got.json()["error"]["message"]
        with pytest.raises(RecordingError, match="WebSocket"):
            tape.finish()
        assert live.requests == []
    assert nothing_left(path)


def test_a_client_that_asks_for_http2_gets_http1(proxy: Recorder, path: Path) -> None:
    with Live(hello, server_context()) as live, proxy.tape(path, [live.provider()]):
        authority = live.url.removeprefix("https://")
        port = int(proxy.url.rpartition(":")[2])
        context = ssl.create_default_context(cafile=proxy.trusted)
        context.set_alpn_protocols(["h2", "http/1.1"])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
            sock.sendall(f"CONNECT {authority} HTTP/1.1\r\n\r\n".encode())
            assert sock.recv(1000).startswith(b"HTTP/1.1 200")
            with context.wrap_socket(sock, server_hostname="localhost") as secured:
                assert secured.selected_alpn_protocol() == "http/1.1"
