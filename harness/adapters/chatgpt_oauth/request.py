"""The body and the headers of a request to the Codex backend. Pure.

The backend is stricter than the Responses API. It refuses ``store: true``, token
limits (RayBytes/ChatMock#103, tinyhumansai/openhuman#3201) and system messages
(router-for-me/CLIProxyAPI#4092), and stores nothing: reasoning must be requested
in its encrypted form and sent back with every request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum

from harness.adapters.responses.input import flat_tool, flat_tool_choice, input_items, text_format
from mockserver.vocabulary import Json, JsonObject

# Whole names, with an optional provider before and variant or date after: o1, o3-mini,
# openai/gpt-5.1-codex, ft:o4-mini-2025-04-16:org. gpt-5-chat does not reason and refuses the
# parameter (Laisky/one-api#120).
_REASONING_MODEL = re.compile(
    r"(?:[\w.-]+[/:])*(?:o[134]|gpt-5(?:\.\d+)?|codex-mini)(?:[-:](?!chat\b).+|)"
)


class Headers(Enum):
    """The headers that name the client.

    ``CURRENT``: what the backend accepts today (openai/codex,
    kryptobaseddev/cleo#1075, anomalyco/opencode#1686). ``LEGACY``: what clients sent before.
    """

    CURRENT = ("responses=experimental", "originator", "codex_cli_rs")
    LEGACY = ("responses=v1", "OpenAI-Originator", "codex")

    def build(self, *, access_token: str, account_id: str | None, session_id: str) -> JsonObject:
        """Make all headers of a request. Without an account id there is no header for it."""
        beta, originator, name = self.value
        headers = {
            "Authorization": f"Bearer {access_token}",
            "OpenAI-Beta": beta,
            originator: name,
            "Accept": "text/event-stream",
        }
        if account_id:
            headers["ChatGPT-Account-Id"] = account_id
        if self is Headers.CURRENT:
            headers["session_id"] = session_id
        return headers


def is_reasoning_model(model: str) -> bool:
    """Return whether a model takes the ``reasoning`` parameter, by its whole name."""
    return _REASONING_MODEL.fullmatch(model.lower()) is not None


def request_body(
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
    ``response_format``. All others are dropped, since the backend refuses them. One is for the
    client: results of tools are cut to ``tool_return_truncation_chars`` characters. Raises what
    :func:`~harness.adapters.responses.input.input_items` raises.
    """
    options = options or {}
    instructions, rest = _instructions(messages)
    if limit := options.get("tool_return_truncation_chars"):
        rest = [_truncated(message, limit) for message in rest]
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


def _truncated(message: JsonObject, limit: int) -> JsonObject:
    content = message.get("content")
    if message.get("role") != "tool" or not isinstance(content, str) or len(content) <= limit:
        return message
    return {
        **message,
        "content": f"{content[:limit]}... [truncated {len(content) - limit} chars]",
    }


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
