"""The body of a request to the Codex backend. Pure.

The backend is stricter than the Responses API. It refuses ``store: true``, token
limits (RayBytes/ChatMock#103, tinyhumansai/openhuman#3201) and system messages
(router-for-me/CLIProxyAPI#4092), and stores nothing: reasoning must be requested
in its encrypted form and sent back with every request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mockserver.dialects.openai_responses.input import (
    flat_tool,
    flat_tool_choice,
    input_items,
    text_format,
)
from mockserver.dialects.openai_responses.request import is_reasoning_model
from mockserver.vocabulary.model import Json, JsonObject


def codex_body(
    *,
    model: str,
    messages: Sequence[JsonObject],
    tools: Sequence[JsonObject] = (),
    options: Mapping[str, Json] | None = None,
) -> JsonObject:
    """Build the body of a request.

    The first system or developer message becomes the ``instructions``: its text, or its first
    text part; its other parts and all later ones stay in the input. These ``options`` are
    sent, by their Chat Completions names: ``reasoning_effort`` (for models that reason),
    ``tool_choice`` (with tools), ``parallel_tool_calls``, ``prompt_cache_key``,
    ``response_format``. All others are dropped, since the backend refuses them. Raises
    ``ValueError`` for a message that it cannot express.
    """
    options = options or {}
    instructions, rest = _instructions(messages)
    body: JsonObject = {
        "model": model,
        "input": input_items(rest, tools),
        "store": False,
        "stream": True,
    }
    if instructions:
        body["instructions"] = instructions
    if tools:
        body["tools"] = [flat_tool(tool) for tool in tools]
        body["tool_choice"] = flat_tool_choice(options.get("tool_choice"))
    if is_reasoning_model(model):
        body["include"] = ["reasoning.encrypted_content"]
        if effort := options.get("reasoning_effort"):
            body["reasoning"] = {"effort": effort, "summary": "detailed"}
    for name in ("parallel_tool_calls", "prompt_cache_key"):
        if options.get(name) is not None:
            body[name] = options[name]
    if options.get("response_format"):
        body["text"] = {"format": text_format(options["response_format"])}
    return body


def _instructions(messages: Sequence[JsonObject]) -> tuple[str, list[JsonObject]]:
    for number, message in enumerate(messages):
        if message.get("role") not in ("system", "developer"):
            continue
        before, after = messages[:number], messages[number + 1 :]
        content = message.get("content")
        if isinstance(content, str) or not content:
            return content or "", [*before, *after]
        at = next((i for i, p in enumerate(content) if p.get("type") in _TEXT_PARTS), None)
        if at is None:
            return "", list(messages)
        left = [part for i, part in enumerate(content) if i != at]
        kept = [{**message, "content": left}] if left else []
        return content[at]["text"], [*before, *kept, *after]
    return "", list(messages)


_TEXT_PARTS = ("text", "input_text")
