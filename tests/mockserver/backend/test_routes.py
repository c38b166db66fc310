from __future__ import annotations

import re
from pathlib import Path

import pytest

from mockserver.backend.backend import Backend
from mockserver.backend.desk import BackendDesk
from mockserver.backend.routes import NoRoute, Route, find, served
from mockserver.backend.settings import Settings
from mockserver.cassettes.cassette import Request
from mockserver.library.refusal import RefusalError


def asked(method: str, path: str, *headers: tuple[str, str]) -> Request:
    return Request(method=method, uri=f"http://provider{path}", headers=headers)


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/v1/chat/completions", "openai-chat"),
        ("/chat/completions", "openai-chat"),
        ("/v1/v1/chat/completions/", "openai-chat"),
        ("//v1//chat/completions?api-version=2024-10-21", "openai-chat"),
        ("/openai/deployments/my-model/chat/completions", "openai-chat"),
        ("/v1beta/openai/chat/completions", "openai-chat"),
        ("/v1/completions", "openai-completions"),
        ("/v1/responses", "openai-responses"),
        ("/openai/v1/responses", "openai-responses"),
        ("/backend-api/codex/responses", "codex"),
        ("/v1/messages", "anthropic"),
        ("/v1/v1/messages", "anthropic"),
        ("/anthropic/v1/messages", "anthropic"),
        ("/messages", "anthropic"),
        ("/v1beta/models/gemini-x:generateContent", "gemini"),
        ("/models/gemini-x:streamGenerateContent?alt=sse", "gemini"),
        (
            "/v1/projects/p/locations/l/publishers/google/models/x:generateContent",
            "gemini",
        ),
        ("/api/chat", "ollama"),
        ("/v1/api/generate", "ollama"),
        ("/v2/chat", "cohere"),
        ("/v2/v2/chat", "cohere"),
        ("/chat", "cohere"),
        ("/model/anthropic.claude-x-v1%3A0/converse", "bedrock"),
        ("/proxy/model/arn%3Aaws%3Abedrock%3Aus%2Fx/converse-stream", "bedrock"),
    ],
)
def test_answers_are_known_by_the_ends_of_paths(path: str, dialect: str) -> None:
    found = find(asked("POST", path))
    assert isinstance(found, Route)
    assert (found.dialect.name, found.side) == (dialect, None)


def nowhere(method: str, path: str, *headers: tuple[str, str]) -> NoRoute:
    found = find(asked(method, path, *headers))
    assert isinstance(found, NoRoute)
    return found


def test_an_unknown_address_says_what_was_meant() -> None:
    found = nowhere("POST", "/v1/chat/completion")
    assert found.message == (
        "POST /v1/chat/completion is not served. Did you mean POST …/chat/completions?"
    )
    assert found.dialect is not None


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/v1/images/generations", "images"),
        ("/v1/audio/speech", "audio"),
        ("/v1/files", "files"),
        ("/v1/threads/t1/runs", "assistants"),
        ("/v1/messages/batches", "batches"),
    ],
)
def test_what_no_address_has_is_named(path: str, what: str) -> None:
    message = nowhere("POST", path).message
    assert f": there are no {what} without recordings; docs/ROUTES.md" in message
    assert len(message) < 150


def test_an_address_of_nobody_lists_where_models_answer() -> None:
    found = nowhere("GET", "/nowhere")
    assert found.dialect is None
    assert "POST …/messages" in found.message
    assert "…/foundation-models" not in found.message


def test_a_method_that_is_not_served_names_those_that_are() -> None:
    found = nowhere("GET", "/v1/chat/completions")
    assert found.allowed == ("POST",)
    given = Backend(Settings()).answer(asked("GET", "/v1/chat/completions"), 0.0)
    assert given.exchange.schedule.status == 405
    assert given.exchange.schedule.header("allow") == "POST"


def test_options_are_answered_without_a_refusal() -> None:
    given = Backend(Settings()).answer(asked("OPTIONS", "/v1/models"), 0.0)
    assert given.exchange.schedule.status == 204
    assert given.exchange.schedule.header("allow") == "GET, OPTIONS"


def test_an_unknown_address_is_answered_in_its_providers_words() -> None:
    given = Backend(Settings()).answer(asked("POST", "/v1/files"), 0.0)
    schedule = given.exchange.schedule
    assert schedule.status == 404
    assert schedule.header("x-should-retry") == "false"
    assert b'"invalid_request_error"' in schedule.body
    with pytest.raises(RefusalError, match="not served"):
        Backend(Settings()).answer(asked("GET", "/nowhere"), 0.0)


def test_a_head_request_is_answered_as_its_get_is() -> None:
    found = find(asked("HEAD", "/v1/models/"))
    assert isinstance(found, Route)
    assert found.side is not None
    assert found.side.path == "/models"


@pytest.mark.parametrize(
    "path", ["", "/", "/%", "/%ff%00", "/" + "/a" * 3000, "/{model}", "/v1/\n"]
)
def test_no_path_ends_the_server(path: str) -> None:
    for method in ("GET", "POST", "PURGE"):
        assert find(asked(method, path)) is not None


def test_the_page_lists_what_is_served() -> None:
    page = (Path(__file__).parents[3] / "docs/ROUTES.md").read_text(encoding="utf-8")
    listed = set(re.findall("`((?:GET|POST|DELETE) …/[^`]*)`", page))
    assert listed == set(served())


def test_an_unknown_address_of_openai_lists_all_of_its_apis() -> None:
    message = nowhere("POST", "/v1/engines/x/search", ("x-stainless-lang", "python")).message
    assert "POST …/chat/completions, POST …/completions, POST …/responses" in message


def test_a_side_route_that_fails_refuses_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> list[str]:
        raise RecursionError("too deep")

    monkeypatch.setattr(BackendDesk, "tokens", failing)
    uri, body = "http://provider/v1/embeddings", b'{"model":"m","input":"a"}'
    given = Backend(Settings()).answer(Request(method="POST", uri=uri, body=body), 0.0)
    assert given.exchange.schedule.status == 400


def test_a_long_path_is_shortened_and_compared_with_no_route() -> None:
    for end in ("", "/chat/completion"):
        nowhere = find(asked("POST", f"/v1/{'a' * 60_000}{end}"))
        assert isinstance(nowhere, NoRoute)
        assert "aaa… is not served" in nowhere.message
        assert "Did you mean" not in nowhere.message
        assert len(nowhere.message) < 1200
