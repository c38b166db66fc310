"""What a client reads from the earlier turns of a call. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from mockserver.vocabulary import JsonObject


def call_ids(messages: Iterable[JsonObject]) -> set[str]:
    """Collect the ids of the tool calls in ``messages``."""
    return {
        call["id"]
        for message in messages
        for call in message.get("tool_calls") or ()
        if isinstance(call.get("id"), str)
    }
