"""Answers that were made become cassettes that can be played again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from mockserver import MockServer
from mockserver.backend import Settings
from mockserver.cassettes.cassette import End, Origin
from mockserver.library import library
from mockserver.recording import save_answers

KEY = "sk-live-abcdefghijklmnopqrstuvwxyz0123456789"
CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"


def ask(url: str, text: str = "hi", **more: Any) -> bytes:
    body = {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": text}], **more}
    headers = {"authorization": f"Bearer {KEY}", "x-api-key": KEY}
    with (
        httpx.Client(trust_env=False) as client,
        client.stream("POST", url, json=body, headers=headers) as response,
    ):
        got = b""
        try:
            for piece in response.iter_raw():
                got += piece
        except httpx.HTTPError:
            pass
        return got


def test_a_session_is_saved_and_played_again(tmp_path: Path) -> None:
    with MockServer(backend=Settings()) as server:
        first = ask(server.url + CHAT, "say one", stream=True)
        second = ask(server.url + MESSAGES, "say two")
        paths = save_answers(server.records_after(-1), tmp_path)
    assert paths == [tmp_path / "answers.yaml"]
    cassette = library.load(paths[0])
    assert [i.response.wire.origin for i in cassette.interactions] == [Origin.AUTHORED] * 2
    assert [i.request.url.netloc for i in cassette.interactions] == [
        "api.openai.com",
        "api.anthropic.com",
    ]
    assert KEY not in paths[0].read_text(encoding="utf-8")
    assert "x-tapecheck-answer" not in paths[0].read_text(encoding="utf-8")
    with MockServer(tmp_path) as server:
        assert ask(f"{server.url}/c/answers{CHAT}", stream=True) == first
        assert ask(f"{server.url}/c/answers{MESSAGES}") == second


def test_interruptions_and_sessions_are_kept(tmp_path: Path) -> None:
    with MockServer() as server, server.session(backend=Settings()) as session:
        url = session.url + CHAT
        httpx.post(
            f"{server.url}/__tapecheck/sessions/{session.id}/answers",
            json={"answers": [{"say": "one two three", "reset": 2}]},
        )
        ask(url, stream=True)
        (path,) = save_answers(server.records_after(-1), tmp_path)
    assert path == tmp_path / f"{session.id}.yaml"
    (interaction,) = library.load(path).interactions
    assert interaction.response.wire.end is End.RESET


def test_recordings_are_not_saved_again(tmp_path: Path) -> None:
    with MockServer(tmp_path, backend=Settings()) as server:
        httpx.get(f"{server.url}/c/none/x")
        assert save_answers(server.records_after(-1), tmp_path / "out") == []
    assert not (tmp_path / "out").exists()
