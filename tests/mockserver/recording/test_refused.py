"""What the recorder cannot relay is refused by name, and then nothing is written."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from aiohttp import web

from mockserver import MockServer
from mockserver.errors import RecordingError
from mockserver.recording.recorder import Recorder
from tests.mockserver.live import Live
from tests.mockserver.rawhttp import connect, read_all, request_bytes, status_of
from tests.mockserver.taping import CHAT, ask, hello, nothing_left

WEBSOCKET = (
    "connection: Upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
)


@pytest.mark.parametrize(
    ("headers", "status", "why"),
    [
        (WEBSOCKET, 400, "a WebSocket handshake for /_c/"),
        (("connection: close", "trailer: x-sum"), 400, "announces trailers"),
        (("connection: close", "expect: 200-maybe"), 417, "the expectation '200-maybe'"),
        (("connection: close", "content-encoding: gzip"), 400, "cannot decode the request body"),
    ],
)
def test_a_request_that_cannot_be_relayed_fails_the_recording(
    recorder: Recorder,
    client: httpx.Client,
    path: Path,
    headers: tuple[str, ...],
    status: int,
    why: str,
) -> None:
    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        assert ask(client, tape).status_code == 200
        target = tape.base_url.removeprefix(recorder.url) + CHAT
        with connect(recorder.url) as sock:
            sock.sendall(request_bytes(target, headers=headers, body=b"x"))
            assert status_of(read_all(sock)) == status
        with pytest.raises(RecordingError, match=why):
            tape.finish()
        assert len(live.requests) == 1
    assert nothing_left(path)


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "speaks HTTP/2"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "speaks TLS"),
        (b"GET /\x00 HTTP/1.1\r\n\r\n", "malformed HTTP"),
    ],
)
def test_another_protocol_fails_the_recording_by_its_name(
    recorder: Recorder, client: httpx.Client, path: Path, sent: bytes, why: str
) -> None:
    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        assert ask(client, tape).status_code == 200
        with connect(recorder.url) as sock:
            sock.sendall(sent)
            assert why.encode() in read_all(sock)
        with pytest.raises(RecordingError, match=why):
            tape.finish()
    assert nothing_left(path)


def test_a_server_names_other_protocols_too() -> None:
    with MockServer() as server:
        for sent, why in (
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"speaks HTTP/2"),
            (b"\x16\x03\x01\x02\x00", b"speaks TLS"),
            (request_bytes("/v1/realtime", headers=WEBSOCKET), b"a WebSocket handshake"),
        ):
            with connect(server.url) as sock:
                sock.sendall(sent)
                assert why in read_all(sock)


def test_an_upgrade_to_http2_is_ignored(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        upgrade = {
            "connection": "Upgrade, HTTP2-Settings",
            "upgrade": "h2c",
            "http2-settings": "AAMAAABkAAQCAAAAAAIAAAAA",
        }
        assert ask(client, tape).status_code == 200
        assert client.post(tape.base_url + CHAT, json={}, headers=upgrade).status_code == 200
        assert tape.finish().written
        names = {name.lower() for name in live.requests[1][2]}
    assert names.isdisjoint({"upgrade", "http2-settings"})


def test_a_miss_beside_the_prefix_fails_the_recording(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        assert ask(client, tape).status_code == 200
        assert client.get(f"{recorder.url}/v1/models").status_code == 404
        with pytest.raises(RecordingError, match="nothing recorded for GET /v1/models"):
            tape.finish()
    assert nothing_left(path)


def test_an_answer_with_trailers_is_relayed_and_not_written(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text="{}", headers={"trailer": "x-sum"})

    with Live(answer) as live, recorder.tape(path, [live.provider()]) as tape:
        assert ask(client, tape).text == "{}"
        with pytest.raises(RecordingError, match=r"announced trailers \(x-sum\)"):
            tape.finish()
    assert nothing_left(path)


def test_an_unreachable_provider_is_named_with_its_address(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    with Live(hello) as live:
        provider = live.provider()
    with recorder.tape(path, [provider]) as tape:
        with pytest.raises(httpx.TransportError):
            ask(client, tape)
        told = f"no answer from provider local at {provider.base_url}: ConnectError"
        with pytest.raises(RecordingError, match=told):
            tape.finish()
