"""What goes over the wire, byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from mockserver import MockServer, Outcome
from mockserver.library.session import Exchange
from mockserver.serving.journal import Record
from mockserver.serving.playback import Playback
from mockserver.serving.verify import fetch
from mockserver.wire.http1 import Message
from mockserver.wire.schedule import Coding, Ending, Gate, Send
from tests.mockserver.rawhttp import connect, exchange, read_all, read_to_reset, request_bytes, talk


@pytest.fixture(scope="module", params=["asyncio", "uvloop"])
def server(request: pytest.FixtureRequest) -> Iterator[MockServer]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "uvloop":
            pytest.importorskip("uvloop")
        else:
            patch.setattr("mockserver.serving.server.loop_factory", lambda: None)
        with MockServer() as running:
            yield running


def play(server: MockServer, played: Exchange, **options) -> bytes:
    with server.session(exchanges=[played]) as session:
        return talk(server.url, request_bytes(f"/s/{session.id}/x", **options))


HEADERS = (("X-B", "1"), ("x-a", "2"), ("X-B", "3"))
HEAD = b"X-B: 1\r\nx-a: 2\r\nX-B: 3\r\n"


@pytest.mark.parametrize(
    ("version", "method", "status", "coding", "expected"),
    [
        (
            "1.1",
            "GET",
            200,
            Coding.CHUNKED,
            b"HTTP/1.1 200 OK\r\n" + HEAD + b"transfer-encoding: chunked\r\n"
            b"connection: close\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
        ),
        (
            "1.1",
            "GET",
            429,
            Coding.LENGTH,
            b"HTTP/1.1 429 OK\r\n" + HEAD + b"content-length: 3\r\nconnection: close\r\n\r\nabc",
        ),
        (
            "1.1",
            "GET",
            200,
            Coding.CLOSE,
            b"HTTP/1.1 200 OK\r\n" + HEAD + b"connection: close\r\n\r\nabc",
        ),
        (
            "1.0",
            "GET",
            200,
            Coding.CHUNKED,
            b"HTTP/1.0 200 OK\r\n" + HEAD + b"connection: close\r\n\r\nabc",
        ),
        (
            "1.1",
            "HEAD",
            200,
            Coding.CHUNKED,
            b"HTTP/1.1 200 OK\r\n" + HEAD + b"connection: close\r\n\r\n",
        ),
        (
            "1.1",
            "GET",
            204,
            Coding.LENGTH,
            b"HTTP/1.1 204 OK\r\n" + HEAD + b"connection: close\r\n\r\n",
        ),
        (
            "1.1",
            "GET",
            304,
            Coding.CHUNKED,
            b"HTTP/1.1 304 OK\r\n" + HEAD + b"connection: close\r\n\r\n",
        ),
    ],
)
def test_every_byte_is_the_recordings(
    server: MockServer, version: str, method: str, status: int, coding: Coding, expected: bytes
) -> None:
    played = exchange(b"a", b"bc", headers=HEADERS, method=method, status=status, coding=coding)
    assert play(server, played, version=version, method=method) == expected


@pytest.mark.parametrize("coding", list(Coding))
@pytest.mark.parametrize("speed", [0.0, 1.0])
def test_pieces_and_speed_do_not_change_the_bytes(coding: Coding, speed: float) -> None:
    pieces = tuple(b"%d" % (n % 10) for n in range(300))
    with (
        MockServer(speed=speed) as server,
        server.session(exchanges=[exchange(*pieces, coding=coding)]) as session,
    ):
        seen = fetch(session.url, session.unplayed[0].request)
    expected = pieces if coding is Coding.CHUNKED else (b"".join(pieces),)
    assert (seen.pieces, seen.ending) == (expected, Ending.FINISH)


@pytest.mark.parametrize(
    "pieces",
    [
        (b"data: " + b"x" * 2**20 + b"\n\n",),
        tuple(bytes([n % 256]) * 70_000 for n in range(40)),
        tuple(b"%c" % (n % 256) for n in range(4096)),
    ],
    ids=["a line of 1 MiB", "40 large chunks", "4096 chunks of a byte"],
)
@pytest.mark.parametrize("ending", [Ending.FINISH, Ending.RESET, Ending.TRUNCATE])
def test_large_and_small_chunks_arrive_as_they_are(
    server: MockServer, pieces: tuple[bytes, ...], ending: Ending
) -> None:
    with server.session(exchanges=[exchange(*pieces, ending=ending)]) as session:
        seen = fetch(session.url, session.unplayed[0].request)
    assert (seen.pieces, seen.ending) == (pieces, ending)


@pytest.mark.parametrize("coding", [Coding.CHUNKED, Coding.LENGTH])
def test_truncation_is_a_regular_close_in_the_middle(server: MockServer, coding: Coding) -> None:
    played = exchange(b"abc", coding=coding, ending=Ending.TRUNCATE)
    answer = play(server, played, headers=())
    assert answer.endswith(b"3\r\nabc\r\n" if coding is Coding.CHUNKED else b"4\r\n\r\nabc")


@pytest.mark.parametrize("coding", list(Coding))
def test_a_reset_arrives_after_all_that_was_sent(server: MockServer, coding: Coding) -> None:
    played = exchange(b"abc", coding=coding, ending=Ending.RESET)
    with server.session(exchanges=[played]) as session, connect(server.url) as sock:
        sock.sendall(request_bytes(f"/s/{session.id}/x"))
        assert b"abc" in read_to_reset(sock)
        assert session.journal[0].outcome is Outcome.RESET


def test_a_reset_waits_for_a_slow_reader(server: MockServer) -> None:
    body = b"x" * 8 * 2**20
    played = exchange(body, ending=Ending.RESET)
    with server.session(exchanges=[played]) as session, connect(server.url) as sock:
        sock.sendall(request_bytes(f"/s/{session.id}/x"))
        sock.recv(1)
        # The rest is larger than the kernel's buffers; the reset has not arrived yet.
        assert session.journal[0].outcome is Outcome.ANSWERING
        assert len(read_to_reset(sock)) > len(body)


def test_a_stall_lasts_until_the_client_disconnects(server: MockServer) -> None:
    played = exchange(b"abc", ending=Ending.STALL)
    with server.session(exchanges=[played]) as session:
        with connect(server.url) as sock:
            sock.sendall(request_bytes(f"/s/{session.id}/x"))
            seen = b""
            while not seen.endswith(b"abc\r\n"):
                seen += sock.recv(65536)
            assert not asyncio.run(session.wait_until_idle(0))
        assert asyncio.run(session.wait_until_idle(10))
        (entry,) = session.journal
        assert (entry.outcome, entry.sent) == (Outcome.CLIENT_CLOSED, 3)


def test_a_stall_ends_with_its_session(server: MockServer) -> None:
    session = server.session(exchanges=[exchange(b"abc", ending=Ending.STALL)])
    with connect(server.url) as sock:
        sock.sendall(request_bytes(f"/s/{session.id}/x"))
        sock.recv(1)
        session.close()
        assert read_all(sock).endswith(b"3\r\nabc\r\n")
    assert session.journal[0].outcome is Outcome.SERVER_CLOSED


def with_gates(*steps: Send | Gate) -> Exchange:
    played = exchange()
    return Exchange(played.request, replace(played.schedule, steps=steps))


def test_a_gate_stops_what_follows_until_it_is_released(server: MockServer) -> None:
    played = with_gates(Send(b"one"), Gate("a"), Send(b"two"), Gate("b"), Send(b"three"))
    with server.session(exchanges=[played]) as session, connect(server.url) as sock:
        sock.sendall(request_bytes(f"/s/{session.id}/x"))
        seen = b""
        for marker, release in ((b"one\r\n", "a"), (b"two\r\n", "b")):
            while not seen.endswith(marker):
                seen += sock.recv(65536)
            assert session.journal[0].outcome is Outcome.ANSWERING
            session.release(release)
        assert read_all(sock).endswith(b"5\r\nthree\r\n0\r\n\r\n")
        assert session.journal[0].outcome is Outcome.FINISHED


def test_a_gate_released_before_does_not_stop_anything(server: MockServer) -> None:
    with server.session(exchanges=[with_gates(Gate("a"), Send(b"one"))]) as session:
        session.release("a")
        answer = talk(server.url, request_bytes(f"/s/{session.id}/x"))
    assert answer.endswith(b"3\r\none\r\n0\r\n\r\n")


YEAR = 365 * 24 * 3600 * 1000.0


def test_at_speed_1_a_piece_is_not_sent_before_its_time() -> None:
    played = with_gates(Send(b"now", 0), Send(b"later", YEAR))
    with MockServer(speed=1) as server, server.session(exchanges=[played]) as session:
        with connect(server.url) as sock:
            sock.sendall(request_bytes(f"/s/{session.id}/x"))
            seen = b""
            while not seen.endswith(b"now\r\n"):
                seen += sock.recv(65536)
        assert asyncio.run(session.wait_until_idle(10))
        (entry,) = session.journal
        assert (entry.outcome, entry.sent) == (Outcome.CLIENT_CLOSED, 3)


@pytest.mark.parametrize("speed", [0.0, YEAR * 1000])
def test_speed_shortens_the_waits(speed: float) -> None:
    played = with_gates(Send(b"now", 0), Send(b"later", YEAR))
    with MockServer(speed=speed) as server, server.session(exchanges=[played]) as session:
        seen = fetch(session.url, played.request)
    assert seen.pieces == (b"now", b"later")


def test_the_head_waits_too() -> None:
    class Writer:
        written = b""

        async def write(self, data: bytes) -> None:
            self.written += data

    async def written_at(speed: float) -> bytes:
        message = Message(replace(exchange(b"x").schedule, headers_ms=YEAR))
        writer = Writer()
        request: Any = SimpleNamespace(method="GET", version=(1, 1), keep_alive=True, writer=writer)
        playback = Playback(request, message, Record(0, None, "GET", "/x", "", {}, b""))
        task = asyncio.create_task(playback.play(speed=speed, wait=asyncio.sleep))
        for _ in range(10):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return writer.written

    assert asyncio.run(written_at(1)) == b""
    assert asyncio.run(written_at(0)).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("transport", "paused", "at_once"),
    [("open", False, True), ("open", True, False), ("closing", False, False), (None, False, False)],
)
def test_a_whole_message_is_not_pushed_at_a_client_that_does_not_read(
    transport: str | None, paused: bool, at_once: bool
) -> None:
    written: list[bytes] = []
    request: Any = SimpleNamespace(
        method="GET",
        version=(1, 1),
        keep_alive=True,
        protocol=SimpleNamespace(writing_paused=paused),
        transport=transport
        and SimpleNamespace(is_closing=lambda: transport == "closing", write=written.append),
    )
    record = Record(0, None, "GET", "/x", "", {}, b"")
    assert Playback(request, Message(exchange(b"x").schedule), record).play_at_once() is at_once
    assert bool(written) is at_once


def test_a_connection_serves_many_answers(server: MockServer) -> None:
    pieces = [exchange(b"%d" % n, method="POST") for n in range(3)]
    with server.session(exchanges=pieces) as session, connect(server.url) as sock:
        head = {"method": "POST", "headers": (), "body": b"{}"}
        first = request_bytes(f"/s/{session.id}/x", **head)
        missed = request_bytes(f"/s/{session.id}/absent", **head)
        last = request_bytes(f"/s/{session.id}/x", method="POST")
        # The second pair is pipelined.
        sock.sendall(first)
        seen = b""
        while not seen.endswith(b"0\r\n\r\n"):
            seen += sock.recv(65536)
        sock.sendall(missed + first + last)
        rest = read_all(sock)
        assert [e.outcome for e in session.journal] == [
            Outcome.FINISHED,
            Outcome.MISSED,
            Outcome.FINISHED,
            Outcome.FINISHED,
        ]
    assert seen.endswith(b"1\r\n0\r\n0\r\n\r\n")
    assert rest.startswith(b"HTTP/1.1 404 ")
    assert rest.count(b"HTTP/1.1 200 OK") == 2
    assert rest.endswith(b"1\r\n2\r\n0\r\n\r\n")


def test_a_client_that_disconnects_in_the_middle_is_noticed(server: MockServer) -> None:
    played = exchange(*(b"x" * 2**20 for _ in range(64)))
    with server.session(exchanges=[played]) as session:
        with connect(server.url) as sock:
            sock.sendall(request_bytes(f"/s/{session.id}/x"))
            sock.recv(1)
        assert asyncio.run(session.wait_until_idle(10))
        (entry,) = session.journal
        assert entry.outcome is Outcome.CLIENT_CLOSED
        assert entry.sent < 64 * 2**20
