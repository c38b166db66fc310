"""Clients that send little and ask for much: memory, time and connections have limits."""

from __future__ import annotations

import gzip
import socket
import threading
import time

import httpx
import pytest

from mockserver import Limits, MockServer, Outcome, SessionError
from mockserver.library.matcher import differences
from mockserver.serving.journal import Journal, Record, Room
from mockserver.wire.schedule import Ending, Gate, Schedule, Send
from tests.mockserver.rawhttp import (
    CHAT,
    cassette,
    connect,
    exchange,
    interaction,
    read_all,
    request,
    request_bytes,
    status_of,
)

TAPE = cassette(interaction(b"{}"))


def record(number: int, body: bytes) -> Record:
    return Record(number, None, "POST", "/x", "", {}, body)


def test_a_body_is_kept_as_it_was_sent() -> None:
    plain = b" " * 5_000_000
    sent = gzip.compress(plain)
    with MockServer() as server, server.session(TAPE) as session:
        headers = {"content-encoding": "gzip"}
        httpx.post(session.url + CHAT, content=sent, headers=headers, trust_env=False)
        live = server._app.sessions[session.id]
        assert live.journal.records[0].size < len(sent) + 4096
        assert session.journal[0].body == plain


def test_journals_have_room_for_so_many_bytes() -> None:
    room = Room(100_000)
    one, other = Journal(1000, room), Journal(1000, room)
    for number in range(50):
        one.add(record(number, b"x" * 10_000))
    assert 5 < len(one.records) < 10
    assert one.records[-1].entry.number == 49
    for number in range(50):
        other.add(record(number, b"y" * 10_000))
    assert len(other.records) == 1
    one.release()
    other.add(record(50, b"y" * 10_000))
    assert len(other.records) == 2
    other.clear()
    assert (other.entries, room.taken) == ((), 0)


def test_headers_take_room_too() -> None:
    long = {f"x-{n}": "v" * 10_000 for n in range(5)}
    assert Record(0, None, "GET", "/x", "", long, b"").size > 50_000


def test_the_answers_of_all_sessions_are_bounded() -> None:
    large = cassette(interaction(b"x" * 600_000))
    with MockServer(limits=Limits(played=1_000_000)) as server:
        with server.session(large), pytest.raises(SessionError, match="over 0 MiB; close some"):
            server.session(large)
        with server.session(large):
            pass


def test_the_journal_is_sent_entry_by_entry() -> None:
    with MockServer() as server:
        url = f"{server.url}/__tapecheck/journal"
        assert httpx.get(url, trust_env=False).json() == []
        for number in range(3):
            httpx.post(f"{server.url}/x{number}", content=b"{}", trust_env=False)
        got = httpx.get(url, trust_env=False)
    assert got.headers["transfer-encoding"] == "chunked"
    assert [entry["path"] for entry in got.json()] == ["/x0", "/x1", "/x2"]


