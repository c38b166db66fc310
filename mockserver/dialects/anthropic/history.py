"""Reads the messages of a Messages request as those of Chat Completions.

A block that Chat Completions have no word for stays as it is, in its place. An assistant message
also has the normalized ``parts``, which keep the order of its blocks, signatures, citations and
what tools of the provider gave.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.dialects.anthropic.blocks import (
    call_fields,
    citations_part,
    native_part,
    neutral_citations,
)
from mockserver.dialects.dialect import UnreadableRequestError
from mockserver.dialects.writing import compact
from mockserver.vocabulary.codec import to_json
from mockserver.vocabulary.model import (
    Json,
    JsonObject,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)


def system_messages(system: Json) -> Iterator[JsonObject]:
    """Yield the system messages before all others, one for each block."""
    if not system:
        return
    if isinstance(system, str):
        yield {"role": "system", "content": system}
        return
    for block in _objects(system, "system"):
        yield {"role": "system", "content": _content([block])}


def read_history(messages: Json) -> list[JsonObject]:
    """Return the messages. Raises :class:`UnreadableRequestError` for what is not a message."""
    found: list[JsonObject] = []
    for message in _objects([] if messages is None else messages, "messages"):
        content = message.get("content")
        match message.get("role"):
            case "assistant":
                found.append(_assistant(content))
            case "user":
                found += _user(content)
            case "system":
                found.append({"role": "system", "content": _content(content)})
            case role:
                raise UnreadableRequestError(f"a call has no messages of the role {role!r}")
    return found


def _user(content: Json) -> Iterator[JsonObject]:
    """Yield the results of tools, each a message, and the rest of a message around them."""
    if isinstance(content, str):
        yield {"role": "user", "content": content}
        return
    said: list[JsonObject] = []
    for block in _objects(content, "content of a message"):
        if block.get("type") != "tool_result":
            said.append(block)
            continue
        if said:
            yield {"role": "user", "content": _content(said)}
            said = []
        yield _result(block)
    if said:
        yield {"role": "user", "content": _content(said)}


def _result(block: JsonObject) -> JsonObject:
    content = block.get("content")
    message: JsonObject = {
        "role": "tool",
        "tool_call_id": _text(block, "tool_use_id"),
        "content": "" if content is None else _content(content),
    }
    rest = ("type", "tool_use_id", "content")
    return message | {n: v for n, v in block.items() if n not in rest and v is not None}


def _content(content: Json) -> str | list[Json]:
    """Return content in the words of Chat Completions; a single plain text is a string."""
    if isinstance(content, str):
        return content
    parts = [_part(block) for block in _objects(content, "content of a message")]
    match parts:
        case [{"type": "text", "text": str(text), **rest}] if not rest:
            return text
    return parts


def _part(block: JsonObject) -> JsonObject:
    source = block.get("source")
    if isinstance(source, dict) and set(block) == {"type", "source"}:
        url = _url(source)
        if block.get("type") == "image" and url is not None:
            return {"type": "image_url", "image_url": {"url": url}}
        if block.get("type") == "document" and url is not None and url.startswith("data:"):
            return {"type": "file", "file": {"file_data": url}}
        if block.get("type") == "document" and set(source) == {"type", "file_id"}:
            return {"type": "file", "file": {"file_id": source["file_id"]}}
    return {n: v for n, v in block.items() if v is not None}


def _url(source: Mapping[str, Json]) -> str | None:
    """Return the address of a picture or a document; ``None`` if it is given otherwise."""
    match source:
        case {"type": "base64", "media_type": str(kind), "data": str(data)}:
            return f"data:{kind};base64,{data}"
        case {"type": "url", "url": str(url)}:
            return url
    return None


def _assistant(content: Json) -> JsonObject:
    if isinstance(content, str):
        return {"role": "assistant", "content": content}
    parts: list[Part] = []
    sources: dict[str, Json] = {}
    calls: list[JsonObject] = []
    for block in _objects(content, "content of a message"):
        part = _said(block, sources, sum(isinstance(p, TextPart) for p in parts))
        parts.append(part)
        if isinstance(part, ToolCallPart):
            function = {"name": part.name, "arguments": part.arguments_raw}
            calls.append({"id": part.id, "type": "function", "function": function})
    if sources:
        parts.append(citations_part(sources))
    text = "".join(part.text for part in parts if isinstance(part, TextPart))
    message: JsonObject = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = calls
    return {**message, "parts": to_json(tuple(parts))}


def _said(block: JsonObject, sources: dict[str, Json], texts: int) -> Part:
    """Read one block; ``sources`` get its citations, by the number of texts before it."""
    match block.get("type"):
        case "text":
            citations = block.get("citations")
            if isinstance(citations, list) and citations:
                sources[str(texts)] = citations
            return TextPart(text=_text(block, "text"), citations=neutral_citations(citations))
        case "thinking":
            signature: Any = block.get("signature")
            return ReasoningPart(
                text=_text(block, "thinking"),
                channel="text",
                signature=signature if isinstance(signature, str) and signature else None,
            )
        case "redacted_thinking":
            data = _text(block, "data")
            return ReasoningPart(text="", channel="text", redacted_data=data)
        case "tool_use":
            return _call(block)
        case str():
            return native_part(block)
    raise UnreadableRequestError("a block of an assistant message has no type")


def _call(block: JsonObject) -> ToolCallPart:
    arguments = block.get("input")
    if not isinstance(arguments, dict):
        raise UnreadableRequestError("the input of a tool_use block is not an object")
    return ToolCallPart(
        id=_text(block, "id"),
        name=_text(block, "name"),
        arguments=arguments,
        arguments_raw=compact(arguments),
        send_back=call_fields(block),
    )


def _text(block: JsonObject, name: str) -> str:
    value = block.get(name)
    if not isinstance(value, str):
        raise UnreadableRequestError(f"{name} of a {block.get('type')} block is not text")
    return value


def _objects(value: Json, name: str) -> list[JsonObject]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise UnreadableRequestError(f"the {name} of the recorded request is no list of objects")
    return value
