"""Reads the ``input`` of a Responses request as messages of Chat Completions.

Items that the model made one after another are one assistant message.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mockserver.dialects.dialect import UnreadableRequestError
from mockserver.vocabulary.model import Json, JsonObject

#: Tools that the provider runs: their items go back as they are.
_HOSTED = frozenset(
    {"web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call"}
    | {"mcp_call", "mcp_list_tools"}
)
#: The fields of a file in Chat Completions.
_FILE = ("file_data", "file_id", "filename")


def read_history(given: Json) -> list[JsonObject]:
    """Return the messages. Raises :class:`UnreadableRequestError` for what they cannot say."""
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    if not isinstance(given, list):
        return []
    messages: list[JsonObject] = []
    turn = _Turn()
    for item in given:
        if not isinstance(item, dict):
            raise UnreadableRequestError("the input has an item that is not an object")
        if turn.take(item):
            continue
        messages += turn.messages()
        turn = _Turn()
        messages.append(_message(item))
    return [*messages, *turn.messages()]


def _message(item: JsonObject) -> JsonObject:
    """Return the message of an item that the model did not make."""
    kind = item.get("type", "message")
    if kind == "message":
        return {"role": item.get("role"), "content": _plain(_content(item.get("content")))}
    if kind in ("function_call_output", "custom_tool_call_output"):
        call_id, output = _text_of(item, "call_id"), _content(item.get("output"))
        return {"role": "tool", "tool_call_id": call_id, "content": output}
    if kind == "item_reference":
        raise UnreadableRequestError("the input refers to an item that is on the server")
    raise UnreadableRequestError(f"a call cannot express an input item of type {kind!r}")


def _content(content: Json) -> str | list[Json]:
    if isinstance(content, str):
        return content
    return [_part(part) for part in _objects(content)]


def _plain(content: str | list[Json]) -> str | list[Json]:
    """Return a single text as a string."""
    match content:
        case [{"type": "text", "text": str(text)}]:
            return text
    return content


def _part(part: JsonObject) -> JsonObject:
    match part:
        case {"type": "input_text", "text": str(text)}:
            return {"type": "text", "text": text}
        case {"type": "input_image", "image_url": str(url)}:
            detail = {"detail": part["detail"]} if part.get("detail") else {}
            return {"type": "image_url", "image_url": {"url": url, **detail}}
        case {"type": "input_file"} if any(part.get(name) for name in _FILE[:2]):
            return {"type": "file", "file": {n: part[n] for n in _FILE if part.get(n)}}
    raise UnreadableRequestError(f"a call cannot express a message part of type {part.get('type')}")


@dataclass(slots=True)
class _Turn:
    """What the model made in one turn: the parts, and the same as a plain message."""

    parts: list[JsonObject] = field(default_factory=list)
    calls: list[JsonObject] = field(default_factory=list)

    def take(self, item: JsonObject) -> bool:
        """Add an item; return false for one that the model did not make."""
        match item.get("type", "message"):
            case "message" if item.get("role") == "assistant":
                self.parts += _said(item)
            case "reasoning":
                self.parts += _thoughts(item)
            case "function_call":
                self._call(item, _text_of(item, "arguments"), is_custom=False)
            case "custom_tool_call":
                self._call(item, _text_of(item, "input"), is_custom=True)
            case str() as kind if kind in _HOSTED:
                done = {"type": "response.output_item.done", "item": item}
                self.parts.append({"type": "hosted_tool", "kind": kind, "native": [done]})
            case _:
                return False
        return True

    def _call(self, item: JsonObject, text: str, *, is_custom: bool) -> None:
        call_id, name = _text_of(item, "call_id"), _text_of(item, "name")
        if is_custom:
            arguments: Json = {"input": text}
            raw = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
            kind, inner = "custom", {"name": name, "input": text}
        else:
            arguments, raw = _arguments(text, call_id), text
            kind, inner = "function", {"name": name, "arguments": text}
        self.calls.append({"id": call_id, "type": kind, kind: inner})
        self.parts.append(
            {
                "type": "tool_call",
                "id": call_id,
                "name": name,
                "arguments": arguments,
                "arguments_raw": raw,
            }
        )

    def messages(self) -> Iterator[JsonObject]:
        """Yield the assistant message of the turn, if the model made anything."""
        if not self.parts:
            return
        text = "".join(p["text"] for p in self.parts if p["type"] == "text")
        message: JsonObject = {"role": "assistant", "content": text or None}
        if refusal := "".join(p["refusal"] for p in self.parts if p["type"] == "refusal"):
            message["refusal"] = refusal
        if self.calls:
            message["tool_calls"] = self.calls
        yield {**message, "parts": self.parts}


def _said(item: JsonObject) -> Iterator[JsonObject]:
    content = item.get("content")
    phase = {"phase": item["phase"]} if item.get("phase") else {}
    if isinstance(content, str):
        yield {"type": "text", "text": content, **phase}
        return
    for part in _objects(content):
        match part:
            case {"type": "output_text" | "input_text", "text": str(text)}:
                yield {"type": "text", "text": text, **phase}
            case {"type": "refusal", "refusal": str(refusal)}:
                yield {"type": "refusal", "refusal": refusal}
            case _:
                raise UnreadableRequestError(
                    f"a call cannot express an assistant's part of type {part.get('type')!r}"
                )


def _thoughts(item: JsonObject) -> list[JsonObject]:
    parts: list[JsonObject] = [
        {"type": "reasoning", "text": _text_of(thought, "text"), "channel": channel}
        for name, channel in (("summary", "summary"), ("content", "text"))
        for thought in _objects(item.get(name) or [])
    ]
    if encrypted := item.get("encrypted_content"):
        if not parts:
            parts.append({"type": "reasoning", "text": "", "channel": "text"})
        parts[-1]["encrypted_content"] = encrypted
    return parts


def _arguments(text: str, call_id: str) -> Json:
    try:
        arguments = json.loads(text.strip() or "{}")
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise UnreadableRequestError(f"the arguments of call {call_id} are not a JSON object")
    return arguments


def _text_of(item: JsonObject, name: str) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        raise UnreadableRequestError(f"{name} of a {item.get('type')} item is not text")
    return value


def _objects(value: Json) -> Iterable[JsonObject]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise UnreadableRequestError("the content of an input item is neither text nor objects")
    return value
