"""What the official SDK reads of legacy completions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI

from mockserver import MockServer
from mockserver.backend import Backend, Settings
from mockserver.cassettes.cassette import Request


@pytest.fixture
def client(backend: MockServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{backend.url}/v1", api_key="any", max_retries=0) as client:
        yield client


def test_a_prompt_is_answered(client: OpenAI) -> None:
    answer = client.completions.create(model="m", prompt="say hello")
    assert answer.choices[0].text == "hello"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 1


def test_a_stream_says_the_same_and_its_usage_if_asked(client: OpenAI) -> None:
    whole = client.completions.create(model="m", prompt="Hi", max_tokens=5)
    assert whole.choices[0].finish_reason == "length"
    chunks = list(
        client.completions.create(
            model="m",
            prompt="Hi",
            max_tokens=5,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert len("".join(choice.text for chunk in chunks for choice in chunk.choices).split()) == 5
    assert chunks[-1].usage == whole.usage
    plain = list(client.completions.create(model="m", prompt="Hi", stream=True))
    assert all(chunk.usage is None and chunk.choices for chunk in plain)


def test_prompts_are_texts_or_tokens(client: OpenAI) -> None:
    assert client.completions.create(model="m", prompt=["say one", "two"]).choices[0].text == "one"
    assert client.completions.create(model="m", prompt=[[1, 2]]).choices[0].text
    prompt: Any = {"text": "Hi"}
    with pytest.raises(openai.BadRequestError, match="prompt is a text"):
        client.completions.create(model="m", prompt=prompt)


@pytest.mark.parametrize("prompt", [[], [[]], [1, "a"], 7, [None], True, {}])
def test_no_prompt_ends_the_server(prompt: Any) -> None:
    body = json.dumps({"model": "m", "prompt": prompt}).encode()
    request = Request(method="POST", uri="http://provider/v1/completions", body=body)
    assert Backend(Settings()).answer(request, 0.0).exchange.schedule.status == 400


def test_equal_prompts_get_ids_of_their_own(client: OpenAI) -> None:
    ids = {client.completions.create(model="m", prompt="Hi").id for _ in range(2)}
    assert len(ids) == 2
