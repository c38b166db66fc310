"""What the official SDK reads of Anthropic's side routes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from anthropic import Anthropic, BadRequestError, NotFoundError

from mockserver import MockServer

WEATHER: Any = {
    "name": "weather",
    "description": "Tells the weather.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


@pytest.fixture
def client(backend: MockServer) -> Iterator[Anthropic]:
    with Anthropic(base_url=backend.url, api_key="any", max_retries=0) as client:
        yield client


def test_models_are_listed_page_by_page(client: Anthropic) -> None:
    names = [model.id for model in client.models.list()]
    assert len(names) > 1
    assert [model.id for model in client.models.list(limit=1)] == names
    first = client.models.list(limit=1)
    assert (first.has_more, first.last_id) == (True, names[0])
    assert [m.id for m in client.models.list(before_id=names[1]).data] == [names[0]]
    assert client.models.retrieve("any-model").id == "any-model"


def test_counted_tokens_are_those_of_the_answer(client: Anthropic) -> None:
    asked: Any = {
        "model": "claude-x",
        "system": "Be short.",
        "messages": [{"role": "user", "content": "What is the weather in Paris?"}],
        "tools": [WEATHER],
    }
    counted = client.messages.count_tokens(**asked).input_tokens
    answer = client.messages.create(**asked, max_tokens=100)
    assert counted == answer.usage.input_tokens > 10


def test_an_empty_conversation_cannot_be_counted(client: Anthropic) -> None:
    with pytest.raises(BadRequestError):
        client.messages.count_tokens(model="claude-x", messages=[])


def test_what_is_not_served_is_said_in_anthropics_words(client: Anthropic) -> None:
    with pytest.raises(NotFoundError, match="not served") as caught:
        client.messages.batches.list()
    assert caught.value.body["error"]["type"] == "not_found_error"  # type: ignore[index,call-overload]
