"""Prove that a cassette is replayed byte-exactly: play it over a socket and compare.

h11 reads the response, and :mod:`mockserver.serving.chunked` the chunks; they share no code with
the server. They get their bytes from a plain socket, so that each kind of ending can be
distinguished.
"""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, urlsplit

import h11

from mockserver.cassettes.cassette import (
    Cassette,
    Headers,
    Interaction,
    Request,
    header_value,
)
from mockserver.library.session import exchanges
from mockserver.serving.chunked import ChunkedBody
from mockserver.serving.server import MockServer
from mockserver.wire.schedule import Coding, Ending, Schedule

#: Seconds to wait for an expected byte.
_TIMEOUT = 10.0
#: Seconds without a byte that count as silence where silence is expected.
_PAUSE = 0.1

#: What may surround a header's value without being part of it (RFC 9110, section 5.5).
_BLANKS = " \t"
#: How many bytes to read from the socket at a time.
_RECEIVE = 65536
#: The longest head: recordings have heads longer than HTTP libraries allow.
_LONGEST_HEAD = 4 * 1024 * 1024


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
    """A response as received. ``pieces`` are HTTP chunks, or the whole body without chunks."""

    status: int
    reason: str
    headers: Headers
    pieces: tuple[bytes, ...]
    ending: Ending


def verify_cassette(cassette: Cassette) -> list[Problem]:
    """Play every interaction of ``cassette`` to a raw client and return what differs."""
    problems = []
    # The answers are compared, not who gets which: requests need no body, which may be large.
    played = exchanges(cassette)
    with MockServer(keep_clients=False) as server, server.session(exchanges=played) as session:
        for number, interaction in enumerate(cassette.interactions):
            request, expected = replace(interaction.request, body=b""), played[number].schedule
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

    ``silent_after``: after so many bytes of the body, a short pause counts as the end. Raises
    :class:`OSError` and :class:`ValueError` for anything but an HTTP/1.1 response.
    """
    base = urlsplit(base_url)
    assert base.hostname is not None
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
    with socket.create_connection((base.hostname, base.port or 80), timeout=_TIMEOUT) as sock:
        sock.sendall(_sent(connection, base.path, base.netloc, request))
        return _read(_Incoming(sock, connection, silent_after), request.method.upper())


def _sent(connection: h11.Connection, prefix: str, host: str, request: Request) -> bytes:
    url = request.url
    target = quote(prefix + (url.path or "/"), safe="/%:@!$&'()*+,;=~")
    if url.query:
        target += "?" + quote(url.query, safe="/%:@!$&'()*+,;=~?")
    head = h11.Request(
        # Some recorders write it in lower case, which would be another method on the wire.
        method=request.method.upper(),
        target=target,
        headers=[("Host", host), ("Content-Length", str(len(request.body)))],
    )
    events = (head, h11.Data(data=request.body), h11.EndOfMessage())
    return b"".join(connection.send(event) or b"" for event in events)


def _differences(interaction: Interaction, expected: Schedule, seen: Seen) -> Iterator[str]:
    response = interaction.response
    bodiless = interaction.request.method.upper() == "HEAD" or response.status in (204, 304)
    if (seen.status, seen.reason) != (response.status, response.reason):
        recorded = f"{response.status} {response.reason!r}"
        yield f"status {seen.status} {seen.reason!r} instead of {recorded}"
    framing = () if bodiless else (_framing(expected),)
    headers = (*((n, v.strip(_BLANKS)) for n, v in expected.headers), *framing)
    if seen.headers != headers:
        wrong = set(seen.headers) ^ set(headers)
        yield f"headers differ in {', '.join(sorted({n for n, _ in wrong})) or 'order'}"
    wanted = [] if bodiless else _pieces(interaction, expected)
    got, body = b"".join(seen.pieces), b"".join(wanted)
    if got != body:
        pairs = enumerate(zip(got, body, strict=False))
        same = next((i for i, (a, b) in pairs if a != b), min(len(got), len(body)))
        yield f"body differs from byte {same} on ({len(got)} bytes instead of {len(body)})"
    elif list(seen.pieces) != wanted:
        yield f"sent in {len(seen.pieces)} chunks instead of the recorded {len(wanted)}"
    if seen.ending is not expected.ending and not bodiless:
        yield f"ends with {seen.ending} instead of {expected.ending}"


def _framing(expected: Schedule) -> tuple[str, str]:
    if expected.coding is Coding.CHUNKED:
        return "transfer-encoding", "chunked"
    missing = 0 if expected.ending is Ending.FINISH else 1
    return "content-length", str(len(expected.body) + missing)


def _pieces(interaction: Interaction, expected: Schedule) -> list[bytes]:
    body, chunks = interaction.response.body, interaction.response.wire.chunks
    if chunks is None:
        # A cassette without chunks leaves them to the schedule; the bytes are still fixed.
        return [send.data for send in expected.sends]
    ends = list(itertools.accumulate(chunk.length for chunk in chunks))
    return [body[start:end] for start, end in zip([0, *ends], ends, strict=False)]


class _Broken(Exception):  # noqa: N818
    """The connection ended before the message did."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending = ending


