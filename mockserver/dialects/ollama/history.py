"""Reads the ``messages`` of a chat request as those of Chat Completions. Pure.

A call may have no id, and a tool result may name the function only: both then get an id made here.
A result without an id belongs to the first call of that name that has no result yet. Images have
no media type on the wire; it is known by how they begin.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

from mockserver.dialects.dialect import UnreadableRequestError
from mockserver.vocabulary.model import Json, JsonObject

#: How the Base64 text of an image begins.
_BEGINNINGS = {
    "iVBORw0KGgo": "image/png",
    "/9j/": "image/jpeg",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
}
_UNKNOWN_IMAGE = "image/png"


def read_messages(given: Json) -> list[JsonObject]:
    """Return the messages. Raises :class:`UnreadableRequestError` for what they cannot say."""
    history = _History(made=_made_ids(given))
    return [history.message(message) for message in objects(given, "messages")]


def user_message(text: str, images: Json, *, role: str = "user") -> JsonObject:
    """Return a message of text and Base64 images, if there are any."""
    urls = [_image_url(image) for image in _texts(images, "images")]
    if not urls:
        return {"role": role, "content": text}
    parts: list[JsonObject] = [{"type": "text", "text": text}] if text else []
    parts += [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return {"role": role, "content": parts}


def objects(value: Json, name: str) -> Iterable[JsonObject]:
    """Return a list of objects; ``None`` is an empty one."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise UnreadableRequestError(f"the {name} of the recorded request are no list of objects")
    return value


@dataclass(slots=True)
class _History:
    """What the messages so far say: the ids and names of calls that have no result yet."""

    made: Iterator[str]
    open_calls: dict[str, str] = field(default_factory=dict)

    def message(self, message: JsonObject) -> JsonObject:
        role, content = message.get("role"), message.get("content")
        if content is None:
            content = ""
        if not isinstance(role, str) or not isinstance(content, str):
            raise UnreadableRequestError("a message of the recorded request has no role or no text")
        if role == "assistant":
            return self._turn(message, content)
        if role == "tool":
            return {"role": role, "tool_call_id": self._answered(message), "content": content}
        return user_message(content, message.get("images"), role=role)

    def _turn(self, message: JsonObject, content: str) -> JsonObject:
        parts: list[JsonObject] = []
        if thinking := _text_or_nothing(message, "thinking"):
            parts.append({"type": "reasoning", "text": thinking, "channel": "text"})
        if content:
            parts.append({"type": "text", "text": content})
        calls = [self._call(call) for call in objects(message.get("tool_calls"), "tool calls")]
        turn: JsonObject = {"role": "assistant", "content": content or None}
        if calls:
            turn["tool_calls"] = [
                {
                    "id": call["id"],
                    "type": "function",
                    "function": {"name": call["name"], "arguments": call["arguments_raw"]},
                }
                for call in calls
            ]
        return {**turn, "parts": [*parts, *calls]}

    def _call(self, call: JsonObject) -> JsonObject:
        function = call.get("function")
        name = function.get("name") if isinstance(function, dict) else None
        arguments = function.get("arguments") if isinstance(function, dict) else None
        if not isinstance(name, str) or not isinstance(arguments, dict | None):
            raise UnreadableRequestError(
                "a tool call of the recorded request has no name or object"
            )
        wire_id = _text_or_nothing(call, "id")
        call_id = wire_id or next(self.made)
        self.open_calls[call_id] = name
        return {
            "type": "tool_call",
            "id": call_id,
            "name": name,
            "arguments": arguments or {},
            "arguments_raw": json.dumps(arguments or {}, ensure_ascii=False, separators=(",", ":")),
            **({} if wire_id else {"id_synthesized": True}),
        }

    def _answered(self, message: JsonObject) -> str:
        """Return the id of the call that a result is for."""
        if wire_id := _text_or_nothing(message, "tool_call_id"):
            self.open_calls.pop(wire_id, None)
            return wire_id
        name = _text_or_nothing(message, "tool_name")
        for call_id, called in self.open_calls.items():
            if name in ("", called):
                del self.open_calls[call_id]
                return call_id
        raise UnreadableRequestError("a tool result of the recorded request is for no known call")


def _made_ids(given: Json) -> Iterator[str]:
    """Yield ids that no call of the request has."""
    taken = {
        call.get("id")
        for message in (given if isinstance(given, list) else ())
        if isinstance(message, dict) and isinstance(message.get("tool_calls"), list)
        for call in message["tool_calls"]
        if isinstance(call, dict) and isinstance(call.get("id"), str)
    }
    return (made for number in count() if (made := f"call_{number}") not in taken)


def _image_url(image: str) -> str:
    kinds = (kind for start, kind in _BEGINNINGS.items() if image.startswith(start))
    return f"data:{next(kinds, _UNKNOWN_IMAGE)};base64,{image}"


def _texts(value: Json, name: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UnreadableRequestError(f"the {name} of the recorded request are no list of texts")
    return value


def _text_or_nothing(data: JsonObject, name: str) -> str:
    value = data.get(name)
    if value is not None and not isinstance(value, str):
        raise UnreadableRequestError(f"{name} in the recorded request is not text")
    return value or ""
