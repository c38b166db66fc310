"""Bytes on a socket and cassettes made in memory, for tests of the server."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mockserver.cassettes.cassette import Cassette, Interaction, Request, Response, Wire
from mockserver.library.session import Exchange
from mockserver.wire.body import Media
from mockserver.wire.schedule import Coding, Ending, Schedule, Send

CHAT = "/v1/chat/completions"


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    assert parts.hostname is not None
    return socket.create_connection((parts.hostname, parts.port or 80), timeout=10)


def read_all(sock: socket.socket) -> bytes:
    """Read up to the end of the connection; a reset raises ``ConnectionResetError``."""
    data = bytearray()
    while part := sock.recv(65536):
        data += part
    return bytes(data)


def read_answer(sock: socket.socket) -> bytes:
    """Read one answer that has a Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line[15:]) for line in head.split(b"\r\n") if line[:15].lower() == b"content-length:"
    )
    while len(body) < length:
        body += sock.recv(65536)
    return head + b"\r\n\r\n" + body


def read_to_reset(sock: socket.socket) -> bytes:
    """Read up to a reset; a normal end fails the test."""
    data = bytearray()
    try:
        while part := sock.recv(65536):
            data += part
    except ConnectionResetError:
        return bytes(data)
    raise AssertionError(f"no reset after {data[-99:]!r}")


def talk(url: str, data: bytes) -> bytes:
    """Send bytes and return all that comes back until the server closes."""
    with connect(url) as sock:
        sock.sendall(data)
        return read_all(sock)


def request_bytes(
    path: str,
    *,
    method: str = "GET",
    version: str = "1.1",
    headers: Sequence[str] = ("connection: close",),
    body: bytes = b"",
) -> bytes:
    lines = [f"{method} {path} HTTP/{version}", "host: 127.0.0.1", *headers]
    if body:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + body


def json_of(response: bytes) -> Any:
    return json.loads(response.partition(b"\r\n\r\n")[2])


def status_of(response: bytes) -> int:
    return int(response.split(b" ", 2)[1])


def request(path: str = CHAT, body: bytes = b"", *, method: str = "POST") -> Request:
    return Request(method=method, uri=f"https://api.example.com{path}", body=body)


def exchange(
    *pieces: bytes,
    path: str = "/x",
    method: str = "GET",
    status: int = 200,
    headers: tuple[tuple[str, str], ...] = (),
    coding: Coding = Coding.CHUNKED,
    ending: Ending = Ending.FINISH,
) -> Exchange:
    schedule = Schedule(
        status=status,
        reason="OK",
        headers=headers,
        headers_ms=0,
        steps=tuple(Send(piece) for piece in pieces),
        coding=coding,
        ending=ending,
        media=Media.OTHER,
    )
    return Exchange(request(path, method=method), schedule)


def interaction(
    answer: bytes,
    *,
    path: str = CHAT,
    method: str = "POST",
    body: bytes = b"",
    content_type: str = "application/json",
    wire: Wire | None = None,
) -> Interaction:
    return Interaction(
        request(path, body, method=method),
        Response(
            status=200,
            reason="OK",
            headers=(("content-type", content_type),),
            body=answer,
            wire=wire or Wire(),
        ),
    )


def cassette(*interactions: Interaction, path: Path = Path("memory.yaml")) -> Cassette:
    return Cassette(path, interactions)
