"""Requests for the tests of the backend."""

from __future__ import annotations

from typing import Any

from mockserver.backend.asked import Asked
from mockserver.dialects import Dialect, find_dialect, written_request
from mockserver.dialects.registry import read_call
from mockserver.vocabulary import JsonObject, NeutralCall

OBJECT: JsonObject = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}


def tool(name: str, parameters: JsonObject = OBJECT) -> JsonObject:
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def user(text: str) -> JsonObject:
    return {"role": "user", "content": text}


def called(*names: str) -> list[JsonObject]:
    """Return a message of the model that calls tools, and their results."""
    calls = [
        {"id": f"c_{name}", "type": "function", "function": {"name": name, "arguments": "{}"}}
        for name in names
    ]
    results = [{"role": "tool", "tool_call_id": f"c_{name}", "content": "done"} for name in names]
    return [{"role": "assistant", "content": None, "tool_calls": calls}, *results]


def asked(
    *messages: JsonObject,
    tools: tuple[JsonObject, ...] = (),
    dialect: str = "openai-chat",
    stream: bool = False,
    **options: Any,
) -> Asked:
    """Send a call in a dialect and read it as the server does."""
    known: Dialect = find_dialect(dialect)
    request = written_request(
        known,
        NeutralCall(
            model="m",
            messages=messages or (user("Hi"),),
            tools=tools,
            stream=stream,
            options=options,
        ),
    )
    return Asked(known, read_call(known, request), request)
