from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import openai
import pytest

from mockserver import MockServer
from mockserver.errors import ProviderError, RecordingError
from mockserver.recording.providers import DUMMY_KEY
from mockserver.recording.recorder import Recorder
from tests.mockserver.live import Live
from tests.mockserver.taping import CHAT, ENVIRONMENT, ask, hello, nothing_left


def test_two_recorders_do_not_write_one_file(recorder: Recorder, path: Path) -> None:
    with Live(hello) as live, Recorder(environment=ENVIRONMENT) as other:
        with recorder.tape(path, [live.provider()]):
            with pytest.raises(RecordingError, match="another process is recording into it"):
                other.tape(path, [live.provider()])
            with pytest.raises(RecordingError, match="is already being recorded"):
                recorder.tape(path, [live.provider()])
        other.tape(path, [live.provider()]).close()
    assert nothing_left(path)


def test_what_is_not_open_is_refused(recorder: Recorder, client: httpx.Client, path: Path) -> None:
    with Live(hello) as live, recorder.tape(path, [live.provider()], name="a/b c") as tape:
        assert tape.base_url == f"{recorder.url}/_c/a/b%20c/local/v1"
        assert ask(client, tape).status_code == 200
        for url, kind in (
            (f"{recorder.url}/_c/other/local/v1/x", "unknown_cassette"),
            (f"{recorder.url}/_c/a/b%20c/elsewhere/v1/x", "unknown_provider"),
            (f"{recorder.url}/_c/a/b%20c", "unknown_cassette"),
        ):
            got = client.post(url)
            assert got.status_code == 404
            assert got.json()["error"]["type"] == f"tapecheck_{kind}"
        stranger = client.post(tape.base_url + CHAT, headers={"host": "evil.example"})
        assert stranger.status_code == 403
        assert len(live.requests) == 1
        tape.close()
        assert ask(client, tape).status_code == 404


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]:80", "LOCALHOST:80"])
def test_every_name_of_this_machine_is_accepted(
    recorder: Recorder, client: httpx.Client, path: Path, host: str
) -> None:
    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        assert client.post(tape.base_url + CHAT, headers={"host": host}).status_code == 200


def test_a_malformed_request_is_refused_and_not_sent(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        got = client.post(
            tape.base_url + CHAT, content=b"abc", headers={"content-encoding": "gzip"}
        )
        assert got.status_code == 400
        assert got.json()["error"]["type"] == "tapecheck_bad_request"
        assert live.requests == []


def test_a_finished_tape_unlocks_its_file(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    with Live(hello) as live:
        for name in ("one", "two"):
            tape = recorder.tape(path, [live.provider()], name=name)
            ask(client, tape)
            tape.finish()
        refused = recorder.tape(path, [live.provider()])
        with pytest.raises(RecordingError, match="no request came in"):
            refused.finish()
        recorder.tape(path, [live.provider()], name="three").close()
        recorder.tape(path, [live.provider()], name="four").close()
    assert [f.name for f in path.parent.iterdir()] == [path.name]


def test_a_recorder_that_stops_unlocks_all_files(path: Path) -> None:
    with Live(hello) as live:
        with Recorder(environment=ENVIRONMENT) as first:
            handle = first.tape(path, [live.provider()])
        assert nothing_left(path)
        assert handle.path == path
        with Recorder(environment=ENVIRONMENT) as second:
            second.tape(path, [live.provider()]).close()


def test_it_listens_on_this_machine_only(recorder: Recorder) -> None:
    assert recorder.url.startswith("http://127.0.0.1:")


def test_a_missing_key_is_an_error_before_anything_starts(path: Path) -> None:
    with Live(hello) as live, Recorder(environment={}) as recorder:
        with pytest.raises(ProviderError, match="needs its key in LIVE_KEY"):
            recorder.tape(path, [live.provider()])
        with pytest.raises(ProviderError, match="needs a provider"):
            recorder.tape(path, [])
        with pytest.raises(ProviderError, match="a base URL for each account"):
            recorder.tape(path, [replace(live.provider(), base_url="")])
    assert nothing_left(path)


def test_a_proxy_is_not_used_for_local_addresses(
    monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "intra.example")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with (
        Live(hello) as live,
        Recorder(environment=ENVIRONMENT) as recorder,
        recorder.tape(path, [live.provider()]) as tape,
    ):
        variables = tape.environment()
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        # A client that knows its proxy from the environment.
        with httpx.Client() as client:
            assert ask(client, tape).status_code == 200
        tape.finish()
    assert variables["no_proxy"] == "intra.example,127.0.0.1,localhost"
    assert variables["OPENAI_BASE_URL"] == variables["TAPECHECK_BASE_URL"]
    assert variables["OPENAI_BASE_URL"].endswith("/_c/tape/local/v1")
    assert {variables[n] for n in ("LIVE_KEY", "OPENAI_API_KEY", "TAPECHECK_API_KEY")} == {
        DUMMY_KEY
    }


def test_a_variable_that_clients_must_not_find_is_named_and_not_given(path: Path) -> None:
    with Live(hello) as live, Recorder(environment=ENVIRONMENT) as recorder:
        provider = replace(live.provider(), hidden=("LIVE_KEY", "LIVE_TOKEN"))
        with recorder.tape(path, [provider]) as tape:
            assert tape.hidden_variables == {"LIVE_KEY", "LIVE_TOKEN"}
            assert "LIVE_KEY" not in tape.environment()


def test_the_official_sdk_records_and_replays(recorder: Recorder, path: Path) -> None:
    def say(base_url: str) -> str:
        with openai.OpenAI(base_url=base_url, api_key=DUMMY_KEY, max_retries=0) as sdk:
            chunks = sdk.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "hi"}], stream=True
            )
            return "".join(c.choices[0].delta.content or "" for c in chunks)

    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        assert say(tape.base_url) == "Hi you"
        tape.finish()
    with MockServer(path.parent) as server:
        assert say(f"{server.url}/c/tape/v1") == "Hi you"
        assert say(f"{server.url}/v1") == "Hi you"
