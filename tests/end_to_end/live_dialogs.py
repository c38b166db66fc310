"""Requests to the scripted llama.cpp server, in three dialects. One function, one cassette.

Run as ``python -m tests.end_to_end.live_dialogs NAME`` under ``tapecheck record``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import openai

from mockserver.wire import sse

MODEL = "scripted"
#: The tool that the scripted model calls.
TOOL = {
    "name": "get_weather",
    "description": "The weather of a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"type": "string"}},
        "required": ["city", "unit"],
    },
}
ASKED = "What is the weather in Paris?"
MEASURED = "18 °C, clear"


def chat_text(base_url: str) -> None:
    """Request a streamed answer with reasoning and usage."""
    _chat(base_url, [{"role": "user", "content": "Hello!"}])


def chat_whole(base_url: str) -> None:
    """Request the same answer in one piece."""
    with _sdk(base_url) as client:
        client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "Hello!"}]
        )


def chat_tools(base_url: str) -> None:
    """A tool call, its result, and the answer."""
    messages: list[Any] = [{"role": "user", "content": ASKED}]
    content, call_id, arguments = "", "", ""
    for choice in _chat(base_url, messages, tools=True):
        delta = choice["delta"]
        content += delta.get("content") or ""
        for call in delta.get("tool_calls") or ():
            call_id = call.get("id") or call_id
            arguments += call["function"]["arguments"]
    function = {"name": TOOL["name"], "arguments": arguments}
    messages += [
        {
            "role": "assistant",
            "content": content,
            "tool_calls": [{"id": call_id, "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": call_id, "content": MEASURED},
    ]
    _chat(base_url, messages, tools=True)


def chat_overflow(base_url: str) -> None:
    """Ask a question that is too long."""
    try:
        _chat(base_url, [{"role": "user", "content": "round and " * 120}])
    except openai.BadRequestError:
        return
    raise AssertionError("the server took a question that is longer than its context")


def responses_text(base_url: str) -> None:
    """Request a streamed answer with reasoning."""
    with _sdk(base_url) as client:
        list(client.responses.create(model=MODEL, input="Hello!", stream=True))


def responses_tools(base_url: str) -> None:
    """A tool call, its result, and the answer."""
    items: list[Any] = [{"role": "user", "content": ASKED}]
    tools: Any = [{"type": "function", **TOOL}]
    with _sdk(base_url) as client:
        for event in client.responses.create(model=MODEL, input=items, tools=tools, stream=True):
            if event.type == "response.completed":
                items += [item.to_dict() for item in event.response.output]
        call_id = next(i["call_id"] for i in items if i.get("type") == "function_call")
        items.append({"type": "function_call_output", "call_id": call_id, "output": MEASURED})
        list(client.responses.create(model=MODEL, input=items, tools=tools, stream=True))


def messages_text(base_url: str) -> None:
    """Request a streamed answer with thinking."""
    _messages(base_url, [{"role": "user", "content": "Hello!"}])


def messages_tools(base_url: str) -> None:
    """A tool call, its result, and the answer."""
    asked: list[Any] = [{"role": "user", "content": ASKED}]
    blocks: dict[int, dict[str, Any]] = {}
    for document in _messages(base_url, asked, tools=True):
        match document:
            case {"content_block": block, "index": index}:
                blocks[index] = {**block, "joined": ""}
            case {"delta": {"type": kind, **delta}, "index": index} if kind != "signature_delta":
                blocks[index]["joined"] += "".join(delta.values())
    call = next(b for b in blocks.values() if b["type"] == "tool_use")
    city = {"city": "Paris", "unit": "celsius"}
    use = {"type": "tool_use", "id": call["id"], "name": call["name"], "input": city}
    result = {"type": "tool_result", "tool_use_id": call["id"], "content": MEASURED}
    asked += [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    _messages(base_url, asked, tools=True)


DIALOGS: Mapping[str, Callable[[str], None]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        chat_text,
        chat_whole,
        chat_tools,
        chat_overflow,
        responses_text,
        responses_tools,
        messages_text,
        messages_tools,
    )
}


def _sdk(base_url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=base_url, api_key="none-is-needed", max_retries=0)


def _chat(base_url: str, messages: list[Any], *, tools: bool = False) -> list[dict[str, Any]]:
    offered: Any = [{"type": "function", "function": TOOL}] if tools else openai.omit
    with _sdk(base_url) as client:
        stream = client.chat.completions.create(
            model=MODEL,
            messages=messages,
            tools=offered,
            stream=True,
            stream_options={"include_usage": True},
        )
        return [choice.to_dict() for chunk in stream for choice in chunk.choices]


def _messages(base_url: str, messages: list[Any], *, tools: bool = False) -> list[Any]:
    body: dict[str, Any] = {"model": MODEL, "max_tokens": 256, "messages": messages, "stream": True}
    if tools:
        schema = {"input_schema": TOOL["parameters"]}
        body["tools"] = [{"name": TOOL["name"], "description": TOOL["description"], **schema}]
    headers = {"anthropic-version": "2023-06-01", "x-api-key": "none-is-needed"}
    answer = httpx.post(f"{base_url}/messages", json=body, headers=headers, timeout=60)
    answer.raise_for_status()
    return [json.loads(block.data) for block in sse.decode(answer.content) if block.data]


if __name__ == "__main__":
    DIALOGS[sys.argv[1]](os.environ["OPENAI_BASE_URL"])
