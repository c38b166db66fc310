"""A client that follows a redirect stays in its recording, and in the replay."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from aiohttp import web

from mockserver import MockServer
from mockserver.errors import RecordingError
from mockserver.library import library
from mockserver.recording.modes import Mode
from mockserver.recording.recorder import Recorder
from mockserver.serving.verify import verify_cassette
from tests.mockserver.live import Live
from tests.mockserver.taping import nothing_left


def redirecting(to: str) -> web.Response:
    return web.Response(status=307, headers={"location": to})


@pytest.mark.parametrize("absolute", [True, False])
def test_a_redirect_is_followed_within_the_recording_and_the_replay(
    recorder: Recorder, client: httpx.Client, path: Path, absolute: bool
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/v1/old":
            return redirecting(f"http://{request.host}/v1/new" if absolute else "/v1/new")
        return web.Response(text="arrived")

    with Live(answer) as live, recorder.tape(path, [live.provider()]) as tape:
        got = client.get(f"{tape.base_url}/old", follow_redirects=True)
        assert (got.text, str(got.url)) == ("arrived", f"{tape.base_url}/new")
        assert tape.finish().written
        location = f"{live.url}/v1/new" if absolute else "/v1/new"
    recorded = library.load(path)
    assert [i.response.status for i in recorded.interactions] == [307, 200]
    assert recorded.interactions[0].response.header("location") == location
    assert verify_cassette(recorded) == []
    with MockServer(path) as server, server.session(recorded) as session:
        for base in (f"{server.url}/c/tape", session.url, server.url):
            got = client.get(f"{base}/v1/old", follow_redirects=True)
            assert (got.text, str(got.url)) == ("arrived", f"{base}/v1/new")
    with recorder.tape(path, [live.provider()], mode=Mode.NONE) as tape:
        assert client.get(f"{tape.base_url}/old", follow_redirects=True).text == "arrived"
        assert tape.finish().problems == ()


def test_a_redirect_to_a_host_that_is_not_recorded_fails_if_it_is_followed(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return redirecting("https://files.example.net/x")

    with Live(answer) as live:
        with recorder.tape(path, [live.provider()]) as tape:
            assert client.get(f"{tape.base_url}/file", follow_redirects=True).status_code == 404
            with pytest.raises(RecordingError, match=r"not record from 'files\.example\.net'"):
                tape.finish()
        assert nothing_left(path)
        with recorder.tape(path, [live.provider()]) as tape:
            assert client.get(f"{tape.base_url}/file").status_code == 307
            tape.finish()
    (interaction,) = library.load(path).interactions
    assert interaction.response.header("location") == "https://files.example.net/x"
