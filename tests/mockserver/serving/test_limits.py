"""Routes, misses, administration and bad input, over a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mockserver import Limits, MockServer, Outcome
from tests.mockserver.rawhttp import (
    CHAT,
    connect,
    json_of,
    read_all,
    read_answer,
    request_bytes,
    status_of,
    talk,
)
from tests.mockserver.serving.test_app import ADMIN


@pytest.fixture
def small(library: Path) -> Iterator[MockServer]:
    limits = Limits(body=1000, sessions=2, journal=3)
    with MockServer(library, limits=limits) as running:
        yield running


@pytest.mark.parametrize(
    "framing",
    [
        b"content-length: 1001\r\n\r\n",
        b"content-length: 1001\r\nexpect: 100-continue\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\n3e9\r\n",
    ],
    ids=["length", "expect", "chunked"],
)
def test_a_body_over_the_limit_is_refused(small: MockServer, framing: bytes) -> None:
    head = b"POST /v1 HTTP/1.1\r\nhost: 127.0.0.1\r\n" + framing
    body = b"x" * 1001 + (b"\r\n0\r\n\r\n" if b"chunked" in framing else b"")
    with connect(small.url) as sock:
        sock.sendall(head + (b"" if b"expect" in framing else body))
        answer = read_answer(sock)
    assert status_of(answer) == 413
    assert json_of(answer)["error"]["type"] == "tapecheck_too_large"
    (entry,) = small.journal
    assert (entry.outcome, entry.status) == (Outcome.REFUSED, 413)


def test_a_client_that_expects_100_continue_gets_it(small: MockServer) -> None:
    with connect(small.url) as sock:
        sock.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n"
            b"expect: 100-continue\r\ncontent-length: 13\r\n\r\n"
        )
        go_on = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert sock.recv(len(go_on)) == go_on
        sock.sendall(b'{"q":"other"}')
        assert json_of(read_all(sock)) == {"n": 3}


@pytest.mark.parametrize(
    ("limits", "allowed", "over"),
    [
        (Limits(line=20_000), "/" + "y" * 15_000, "/" + "y" * 25_000),
        (Limits(line=100), "/" + "y" * 60, "/" + "y" * 200),
    ],
)
def test_a_target_may_be_as_long_as_the_limit_says(limits: Limits, allowed: str, over: str) -> None:
    with MockServer(limits=limits) as server:
        assert status_of(talk(server.url, request_bytes(allowed))) == 404
        assert status_of(talk(server.url, request_bytes(over))) == 400


@pytest.mark.parametrize(
    ("limits", "allowed", "over"),
    [
        (Limits(header=20_000), ["x: " + "y" * 15_000], ["x: " + "y" * 25_000]),
        (Limits(header=100), ["x: " + "y" * 60], ["x: " + "y" * 200]),
        (Limits(headers=300), ["x: y"] * 250, ["x: y"] * 350),
        (Limits(headers=10), ["x: y"] * 5, ["x: y"] * 20),
    ],
)
def test_headers_may_be_as_long_and_many_as_the_limits_say(
    limits: Limits, allowed: list[str], over: list[str]
) -> None:
    with MockServer(limits=limits) as server:
        for headers, status in ((allowed, 404), (over, 400)):
            asked = request_bytes("/x", headers=[*headers, "connection: close"])
            assert status_of(talk(server.url, asked)) == status


def test_a_failure_of_the_server_is_logged_and_not_shown(
    server: MockServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("an inner detail")

    monkeypatch.setattr("mockserver.serving.app.App._route", fail)
    answer = talk(server.url, request_bytes("/x"))
    assert status_of(answer) == 500
    assert json_of(answer)["error"]["type"] == "tapecheck_internal_error"
    assert b"an inner detail" not in answer
    assert "an inner detail" in caplog.text


def test_a_failure_within_an_answer_ends_the_connection_without_a_second_answer(
    library: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("an inner detail")

    monkeypatch.setattr("mockserver.serving.playback.Playback._end", fail)
    with MockServer(library, speed=1000) as server:
        answer = talk(server.url, request_bytes("/models"))
    assert answer.count(b"HTTP/1.1 ") == 1
    assert json_of(answer) == {"n": 4}
    assert "an inner detail" in caplog.text


def test_requests_are_not_logged(
    client, server: MockServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG", "aiohttp"):
        client.post(f"{CHAT}?key=sk-query", json={"q": "same"})
    assert [r for r in caplog.records if r.name.startswith("aiohttp")] == []


def test_the_number_of_sessions_is_limited(small: MockServer) -> None:
    url = f"{small.url}{ADMIN}/sessions"
    codes = [httpx.post(url, json={"cassette": "chat/two"}).status_code for _ in range(3)]
    assert codes == [201, 201, 400]


def test_a_session_s_journal_is_a_ring(small: MockServer) -> None:
    with small.session("chat/two") as session:
        for n in range(5):
            httpx.post(f"{session.url}/{n}")
        assert [e.path for e in session.journal] == ["/2", "/3", "/4"]


def test_the_journal_is_a_ring(small: MockServer) -> None:
    for _ in range(5):
        httpx.get(f"{small.url}/absent")
    assert [e.number for e in small.journal] == [2, 3, 4]


def test_a_client_that_disconnects_within_its_request_leaves_no_trace(
    server: MockServer, client, caplog: pytest.LogCaptureFixture
) -> None:
    with connect(server.url) as sock:
        sock.sendall(b"POST /v1 HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 9\r\n\r\nhalf")
    assert client.get(f"{ADMIN}/health").is_success
    assert server.journal == ()
    assert caplog.records == []
