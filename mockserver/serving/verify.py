"""Proves that a cassette goes out as it stands: plays it over a socket and compares.

The reader here is written for this purpose alone. It shares no code with the server, and
unlike an HTTP library it keeps chunk bounds and tells every kind of ending apart.
"""

from __future__ import annotations

import itertools
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from mockserver.cassettes.cassette import Cassette, Headers, Interaction, Request
from mockserver.serving.server import MockServer
from mockserver.wire.schedule import Coding, Ending, Schedule, from_response

#: Seconds to wait for a byte that is due.
_TIMEOUT = 10.0
#: Seconds without a byte that count as silence where silence is due.
_PAUSE = 0.1

_STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d{3}) (.*)\r\n", re.DOTALL)
_CHUNK_SIZE = re.compile(rb"([0-9a-f]+)\r\n")


@dataclass(frozen=True, slots=True)
class Problem:
    """A difference between a cassette and what a client gets. ``interaction`` counts from 0."""

    path: Path
    interaction: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}: interaction {self.interaction}: {self.message}"


@dataclass(frozen=True, slots=True)
class Seen:
    """A response as it came in. ``pieces`` are HTTP chunks, or the whole body where none are."""

    status: int
    reason: str
    headers: Headers
    pieces: tuple[bytes, ...]
    ending: Ending


def verify(cassette: Cassette) -> list[Problem]:
    """Play every interaction of ``cassette`` to a raw client and list what differs."""
    problems = []
    with MockServer() as server, server.session(cassette) as session:
        for number, interaction in enumerate(cassette.interactions):
            request, expected = interaction.request, from_response(interaction.response)
            try:
                stalls = expected.ending is Ending.STALL
                silent_after = len(interaction.response.body) if stalls else None
                seen = fetch(session.url, request, silent_after=silent_after)
                messages = list(_differences(interaction, expected, seen))
            except (OSError, ValueError) as exc:
                messages = [f"not a readable response: {exc}"]
            problems += [Problem(cassette.path, number, message) for message in messages]
    return problems


def fetch(base_url: str, request: Request, *, silent_after: int | None = None) -> Seen:
    """Send ``request`` to the server at ``base_url`` and read the response to its end.

    ``silent_after``: behind so many bytes of the body, a short pause counts as the end. Raises
    :class:`OSError` and :class:`ValueError` for what is not an HTTP/1.1 response.
    """
    base = urlsplit(base_url)
    assert base.hostname is not None
    with socket.create_connection((base.hostname, base.port or 80), timeout=_TIMEOUT) as sock:
        sock.sendall(_request_bytes(base.path, base.netloc, request))
        return _read(_Incoming(sock, silent_after), request.method)


def _request_bytes(prefix: str, host: str, request: Request) -> bytes:
    url = request.url
    target = quote(prefix + (url.path or "/"), safe="/%:@!$&'()*+,;=~")
    if url.query:
        target += "?" + quote(url.query, safe="/%:@!$&'()*+,;=~?")
    head = f"{request.method} {target} HTTP/1.1\r\nHost: {host}\r\n"
    return f"{head}Content-Length: {len(request.body)}\r\n\r\n".encode() + request.body


def _differences(interaction: Interaction, expected: Schedule, seen: Seen) -> Iterator[str]:
    response = interaction.response
    bodiless = interaction.request.method == "HEAD" or response.status in (204, 304)
    if (seen.status, seen.reason) != (response.status, response.reason):
        yield f"status {seen.status} {seen.reason!r}, not {response.status} {response.reason!r}"
    framing = () if bodiless else (_framing(expected),)
    if seen.headers != (*expected.headers, *framing):
        wrong = set(seen.headers) ^ {*expected.headers, *framing}
        yield f"headers differ in {', '.join(sorted({n for n, _ in wrong})) or 'order'}"
    wanted = [] if bodiless else _pieces(interaction, expected)
    got, body = b"".join(seen.pieces), b"".join(wanted)
    if got != body:
        pairs = enumerate(zip(got, body, strict=False))
        same = next((i for i, (a, b) in pairs if a != b), min(len(got), len(body)))
        yield f"body differs from byte {same} on ({len(got)} bytes, not {len(body)})"
    elif list(seen.pieces) != wanted:
        yield f"cut into {len(seen.pieces)} chunks, not as recorded into {len(wanted)}"
    if seen.ending is not expected.ending and not bodiless:
        yield f"ends with {seen.ending}, not with {expected.ending}"


