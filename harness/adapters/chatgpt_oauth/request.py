"""The body and the headers of a request to the Codex backend. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from mockserver.dialects.codex import codex_body
from mockserver.vocabulary import Json, JsonObject


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


def request_body(
    *,
    model: str,
    messages: Sequence[JsonObject],
    tools: Sequence[JsonObject] = (),
    options: Mapping[str, Json] | None = None,
) -> JsonObject:
    """Build the body of a request, as :func:`~mockserver.dialects.codex.codex_body` does.

    One option is for the client: results of tools are cut to ``tool_return_truncation_chars``
    characters.
    """
    if limit := (options or {}).get("tool_return_truncation_chars"):
        messages = [_truncated(message, limit) for message in messages]
    return codex_body(model=model, messages=messages, tools=tools, options=options)


def _truncated(message: JsonObject, limit: int) -> JsonObject:
    content = message.get("content")
    if message.get("role") != "tool" or not isinstance(content, str) or len(content) <= limit:
        return message
    return {
        **message,
        "content": f"{content[:limit]}... [truncated {len(content) - limit} chars]",
    }
