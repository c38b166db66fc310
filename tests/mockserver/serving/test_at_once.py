"""The short cut sends the bytes that the handler would, enters the same, and leaves the rest."""

from __future__ import annotations

import asyncio
import gzip
import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mockserver import JournalEntry, MockServer
from mockserver.backend import Settings
from mockserver.library import library as store
from mockserver.serving import listener
from mockserver.serving.app import App
from mockserver.serving.at_once import LONGEST
from tests.mockserver.rawhttp import connect, interaction, read_all, request_bytes
from tests.mockserver.serving.conftest import put

BODY = b'{"q":"same"}'
STREAM = b'data: {"a":1}\n\ndata: {"a":2}\n\n'


def post(path: str, *headers: str, body: bytes = BODY, **options: Any) -> bytes:
    return request_bytes(path, method="POST", headers=headers, body=body, **options)


CHAT = "/c/chat/two/v1/chat/completions"
PINNED = post(CHAT)
MATCHED = post("/v1/chat/completions", body=b'{"q":"other"}')
STREAMED = post("/c/stream/v1/chat/completions")
LAST = request_bytes("/c/chat/two/models")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("library")
    gone = interaction(b"", path="/gone", method="GET")
    moved = interaction(b"{}", path="/moved", method="GET")
    at = (("location", "https://api.example.com/models"),)
    put(
        root / "chat/two.yaml",
        interaction(b'{"n":1}', body=BODY),
        interaction(b'{"n":2}', body=BODY),
        interaction(b'{"n":3}', body=b'{"q":"other"}'),
        interaction(b'{"n":4}', path="/models", method="GET"),
        replace(gone, response=replace(gone.response, status=204)),
        replace(moved, response=replace(moved.response, status=307, headers=at)),
    )
    put(root / "stream.yaml", interaction(STREAM, body=BODY, content_type="text/event-stream"))
    return root


def ready(library: Path, **options: Any) -> MockServer:
    """A server that has read everything, so that every answer is prepared."""
    server = MockServer(library, **options)
    for name in server.library.paths:
        server.library.open(name).answers()
    server.library.build_index()
    return server


def talk(server: MockServer, pieces: Sequence[bytes]) -> bytes:
    """Send the pieces, each when the server has taken the one before."""
    with connect(server.url) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            sock.sendall(piece)
            with connect(server.url) as other:
                # What came before on another connection was read before this is answered.
                other.sendall(request_bytes("/__tapecheck/health"))
                read_all(other)
        with suppress(OSError):
            sock.shutdown(socket.SHUT_WR)
        return read_all(sock)


def essence(entry: JournalEntry) -> JournalEntry:
    """Without what differs from run to run."""
    return replace(entry, headers=(), connection=0, arrived=0.0, began=None, ended=None)


def both(
    library: Path, pieces: Sequence[bytes], monkeypatch: pytest.MonkeyPatch, **options: Any
) -> bytes:
    """Return what the server answers; the short cut must not change it, nor the journal."""
    seen = []
    for short in (True, False):
        monkeypatch.setattr(MockServer, "_takes_short_cut", short)
        with ready(library, **options) as server:
            data = talk(server, pieces).replace(server.url.encode(), b"http://here")
            data = re.sub(rb"Date: [^\r]*", b"Date: now", data)
            seen.append((data, [*map(essence, server.journal)]))
    assert seen[0] == seen[1]
    return seen[0][0]


