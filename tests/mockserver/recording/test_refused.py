"""What the recorder cannot relay is refused by name, and then nothing is written."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from aiohttp import web

from mockserver import MockServer
from mockserver.errors import RecordingError
from mockserver.recording import proxy
from mockserver.recording import tape as tape_module
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


@pytest.mark.parametrize(
    ("head", "end", "named"),
    [
        (b"trailer: x-sum\r\n", b"0\r\nx-sum: 0\r\n\r\n", r"\(x-sum\)"),
        (b"", b"0\r\nx-sum: 0\r\nx-b: 0\r\n\r\n", r"\(x-sum, x-b\)"),
        (b"", b"000;ext=1\r\nx-sum: 0\r\n\r\n", r"\(x-sum\)"),
        (b"", b"0\r\nx-sum: " + b"y" * 10_000 + b"\r\n\r\n", "unknown names"),
        (b"", b"0\r\n\r\n", None),
        (b"", b"00;ext=1\r\n\r\n", None),
    ],
)
@pytest.mark.parametrize("body", [b"", b"5\r\n0\r\n\r\n\r\n", b"ffff\r\n" + b"z" * 65535 + b"\r\n"])
def test_an_answer_with_trailers_is_relayed_and_not_written(
    recorder: Recorder,
    client: httpx.Client,
    path: Path,
    head: bytes,
    end: bytes,
    named: str | None,
    body: bytes,
) -> None:
    """Announced or not, with a head that arrives together with the end, or long before."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n" + head

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(head + b"\r\n" + body + end)
        request.transport.close()
        return web.Response()

    with Live(answer) as live, recorder.tape(path, [live.provider()]) as tape:
        got = ask(client, tape)
        assert len(got.content) == {0: 0, 10: 5}.get(len(body), 65535)
        if named is None:
            assert tape.finish().written
            return
        with pytest.raises(RecordingError, match=f"sends trailers .*{named}"):
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
        message = f"no answer from provider local at {provider.base_url}: ConnectError"
        with pytest.raises(RecordingError, match=message):
            tape.finish()


def test_a_stream_without_end_is_cut_off_with_a_word(
    recorder: Recorder, client: httpx.Client, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "MOST_BYTES", 100_000)

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 10_000)

    with Live(endless) as live, recorder.tape(path, [live.provider()]) as tape:
        with pytest.raises(httpx.TransportError):
            ask(client, tape)
        with pytest.raises(RecordingError, match="does not come to an end: cut off after"):
            tape.finish()
    assert nothing_left(path)


def test_a_recording_has_a_limit_in_memory(
    recorder: Recorder, client: httpx.Client, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tape_module, "MOST_KEPT", 5000)
    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        got = [client.post(tape.base_url + CHAT, content=b" " * 3000) for _ in range(2)]
        assert [r.status_code for r in got] == [200, 413]
        with pytest.raises(RecordingError, match="split it into several cassettes"):
            tape.finish()
    assert nothing_left(path)


def test_what_cannot_be_written_is_not_searched(
    recorder: Recorder, client: httpx.Client, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def search(*_: object, **__: object) -> None:
        raise AssertionError("searched")

    monkeypatch.setattr("mockserver.recording.tape.Scrubber.interaction", search)
    monkeypatch.setattr("mockserver.recording.writer.leaks", search)
    with (
        Live(hello) as live,
        recorder.tape(path, [live.provider()]) as tape,
        pytest.raises(RecordingError, match="no request came in"),
    ):
        tape.finish()
    with recorder.tape(path, [live.provider()]) as tape:
        with pytest.raises(httpx.TransportError):
            ask(client, tape)
        with pytest.raises(RecordingError, match="no answer from"):
            tape.finish()
