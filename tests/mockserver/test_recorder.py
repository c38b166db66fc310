from __future__ import annotations

import gzip
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from aiohttp import web

from mockserver import MockServer, store
from mockserver.cassette import End, Origin
from mockserver.errors import CassetteError, ProviderError, RecordingError
from mockserver.providers import DUMMY_KEY, Provider
from mockserver.recorder import Recorder, TapeHandle
from mockserver.recording_modes import Mode
from tests.mockserver.live import KEY, Gate, Live, stream

ENVIRONMENT = {"LIVE_KEY": KEY}
CHAT = "/chat/completions"


def event(text: str, run: int = 1) -> bytes:
    chunk = {
        "id": f"chatcmpl-{run}",
        "object": "chat.completion.chunk",
        "created": run,
        "model": "m",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}],
    }
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()


DONE = b"data: [DONE]\n\n"


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder(environment=ENVIRONMENT) as running:
        yield running


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=10) as made:
        yield made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dir" / "tape.yaml"


async def hello(request: web.Request) -> web.StreamResponse:
    return await stream(request, event("Hi "), event("you"), DONE)


def ask(client: httpx.Client, tape: TapeHandle, text: str = "hi", **more: Any) -> httpx.Response:
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": text}]}
    headers = {"authorization": f"Bearer {tape.api_key}"}
    return client.post(tape.base_url + CHAT, json=body, headers=headers, **more)


def nothing_left(path: Path) -> bool:
    return not path.parent.exists() or list(path.parent.iterdir()) == []


