"""The official OpenAI SDK with no change but its base URL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from mockserver import MockServer, Outcome
from mockserver.cassettes import writer
from tests.mockserver.rawhttp import CHAT, cassette, interaction

CHUNK = (
    'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-x",'
    '"choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":null}]}\n\n'
)
STREAM = (CHUNK % "Hi " + CHUNK % "🎉" + "data: [DONE]\n\n").encode()
ASKED = b'{"messages":[{"role":"user","content":"hi"}],"model":"gpt-x","stream":true}'


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MockServer]:
    tape = cassette(
        interaction(STREAM, body=ASKED, content_type="text/event-stream"),
        path=tmp_path / "dir/hello.yaml",
    )
    tape.path.parent.mkdir()
    tape.path.write_bytes(writer.dump(tape))
    with MockServer(tmp_path) as running:
        yield running


def ask(base_url: str, text: str = "hi") -> str:
    with openai.OpenAI(base_url=base_url, api_key="sk-test") as client:
        stream = client.chat.completions.create(
            model="gpt-x", messages=[{"role": "user", "content": text}], stream=True
        )
        return "".join(chunk.choices[0].delta.content or "" for chunk in stream)


@pytest.mark.parametrize("prefix", ["", "/c/dir/hello"])
def test_streams_through_a_base_url(server: MockServer, prefix: str) -> None:
    assert [ask(f"{server.url}{prefix}/v1") for _ in range(2)] == ["Hi 🎉"] * 2
    assert [e.path for e in server.journal] == [CHAT] * 2


def test_streams_in_a_session(server: MockServer) -> None:
    with server.session("dir/hello") as session:
        assert ask(f"{session.url}/v1") == "Hi 🎉"


def test_a_miss_is_shown_and_not_sent_again(server: MockServer) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        ask(f"{server.url}/v1", "ho")
    assert 'body/messages/0/content: recorded "hi", got "ho"' in str(caught.value)
    assert [e.outcome for e in server.journal] == [Outcome.MISSED]


def test_a_base_url_without_its_version_gets_a_hint(server: MockServer) -> None:
    with pytest.raises(openai.NotFoundError, match="Add '/v1' to the end of the base URL"):
        ask(server.url)
