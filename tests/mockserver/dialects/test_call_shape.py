"""Calls of a wrong shape, which no writer of requests can say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.dialects import UnwritableError, find_dialect, written_request
from mockserver.vocabulary import NeutralCall

DIALECTS = ("anthropic", "bedrock", "cohere", "gemini", "ollama")
HI = {"role": "user", "content": "hi"}
FUNCTION = {"name": "f", "arguments": "{}"}


def body(dialect: str, **fields: Any) -> dict[str, Any]:
    call = NeutralCall(**{"model": "m", "messages": (HI,), **fields})
    found: dict[str, Any] = json.loads(written_request(find_dialect(dialect), call).body)
    return found


def assistant(**fields: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, **fields}


def calling(*calls: Any) -> dict[str, Any]:
    return assistant(tool_calls=list(calls))


def made(*parts: Any) -> dict[str, Any]:
    return assistant(parts=list(parts))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("h", "messages are a list of objects"),
        ({"role": "user", "content": 3}, "text or a list of parts, not 3"),
        ({"role": "user", "content": ["hi"]}, "an object with a type, not 'hi'"),
        ({"role": "user", "content": [{"text": "hi"}]}, "an object with a type"),
        ({"role": "user", "content": [{"type": {}}]}, "an object with a type"),
        ({"role": "tool", "content": "x"}, "no tool_call_id"),
        (calling({"type": "function", "function": FUNCTION}), "has no id"),
        (calling({"id": "c", "type": "custom", "custom": {"name": "f"}}), "no function"),
        (calling(5), "tool_calls of a message are objects"),
        (assistant(tool_calls=5), "tool_calls are a list"),
        (made("hi"), "parts of a message are objects"),
        (made({"text": "hi"}), "an object with a type"),
        (made({"type": "text"}), "has no text 'text'"),
        (made({"type": "tool_call", "id": "c", "arguments": {}}), "has no text 'name'"),
        (made({"type": "send_back"}), "no object 'fields'"),
        (made({"type": "hosted_tool", "native": 5}), "native are a list"),
    ],
)
def test_messages_of_a_wrong_shape(dialect: str, message: Any, says: str) -> None:
    with pytest.raises(UnwritableError, match=says):
        body(dialect, messages=(HI, message))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "tool",
    [
        5,
        {},
        {"type": "function"},
        {"type": "function", "function": None},
        {"type": "function", "function": {}},
        {"type": {"a": 1}},
    ],
)
def test_tools_of_a_wrong_shape(dialect: str, tool: Any) -> None:
    with pytest.raises(UnwritableError, match="tool"):
        body(dialect, tools=(tool,))


@pytest.mark.parametrize(
    ("dialect", "options"),
    [
        ("bedrock", {"tool_choice": {"x": 1}}),
        ("gemini", {"generationConfig": 5}),
        ("gemini", {"toolConfig": 5}),
        ("gemini", {"generationConfig": {"thinkingConfig": 5}, "reasoning_effort": "low"}),
        ("gemini", {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"tools": [5]}}}),
    ],
)
def test_options_of_a_wrong_shape(dialect: str, options: dict[str, Any]) -> None:
    with pytest.raises(UnwritableError):
        body(dialect, options=options)


def test_a_tool_result_of_ollama_has_no_images() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aWc="}}
    call = {"id": "c", "type": "function", "function": FUNCTION}
    result = {"role": "tool", "tool_call_id": "c", "content": [image]}
    with pytest.raises(UnwritableError, match="no images"):
        body("ollama", messages=(HI, calling(call), result))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_newer_limit_of_tokens_counts(dialect: str) -> None:
    limits = {"max_tokens": 5, "max_completion_tokens": 6}
    for options in (limits, dict(reversed(limits.items()))):
        sent = json.dumps(body(dialect, options=options))
        assert ": 6" in sent
        assert ": 5" not in sent
