"""Reads one Chat Completions delta, or one whole message: text, reasoning, refusal. Pure.

Providers put reasoning under five names and often send it twice, as plain text and as blocks
with signatures. The blocks win if they have text, since they keep signatures in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mockserver.vocabulary import (
    Citation,
    ContentDelta,
    Event,
    Json,
    ReasoningDelta,
    ReasoningSignature,
    RefusalDelta,
)


def read_delta(delta: Mapping[str, Json]) -> Iterator[Event]:
    """Yield the content of a ``delta`` or ``message``, except tool calls.

    Empty strings, ``null`` and unknown keys are skipped.
    """
    yield from _reasoning(delta)
    yield from _content(delta.get("content"))
    if text := _text(delta.get("refusal")):
        yield RefusalDelta(delta=text)
    for annotation in _objects(delta.get("annotations")):
        if isinstance(source := annotation.get("url_citation"), Mapping):
            yield Citation(
                url=_text(source.get("url")),
                title=_text(source.get("title")),
                start=_offset(source.get("start_index")),
                end=_offset(source.get("end_index")),
            )


def _reasoning(delta: Mapping[str, Json]) -> Iterator[Event]:
    blocks = [
        *(event for block in _objects(delta.get("thinking_blocks")) for event in _thinking(block)),
        *(event for item in _objects(delta.get("reasoning_details")) for event in _detail(item)),
    ]
    plain = _text(delta.get("reasoning_content")) or _text(delta.get("reasoning"))
    if plain and not any(isinstance(event, ReasoningDelta) for event in blocks):
        yield ReasoningDelta(delta=plain, channel="text")
    yield from blocks


def _thinking(block: Mapping[str, Json]) -> Iterator[Event]:
    """Read Anthropic's blocks, as LiteLLM forwards them."""
    if text := _text(block.get("thinking")):
        yield ReasoningDelta(delta=text, channel="text")
    if signature := _text(block.get("signature")):
        yield ReasoningSignature(signature=signature)
    if data := _text(block.get("data")):
        yield ReasoningSignature(redacted_data=data)


def _detail(item: Mapping[str, Json]) -> Iterator[Event]:
    """Read one of OpenRouter's ``reasoning_details``."""
    match item.get("type"):
        case "reasoning.text":
            yield from _thinking({"thinking": item.get("text"), "signature": item.get("signature")})
        case "reasoning.summary":
            if text := _text(item.get("summary")):
                yield ReasoningDelta(delta=text, channel="summary")
        case "reasoning.encrypted":
            if data := _text(item.get("data")):
                yield ReasoningSignature(encrypted_content=data)


def _content(content: Json) -> Iterator[Event]:
    if text := _text(content):
        yield ContentDelta(delta=text)
    for part in _objects(content):
        match part.get("type"):
            case "text":
                if text := _text(part.get("text")):
                    yield ContentDelta(delta=text)
            case "thinking":
                yield from _mistral_thinking(part.get("thinking"))
            case "reference":
                yield Citation(native=(dict(part),))


def _mistral_thinking(thinking: Json) -> Iterator[Event]:
    texts = [thinking] if isinstance(thinking, str) else [t.get("text") for t in _objects(thinking)]
    for text in filter(None, map(_text, texts)):
        yield ReasoningDelta(delta=text, channel="text")


def _objects(value: Json) -> list[Mapping[str, Json]]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, Mapping)]


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) and value else None


def _offset(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
