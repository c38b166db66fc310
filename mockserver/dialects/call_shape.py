"""Checks that a call has the shape that the writers of requests rely on. Pure.

A call may come from any program. What has another shape cannot be said in any dialect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mockserver.dialects.dialect import UnwritableError
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import Json, JsonObject

#: The texts that each type of a normalized part has.
_TEXTS: Mapping[str, tuple[str, ...]] = {
    "text": ("text",),
    "reasoning": ("text",),
    "refusal": ("refusal",),
    "tool_call": ("id", "name"),
    "image": ("url",),
}


def check_shape(call: NeutralCall) -> None:
    """Check messages, their parts and calls, and tools. Raises :class:`UnwritableError`."""
    for message in call.messages:
        if not isinstance(message, dict):
            raise UnwritableError(f"messages are a list of objects, not {message!r:.80}")
        _check_message(message)
    for tool in call.tools:
        if not isinstance(tool, dict):
            raise UnwritableError(f"tools are a list of objects, not {tool!r:.80}")
        if not isinstance(tool.get("type"), str | None):
            raise UnwritableError(f"the type of a tool is text, not {tool['type']!r:.80}")


def function_of(tool: JsonObject) -> JsonObject:
    """Return the function of a tool. Raises :class:`UnwritableError` if it has none."""
    function = tool.get("function")
    if isinstance(function, dict) and isinstance(function.get("name"), str):
        return function
    raise UnwritableError(f"a tool of type function has no function with a name: {tool!r:.80}")


def known_options(options: Mapping[str, Json]) -> JsonObject:
    """Return the options that are given; of the two limits of tokens the newer one counts."""
    given = {name: value for name, value in options.items() if value is not None}
    if "max_completion_tokens" in given:
        given.pop("max_tokens", None)
    return given


def _check_message(message: JsonObject) -> None:
    role, content = message.get("role"), message.get("content")
    if not isinstance(content, str | list | None):
        raise UnwritableError(
            f"the content of a message is text or a list of parts, not {content!r:.80}"
        )
    for part in content if isinstance(content, list) else ():
        _typed(part)
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        raise UnwritableError("the result of a tool has no tool_call_id")
    if role == "assistant":
        for call in _objects(message, "tool_calls"):
            _check_call(call)
        for part in _objects(message, "parts"):
            _check_part(part)


def _check_call(call: JsonObject) -> None:
    match call:
        case {"id": str(), "function": {"name": str()}}:
            return
    raise UnwritableError(
        f"a tool call of type {call.get('type')!r} has no id, or no function with a name"
    )


def _check_part(part: JsonObject) -> None:
    kind = _typed(part)
    if missing := [n for n in _TEXTS.get(kind, ()) if not isinstance(part.get(n), str)]:
        raise UnwritableError(f"a part of type {kind!r} has no text {missing[0]!r}")
    if kind == "send_back" and not isinstance(part.get("fields"), dict):
        raise UnwritableError("a part of type 'send_back' has no object 'fields'")
    if kind == "hosted_tool":
        _list(part, "native")


def _typed(part: Json) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(kind, str):
        raise UnwritableError(f"a part of a message is an object with a type, not {part!r:.80}")
    return kind


def _objects(message: JsonObject, name: str) -> Iterable[JsonObject]:
    for item in _list(message, name):
        if not isinstance(item, dict):
            raise UnwritableError(f"the {name} of a message are objects, not {item!r:.80}")
        yield item


def _list(value: JsonObject, name: str) -> Iterable[Any]:
    found = value.get(name) or ()
    if not isinstance(found, list | tuple):
        raise UnwritableError(f"{name} are a list, not {found!r:.80}")
    return found
