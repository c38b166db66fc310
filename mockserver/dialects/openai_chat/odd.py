"""Other events that say the same as a chunk of Chat Completions. Pure.

OpenAI adds fields without notice. Of the servers that speak its API, some repeat the role in each
chunk, some dump every field of their types, null where nothing is said, and Azure sends chunks
without choices (https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-streaming).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mockserver.dialects.respelling import StreamEvent
from mockserver.vocabulary.model import JsonObject

#: The fields of a delta that the SDK's types have.
_DELTA = ("content", "function_call", "refusal", "role", "tool_calls")


def said_otherwise(event: StreamEvent) -> Iterator[tuple[StreamEvent, ...]]:
    """Yield other events that say the same as a chunk."""
    choice = _choice(event)
    if choice is None:
        return
    delta: JsonObject = choice["delta"]

    def chunk(delta: JsonObject, reason: str | None = None) -> StreamEvent:
        changed = {**choice, "delta": delta, "finish_reason": reason}
        return replace(event, data={**event.data, "choices": [changed]})

    given = choice.get("finish_reason")
    yield replace(event, data={**event.data, "choices": []}), event
    if "role" not in delta:
        yield chunk({}), event
        yield chunk({"content": ""}), event
        yield (chunk({"role": "assistant", **delta}, given),)
    yield (chunk({**dict.fromkeys(_DELTA), **delta}, given),)
    yield (chunk({**delta, "x_new": {"content": "x"}}, given),)


def lane(event: StreamEvent) -> int | None:
    """Return the index of the call of which a chunk has a piece; not for its first chunk."""
    choice = _choice(event)
    calls = choice["delta"].get("tool_calls") if choice is not None else None
    if not calls or "id" in calls[0]:
        return None
    index = calls[0].get("index")
    return index if isinstance(index, int) else None


def _choice(event: StreamEvent) -> JsonObject | None:
    """Return the only choice of a chunk; ``None`` for any other event."""
    choices = event.data.get("choices") if isinstance(event.data, dict) else None
    return choices[0] if isinstance(choices, list) and len(choices) == 1 else None
