"""A refusal says how to allow what is no secret, and how to go on without it."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from mockserver.errors import ProviderError, RecordingError
from mockserver.library import library
from mockserver.recording.allowing import allowed_texts
from mockserver.recording.recorder import Recorder
from mockserver.secrets.allowed import FILE, Allowed, mark
from tests.mockserver.live import Live, stream
from tests.mockserver.taping import DONE, ask, event, nothing_left

TEXT = "sk-" + "proj-4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1"


async def split(request: web.Request) -> web.StreamResponse:
    if "split" not in await request.text():
        return await stream(request, event("hello"), DONE)
    return await stream(request, event(TEXT[:12]), event(TEXT[12:]), DONE)


def refusal(recorder: Recorder, client: httpx.Client, path: Path) -> str:
    with Live(split) as live, recorder.tape(path, [live.provider()]) as tape:
        ask(client, tape, "split")
        with pytest.raises(RecordingError) as refused:
            tape.finish()
    return str(refused.value)


def test_a_refusal_names_place_rule_and_remedy(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    text = refusal(recorder, client, path)
    assert TEXT not in text
    assert "joined from the deltas at choices/delta/content: a key (sk-…)" in text
    assert f"--allow {mark(TEXT)}" in text
    assert FILE in text
    assert nothing_left(path)


def test_what_is_allowed_is_recorded_as_it_is(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    found = re.search(r"--allow (\w+)", refusal(recorder, client, path))
    assert found is not None
    for allowed in ([found[1]], [TEXT], [f"  my {TEXT}  "]):
        with Live(split) as live, recorder.tape(path, [live.provider()], allowed=allowed) as tape:
            ask(client, tape, f"split {TEXT}")
            assert tape.finish().written
        (interaction,) = library.load(path).interactions
        assert TEXT.encode() in interaction.request.body
        assert TEXT[:12].encode() in interaction.response.body


def test_the_other_exchanges_are_recorded_where_that_is_asked(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    with Live(split) as live, recorder.tape(path, [live.provider()], leave_out=True) as tape:
        for text in ("one", "split", "two"):
            ask(client, tape, text)
        result = tape.finish()
    assert result.written
    assert result.interactions == 2
    left_out, remedy = result.problems
    assert left_out.startswith("left out: POST /v1/chat/completions: response.body, joined")
    assert mark(TEXT) in remedy
    assert TEXT not in path.read_text()


def test_nothing_is_written_where_all_are_left_out(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    with Live(split) as live, recorder.tape(path, [live.provider()], leave_out=True) as tape:
        ask(client, tape, "split")
        with pytest.raises(RecordingError):
            tape.finish()
    assert nothing_left(path)


def test_the_file_of_a_project(tmp_path: Path) -> None:
    assert allowed_texts(tmp_path, ("a",)) == ("a",)
    (tmp_path / FILE).write_text("# why\n\n  b c \nd\n")
    assert allowed_texts(tmp_path, ("a",)) == ("a", "b c", "d")
    (tmp_path / FILE).write_bytes(b"\xff")
    with pytest.raises(ProviderError, match="cannot be read"):
        allowed_texts(tmp_path)


def test_a_part_of_an_allowed_text_is_allowed_but_not_more() -> None:
    allowed = Allowed.of(["abcdef", " ", mark("xyz")])
    assert allowed.has("abcdef")
    assert allowed.has("bcd")
    assert allowed.has("xyz")
    assert not allowed.has("abcdefg")
    assert not Allowed.of([]).has("a")
