from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from mockserver.cassettes.cassette import End, Request
from mockserver.errors import RecordingError
from mockserver.library import library
from mockserver.recording.exchange import Capture
from mockserver.recording.providers import Provider
from mockserver.recording.proxy import Upstream
from mockserver.recording.recorder import Recorder, TapeHandle
from mockserver.recording.signing import signer_of
from tests.mockserver.live import Gate, Live, stream
from tests.mockserver.rawhttp import connect
from tests.mockserver.taping import CHAT, DONE, ENVIRONMENT, ask, event, hello


def test_a_disconnect_before_the_answer_is_a_failure_unless_allowed(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    def leave(tape: TapeHandle) -> None:
        asked, cancelled = gates["asked"], gates["cancelled"]
        with connect(tape.base_url) as sock:
            target = f"{httpx.URL(tape.base_url).path}/leave"
            sock.sendall(f"GET {target} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
            asked.wait()
        cancelled.wait()

    async def answer(request: web.Request) -> web.StreamResponse:
        if not request.path.endswith("/leave"):
            return await hello(request)
        gates["asked"].open()
        try:
            await never.passed()
        finally:
            gates["cancelled"].open()
        return web.Response()

    never = Gate()
    with Live(answer) as live:
        for ends in ((), (End.CLIENT_CLOSED,)):
            gates = {"asked": Gate(), "cancelled": Gate()}
            with recorder.tape(path, [live.provider()], ends=ends) as tape:
                leave(tape)
                ask(client, tape)
                if ends:
                    assert tape.finish().interactions == 1
                else:
                    with pytest.raises(
                        RecordingError, match="disconnected before the answer began"
                    ):
                        tape.finish()
                    assert not path.exists()
        never.open()


def test_a_failure_before_the_answer_is_reported_even_if_disconnects_are_allowed(
    recorder: Recorder, client: httpx.Client, path: Path, unreachable: Provider
) -> None:
    with recorder.tape(path, [unreachable], ends=[End.CLIENT_CLOSED]) as tape:
        with pytest.raises(httpx.ReadError):
            ask(client, tape)
        with pytest.raises(RecordingError, match="no answer"):
            tape.finish()


def test_what_arrives_after_the_client_has_disconnected_is_not_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fetch(capture: Capture) -> None:
        signer = signer_of(live.provider(), ENVIRONMENT)
        upstream = Upstream(live.provider(), signer, ENVIRONMENT, timeout=10)
        await upstream.fetch(capture, asyncio.Queue())
        await upstream.close()

    with Live(hello) as live:
        capture = Capture(1, Request(method="POST", uri=f"{live.url}/v1/x"))
        sent: list[bool] = []
        monkeypatch.setattr(capture, "sent", lambda: sent.append(capture.head is None))
        capture.client_disconnected = True
        asyncio.run(fetch(capture))
    assert (capture.end, capture.pieces) == (End.CLIENT_CLOSED, [])
    # Times count from when the request was sent, before there is an answer.
    assert sent == [True]


def test_a_client_that_disconnects_cancels_the_upstream(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    cancelled, never = Gate(), Gate()

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await stream(request, event("Hi"), never)
        finally:
            cancelled.open()

    with (
        Live(answer) as live,
        recorder.tape(path, [live.provider()], ends=[End.CLIENT_CLOSED]) as tape,
    ):
        with client.stream("POST", tape.base_url + CHAT) as response:
            assert next(response.iter_raw()) == event("Hi")
        cancelled.wait()
        never.open()
        tape.finish()
    recorded = library.load(path).interactions[0].response
    assert recorded.wire.end is End.CLIENT_CLOSED
    assert recorded.body == event("Hi")


def test_a_client_that_disconnects_at_the_last_event_has_the_whole_answer(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    left = Gate()

    async def answer(request: web.Request) -> web.StreamResponse:
        return await stream(request, event("Hi"), DONE, left)

    with Live(answer) as live, recorder.tape(path, [live.provider()]) as tape:
        with client.stream("POST", tape.base_url + CHAT) as response:
            got = b""
            for piece in response.iter_raw():
                got += piece
                if got.endswith(DONE):
                    break
        left.open()
        tape.finish()
    assert library.load(path).interactions[0].response.wire.end is End.EOF
