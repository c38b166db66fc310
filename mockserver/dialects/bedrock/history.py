"""Reads the messages of a Converse request as messages of Chat Completions.

A user message may have tool results and more: each result is a tool message, and what is between
two results a user message.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from mockserver.dialects.dialect import UnreadableRequestError
from mockserver.vocabulary.model import Json, JsonObject


def system_messages(blocks: Json) -> Iterator[JsonObject]:
    """Yield the system message, if there is one."""
    if content := [_part(*one_block(b, "a system block")) for b in _list(blocks, "system")]:
        yield {"role": "system", "content": _plain(content)}


def read_history(given: Json) -> Iterator[JsonObject]:
    """Yield the messages. Raises :class:`UnreadableRequestError` for what is no message."""
    for message in _list(given, "messages"):
        if not isinstance(message, Mapping):
            raise UnreadableRequestError("a message of the recorded request is no object")
        content = message.get("content")
        blocks = [one_block(b, "a content block") for b in _list(content, "content")]
        if message.get("role") == "assistant":
            yield from _assistant(blocks)
        else:
            yield from _asked(str(message.get("role")), blocks)


def one_block(block: Json, what: str) -> tuple[str, Json]:
    """Return the name and the value of a union, which has one member."""
    if isinstance(block, Mapping):
        members = [(n, v) for n, v in block.items() if v is not None]
        if len(members) == 1:
            return members[0]
    raise UnreadableRequestError(f"{what} of the recorded request is no object with one member")


def _asked(role: str, blocks: list[tuple[str, Json]]) -> Iterator[JsonObject]:
    content: list[JsonObject] = []
    for kind, value in blocks:
        if kind != "toolResult":
            content.append(_part(kind, value))
            continue
        if content:
            yield {"role": role, "content": _plain(content)}
            content = []
        yield _result(value)
    if content or not blocks:
        yield {"role": role, "content": _plain(content)}


def _result(value: Json) -> JsonObject:
    if not isinstance(value, Mapping) or not isinstance(value.get("toolUseId"), str):
        raise UnreadableRequestError("a toolResult of the recorded request has no toolUseId")
    parts = [_part(*one_block(b, "a tool result")) for b in _list(value.get("content"), "content")]
    # Success is what a result says by being there.
    failed = {"status": value["status"]} if value.get("status") not in (None, "success") else {}
    return {
        "role": "tool",
        "tool_call_id": value["toolUseId"],
        "content": _plain(parts),
        **failed,
    }


def _part(kind: str, value: Json) -> JsonObject:
    match kind, value:
        case ("text", str()):
            return {"type": "text", "text": value}
        case ("image", {"format": str(form), "source": {"bytes": str(data)}}):
            return {"type": "image_url", "image_url": {"url": f"data:image/{form};base64,{data}"}}
        case (
            "document",
            {"format": str(form), "name": str(name), "source": {"bytes": str(data)}},
        ) if len(value) == 3:
            return {"type": "file", "file": {"filename": f"{name}.{form}", "file_data": data}}
        case ("audio", {"format": str(form), "source": {"bytes": str(data)}}):
            return {"type": "input_audio", "input_audio": {"data": data, "format": form}}
    return {"type": kind, kind: value}


def _plain(parts: list[JsonObject]) -> Json:
    """Return a single text as a string."""
    match parts:
        case [{"type": "text", "text": str(text)}]:
            return text
    return parts


def _assistant(blocks: list[tuple[str, Json]]) -> Iterator[JsonObject]:
    parts: list[JsonObject] = []
    calls: list[JsonObject] = []
    for kind, value in blocks:
        part = _made(kind, value)
        parts.append(part)
        if part["type"] == "tool_call":
            function = {"name": part["name"], "arguments": part["arguments_raw"]}
            calls.append({"id": part["id"], "type": "function", "function": function})
    text = "".join(p["text"] for p in parts if p["type"] == "text")
    message: JsonObject = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = calls
    yield {**message, "parts": parts}


def _made(kind: str, value: Json) -> JsonObject:
    """Return the part of a turn that a block of the model is."""
    match kind, value:
        case ("text", str()):
            return {"type": "text", "text": value}
        case ("reasoningContent", {"reasoningText": {"text": str(text), **rest}}):
            signed = {"signature": s} if isinstance(s := rest.get("signature"), str) and s else {}
            return {"type": "reasoning", "text": text, "channel": "text", **signed}
        case ("reasoningContent", {"redactedContent": str(data)}):
            return {"type": "reasoning", "text": "", "channel": "text", "redacted_data": data}
        case ("toolUse", {"toolUseId": str(call_id), "name": str(name), **rest}) if (
            rest.get("type") != "server_tool_use"
        ):
            arguments = rest.get("input")
            if not isinstance(arguments, dict):
                raise UnreadableRequestError(f"the input of tool use {call_id} is no JSON object")
            raw = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
            return {
                "type": "tool_call",
                "id": call_id,
                "name": name,
                "arguments": arguments,
                "arguments_raw": raw,
            }
        case ("citationsContent", {"content": list(content)}):
            texts = [c["text"] for c in content if isinstance(c, dict) and "text" in c]
            return {"type": "text", "text": "".join(filter(lambda t: isinstance(t, str), texts))}
        case ("image", {"format": str(form), "source": {"bytes": str(data)}}):
            return {"type": "image", "url": f"data:image/{form};base64,{data}"}
    return {"type": "hosted_tool", "kind": kind, "native": [{kind: value}]}


def _list(value: Json, name: str) -> list[Json]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise UnreadableRequestError(f"{name} of the recorded request is no list")
    return value
