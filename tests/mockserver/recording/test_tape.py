from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from mockserver.cassettes.cassette import Cassette
from mockserver.errors import CassetteError, RecordingError
from mockserver.library import library
from mockserver.recording.modes import Mode
from mockserver.recording.providers import DUMMY_KEY
from mockserver.recording.proxy import Upstream
from mockserver.recording.recorder import Recorder, TapeHandle
from tests.mockserver.live import KEY, Gate, Live, stream
from tests.mockserver.taping import CHAT, DONE, ask, event, hello, nothing_left


def test_interactions_are_not_in_the_order_of_their_ends(
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
    paths = [i.request.url.path for i in library.load(path).interactions]
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
    for number, response in enumerate(answers):
        assert response.content == event(f"n{number}") + event(f"n{number}!") + DONE
    found = library.load(path).interactions
    order = [json.loads(i.request.body)["messages"][0]["content"] for i in found]
    assert order == sorted(arrived)
    for interaction in found:
        text = json.loads(interaction.request.body)["messages"][0]["content"]
        assert interaction.response.body == event(text) + event(text + "!") + DONE


def test_without_a_request_nothing_is_written(recorder: Recorder, path: Path) -> None:
    with (
        Live(hello) as live,
        recorder.tape(path, [live.provider()]) as tape,
        pytest.raises(RecordingError, match="no request came in"),
    ):
        tape.finish()
    assert nothing_left(path)


def test_closing_without_finish_writes_nothing(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        ask(client, tape)
    assert nothing_left(path)


def test_recording_the_same_again_changes_only_the_time_of_confirmation(
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
            assert result.unchanged == 2
            assert str(result.drift) == "no difference"
        return path.read_text()

    with Live(answer) as live:
        first, second = record(), record()
    new = set(second.splitlines()) - set(first.splitlines())
    assert all(line.strip().startswith("confirmed: ") for line in new)
    assert not set(first.splitlines()) - set(second.splitlines())
    assert len(library.load(path).interactions) == 2


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
        before = library.load(path).interactions
        words["two"] = "zwei"
        result = record()
    after = library.load(path).interactions
    assert path.read_text().startswith("# Kept by hand.\nversion: 1\n")
    assert after[0].response.body == before[0].response.body == event("1", 1) + DONE
    assert after[1].response.body == event("zwei", 4) + DONE
    assert result.unchanged == 1
    assert result.drift.shapes == ()
    assert [line.strip() for line in result.drift.values] == [
        "1 POST /v1/chat/completions: chat.completion.chunk.choices[].delta.content: 2 → zwei"
    ]


def test_a_secret_split_over_deltas_is_refused(
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


def test_a_failure_of_the_recorder_is_named_by_its_class_alone(
    recorder: Recorder, client: httpx.Client, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(KEY)

    monkeypatch.setattr(Upstream, "_request", fail)
    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        with pytest.raises(httpx.ReadError):
            ask(client, tape)
        with pytest.raises(RecordingError, match="the recorder failed: RuntimeError") as caught:
            tape.finish()
    assert KEY not in str(caught.value)


def test_an_unfinished_answer_is_cancelled_with_its_tape(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await stream(request, event("Hi"), never)

    never = Gate()
    with Live(answer) as live, recorder.tape(path, [live.provider()]) as tape:
        with client.stream("POST", tape.base_url + CHAT) as response:
            # The connection stays open as long as the client refers to the pieces.
            pieces = response.iter_raw()
            assert next(pieces) == event("Hi")
            with pytest.raises(RecordingError, match="the answer ended with client_closed"):
                tape.finish()
            with pytest.raises(httpx.TransportError):
                next(pieces)
        never.open()


def test_what_a_check_refuses_is_not_written(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    def refuse(cassette: Cassette) -> None:
        assert len(cassette.interactions) == 1
        raise ValueError("not this one")

    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        ask(client, tape)
        with pytest.raises(ValueError, match="not this one"):
            tape.finish(refuse)
    assert nothing_left(path)


@pytest.mark.parametrize("keep", [False, True])
def test_opaque_fields_are_kept_only_on_request(
    recorder: Recorder, client: httpx.Client, path: Path, keep: bool
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response({"encrypted_content": "gAAAABproof"})

    with (
        Live(answer) as live,
        recorder.tape(path, [live.provider()], keep_opaque=keep) as tape,
    ):
        ask(client, tape)
        tape.finish()
    assert ("gAAAABproof" in path.read_text()) is keep


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

    def test_none_replays_and_never_uses_the_network(
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
        assert problems[1] == "interaction 0 was never requested: POST /v1/chat/completions"
        assert live.requests == []
        assert path.read_bytes() == recorded

    def test_a_miss_names_no_secret_of_the_request(
        self, recorder: Recorder, client: httpx.Client, path: Path, live: Live, recorded: bytes
    ) -> None:
        secret = "sk-proj-4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1Ag6Hj2Kl0P"
        with recorder.tape(path, [live.provider()], mode=Mode.NONE) as tape:
            missed = ask(client, tape, f"my key is {secret}")
            problems = tape.finish().problems
        assert "my key is key_REDACTED_1" in missed.text
        assert secret not in missed.text
        assert secret not in repr(problems)

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

    def test_equal_requests_are_answered_once_each_in_recorded_order(
        self, recorder: Recorder, client: httpx.Client, path: Path
    ) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            return await stream(request, event(f"answer {len(counting.requests)}"), DONE)

        with Live(answer) as counting:
            with recorder.tape(path, [counting.provider()]) as tape:
                answers = [ask(client, tape, "same").content for _ in range(2)]
                tape.finish()
            with recorder.tape(path, [counting.provider()], mode=Mode.NONE) as tape:
                assert [ask(client, tape, "same").content for _ in range(2)] == answers
                missed = ask(client, tape, "same")
        assert answers == [event("answer 1") + DONE, event("answer 2") + DONE]
        assert missed.status_code == 404
        assert "was already played" in missed.json()["error"]["message"]

    def test_what_is_there_is_replayed_even_if_another_has_the_lock(
        self, recorder: Recorder, client: httpx.Client, path: Path, live: Live, recorded: bytes
    ) -> None:
        with (
            Recorder(environment={}) as other,
            recorder.tape(path, [live.provider()], mode=Mode.ONCE) as one,
            other.tape(path, [live.provider()], mode=Mode.ONCE) as two,
        ):
            for tape in (one, two):
                assert ask(client, tape, "one").content == event("one!") + DONE
        with (
            Recorder(environment={}) as other,
            recorder.tape(path, [live.provider()], mode=Mode.REWRITE),
            other.tape(path, [live.provider()], mode=Mode.ONCE) as tape,
        ):
            assert ask(client, tape, "one").content == event("one!") + DONE

    def test_new_episodes_give_no_placeholder_to_another_value(
        self, recorder: Recorder, client: httpx.Client, path: Path, live: Live
    ) -> None:
        for user in ("alice", "bob"):
            body = {"user": user, "messages": [{"content": user}]}
            with recorder.tape(path, [live.provider()], mode=Mode.NEW_EPISODES) as tape:
                client.post(tape.base_url + CHAT, json=body)
                tape.finish()
        bodies = [json.loads(i.request.body) for i in library.load(path).interactions]
        assert [b["user"] for b in bodies] == ["user_REDACTED_1", "user_REDACTED_2"]

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
        assert (result.live, result.interactions, result.unchanged) == (1, 2, 1)
        assert len(live.requests) == 1
        assert path.read_bytes().startswith(recorded)

    def test_rewrite_drops_what_is_no_longer_requested(
        self, recorder: Recorder, client: httpx.Client, path: Path, live: Live, recorded: bytes
    ) -> None:
        with recorder.tape(path, [live.provider()]) as tape:
            ask(client, tape, "two")
            result = tape.finish()
        (interaction,) = library.load(path).interactions
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
        tape_file = library.load(path)
        (interaction,) = tape_file.interactions
        body = interaction.response.body.replace(b'"model": "m", ', b"")
        response = replace(
            interaction.response, body=body, wire=replace(interaction.response.wire, chunks=None)
        )
        old = replace(tape_file, interactions=(replace(interaction, response=response),))
        library.write(old)
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
