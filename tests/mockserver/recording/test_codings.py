from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import brotli
import httpx
import pytest
import zstandard
from aiohttp import web

from mockserver.errors import RecordingError
from mockserver.library import library
from mockserver.recording import drift
from mockserver.recording.modes import Mode
from mockserver.recording.recorder import Recorder
from tests.mockserver.live import KEY, Live
from tests.mockserver.taping import CHAT, DONE, ask, event, hello, nothing_left

INSTALL = "install one with: pip install 'tapecheck[codings]'"
Pack = Callable[[bytes], bytes]


def deflated(data: bytes) -> bytes:
    return zlib.compress(data)


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


CODINGS = [("gzip", gzip.compress), ("deflate", deflated), ("br", brotli.compress), ("zstd", zstd)]
codings = pytest.mark.parametrize(("coding", "pack"), CODINGS, ids=[name for name, _ in CODINGS])


@codings
def test_a_body_compressed_without_being_asked_is_stored_as_received(
    recorder: Recorder, client: httpx.Client, path: Path, coding: str, pack: Pack
) -> None:
    body = pack(event("Hi ") + DONE)

    async def answer(request: web.Request) -> web.StreamResponse:
        headers = {"content-type": "text/event-stream", "content-encoding": coding}
        return web.Response(body=body, headers=headers)

    with Live(answer) as live, recorder.tape(path, [live.provider()]) as tape:
        assert ask(client, tape).content == event("Hi ") + DONE
        tape.finish()
    recorded = library.load(path).interactions[0].response
    assert (recorded.body, recorded.header("content-encoding")) == (body, coding)
    assert "decoded" not in recorded.wire.recorded


@codings
def test_a_secret_in_a_compressed_body_is_replaced_and_the_body_stored_plain(
    recorder: Recorder, client: httpx.Client, path: Path, coding: str, pack: Pack
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        headers = {"content-type": "text/event-stream", "content-encoding": coding}
        return web.Response(body=pack(event(f"Hi {KEY}") + DONE), headers=headers)

    with Live(answer) as live:
        with recorder.tape(path, [live.provider()]) as tape:
            assert ask(client, tape).content == event(f"Hi {KEY}") + DONE
            tape.finish()
        with recorder.tape(path, [live.provider()], mode=Mode.DIFF) as tape:
            ask(client, tape)
            assert tape.finish().drift == drift.Drift()
    assert KEY.encode() not in path.read_bytes()
    recorded = library.load(path).interactions[0].response
    assert recorded.body == event("Hi key_REDACTED_1") + DONE
    assert recorded.header("content-encoding") is None
    assert recorded.wire.redacted == ("response.body",)
    assert recorded.wire.recorded["decoded"] == coding


@pytest.mark.parametrize("coding", ["br", "zstd"])
def test_without_a_decoder_the_message_says_what_to_install(
    recorder: Recorder,
    client: httpx.Client,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    coding: str,
) -> None:
    monkeypatch.setitem(sys.modules, {"br": "brotli", "zstd": "zstandard"}[coding], None)

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"\x8b\x02\x80Hi!\x03", headers={"content-encoding": coding})

    with Live(answer) as live, recorder.tape(path, [live.provider()]) as tape:
        with client.stream("POST", tape.base_url + CHAT):
            pass
        with pytest.raises(RecordingError) as caught:
            tape.finish()
    assert caught.value.reasons == (
        f"interaction 0: response.body: encoded as {coding}, so it cannot be searched: {INSTALL}",
    )
    assert nothing_left(path)


@pytest.mark.parametrize(
    ("coding", "body", "reason"),
    [
        ("br", b"\x8b\x02\x80Hi!", "response.body: encoded as br, so it cannot be searched: "),
        (
            "zstd",
            b"it may even be text",
            "response.body: encoded as zstd, so it cannot be searched: ",
        ),
        ("gzip, br", b"\x1f\x8b", "response.body: encoded as gzip, br, so it cannot be searched: "),
        ("gzip", b"\x1f\x8b-broken", "response.body: encoded as gzip, so it cannot be searched: "),
    ],
)
def test_an_answer_that_cannot_be_searched_is_relayed_but_not_stored(
    recorder: Recorder, client: httpx.Client, path: Path, coding: str, body: bytes, reason: str
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(
            body=body, headers={"content-encoding": coding, "content-type": "application/json"}
        )

    with Live(answer) as live, recorder.tape(path, [live.provider()]) as tape:
        with client.stream("POST", tape.base_url + CHAT) as response:
            assert b"".join(response.iter_raw()) == body
            assert response.headers["content-encoding"] == coding
        with pytest.raises(RecordingError) as caught:
            tape.finish()
    hint = "tapecheck requested none; turn off compression in the proxy or gateway"
    assert caught.value.reasons == (f"interaction 0: {reason}{hint}",)
    assert nothing_left(path)


@codings
def test_a_compressed_request_is_forwarded_and_stored_plain(
    recorder: Recorder,
    client: httpx.Client,
    path: Path,
    coding: str,
    pack: Pack,
) -> None:
    asked = b'{"user":"alice","metadata":{"team":"red"}}'
    headers = {"content-encoding": coding, "content-type": "application/json"}
    with Live(hello) as live:
        with recorder.tape(path, [live.provider()]) as tape:
            client.post(tape.base_url + CHAT, content=pack(asked), headers=headers)
            tape.finish()
        ((_, _, sent, body),) = live.requests
        with recorder.tape(path, [live.provider()], mode=Mode.NONE) as tape:
            again = client.post(tape.base_url + CHAT, content=pack(asked), headers=headers)
            assert again.status_code == 200
            assert tape.finish().problems == ()
    assert body == asked
    assert "content-encoding" not in {name.lower() for name in sent}
    recorded = library.load(path).interactions[0].request
    assert recorded.body == (
        b'{"user":"user_REDACTED_1","metadata":{"team":"metadata_REDACTED_1"}}'
    )
    assert "content-encoding" not in dict(recorded.headers)


def test_a_request_that_cannot_be_searched_is_not_stored(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    headers = {"content-encoding": "snappy", "content-type": "application/json"}
    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        client.post(tape.base_url + CHAT, content=b"\xff\x05abc", headers=headers)
        with pytest.raises(RecordingError) as caught:
            tape.finish()
    assert caught.value.reasons == (
        "interaction 0: request.body: encoded as snappy, so it cannot be searched: "
        "make the client send it without content-encoding",
    )
    assert nothing_left(path)


@pytest.mark.parametrize(
    ("coding", "message"),
    [
        ("zstd", f"no decoder for zstd; {INSTALL}"),
        ("gzip", "not encoded as gzip, or damaged"),
    ],
)
def test_a_request_that_cannot_be_decoded_is_refused(
    recorder: Recorder,
    client: httpx.Client,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    coding: str,
    message: str,
) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    headers = {"content-encoding": coding}
    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        got = client.post(tape.base_url + CHAT, content=b"(\xb5/\xfd", headers=headers)
        assert got.status_code == 400
        assert got.json()["error"]["message"] == (
            f"tapecheck: cannot decode the request body: {message}"
        )
        with pytest.raises(RecordingError, match="cannot decode the request body"):
            tape.finish()
        assert live.requests == []