def _framing(expected: Schedule) -> tuple[str, str]:
    if expected.coding is Coding.CHUNKED:
        return "transfer-encoding", "chunked"
    missing = 0 if expected.ending is Ending.FINISH else 1
    return "content-length", str(len(expected.body) + missing)


def _pieces(interaction: Interaction, expected: Schedule) -> list[bytes]:
    body, chunks = interaction.response.body, interaction.response.wire.chunks
    if chunks is None:
        # Where the cassette does not know, the schedule decides; the bytes are still fixed.
        return [send.data for send in expected.sends]
    ends = list(itertools.accumulate(chunk.length for chunk in chunks))
    return [body[start:end] for start, end in zip([0, *ends], ends, strict=False)]


class _Broken(Exception):  # noqa: N818
    """The connection ended before the message did."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending = ending


class _Incoming:
    """What comes in on a socket. Raises :class:`_Broken` where it ends too early."""

    def __init__(self, sock: socket.socket, silent_after: int | None) -> None:
        self._sock = sock
        self._buffer = bytearray()
        self._silent_after = silent_after
        self._body = 0

    def line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            self._more()
        return self._take(end + 2)

    def upto(self, count: int) -> Iterator[bytes]:
        """Yield ``count`` bytes as they arrive."""
        while count:
            if not self._buffer:
                self._more()
            data = self._take(count)
            count -= len(data)
            self.count(data)
            yield data

    def rest(self) -> Iterator[bytes]:
        """Yield all bytes up to a lawful end of the connection."""
        while True:
            data = self._take(len(self._buffer))
            self.count(data)
            yield data
            try:
                self._more()
            except _Broken as exc:
                if exc.ending is Ending.TRUNCATE:
                    return
                raise

    def count(self, data: bytes) -> None:
        """Note a part of the body; where silence is due next, do not wait long for more."""
        self._body += len(data)
        if self._silent_after is not None and self._body >= self._silent_after:
            self._sock.settimeout(_PAUSE)

    def _take(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def _more(self) -> None:
        try:
            data = self._sock.recv(65536)
        except ConnectionResetError:
            raise _Broken(Ending.RESET) from None
        except TimeoutError:
            raise _Broken(Ending.STALL) from None
        if not data:
            raise _Broken(Ending.TRUNCATE)
        self._buffer += data


def _read(incoming: _Incoming, method: str) -> Seen:
    pieces: list[bytes] = []
    try:
        status, reason, headers = _read_head(incoming)
    except _Broken as exc:
        raise ValueError(f"no complete head before the end ({exc.ending})") from None
    ending = Ending.FINISH
    try:
        if method != "HEAD" and status not in (204, 304):
            incoming.count(b"")
            _read_body(incoming, {n.lower(): v for n, v in headers}, pieces)
    except _Broken as exc:
        ending = exc.ending
    return Seen(status, reason, headers, tuple(pieces), ending)


def _read_head(incoming: _Incoming) -> tuple[int, str, Headers]:
    start = incoming.line()
    match = _STATUS_LINE.fullmatch(start)
    if match is None:
        raise ValueError(f"status line {start!r}")
    headers = []
    while (line := incoming.line()) != b"\r\n":
        name, colon, value = line[:-2].decode("latin-1").partition(": ")
        if not colon:
            raise ValueError(f"header line {line!r}")
        headers.append((name, value))
    return int(match[1]), match[2].decode("latin-1"), tuple(headers)


def _read_body(incoming: _Incoming, headers: dict[str, str], pieces: list[bytes]) -> None:
    if headers.get("transfer-encoding") == "chunked":
        while size := _chunk_size(incoming.line()):
            _collect(incoming.upto(size), pieces)
            _expect_line_end(incoming)
        _expect_line_end(incoming)
        return
    length = headers.get("content-length")
    _collect(incoming.rest() if length is None else incoming.upto(int(length)), pieces)


def _collect(source: Iterator[bytes], pieces: list[bytes]) -> None:
    data = bytearray()
    try:
        for part in source:
            data += part
    finally:
        if data:
            pieces.append(bytes(data))


def _chunk_size(line: bytes) -> int:
    match = _CHUNK_SIZE.fullmatch(line)
    if match is None:
        raise ValueError(f"chunk size line {line!r}")
    return int(match[1], 16)


def _expect_line_end(incoming: _Incoming) -> None:
    line = incoming.line()
    if line != b"\r\n":
        raise ValueError(f"{line!r} where a chunk should end")
