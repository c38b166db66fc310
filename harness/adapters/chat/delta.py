"""Reads one Chat Completions delta, or one whole message: text, reasoning, images. Pure.

Providers put reasoning under five names and often send it twice, as plain text and as blocks
with signatures. The blocks win if they have text, since they keep signatures in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.adapters.common.surrogates import fix_surrogates_in
from mockserver.vocabulary import (
    Citation,
    ContentDelta,
    Event,
    Image,
    Json,
    JsonObject,
    ReasoningDelta,
    ReasoningSignature,
    RefusalDelta,
    SendBack,
)

#: Names of a signature, in a message or a tool call itself.
SIGNATURES = ("thought_signature", "thoughtSignature")


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
    for image in _objects(delta.get("images")):
        yield from _image(image)
    if fields := fields_to_send_back(delta):
        yield SendBack(fields=fields)


def fields_to_send_back(delta: Mapping[str, Json]) -> JsonObject:
    """Return the fields of a delta or a tool call that hold signatures, by their names.

    ``extra_content`` is that of Gemini's API and of gateways before it, under the name of the
    vendor (8monkey-ai/hebo-gateway#226); ``provider_specific_fields`` is LiteLLM's.
    """
    fields: JsonObject = {name: delta[name] for name in SIGNATURES if _text(delta.get(name))}
    if isinstance(extra := delta.get("extra_content"), Mapping) and extra:
        fields["extra_content"] = extra
    if isinstance(specific := delta.get("provider_specific_fields"), Mapping):
        names = (*SIGNATURES, "thought_signatures")
        if signed := {name: specific[name] for name in names if specific.get(name)}:
            fields["provider_specific_fields"] = signed
    return {name: fix_surrogates_in(value) for name, value in fields.items()}


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
    """Read a text, a part, or a list of both; a part without a type is text."""
    for part in content if isinstance(content, list) else [content]:
        if text := _text(part):
            yield ContentDelta(delta=text)
        elif isinstance(part, Mapping):
            yield from _part(part)


def _part(part: Mapping[str, Json]) -> Iterator[Event]:
    match part.get("type"):
        case "text" | "output_text" | None | "":
            if text := _text(part.get("text")):
                yield ContentDelta(delta=text)
        case "refusal":
            if text := _text(part.get("refusal")):
                yield RefusalDelta(delta=text)
        case "image_url" | "output_image" | "image":
            yield from _image(part)
        case "thinking":
            yield from _mistral_thinking(part.get("thinking"))
        case "reference":
            yield Citation(native=(dict(part),))


def _image(part: Mapping[str, Json]) -> Iterator[Event]:
    """Read an image: its URL, alone or in an object, or its bytes as base64."""
    image = part.get("image_url") or part
    if url := _text(image.get("url") if isinstance(image, Mapping) else image):
        yield Image(url=url)
    elif data := _text(part.get("b64_json")):
        yield Image(url=f"data:image/png;base64,{data}")


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
