"""Requests as the documents of the official SDKs show them are answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.backend import Backend, Settings
from mockserver.cassettes.cassette import Request

CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
GEMINI = "/v1beta/models/gemini-2.5-flash:generateContent"
WEATHER = {
    "type": "object",
    "properties": {"location": {"type": "string"}, "units": {"type": ["string", "null"]}},
    "required": ["location", "units"],
    "additionalProperties": False,
}
DEVELOPER = {"role": "developer", "content": "You are a helpful assistant."}
HELLO = {"role": "user", "content": "Hello!"}
IMAGE = "data:image/png;base64,iVBORw0KGgo="


def chat(*messages: Any, model: str = "gpt-5", **fields: Any) -> dict[str, Any]:
    return {"model": model, "messages": list(messages) or [DEVELOPER, HELLO], **fields}


def responses(given: Any = "Tell me a story.", **fields: Any) -> dict[str, Any]:
    return {"model": "gpt-5", "input": given, **fields}


def messages(*given: Any, **fields: Any) -> dict[str, Any]:
    said = list(given) or [HELLO]
    return {"model": "claude-opus-4-6", "max_tokens": 1024, "messages": said, **fields}


def gemini(*parts: Any, **fields: Any) -> dict[str, Any]:
    return {"contents": [{"parts": list(parts) or [{"text": "Hi"}]}], **fields}


FUNCTION = {"name": "get_weather", "description": "Weather", "parameters": WEATHER, "strict": True}
SCHEMA = {"name": "answer", "schema": WEATHER, "strict": True}
WEATHER_TOOL = {"name": "get_weather", "description": "Weather", "input_schema": WEATHER}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CHAT, chat()),
        (CHAT, chat(stream=True, stream_options={"include_usage": True})),
        (CHAT, chat(tools=[{"type": "function", "function": FUNCTION}], tool_choice="auto")),
        (CHAT, chat(response_format={"type": "json_schema", "json_schema": SCHEMA})),
        (CHAT, chat(logprobs=True, top_logprobs=2, model="gpt-4o", n=2, seed=1, stop=["\n"])),
        (CHAT, chat(reasoning_effort="low", verbosity="low", max_completion_tokens=100)),
        (
            CHAT,
            chat(model="gpt-4o", max_tokens=300, temperature=0.2, metadata={"a": "b"}),
        ),
        (
            CHAT,
            chat(
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is in this image?"},
                        {"type": "image_url", "image_url": {"url": IMAGE}},
                    ],
                },
                model="gpt-4.1",
            ),
        ),
        (RESPONSES, responses()),
        (RESPONSES, responses(instructions="Talk like a pirate.", reasoning={"effort": "low"})),
        (RESPONSES, responses([DEVELOPER, HELLO], stream=True, store=False)),
        (RESPONSES, responses(tools=[{"type": "function", **FUNCTION}], tool_choice="required")),
        (RESPONSES, responses(tools=[{"type": "web_search"}], include=["web_search_call.results"])),
        (RESPONSES, responses(text={"format": {"type": "json_schema", **SCHEMA}})),
        (
            RESPONSES,
            responses(
                [
                    {
                        "role": "user",
                        "content": [
                            {"type": "input_text", "text": "What is in this image?"},
                            {"type": "input_image", "image_url": IMAGE},
                        ],
                    }
                ]
            ),
        ),
        (MESSAGES, messages()),
        (MESSAGES, messages(system="Today is Monday.", stream=True)),
        (MESSAGES, messages(HELLO, {"role": "assistant", "content": "The answer is ("})),
        (MESSAGES, messages(tools=[WEATHER_TOOL], tool_choice={"type": "any"})),
        (MESSAGES, messages(thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=2000)),
        (MESSAGES, messages(thinking={"type": "adaptive"}, output_config={"effort": "low"})),
        (
            MESSAGES,
            messages(
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "image",
                            "source": {
                                "type": "base64",
                                "media_type": "image/png",
                                "data": "iVBORw0KGgo=",
                            },
                        },
                        {"type": "text", "text": "What is in it?"},
                    ],
                }
            ),
        ),
        (GEMINI, gemini()),
        (GEMINI, gemini(system_instruction={"parts": [{"text": "You are a cat."}]})),
        (
            GEMINI,
            gemini(generationConfig={"stopSequences": ["x"], "temperature": 1.0}),
        ),
        (
            GEMINI,
            gemini(
                {"text": "What is in it?"},
                {"inline_data": {"mime_type": "image/png", "data": "iVBORw0KGgo="}},
                generationConfig={"thinkingConfig": {"thinkingBudget": 0}},
            ),
        ),
        (
            "/model/anthropic.claude-3-haiku/converse",
            {
                "messages": [{"role": "user", "content": [{"text": "Hi"}]}],
                "system": [{"text": "Be short."}],
                "inferenceConfig": {"maxTokens": 512, "temperature": 0.5, "topP": 0.9},
                "additionalModelRequestFields": {"top_k": 200},
            },
        ),
        ("/v2/chat", {"model": "command-a-03-2025", "messages": [HELLO], "stream": True}),
        (
            "/api/chat",
            {"model": "gemma3", "messages": [HELLO], "stream": False, "options": {"seed": 1}},
        ),
        ("/api/generate", {"model": "gemma3", "prompt": "Why is the sky blue?"}),
    ],
)
def test_it_is_answered(path: str, body: dict[str, Any]) -> None:
    request = Request(
        method="POST", uri=f"http://provider{path}", headers=(), body=json.dumps(body).encode()
    )
    given = Backend(Settings()).answer(request, 0.0)
    assert given.note is None
    assert given.exchange.schedule.status == 200
