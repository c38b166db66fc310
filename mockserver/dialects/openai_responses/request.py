"""The request body of the Responses API. Pure.

Source: https://platform.openai.com/docs/api-reference/responses/create.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mockserver.dialects.openai_responses.input import (
    flat_tool,
    flat_tool_choice,
    input_items,
    text_format,
)
from mockserver.vocabulary.model import Json, JsonObject

# Whole names, with an optional provider before and variant or date after: o1, o3-mini,
# openai/gpt-5.1-codex, ft:o4-mini-2025-04-16:org. gpt-5-chat does not reason and refuses the
# parameter (Laisky/one-api#120).
_REASONING_MODEL = re.compile(
    r"(?:[\w.-]+[/:])*(?:o[134]|gpt-5(?:\.\d+)?|codex-mini)(?:[-:](?!chat\b).+|)"
)
_ENCRYPTED = "reasoning.encrypted_content"
#: Fields of Chat Completions that have another name here.
_RENAMED = {"max_tokens": "max_output_tokens", "max_completion_tokens": "max_output_tokens"}
#: Fields of Chat Completions that are inside an object here.
_NESTED = {"reasoning_effort": ("reasoning", "effort"), "verbosity": ("text", "verbosity")}
#: Fields that a client sets itself.
_RESERVED = frozenset({"background", "stream", "stream_options"})


def is_reasoning_model(model: str) -> bool:
    """Return whether a model takes the ``reasoning`` parameter, by its whole name."""
    return _REASONING_MODEL.fullmatch(model.lower()) is not None


def responses_body(
    *,
    model: str,
    messages: Sequence[JsonObject],
    tools: Sequence[JsonObject] = (),
    stream: bool,
    background: bool,
    options: Mapping[str, Json] | None = None,
) -> JsonObject:
    """Build the body. ``options`` are further fields, by the name of either API.

    One that is ``None`` is left out. Models that reason are asked for their encrypted
    reasoning, so that it can be sent back with the next turn. A tool is strict only if it says
    so, as in Chat Completions; the API's own default is strict. Raises ``ValueError`` for a
    message that the API cannot express.
    """
    given = {name: value for name, value in (options or {}).items() if value is not None}
    body: JsonObject = {"model": model, "input": input_items(messages, tools), "stream": stream}
    if background:
        body |= {"background": True, "store": True}
    choice = given.pop("tool_choice", None)
    if tools:
        body |= {"tools": [_tool(t) for t in tools], "tool_choice": flat_tool_choice(choice)}
    if is_reasoning_model(model):
        body["include"] = [_ENCRYPTED]
    for name, value in given.items():
        if name in _RESERVED:
            continue
        if name == "response_format":
            body.setdefault("text", {})["format"] = text_format(value)
        elif name == "include":
            body["include"] = list(dict.fromkeys([*body.get("include", ()), *value]))
        elif name in _NESTED:
            outer, inner = _NESTED[name]
            body.setdefault(outer, {})[inner] = value
        elif isinstance(value, Mapping):
            body[name] = {**body.get(name, {}), **value}
        else:
            body[_RENAMED.get(name, name)] = value
    return body


def _tool(tool: JsonObject) -> JsonObject:
    flat = flat_tool(tool)
    if flat["type"] == "function":
        given = tool.get("function", tool)
        flat["strict"] = bool(given.get("strict"))
    return flat
