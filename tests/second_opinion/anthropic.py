"""The official ``anthropic`` package, used as an ordinary caller would."""

from __future__ import annotations

import json
from typing import Any

import anthropic
from anthropic.types import Message

from mockserver.dialects import find_dialect, written_request
from mockserver.vocabulary.call import NeutralCall
from tests.second_opinion.turn import Turn

#: Fields that the methods of the SDK take; others go into the body as they are.
_KNOWN = ("model", "max_tokens", "messages", "system", "tools", "tool_choice", "thinking")


def ask(base_url: str, call: NeutralCall, turn: Turn) -> None:
    """Make a call and read the answer into ``turn``, as far as it comes."""
    client = anthropic.Anthropic(
        base_url=base_url,
        api_key="sk-second-opinion",
        max_retries=call.max_retries,
        timeout=call.timeout or 5.0,
    )
    with client:
        _ask(client, call, turn)


def status_of(exc: Exception) -> int | None:
    """Return the HTTP status of an exception of the SDK."""
    return exc.status_code if isinstance(exc, anthropic.APIStatusError) else None


def _ask(client: anthropic.Anthropic, call: NeutralCall, turn: Turn) -> None:
    body = json.loads(written_request(find_dialect("anthropic"), call).body)
    del body["stream"]
    arguments: dict[str, Any] = {name: body.pop(name) for name in _KNOWN if name in body}
    arguments["extra_body"] = body
    if not call.stream:
        _read(client.messages.create(**arguments), turn)
        return
    with client.messages.stream(**arguments) as stream:
        for _ in stream:
            _read(stream.current_message_snapshot, turn)


def _read(message: Message, turn: Turn) -> None:
    """Read a message as it is so far. Cached input is input, as in the scenarios."""
    blocks = message.content
    turn.text = "".join(block.text for block in blocks if block.type == "text")
    turn.calls = [
        (block.id, block.name, block.input) for block in blocks if block.type == "tool_use"
    ]
    turn.finish = message.stop_reason
    usage = message.usage
    cached = (usage.cache_read_input_tokens, usage.cache_creation_input_tokens)
    turn.usage = (usage.input_tokens + sum(n or 0 for n in cached), usage.output_tokens, None)