@pytest.mark.parametrize(
    "pieces",
    [
        [PINNED, PINNED, LAST],
        [PINNED + PINNED + LAST],
        [PINNED, PINNED + LAST],
        [PINNED[:-5], PINNED[-5:], PINNED, LAST],
        [PINNED[:10], PINNED[10:], PINNED[:-1], PINNED[-1:], LAST],
        [PINNED, PINNED[:-5], PINNED[-5:] + LAST[:7], LAST[7:]],
        [b"\r\n" + PINNED, b"\r\n", PINNED, LAST],
        [PINNED + b"\r\n", PINNED, LAST],
        [PINNED + PINNED[:9], PINNED[9:-3], PINNED[-3:] + LAST],
    ],
)
def test_requests_in_any_pieces_are_answered_in_order(
    library: Path, pieces: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = both(library, pieces, monkeypatch)
    assert [seen.count(b'{"n":%d}' % n) for n in (1, 2, 4)] == [1, 1, 1]
    assert seen.index(b'{"n":1}') < seen.index(b'{"n":2}')


CHUNKED = request_bytes(CHAT, method="POST", headers=("transfer-encoding: chunked",))
ANSWERED = {
    "pinned": PINNED,
    "matched": MATCHED,
    "streamed": STREAMED,
    "query that is not recorded": post("/v1/chat/completions?a=1"),
    "not recorded": post("/v1/chat/completions", body=b'{"q":"new"}'),
    "route that is not recorded": post("/c/chat/two/nothing"),
    "unknown cassette": post("/c/none/x"),
    "varied": post("/c/stream/~eol=crlf/v1/chat/completions"),
    "unknown variation": post("/c/stream/~nonsense/v1/chat/completions"),
    "expect": post(CHAT, "expect: 100-continue"),
    "page": post(CHAT, "origin: http://localhost"),
    "compressed": post(CHAT, "content-encoding: gzip", body=gzip.compress(BODY)),
    "long": post(CHAT, body=b"x" * (LONGEST + 1)),
    "chunked": CHUNKED + b"2\r\n{}\r\n0\r\n\r\n",
    "no content": request_bytes("/c/chat/two/gone", headers=()),
    "redirect": request_bytes("/c/chat/two/moved", headers=()),
    "head": request_bytes("/c/chat/two/models", method="HEAD", headers=()),
}
#: After these, the server closes the connection.
CLOSED = {
    "cut": post("/c/stream/~cut=1/v1/chat/completions"),
    "HTTP/1.0": post(CHAT, version="1.0"),
    "close": post(CHAT, "connection: close"),
    "expect more": post(CHAT, "expect: more"),
    "trailers": post(CHAT, "trailer: x"),
    "upgrade": post(CHAT, "upgrade: websocket", "connection: upgrade"),
    "falsely compressed": post(CHAT, "content-encoding: gzip"),
    "malformed chunks": CHUNKED + b"2\r\n{}\r\nx\r\n",
    "connect": b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n",
    "nonsense": b"nonsense\r\n\r\n",
    "foreign page": post(CHAT, "origin: https://evil.example"),
    "foreign host": PINNED.replace(b"127.0.0.1", b"evil.example"),
}


@pytest.mark.parametrize("name", [*ANSWERED, *CLOSED])
def test_every_request_gets_the_handler_s_answer(
    library: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = [PINNED, ANSWERED[name], ANSWERED[name]] if name in ANSWERED else [CLOSED[name]]
    seen = both(library, pieces, monkeypatch)
    assert seen.count(b"HTTP/1.1 ") + seen.count(b"HTTP/1.0 ") >= len(pieces)


def test_the_handler_is_not_asked(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the tests above compare the handler with itself."""
    assert listener.HAS_SHORT_CUT, f"aiohttp has changed one of {listener.PRIVATE}"
    asked = []
    handle = App.handle

    async def seen(self: App, request: Any) -> Any:
        if "__tapecheck" not in request.path:
            asked.append(request.path)
        return await handle(self, request)

    monkeypatch.setattr(App, "handle", seen)
    with ready(library) as server:
        first = post("/__tapecheck/none")
        pieces = [PINNED, PINNED, MATCHED[:-4], MATCHED[-4:], STREAMED, STREAMED, LAST]
        data = talk(server, [first, *pieces])
    assert asked == ["/c/chat/two/models"]
    assert data.count(b"HTTP/1.1 200") == 6


def test_nothing_is_taken_that_is_not_sent(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of two answers is for the handler; the next one begins again."""
    page = post(CHAT, "origin: http://localhost")
    seen = both(library, [PINNED, page, PINNED, LAST], monkeypatch)
    places = [seen.index(b'{"n":%d}' % n) for n in (1, 2, 3)]
    assert places == sorted(places)


def test_once_plays_nothing_twice(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert b"404 Not Found" in both(library, [MATCHED, MATCHED], monkeypatch, once=True)


@pytest.mark.parametrize("by_request", [True, False])
def test_recordings_beside_made_answers_say_what_they_are(
    library: Path, by_request: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"backend": Settings(), "by_request": by_request}
    seen = both(library, [PINNED, PINNED, MATCHED, MATCHED], monkeypatch, **options)
    assert seen.count(b"x-tapecheck-answer: ") == 4
    assert seen.count(b'{"n":3}') == (2 if by_request else 0)


def test_times_take_the_long_way(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert STREAM[:15] in both(library, [STREAMED, STREAMED], monkeypatch, speed=1.0)


def test_a_changed_file_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "RECHECK", -1.0)
    path = tmp_path / "one.yaml"
    put(path, interaction(b'{"old":1}', body=BODY))
    with ready(tmp_path) as server:
        for sent in (post("/c/one/v1/chat/completions"), post("/v1/chat/completions")):
            put(path, interaction(b'{"old":1}', body=BODY))
            assert b"old" in talk(server, [sent, sent])
            put(path, interaction(b'{"newer":1}', body=BODY))
            assert b"old" not in talk(server, [sent, sent])


def test_requests_are_remembered_within_limits(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockserver.serving.at_once._REQUESTS", 3)
    bodies = [b'{"n": %d}' % n for n in range(8)]
    pieces = [post("/c/stream/v1/chat/completions", body=body) for body in bodies]
    assert both(library, [*pieces, *pieces], monkeypatch).count(STREAM[:15]) == 16


class Silent(asyncio.Transport):
    """Counts what is written."""

    sent = 0

    def write(self, data: Any) -> None:
        self.sent += 1

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def resume_reading(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def test_a_connection_is_not_late_after_an_answer(library: Path) -> None:
    """No head is waited for, and the time until an idle connection is closed begins again."""

    async def talk() -> None:
        async with ready(library) as server:
            connection, transport = server._listener(), Silent()
            connection.connection_made(transport)
            await asyncio.sleep(0)
            for sent in (PINNED, PINNED[:9], PINNED[9:], PINNED):
                connection._next_keepalive_close_time = 0.0
                connection.data_received(sent)
            assert transport.sent == 3
            assert connection._timer is None
            assert connection._next_keepalive_close_time > 0
            connection.connection_lost(None)

    asyncio.run(talk())
