from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from mockserver import CassetteError, MockServer, Outcome, ServerStartError, SessionError
from mockserver.cassettes import writer as cassette_writer
from mockserver.wire.axes import point
from mockserver.wire.faults import parse as fault
from mockserver.wire.schedule import Ending
from tests.mockserver.rawhttp import CHAT, cassette, connect, exchange, interaction, request_bytes

STREAM = b"data: a\n\ndata: b\n\n"
TAPE = cassette(interaction(STREAM, content_type="text/event-stream"))


def test_a_server_in_a_thread() -> None:
    with MockServer() as server:
        assert server.url.startswith("http://127.0.0.1:")
        with server.session(TAPE) as session:
            assert session.url == f"{server.url}/s/{session.id}"
            assert httpx.post(session.url + CHAT).content == STREAM
            assert session.unplayed == ()
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)
    assert [e.outcome for e in server.journal] == [Outcome.FINISHED]


async def ask(url: str) -> bytes:
    async with httpx.AsyncClient() as client:
        return (await client.post(url)).content


def test_a_server_in_the_running_loop() -> None:
    async def main() -> None:
        async with MockServer() as server:
            with server.session(TAPE) as session:
                assert await ask(session.url + CHAT) == STREAM
                assert await session.wait_until_idle(10)
                assert [e.outcome for e in session.journal] == [Outcome.FINISHED]
            assert len(server.journal) == 1

    asyncio.run(main())


def test_a_server_in_the_running_loop_serves_other_threads() -> None:
    def client(server: MockServer) -> bytes:
        with server.session(TAPE) as session:
            content = httpx.post(session.url + CHAT).content
            assert [e.outcome for e in session.journal] == [Outcome.FINISHED]
            return content

    async def main() -> bytes:
        async with MockServer() as server:
            return await asyncio.to_thread(client, server)

    assert asyncio.run(main()) == STREAM


def test_a_server_in_a_thread_serves_any_loop() -> None:
    async def main(server: MockServer) -> bool:
        with server.session(TAPE) as session:
            await ask(session.url + CHAT)
            return await session.wait_until_idle(10)

    with MockServer() as server:
        assert asyncio.run(main(server))


def test_a_server_can_be_started_again() -> None:
    server = MockServer()
    for _ in range(2):
        with server, server.session(TAPE) as session:
            assert httpx.post(session.url + CHAT).content == STREAM


def test_a_port_in_use_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServerStartError, match=rf"127\.0\.0\.1:{port}: the port is in use"):
            MockServer(port=port).__enter__()


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 99999), ("no.such.host.invalid", 0)])
def test_an_invalid_address_is_an_error(host: str, port: int) -> None:
    with pytest.raises(ServerStartError, match=f"cannot listen on {host}:{port}"):
        MockServer(host=host, port=port).__enter__()


def test_a_running_server_is_not_started_twice() -> None:
    with MockServer() as server, pytest.raises(ServerStartError, match="already running"):
        server.__enter__()


def test_a_library_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="no such file"):
        MockServer(tmp_path / "absent")


def test_speed_is_not_negative() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        MockServer(speed=-1)


def test_sources_of_a_session(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(cassette_writer.dump(TAPE))
    with MockServer(tmp_path) as server:
        for source in ("x", tmp_path / "x.yaml", TAPE):
            (played,) = server.session(source).unplayed
            assert played.schedule.body == STREAM
        (varied,) = server.session("x", point=point({"eol": "cr"})).unplayed
        assert varied.schedule.body == STREAM.replace(b"\n", b"\r")
        (broken,) = server.session("x", fault=fault("stall@9")).unplayed
        assert (broken.schedule.body, broken.schedule.ending) == (STREAM[:9], Ending.STALL)
        own = exchange(b"own")
        assert server.session(exchanges=[own]).unplayed == (own,)
        assert server.session(exchanges=[own]).unplayed[0] is own


def test_sessions_that_cannot_be_opened(tmp_path: Path) -> None:
    with MockServer(tmp_path) as server:
        with pytest.raises(SessionError, match="no cassette 'x'"):
            server.session("x")
        with pytest.raises(CassetteError, match="no such cassette"):
            server.session(tmp_path / "x.yaml")
        with pytest.raises(SessionError, match="needs a cassette or exchanges"):
            server.session()
    with pytest.raises(SessionError, match="not running"):
        server.session(TAPE)


def test_fifty_clients_at_once_each_get_their_own() -> None:
    count = 50
    together = threading.Barrier(count)

    def client(server: MockServer, number: int) -> None:
        pieces = [b"%d;" % number] * 100
        with server.session(exchanges=[exchange(*pieces), exchange(b"last")]) as session:
            together.wait(30)
            with httpx.Client() as http:
                assert http.get(session.url + "/x").content == b"".join(pieces)
                assert http.get(session.url + "/x").content == b"last"
                assert http.get(session.url + "/x").status_code == 404
            assert [e.exchange for e in session.journal] == [0, 1, None]
            assert session.unplayed == ()

    with MockServer() as server, ThreadPoolExecutor(count) as pool:
        list(pool.map(lambda n: client(server, n), range(count)))
        assert len(server.journal) == 3 * count
        assert sorted(e.number for e in server.journal) == list(range(3 * count))


def test_a_server_that_stops_interrupts_its_answers() -> None:
    server = MockServer()
    with server, server.session(exchanges=[exchange(b"x", ending=Ending.STALL)]) as session:
        idle, stalled = connect(server.url), connect(server.url)
        stalled.sendall(request_bytes(f"/s/{session.id}/x"))
        while not stalled.recv(65536).endswith(b"x\r\n"):
            pass
        half = connect(server.url)
        half.sendall(b"POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 9\r\n\r\nhalf")
    for sock in (idle, stalled, half):
        with sock:
            assert sock.recv(1) == b""
    assert [e.outcome for e in server.journal] == [Outcome.SERVER_CLOSED]


def test_idle_means_that_no_answer_is_in_progress() -> None:
    async def main() -> None:
        async with MockServer() as server:
            played = exchange(b"x", ending=Ending.STALL)
            with server.session(exchanges=[played]) as session:
                assert await session.wait_until_idle(0)
                reader, writer = await asyncio.open_connection(*server.url[7:].split(":"))
                writer.write(request_bytes(f"/s/{session.id}/x"))
                await reader.readuntil(b"x\r\n")
                assert not await session.wait_until_idle(0)
                writer.close()
                assert await session.wait_until_idle(10)

    asyncio.run(main())


def test_an_ipv6_address_is_in_brackets() -> None:
    assert MockServer(host="::1", port=80).url == "http://[::1]:80"


def test_a_server_that_hangs_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.serving.server._CALL_TIMEOUT", 0.01)
    hanging, go_on = threading.Event(), threading.Event()

    def hang() -> None:
        hanging.set()
        go_on.wait()

    with MockServer() as server:
        assert server._loop is not None
        server._loop.call_soon_threadsafe(hang)
        hanging.wait()
        try:
            with pytest.raises(SessionError, match="does not answer"):
                _ = server.journal
        finally:
            go_on.set()
            monkeypatch.undo()


def test_a_server_without_control_cannot_be_administrated() -> None:
    with MockServer(control=False) as server, server.session(exchanges=()) as session:
        answer = httpx.delete(f"{server.url}/__tapecheck/sessions/{session.id}")
        assert answer.status_code == 404
        assert httpx.get(f"{server.url}/__tapecheck/sessions").status_code == 404
        assert session.unplayed == ()