def test_of_a_large_body_the_journal_shows_the_length(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[int] = []
    monkeypatch.setattr("mockserver.secrets.shown.body", lambda data, _: shown.append(len(data)))
    sent = gzip.compress(b" " * 5_000_000)
    with MockServer() as server:
        headers = {"content-encoding": "gzip"}
        httpx.post(f"{server.url}/x", content=sent, headers=headers, trust_env=False)
        (entry,) = httpx.get(f"{server.url}/__tapecheck/journal", trust_env=False).json()
    assert (entry["body"], entry["body_bytes"]) == (None, len(sent))
    assert shown == []


def test_an_entry_is_searched_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []

    def body(data: bytes, _: object) -> bytes:
        threads.append(threading.current_thread().name)
        return data

    monkeypatch.setattr("mockserver.secrets.shown.body", body)
    with MockServer() as server, server.session(TAPE) as session:
        httpx.post(session.url + CHAT, content=b"{}", trust_env=False)
        for path in ("journal", f"sessions/{session.id}"):
            assert httpx.get(f"{server.url}/__tapecheck/{path}", trust_env=False).is_success
    assert len(threads) == 2
    assert not any(name.startswith("tapecheck-mockserver") for name in threads)


def test_a_wide_query_costs_milliseconds() -> None:
    wide = "&".join(f"{n:x}={n}" for n in range(20_000))
    began = time.process_time()
    found = differences(request("/x?a=1"), request(f"/x?{wide}"))
    assert len(found) == 20_000
    assert time.process_time() - began < 5


def half_closed(url: str, sent: bytes) -> bytes:
    with connect(url) as sock:
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        return read_all(sock)


def test_a_half_closed_client_gets_its_answer() -> None:
    with MockServer() as server, server.session(TAPE) as session:
        path = session.url.removeprefix(server.url)
        answers = [
            half_closed(server.url, request_bytes("/__tapecheck/health", headers=())),
            half_closed(server.url, request_bytes("/__tapecheck/journal", headers=())),
            half_closed(
                server.url, request_bytes(path + CHAT, method="POST", headers=(), body=b"{}")
            ),
        ]
        assert [status_of(answer) for answer in answers] == [200, 200, 200]
        assert answers[2].endswith(b"\r\n\r\n{}")
        assert half_closed(server.url, b"POST / HTTP/1.1\r\nhost: [::1]\r\n") == b""


def test_a_half_closed_client_gets_its_stream_at_its_speed() -> None:
    made = exchange(b"one", b"two", b"three", method="POST", path=CHAT)
    sends = tuple(Send(s.data, 60.0 * n) for n, s in enumerate(made.schedule.sends))
    timed = Schedule(**{**made.schedule.__dict__, "steps": sends})
    slow = type(made)(made.request, timed)
    with MockServer(speed=1) as server, server.session(exchanges=[slow]) as session:
        path = session.url.removeprefix(server.url) + CHAT
        got = half_closed(server.url, request_bytes(path, method="POST", headers=()))
    assert got.endswith(b"3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n")


@pytest.mark.parametrize("waits", ["gate", "stall"])
def test_a_client_that_is_gone_is_noticed_where_the_server_waits(waits: str) -> None:
    made = exchange(b"one", ending=Ending.STALL if waits == "stall" else Ending.FINISH)
    if waits == "gate":
        steps = (*made.schedule.steps, Gate("never"))
        made = type(made)(made.request, Schedule(**{**made.schedule.__dict__, "steps": steps}))
    with MockServer() as server, server.session(exchanges=[made]) as session:
        path = session.url.removeprefix(server.url)
        with connect(server.url) as sock:
            sock.sendall(request_bytes(f"{path}/x", headers=()))
            while b"one" not in sock.recv(65536):
                pass
        deadline = time.monotonic() + 10
        while session.journal[0].outcome is Outcome.ANSWERING and time.monotonic() < deadline:
            time.sleep(0.02)
        assert session.journal[0].outcome is Outcome.CLIENT_CLOSED


def test_a_slow_head_times_out_and_a_slow_body_does_not() -> None:
    with MockServer(limits=Limits(head_seconds=0.3)) as server:
        with connect(server.url) as sock:
            sock.sendall(b"GET /x HTTP/1.1\r\nhost: ")
            answer = read_all(sock)
        assert status_of(answer) == 408
        assert b"did not come to an end in time" in answer
        with connect(server.url) as sock:
            sock.sendall(
                b"POST /x HTTP/1.1\r\nhost: [::1]\r\nconnection: close\r\ncontent-length: 2\r\n\r\n"
            )
            time.sleep(0.6)
            sock.sendall(b"{}")
            assert status_of(read_all(sock)) == 404
        with connect(server.url) as sock:
            time.sleep(0.6)
            sock.sendall(request_bytes("/__tapecheck/health"))
            assert status_of(read_all(sock)) == 200


@pytest.mark.parametrize("late", [False, True], ids=["before it serves", "after"])
def test_a_server_whose_start_is_interrupted_ends(
    monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    server = MockServer()

    def interrupted(_: object) -> None:
        while late and not hasattr(server, "_stop"):
            time.sleep(0.001)
        time.sleep(0.05 if late else 0)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("concurrent.futures.Future.result", interrupted)
        # A call from another thread would use the same.
        patch.setattr(MockServer, "_call", lambda s, f: s._loop.call_soon_threadsafe(f))
        with pytest.raises(KeyboardInterrupt):
            server.__enter__()
    assert server._thread is not None
    assert not server._thread.is_alive()