class _Incoming:
    """The events that arrive on a socket."""

    def __init__(
        self, sock: socket.socket, connection: h11.Connection, silent_after: int | None
    ) -> None:
        self._sock = sock
        self._connection = connection
        self._silent_after = silent_after
        self._body = 0

    def next(self) -> h11.Event:
        """Return the next event.

        Raises :class:`_Broken` where the message ends too early, ``ValueError`` for what is
        not HTTP.
        """
        closed = False
        while True:
            try:
                event = self._connection.next_event()
            except h11.RemoteProtocolError as exc:
                raise _Broken(Ending.TRUNCATE) if closed else ValueError(exc) from None
            if isinstance(event, h11.Event):
                self._body += len(event.data) if isinstance(event, h11.Data) else 0
                return event
            if event is h11.PAUSED:
                raise ValueError("switches to another protocol")
            data = self._receive(self._body)
            self._connection.receive_data(data)
            closed = not data

    def chunks(self, body: ChunkedBody) -> None:
        """Read a chunked body; h11 takes long for each chunk. Raises as :meth:`next` does."""
        body.feed(self._connection.trailing_data[0])
        while not body.over:
            data = self._receive(body.size)
            if not data:
                raise _Broken(Ending.TRUNCATE)
            body.feed(data)

    def _receive(self, body: int) -> bytes:
        if self._silent_after is not None and body >= self._silent_after:
            # Silence is expected: do not wait long for a byte.
            self._sock.settimeout(_PAUSE)
        try:
            return self._sock.recv(_RECEIVE)
        except ConnectionResetError:
            raise _Broken(Ending.RESET) from None
        except TimeoutError:
            raise _Broken(Ending.STALL) from None


def _read(incoming: _Incoming, method: str) -> Seen:
    try:
        head = incoming.next()
    except _Broken as exc:
        raise ValueError(f"the head is incomplete ({exc.ending})") from None
    if not isinstance(head, h11.Response) or head.http_version != b"1.1":
        raise ValueError(f"begins with {head!r}")
    headers = tuple(
        (bytes(name).decode("latin-1"), bytes(value).decode("latin-1"))
        for name, value in head.headers.raw_items()
    )
    bodiless = method == "HEAD" or head.status_code in (204, 304)
    chunked = (header_value(headers, "transfer-encoding") or "").lower() == "chunked"
    pieces: list[bytes] = []
    try:
        if chunked and not bodiless:
            _read_chunks(incoming, pieces)
        else:
            _read_body(incoming, pieces)
        ending = Ending.FINISH
    except _Broken as exc:
        ending = exc.ending
    return Seen(
        status=head.status_code,
        reason=bytes(head.reason).decode("latin-1"),
        headers=headers,
        pieces=tuple(pieces),
        ending=ending,
    )


def _read_chunks(incoming: _Incoming, pieces: list[bytes]) -> None:
    body = ChunkedBody()
    try:
        incoming.chunks(body)
    finally:
        pieces += body.chunks
        if body.unfinished:
            pieces.append(body.unfinished)


def _read_body(incoming: _Incoming, pieces: list[bytes]) -> None:
    """Read a body without chunks: it is one piece."""
    parts: list[bytes] = []
    try:
        while isinstance(event := incoming.next(), h11.Data):
            parts.append(bytes(event.data))
        if not isinstance(event, h11.EndOfMessage) or list(event.headers):
            raise ValueError(f"ends with {event!r}")
    finally:
        pieces += [b"".join(parts)] if parts else []
