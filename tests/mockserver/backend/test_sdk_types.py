"""Made-up answers have every field that the providers' own SDKs require, in its type.

The SDKs build most of their objects without checking them, so they would not notice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from anthropic.types import Message, RawMessageStreamEvent
from cohere.v2.types import V2ChatResponse, V2ChatStreamResponse
from google.genai.types import GenerateContentResponse
from ollama import ChatResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from mockserver.backend import Backend, Settings
from mockserver.vocabulary import Json
from mockserver.wire.schedule import Schedule
from tests.mockserver.backend.asking import asked, tool, user

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
FORM = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
THINKING: dict[str, dict[str, Any]] = {
    "openai-chat": {"reasoning_effort": "low"},
    "openai-responses": {
        "reasoning_effort": "low",
        "reasoning": {"summary": "auto"},
        "include": ["reasoning.encrypted_content"],
    },
    "anthropic": {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2048},
    "gemini": {"generationConfig": {"thinkingConfig": {"includeThoughts": True}}},
    "ollama": {"think": True},
    "cohere": {"thinking": {"type": "enabled"}},
}
#: The types of a whole answer and of one event.
TYPES: dict[str, tuple[Any, Any]] = {
    "openai-chat": (ChatCompletion, ChatCompletionChunk),
    "openai-responses": (Response, ResponseStreamEvent),
    "anthropic": (Message, RawMessageStreamEvent),
    "gemini": (GenerateContentResponse, GenerateContentResponse),
    "ollama": (ChatResponse, ChatResponse),
    "cohere": (V2ChatResponse, V2ChatStreamResponse),
}
#: What the SDK's types do not have, because the SDK drops it.
NO_EVENT = ("ping",)


def events(schedule: Schedule) -> Iterator[Json]:
    """Yield the JSON of an event stream, or of a stream of lines."""
    for line in schedule.plain.data.decode().splitlines():
        text = line.removeprefix("data: ")
        if (text is not line or line.startswith("{")) and text != "[DONE]":
            yield json.loads(text)


def check(name: str, stream: bool, *tools: Any, **options: Any) -> list[Json]:
    request = asked(user("Tell me."), tools=tools, dialect=name, stream=stream, **options).request
    schedule = Backend(Settings()).answer(request, 0.0).exchange.schedule
    assert schedule.status == 200, schedule.plain.data
    whole, event = TYPES[name]
    if not stream:
        values = [json.loads(schedule.plain.data)]
        TypeAdapter(whole).validate_python(values[0])
        return values
    values = [v for v in events(schedule) if v.get("type") not in NO_EVENT]
    adapter = TypeAdapter(event)
    for value in values:
        adapter.validate_python(value)
    assert len(values) > 1
    return values


CALLS: dict[str, Callable[[str, bool], list[Json]]] = {
    "a text": lambda name, stream: check(name, stream),
    "two calls": lambda name, stream: check(name, stream, tool("a"), tool("b")),
    "an object": lambda name, stream: check(name, stream, response_format=FORM),
    "thoughts": lambda name, stream: check(name, stream, **THINKING[name]),
    "thoughts and a call": lambda name, stream: check(name, stream, tool("a"), **THINKING[name]),
    "a limit": lambda name, stream: check(name, stream, max_completion_tokens=2),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("what", CALLS)
@pytest.mark.parametrize("name", TYPES)
def test_an_answer_has_the_types_of_the_sdk(name: str, what: str, stream: bool) -> None:
    CALLS[what](name, stream)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", THINKING)
def test_thoughts_come_where_they_are_asked_for(name: str, stream: bool) -> None:
    values = json.dumps(check(name, stream, **THINKING[name]))
    assert "thinks" in values
    assert "thinks" not in json.dumps(check(name, stream))
