from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from mockserver.errors import RecordingError
from mockserver.library import library
from mockserver.recording.modes import Mode
from mockserver.recording.recorder import Recorder
from tests.mockserver.live import KEY, Live
from tests.mockserver.taping import CHAT, DONE, ask, event, hello, nothing_left


def test_a_body_compressed_against_our_wish_is_kept_and_searched(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    secret = ""

    async def answer(request: web.Request) -> web.StreamResponse:
        body = gzip.compress(event(f"Hi {secret}") + DONE)
        headers = {"content-type": "text/event-stream", "content-encoding": "gzip"}
        return web.Response(body=body, headers=headers)

    with Live(answer) as live:
        with recorder.tape(path, [live.provider()]) as tape:
            assert ask(client, tape).content == event("Hi ") + DONE
            tape.finish()
        recorded = path.read_bytes()
        secret = KEY
        with recorder.tape(path, [live.provider()]) as tape:
            ask(client, tape)
            with pytest.raises(RecordingError) as caught:
                tape.finish()
        with recorder.tape(path, [live.provider()], mode=Mode.DIFF) as tape:
            ask(client, tape)
            with pytest.raises(RecordingError, match="a known secret"):
                tape.finish()
    assert caught.value.reasons[0] == "interaction 0: response.body (gzip): a known secret"
    assert KEY not in str(caught.value)
    assert path.read_bytes() == recorded


@pytest.mark.parametrize(
    ("coding", "body", "reason"),
    [
        ("br", b"\x8b\x02\x80Hi!\x03", "response.body: encoded as br, so it cannot be searched: "),
        (
            "zstd",
            b"it may even be text",
            "response.body: encoded as zstd, so it cannot be searched: ",
        ),
        ("gzip, br", b"\x1f\x8b", "response.body: encoded as gzip, br, so it cannot be searched: "),
        ("gzip", b"\x1f\x8b-broken", "response.body: encoded as gzip, so it cannot be searched: "),
        (
            "gzip",
            gzip.compress(b'{"metadata": {"team": "red"}}', mtime=0),
            "response.body (gzip): a value at metadata/team that is not replaced: ",
        ),
    ],
)
def test_an_answer_that_cannot_be_searched_or_cleaned_is_relayed_but_not_kept(
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
    remedy = "no encoding was asked for, so turn off the compression on the way"
    assert caught.value.reasons == (f"interaction 0: {reason}{remedy}",)
    assert nothing_left(path)


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_compressed_question_goes_on_and_is_kept_plain(
    recorder: Recorder,
    client: httpx.Client,
    path: Path,
    coding: str,
    pack: Callable[[bytes], bytes],
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


@pytest.mark.parametrize(
    ("coding", "body", "reason"),
    [
        (
            "x-gzip",
            gzip.compress(b'{"user": "alice"}', mtime=0),
            "request.body (x-gzip): a value at user that is not replaced: ",
        ),
        ("snappy", b"\x05abc", "request.body: encoded as snappy, so it cannot be searched: "),
    ],
)
def test_a_question_that_cannot_be_searched_or_cleaned_is_not_kept(
    recorder: Recorder, client: httpx.Client, path: Path, coding: str, body: bytes, reason: str
) -> None:
    headers = {"content-encoding": coding, "content-type": "application/json"}
    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        client.post(tape.base_url + CHAT, content=body, headers=headers)
        with pytest.raises(RecordingError) as caught:
            tape.finish()
    remedy = "have the client send it without content-encoding"
    assert caught.value.reasons == (f"interaction 0: {reason}{remedy}",)
    assert nothing_left(path)


def test_a_question_in_an_unknown_coding_is_refused_with_the_remedy(
    recorder: Recorder, client: httpx.Client, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whether the libraries are there must not matter here.
    monkeypatch.setattr("aiohttp.http_parser.HAS_ZSTD", False)
    headers = {"content-encoding": "zstd"}
    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        got = client.post(tape.base_url + CHAT, content=b"(\xb5/\xfd", headers=headers)
        assert got.status_code == 400
        assert "Can not decode content-encoding: zstandard" in got.json()["error"]["message"]
        with pytest.raises(RecordingError, match="no request came in"):
            tape.finish()
        assert live.requests == []
