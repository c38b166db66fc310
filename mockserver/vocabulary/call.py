"""The neutral call: what a client is asked to do, in words common to all dialects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mockserver.vocabulary.model import Json, JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class NeutralCall:
    """A call without the address and the key, which depend on where it is sent.

    ``messages`` and ``tools`` have the shape of OpenAI Chat Completions for every dialect.
    ``timeout`` is the longest wait for the next byte, in seconds. ``options`` has the rest by
    its Chat Completions name. ``stream_usage`` says that a stream shall tell its token counts,
    where the API lets a client choose.
    """

    model: str
    messages: tuple[JsonObject, ...]
    tools: tuple[JsonObject, ...] = ()
    stream: bool = True
    stream_usage: bool = True
    timeout: float | None = None
    max_retries: int = 0
    options: Mapping[str, Json] = field(default_factory=dict)
