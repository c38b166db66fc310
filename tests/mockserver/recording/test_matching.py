"""Recording, replaying, comparing and merging by one rule."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from mockserver.errors import RecordingError
from mockserver.library import library
from mockserver.library.bodies import BOUNDARY
from mockserver.library.rule import Rule
from mockserver.recording.modes import Mode
from mockserver.recording.recorder import Recorder
from tests.mockserver.live import Live

RULE = Rule.of([], ["body.trace", "query.at"])


async def answer(request: web.Request) -> web.StreamResponse:
    if request.content_type.startswith("multipart/"):
        return web.Response(text="uploaded")
    return web.json_response({"asked": (await request.json())["text"]})


def ask(client: httpx.Client, base: str, text: str, trace: str) -> httpx.Response:
    return client.post(f"{base}/x?at={trace}", json={"text": text, "trace": trace})


def test_a_volatile_field_may_change_and_nothing_else(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    with Live(answer) as live:
        provider = live.provider()
        with recorder.tape(path, [provider], rule=RULE) as tape:
            assert ask(client, tape.base_url, "hi", "t1").status_code == 200
            tape.finish()
        before = path.read_bytes()
        with recorder.tape(path, [provider], mode=Mode.NONE, rule=RULE) as tape:
            assert ask(client, tape.base_url, "hi", "t2").json() == {"asked": "hi"}
            miss = ask(client, tape.base_url, "ho", "t3")
            assert miss.status_code == 404
            assert tape.finish().problems != ()
        (nearest,) = miss.json()["error"]["nearest"]
        assert [d["at"] for d in nearest["differences"]] == ["body/text"]
        with recorder.tape(path, [provider], mode=Mode.NEW_EPISODES, rule=RULE) as tape:
            assert ask(client, tape.base_url, "hi", "t4").json() == {"asked": "hi"}
            assert tape.finish().live == 0
        with recorder.tape(path, [provider], mode=Mode.DIFF, rule=RULE) as tape:
            ask(client, tape.base_url, "hi", "t5")
            assert str(tape.finish().drift) == "no difference"
        with recorder.tape(path, [provider], rule=RULE) as tape:
            ask(client, tape.base_url, "hi", "t6")
            result = tape.finish()
            assert (result.unchanged, str(result.drift)) == (1, "no difference")
    (interaction,) = library.load(path).interactions
    assert json.loads(interaction.request.body)["trace"] == "t1"
    assert path.read_bytes().partition(b"confirmed")[0].startswith(before[:200])


def test_a_changed_request_is_no_silent_confirmation(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    async def same(_: web.Request) -> web.StreamResponse:
        return web.json_response({})

    with Live(same) as live:
        for trace in ("t1", "t2"):
            with recorder.tape(path, [live.provider()]) as tape:
                client.post(f"{tape.base_url}/x", json={"trace": trace})
                result = tape.finish()
    assert 'the request differs in body/trace: recorded "t1", got "t2"' in str(result.drift)


def test_an_upload_is_stored_and_found_by_its_parts(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    def upload(base: str, content: bytes) -> httpx.Response:
        files = {"file": ("a.wav", content, "audio/wav")}
        return client.post(f"{base}/files", data={"purpose": "batch"}, files=files)

    stored = []
    with Live(answer) as live:
        for _ in range(2):
            with recorder.tape(path, [live.provider()]) as tape:
                assert upload(tape.base_url, b"RIFF\xff").text == "uploaded"
                tape.finish()
            stored.append(library.load(path).interactions[0].request)
        assert BOUNDARY not in live.requests[0][2]["Content-Type"]
        with recorder.tape(path, [live.provider()], mode=Mode.NONE) as tape:
            assert upload(tape.base_url, b"RIFF\xff").text == "uploaded"
            miss = upload(tape.base_url, b"RIFF\xfe")
    assert stored[0] == stored[1]
    assert stored[0].body.startswith(f"--{BOUNDARY}\r\n".encode())
    assert "body/file/content" in miss.json()["error"]["message"]


@pytest.mark.parametrize("repeat", [True, False])
def test_a_job_may_be_polled_longer_than_when_it_was_recorded(
    recorder: Recorder, client: httpx.Client, path: Path, repeat: bool
) -> None:
    async def state(_: web.Request) -> web.StreamResponse:
        return web.json_response("done" if len(live.requests) > 2 else "queued")

    with Live(state) as live:
        with recorder.tape(path, [live.provider()]) as tape:
            for _ in range(3):
                client.get(f"{tape.base_url}/jobs/1")
            tape.finish()
        with recorder.tape(path, [live.provider()], mode=Mode.NONE, repeat=repeat) as tape:
            got = [client.get(f"{tape.base_url}/jobs/1") for _ in range(5)]
            problems = tape.finish().problems
    assert [r.json() for r in got[:3]] == ["queued", "queued", "done"]
    assert [r.status_code for r in got[3:]] == ([200, 200] if repeat else [404, 404])
    assert (problems == ()) is repeat
    if repeat:
        assert [r.json() for r in got[3:]] == ["done", "done"]


def test_new_episodes_writes_nothing_after_a_refusal(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    with Live(answer) as live, recorder.tape(path, [live.provider()]) as tape:
        ask(client, tape.base_url, "hi", "t")
        client.post(f"{tape.base_url}/x", content=b"x", headers={"content-encoding": "gzip"})
        with pytest.raises(RecordingError, match="cannot decode"):
            tape.finish()