def test_the_client_sees_each_event_before_the_next_is_sent(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    seen = Gate()
    first, second = event("Hi "), event("🎉")

    async def answer(request: web.Request) -> web.StreamResponse:
        return await stream(request, first, seen, second[:-9], second[-9:], DONE)

    with Live(answer) as live, recorder.tape(path, [live.provider()]) as tape:
        with client.stream("POST", tape.base_url + CHAT, json={}) as response:
            pieces = response.iter_raw()
            assert next(pieces) == first
            seen.open()
            assert b"".join(pieces) == second + DONE
        result = tape.finish()
        assert result.written
        assert result.live == result.interactions == 1
        (interaction,) = store.load(path).interactions
        wire = interaction.response.wire
        assert interaction.request.uri == f"{live.url}/v1/chat/completions"
    assert interaction.response.body == first + second + DONE
    assert wire.chunks is not None
    ends = [len(first), len(first + second) - 9, len(first + second), len(first + second + DONE)]
    lengths = [b - a for a, b in zip([0, *ends], ends, strict=False)]
    assert [c.length for c in wire.chunks] == lengths
    assert (wire.end, wire.origin, wire.http) == (End.EOF, Origin.RECORDED, "HTTP/1.1")
    times = [wire.headers_ms, *(c.at_ms for c in wire.chunks), wire.end_ms]
    assert times == sorted(times, key=lambda t: t or 0)
    assert wire.recorded["via"] == "proxy"
    assert wire.recorded["by"].startswith("tapecheck/")


def test_the_real_key_goes_out_and_the_dummy_stays(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        client.post(
            tape.base_url + "/x%20y/z?b=%C3%A4&a=1",
            content=b"{}",
            headers={
                "authorization": f"Bearer {DUMMY_KEY}",
                "x-api-key": "another-of-the-client",
                "cookie": "a=b",
                "connection": "keep-alive, x-hop",
                "te": "trailers",
                "accept-encoding": "gzip, br",
                "openai-beta": "assistants=v2",
            },
        )
        tape.finish()
        ((method, target, headers, body),) = live.requests
    assert (method, target, body) == ("POST", "/v1/x%20y/z?b=%C3%A4&a=1", b"{}")
    names = {n.lower(): v for n, v in headers.items()}
    assert names.pop("host") == live.url.removeprefix("http://")
    assert names.pop("authorization") == f"Bearer {KEY}"
    assert names.pop("accept-encoding") == "identity"
    assert names.pop("openai-beta") == "assistants=v2"
    assert not names.keys() & {"x-api-key", "cookie", "te", "connection"}
    assert KEY not in path.read_text()


def test_a_provider_without_a_key_gets_what_the_client_sends(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    with Live(hello) as live, recorder.tape(path, [live.provider(key=False)]) as tape:
        ask(client, tape)
        client.post(tape.base_url + CHAT, headers={"authorization": "Bearer the-clients-own-key"})
        tape.finish()
        sent = [r[2].get("Authorization") for r in live.requests]
    assert sent == [None, "Bearer the-clients-own-key"]
    assert "the-clients-own-key" not in path.read_text()


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503, 529])
def test_errors_are_relayed_and_recorded_as_they_were(
    recorder: Recorder, client: httpx.Client, path: Path, status: int
) -> None:
    body = f'{{"error":{{"message":"no {KEY}","type":"x"}}}}'.encode()

    async def answer(request: web.Request) -> web.StreamResponse:
        headers = {"retry-after": "20", "x-request-id": "req_abc", "x-other": "y"}
        return web.Response(
            status=status,
            reason="Because",
            body=body,
            headers=headers,
            content_type="application/json",
        )

    with Live(answer) as live, recorder.tape(path, [live.provider()]) as tape:
        got = ask(client, tape)
        tape.finish()
    assert (got.status_code, got.reason_phrase, got.content) == (status, "Because", body)
    assert got.headers["retry-after"] == "20"
    assert got.headers["x-other"] == "y"
    recorded = store.load(path).interactions[0].response
    assert (recorded.status, recorded.reason) == (status, "Because")
    assert recorded.body == body.replace(KEY.encode(), b"key_REDACTED_1")
    assert ("retry-after", "20") in recorded.headers
    assert ("x-request-id", "req_REDACTED_1") in recorded.headers
    # A body with a length has no chunks of its own.
    assert recorded.wire.chunks is None


Break = Callable[[web.Request], None]


def cut(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.close()


def reset(request: web.Request) -> None:
    assert request.transport is not None
    sock = request.transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    request.transport.abort()


@pytest.mark.parametrize(
    ("breaks", "end", "error"),
    [(cut, End.TRUNCATED, httpx.RemoteProtocolError), (reset, End.RESET, httpx.ReadError)],
)
def test_an_upstream_that_dies_is_recorded_as_it_was(
    recorder: Recorder,
    client: httpx.Client,
    path: Path,
    breaks: Break,
    end: End,
    error: type[Exception],
) -> None:
    seen = Gate()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(event("Hi"))
        await seen.passed()
        breaks(request)
        return response

    def once(tape: TapeHandle) -> bytes:
        with client.stream("POST", tape.base_url + CHAT) as response:
            assert response.status_code == 200
            pieces = response.iter_raw()
            got = next(pieces)
            seen.open()
            with pytest.raises(error):
                next(pieces)
        return got

    with Live(answer) as live:
        with recorder.tape(path, [live.provider()]) as tape:
            assert once(tape) == event("Hi")
            with pytest.raises(RecordingError, match=f"ended with {end}"):
                tape.finish()
        assert nothing_left(path)
        with recorder.tape(path, [live.provider()], ends=[end]) as tape:
            once(tape)
            tape.finish()
    wire = store.load(path).interactions[0].response.wire
    assert wire.end is end


def test_no_answer_at_all_is_no_recording(client: httpx.Client, path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = Provider(
            name="nobody",
            base_url=f"http://127.0.0.1:{taken.getsockname()[1]}/{KEY}",
            key_variables=("LIVE_KEY",),
        )
        with Recorder(environment=ENVIRONMENT) as recorder, recorder.tape(path, [nobody]) as tape:
            with pytest.raises(httpx.TransportError):
                ask(client, tape)
            with pytest.raises(RecordingError, match=r"no answer from 127\.0\.0\.1") as caught:
                tape.finish()
    assert KEY not in str(caught.value)
    assert nothing_left(path)


def test_an_upstream_that_hangs_up_without_a_word_is_no_recording(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        cut(request)
        return web.Response()

    with Live(answer) as live, recorder.tape(path, [live.provider()]) as tape:
        with pytest.raises(httpx.TransportError):
            ask(client, tape)
        with pytest.raises(RecordingError, match="no answer"):
            tape.finish()
    assert nothing_left(path)


def test_a_client_that_hangs_up_cancels_the_upstream(
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
    recorded = store.load(path).interactions[0].response
    assert recorded.wire.end is End.CLIENT_CLOSED
    assert recorded.body == event("Hi")


def test_a_client_that_leaves_with_the_last_event_has_had_it_all(
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
    assert store.load(path).interactions[0].response.wire.end is End.EOF


def test_interactions_stand_in_the_order_of_arrival_not_of_the_end(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    later_done = Gate()

    async def answer(request: web.Request) -> web.StreamResponse:
        gates = [later_done] if len(live.requests) == 1 else []
        return await stream(request, event("a"), *gates, DONE)

    with Live(answer) as live, recorder.tape(path, [live.provider()]) as tape:
        with client.stream("POST", f"{tape.base_url}/first") as first:
            pieces = first.iter_raw()
            next(pieces)
            client.post(f"{tape.base_url}/second")
            later_done.open()
            assert b"".join(pieces) == DONE
        tape.finish()
    paths = [i.request.url.path for i in store.load(path).interactions]
    assert paths == ["/v1/first", "/v1/second"]


def test_twenty_streams_side_by_side_are_kept_apart(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    everybody = threading.Barrier(20)
    arrived: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        text = (await request.json())["messages"][0]["content"]
        arrived.append(text)
        together = Gate()
        threading.Thread(target=lambda: (everybody.wait(10), together.open())).start()
        return await stream(request, event(text), together, event(text + "!"), DONE)

    with Live(answer) as live, recorder.tape(path, [live.provider()]) as tape:
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda n: ask(client, tape, f"n{n}"), range(20)))
        tape.finish()
        order = [json.loads(c.request.body)["messages"][0]["content"] for c in tape.captures]
    for number, response in enumerate(answers):
        assert response.content == event(f"n{number}") + event(f"n{number}!") + DONE
    found = store.load(path).interactions
    assert [json.loads(i.request.body)["messages"][0]["content"] for i in found] == order
    assert sorted(order) == sorted(arrived)
    for interaction in found:
        text = json.loads(interaction.request.body)["messages"][0]["content"]
        assert interaction.response.body == event(text) + event(text + "!") + DONE


def test_nothing_asked_is_nothing_written(recorder: Recorder, path: Path) -> None:
    with (
        Live(hello) as live,
        recorder.tape(path, [live.provider()]) as tape,
        pytest.raises(RecordingError, match="no request came in"),
    ):
        tape.finish()
    assert nothing_left(path)


def test_giving_up_writes_nothing(recorder: Recorder, client: httpx.Client, path: Path) -> None:
    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        ask(client, tape)
    assert nothing_left(path)


def test_two_recorders_do_not_write_one_file(recorder: Recorder, path: Path) -> None:
    with Live(hello) as live, Recorder(environment=ENVIRONMENT) as other:
        with recorder.tape(path, [live.provider()]):
            with pytest.raises(RecordingError, match="another process records into it"):
                other.tape(path, [live.provider()])
            with pytest.raises(RecordingError, match="is being recorded already"):
                recorder.tape(path, [live.provider()])
        other.tape(path, [live.provider()]).close()
    assert nothing_left(path)


def test_a_recording_of_the_same_again_changes_only_when_it_was_seen(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    run = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal run
        run += 1
        # Other ids, other times, other chunks.
        whole = event("Hi ", run) + event("you", run) + DONE
        return await stream(request, whole[: run * 7], whole[run * 7 :])

    def record() -> str:
        with recorder.tape(path, [live.provider()]) as tape:
            ask(client, tape, "one")
            ask(client, tape, "two")
            result = tape.finish()
        if result.drift is not None:
            assert result.kept == 2
            assert str(result.drift) == "no difference"
        return path.read_text()

    with Live(answer) as live:
        first, second = record(), record()
    new = set(second.splitlines()) - set(first.splitlines())
    assert all(line.strip().startswith("confirmed: ") for line in new)
    assert not set(first.splitlines()) - set(second.splitlines())
    assert len(store.load(path).interactions) == 2


def test_only_what_changed_changes(recorder: Recorder, client: httpx.Client, path: Path) -> None:
    words = {"one": "1", "two": "2"}

    async def answer(request: web.Request) -> web.StreamResponse:
        asked = (await request.json())["messages"][0]["content"]
        return await stream(request, event(words[asked], len(live.requests)), DONE)

    def record() -> Any:
        with recorder.tape(path, [live.provider()]) as tape:
            ask(client, tape, "one")
            ask(client, tape, "two")
            return tape.finish()

    with Live(answer) as live:
        record()
        path.write_text("# Kept by hand.\n" + path.read_text())
        before = store.load(path).interactions
        words["two"] = "zwei"
        result = record()
    after = store.load(path).interactions
    assert path.read_text().startswith("# Kept by hand.\nversion: 1\n")
    assert after[0].response.body == before[0].response.body == event("1", 1) + DONE
    assert after[1].response.body == event("zwei", 4) + DONE
    assert result.kept == 1
    assert result.drift.shapes == ()
    assert [line.strip() for line in result.drift.values] == [
        "1 POST /v1/chat/completions: chat.completion.chunk.choices[].delta.content: 2 → zwei"
    ]


class TestModes:
    @pytest.fixture
    def live(self) -> Iterator[Live]:
        async def answer(request: web.Request) -> web.StreamResponse:
            text = (await request.json())["messages"][0]["content"]
            return await stream(request, event(f"{text}!"), DONE)

        with Live(answer) as running:
            yield running

    @pytest.fixture
    def recorded(self, recorder: Recorder, client: httpx.Client, path: Path, live: Live) -> bytes:
        with recorder.tape(path, [live.provider()]) as tape:
            ask(client, tape, "one")
            tape.finish()
        live.requests.clear()
        return path.read_bytes()

    def test_none_replays_and_never_goes_out(
        self, client: httpx.Client, path: Path, live: Live, recorded: bytes
    ) -> None:
        # Not even a key is needed.
        with Recorder(environment={}) as recorder:
            with recorder.tape(path, [live.provider()], mode=Mode.NONE) as tape:
                assert ask(client, tape, "one").content == event("one!") + DONE
                assert tape.finish().problems == ()
            with recorder.tape(path, [live.provider()], mode=Mode.NONE) as tape:
                missed = ask(client, tape, "two")
                assert missed.status_code == 404
                message = missed.json()["error"]["message"]
                assert 'body/messages/0/content: recorded "one", got "two"' in message
                problems = tape.finish().problems
        assert len(problems) == 2
        assert problems[0].startswith("nothing recorded for POST /v1/chat/completions")
        assert problems[1] == "interaction 0 was not asked for: POST /v1/chat/completions"
        assert live.requests == []
        assert path.read_bytes() == recorded

    def test_none_needs_a_cassette(self, recorder: Recorder, path: Path, live: Live) -> None:
        with pytest.raises(CassetteError, match="no such cassette"):
            recorder.tape(path, [live.provider()], mode=Mode.NONE)

    def test_once_records_what_is_missing_and_replays_what_is_there(
        self, recorder: Recorder, client: httpx.Client, path: Path, live: Live
    ) -> None:
        for _ in range(2):
            with recorder.tape(path, [live.provider()], mode=Mode.ONCE) as tape:
                assert ask(client, tape, "one").content == event("one!") + DONE
                assert tape.finish().problems == ()
        assert len(live.requests) == 1
        with recorder.tape(path, [live.provider()], mode=Mode.ONCE) as tape:
            assert ask(client, tape, "two").status_code == 404

    def test_new_episodes_appends(
        self, recorder: Recorder, client: httpx.Client, path: Path, live: Live, recorded: bytes
    ) -> None:
        with recorder.tape(path, [live.provider()], mode=Mode.NEW_EPISODES) as tape:
            assert ask(client, tape, "one").content == event("one!") + DONE
            result = tape.finish()
            assert not result.written
            assert path.read_bytes() == recorded
        with recorder.tape(path, [live.provider()], mode=Mode.NEW_EPISODES) as tape:
            assert ask(client, tape, "two").content == event("two!") + DONE
            assert ask(client, tape, "one").content == event("one!") + DONE
            result = tape.finish()
        assert result.written
        assert (result.live, result.interactions, result.kept) == (1, 2, 1)
        assert len(live.requests) == 1
        assert path.read_bytes().startswith(recorded)

    def test_rewrite_drops_what_is_no_longer_asked(
        self, recorder: Recorder, client: httpx.Client, path: Path, live: Live, recorded: bytes
    ) -> None:
        with recorder.tape(path, [live.provider()]) as tape:
            ask(client, tape, "two")
            result = tape.finish()
        (interaction,) = store.load(path).interactions
        assert interaction.response.body == event("two!") + DONE
        assert result.drift is not None
        assert result.drift.shapes == ()

    def test_diff_compares_and_writes_nothing(
        self, recorder: Recorder, client: httpx.Client, path: Path, live: Live, recorded: bytes
    ) -> None:
        with recorder.tape(path, [live.provider()], mode=Mode.DIFF) as tape:
            assert ask(client, tape, "one").status_code == 200
            result = tape.finish()
        assert result.drift is not None
        assert str(result.drift) == "no difference"
        assert not result.written
        assert len(live.requests) == 1
        assert path.read_bytes() == recorded

    def test_diff_names_what_drifted(
        self, recorder: Recorder, client: httpx.Client, path: Path, live: Live, recorded: bytes
    ) -> None:
        tape_file = store.load(path)
        (interaction,) = tape_file.interactions
        body = interaction.response.body.replace(b'"model": "m", ', b"")
        response = replace(
            interaction.response, body=body, wire=replace(interaction.response.wire, chunks=None)
        )
        old = replace(tape_file, interactions=(replace(interaction, response=response),))
        store.write(old)
        written = path.read_bytes()
        with recorder.tape(path, [live.provider()], mode=Mode.DIFF) as tape:
            ask(client, tape, "one")
            result = tape.finish()
        assert result.drift is not None
        assert result.drift.shapes == (
            "~ 0 POST /v1/chat/completions: field chat.completion.chunk.model appears",
        )
        assert path.read_bytes() == written

    def test_diff_needs_a_cassette(
        self, recorder: Recorder, client: httpx.Client, path: Path, live: Live
    ) -> None:
        with recorder.tape(path, [live.provider()], mode=Mode.DIFF) as tape:
            ask(client, tape, "one")
            with pytest.raises(RecordingError, match="no such cassette to compare with"):
                tape.finish()

    def test_live_passes_through(
        self, recorder: Recorder, client: httpx.Client, path: Path, live: Live
    ) -> None:
        with recorder.tape(path, [live.provider()], mode=Mode.LIVE) as tape:
            assert ask(client, tape, "one").content == event("one!") + DONE
            assert not tape.finish().written
        assert nothing_left(path)

    def test_what_is_scrubbed_still_matches(
        self, recorder: Recorder, client: httpx.Client, path: Path, live: Live
    ) -> None:
        def asks(tape: TapeHandle, user: str) -> int:
            body = {"user": user, "messages": [{"content": "hi"}]}
            return client.post(f"{tape.base_url}{CHAT}?key={DUMMY_KEY}", json=body).status_code

        with recorder.tape(path, [live.provider()]) as tape:
            assert asks(tape, "alice") == 200
            tape.finish()
        with recorder.tape(path, [live.provider()], mode=Mode.NONE) as tape:
            assert asks(tape, "bob") == 200
            assert tape.finish().problems == ()


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


def test_it_listens_on_this_machine_only(recorder: Recorder) -> None:
    assert recorder.url.startswith("http://127.0.0.1:")


def test_a_missing_key_is_told_before_anything_starts(path: Path) -> None:
    with Live(hello) as live, Recorder(environment={}) as recorder:
        with pytest.raises(ProviderError, match="needs its key in LIVE_KEY"):
            recorder.tape(path, [live.provider()])
        with pytest.raises(ProviderError, match="needs a provider"):
            recorder.tape(path, [])
        with pytest.raises(ProviderError, match="a base URL for each account"):
            recorder.tape(path, [replace(live.provider(), base_url="")])
    assert nothing_left(path)


def test_a_proxy_for_the_outer_world_is_passed_by(
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
    assert caught.value.reasons[0] == "interaction 0: response.body (gzip): a known secret"
    assert KEY not in str(caught.value)
    assert path.read_bytes() == recorded


def test_a_secret_cut_up_over_deltas_is_refused(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await stream(request, event("It is "), event(KEY[:9]), event(KEY[9:]), DONE)

    with Live(answer) as live, recorder.tape(path, [live.provider()]) as tape:
        ask(client, tape)
        with pytest.raises(RecordingError, match="deltas at choices/delta/content") as caught:
            tape.finish()
    assert KEY not in str(caught.value)
    assert nothing_left(path)


def test_logs_hold_no_secret(
    client: httpx.Client, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cookie = "session-cookie-0123456789"

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response({}, headers={"set-cookie": f"sid={cookie}"})

    caplog.set_level(logging.DEBUG)
    with (
        Live(answer) as live,
        Recorder(environment=ENVIRONMENT) as recorder,
        recorder.tape(path, [live.provider()]) as tape,
    ):
        client.post(f"{tape.base_url}/x?key={KEY}", headers={"x-note": KEY})
        tape.finish()
    text = caplog.text
    assert "httpcore" in text
    upstream_lines = [line for line in text.splitlines() if live.url[-5:] in line]
    assert upstream_lines
    assert not [line for line in upstream_lines if KEY in line]
    assert f"sid={cookie}" not in text
    assert logging.getLogger("httpx").filters == []


@pytest.mark.parametrize(
    ("method", "answer", "body", "http", "chunked"),
    [
        ("GET", b"HTTP/1.0 200 OK\r\n\r\ndata: a\n\n", b"data: a\n\n", "HTTP/1.0", True),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", b"", "HTTP/1.1", True),
        ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", b"", "HTTP/1.1", False),
        ("GET", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b"", "HTTP/1.1", False),
        (
            "GET",
            b"HTTP/1.1 307 Elsewhere\r\nlocation: https://x/y?key=abc\r\ncontent-length: 0\r\n\r\n",
            b"",
            "HTTP/1.1",
            False,
        ),
        (
            "GET",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
            b"3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nt: u\r\n\r\n",
            b"abcd",
            "HTTP/1.1",
            True,
        ),
    ],
)
def test_every_form_of_message_is_relayed_and_recorded(
    recorder: Recorder,
    client: httpx.Client,
    path: Path,
    method: str,
    answer: bytes,
    body: bytes,
    http: str,
    chunked: bool,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                while b"\r\n\r\n" not in connection.recv(65536):
                    pass
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        raw = Provider(name="raw", base_url=f"http://127.0.0.1:{server.getsockname()[1]}")
        with recorder.tape(path, [raw]) as tape:
            got = client.request(method, f"{tape.base_url}/x", follow_redirects=False)
            tape.finish()
        thread.join()
    assert got.content == body
    assert got.status_code == int(answer[9:12])
    response = store.load(path).interactions[0].response
    assert (response.status, response.body) == (got.status_code, body)
    assert (response.wire.end, response.wire.http) == (End.EOF, http)
    assert (response.wire.chunks is not None) is chunked
    if "location" in got.headers:
        assert got.headers["location"] == "https://x/y?key=abc"
        assert response.headers == (("location", "https://x/y?key=REDACTED"),)
