"""What the official SDK reads of Ollama's side routes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import httpx
import ollama
import pytest

from mockserver import MockServer


@pytest.fixture
def client(backend: MockServer) -> Iterator[ollama.Client]:
    with ollama.Client(host=backend.url) as client:
        yield client


def test_a_health_check_is_answered(backend: MockServer) -> None:
    assert httpx.get(backend.url).text == "Ollama is running"
    assert httpx.head(f"{backend.url}/").status_code == 200
    assert httpx.get(f"{backend.url}/api/version").json().keys() == {"version"}


def test_models_are_listed_and_any_is_shown(client: ollama.Client) -> None:
    models = client.list().models
    assert len(models) > 1
    assert models[0].size
    assert client.ps().models[0].expires_at is not None
    shown = client.show("any")
    assert shown.details is not None
    assert "tools" in (shown.capabilities or ())


def test_a_pull_says_that_it_is_done(client: ollama.Client) -> None:
    steps = list(client.pull("any", stream=True))
    assert (steps[0].status, steps[-1].status) == ("pulling manifest", "success")
    assert any(step.completed == step.total for step in steps if step.total)
    assert client.pull("any").status == "success"


def test_embeddings_have_length_1(client: ollama.Client) -> None:
    answer = client.embed(model="any", input=["Hello there", "world"])
    one, other = answer.embeddings
    assert math.hypot(*one) == pytest.approx(1.0, abs=1e-5)
    assert one != other
    assert answer.prompt_eval_count == 3
    assert len(client.embed(model="any", input="Hello", dimensions=64).embeddings[0]) == 64
    assert client.embeddings(model="any", prompt="Hello there").embedding == one
    assert client.embed(model="any", input="").embeddings == []


def test_a_request_that_asks_nothing_loads_the_model(client: ollama.Client) -> None:
    assert client.generate(model="any").done_reason == "load"
    assert client.generate(model="any", keep_alive=0).done_reason == "unload"
    answer = client.chat(model="any", messages=[])
    assert (answer.message.content, answer.done_reason) == ("", "load")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("embed", {"model": "m", "input": [1]}),
        ("embed", {"model": "m", "input": {}}),
        ("embed", {"input": "a"}),
        ("embed", {"model": "m", "input": "a", "dimensions": -1}),
        ("embeddings", {"model": "m", "prompt": 7}),
        ("show", {"model": ["m"]}),
        ("pull", []),
    ],
)
def test_a_wrong_request_is_refused_in_ollamas_words(
    backend: MockServer, path: str, body: Any
) -> None:
    answer = httpx.post(f"{backend.url}/api/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json().keys() == {"error"}


def test_what_is_not_served_is_said_in_ollamas_words(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="not served") as caught:
        client.copy("a", "b")
    assert caught.value.status_code == 404
