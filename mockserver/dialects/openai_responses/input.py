"""Translates Chat Completions messages and tools for the Responses API. Pure.

Earlier assistant turns are sent back from their ``parts``, in order, since the API refuses
reasoning that is not followed by its result. The assistant's text is sent as a complete output
message: llama.cpp refuses one without a type (ggml-org/llama.cpp#26394), strict
validators one without a status or annotations (openai/codex#12669). Only the ids of items are
left out: a server that stores nothing does not know them. Newer models also want the ``phase``
of their messages back.
Source: https://platform.openai.com/docs/api-reference/responses/create.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mockserver.vocabulary.model import Json, JsonObject

#: Longest call id that the API accepts, in characters; other providers make longer ones.
CALL_ID_LIMIT = 64


def input_items(messages: Iterable[JsonObject], tools: Iterable[JsonObject] = ()) -> list[Json]:
    """Make the ``input`` list.

    A ``system`` message becomes a ``developer`` message: the Codex backend refuses the former,
    the API treats both alike. Raises ``ValueError`` for a role or a part that the API does
    not have.
    """
    custom = {tool["custom"]["name"] for tool in tools if tool.get("type") == "custom"}
    items: list[Json] = []
    custom_ids: set[str] = set()
    for message in messages:
        match message.get("role"):
            case "system" | "developer":
                items.append({"role": "developer", "content": _content(message)})
            case "user":
                items.append({"role": "user", "content": _content(message)})
            case "assistant":
                items += _assistant_items(message, custom)
            case "tool":
                call_id = _call_id(message["tool_call_id"])
                kind = "custom_tool_call" if call_id in custom_ids else "function_call"
                items.append(
                    {"type": f"{kind}_output", "call_id": call_id, "output": _output(message)}
                )
            case role:
                raise ValueError(
                    f"unknown message role {role!r}: use system, developer, user, assistant or tool"
                )
        custom_ids |= {i["call_id"] for i in items if i.get("type") == "custom_tool_call"}
    return items


def flat_tool(tool: JsonObject) -> JsonObject:
    """Make a tool of Chat Completions flat; a flat one is kept.

    ``strict`` is dropped: the Codex backend decides it. A function without parameters gets an
    empty schema, since the API requires one.
    """
    kind = tool.get("type", "function")
    inner = tool.get(kind)
    if not isinstance(inner, Mapping):
        return {name: value for name, value in tool.items() if name != "strict"}
    flat = {"type": kind, **inner}
    flat.pop("strict", None)
    if kind == "function":
        flat["parameters"] = inner.get("parameters") or {"type": "object", "properties": {}}
    grammar = flat.get("format")
    if isinstance(grammar, Mapping) and isinstance(grammar.get("grammar"), Mapping):
        flat["format"] = {"type": "grammar", **grammar["grammar"]}
    return flat


def flat_tool_choice(choice: Json) -> Json:
    """Make a ``tool_choice``: a named tool, ``required``, ``none``, or else ``auto``."""
    if isinstance(choice, Mapping):
        kind = choice.get("type", "function")
        name = choice.get("name") or (choice.get(kind) or {}).get("name")
        if name:
            return {"type": kind, "name": name}
    return choice if choice in ("required", "none") else "auto"


def text_format(response_format: Mapping[str, Json]) -> JsonObject:
    """Make the ``text.format`` of a ``response_format``."""
    schema = response_format.get("json_schema")
    return {"type": response_format["type"], **(schema if isinstance(schema, Mapping) else {})}


def _content(message: JsonObject) -> list[Json]:
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "input_text", "text": content}]
    return [_part(part) for part in content or ()]


def _output(message: JsonObject) -> Json:
    content = message.get("content")
    return content if isinstance(content, str) else _content(message)


def _part(part: JsonObject) -> JsonObject:
    match part.get("type"):
        case "text":
            return {"type": "input_text", "text": part["text"]}
        case "image_url":
            image = part["image_url"]
            image = {"url": image} if isinstance(image, str) else image
            detail = {"detail": image["detail"]} if image.get("detail") else {}
            return {"type": "input_image", "image_url": image["url"], **detail}
        case "file":
            return {"type": "input_file", **part["file"]}
        case "input_text" | "input_image" | "input_file":
            return part
        case kind:
            raise ValueError(f"a message part of type {kind!r} cannot be sent to the Responses API")


def _assistant_items(message: JsonObject, custom: set[str]) -> Iterator[JsonObject]:
    parts = message.get("parts")
    if not parts:
        if text := _text_content(message.get("content")):
            yield _text(text)
        elif message.get("refusal"):
            yield _refusal(message["refusal"])
        for call in message.get("tool_calls") or ():
            if call.get("type") == "custom":
                yield _call(call["id"], call["custom"]["name"], call["custom"]["input"], True)
            else:
                function = call["function"]
                yield _call(call["id"], function["name"], function["arguments"], False)
        return
    thoughts: list[JsonObject] = []
    for part in parts:
        match part["type"]:
            case "reasoning":
                thoughts.append(part)
                if part.get("encrypted_content"):
                    yield _reasoning(thoughts, part["encrypted_content"])
                    thoughts = []
                continue
            case "text" if part["text"]:
                yield _text(part["text"], part.get("phase"))
            case "refusal" if part["refusal"]:
                yield _refusal(part["refusal"])
            case "tool_call" if part.get("arguments") is not None:
                is_custom = part["name"] in custom
                text = part["arguments"]["input"] if is_custom else part["arguments_raw"]
                yield _call(part["id"], part["name"], text, is_custom)
            case "hosted_tool":
                yield from _hosted(part.get("native") or ())
        # Reasoning without its encrypted form is useless to a server that stores nothing.
        thoughts = []


def _text(text: str, phase: str | None = None) -> JsonObject:
    message = _message({"type": "output_text", "text": text, "annotations": []})
    return {**message, "phase": phase} if phase else message


def _refusal(text: str) -> JsonObject:
    return _message({"type": "refusal", "refusal": text})


def _message(content: JsonObject) -> JsonObject:
    return {"type": "message", "role": "assistant", "content": [content], "status": "completed"}


def _reasoning(thoughts: Sequence[JsonObject], encrypted: str) -> JsonObject:
    item: JsonObject = {
        "type": "reasoning",
        "summary": _thoughts(thoughts, "summary", "summary_text"),
        "encrypted_content": encrypted,
    }
    if raw := _thoughts(thoughts, "text", "reasoning_text"):
        item["content"] = raw
    return item


def _thoughts(thoughts: Iterable[JsonObject], channel: str, kind: str) -> list[JsonObject]:
    return [
        {"type": kind, "text": part["text"]}
        for part in thoughts
        if part["channel"] == channel and part["text"]
    ]


def _call(call_id: str, name: str, text: str, is_custom: bool) -> JsonObject:
    item = {"type": "function_call", "call_id": _call_id(call_id), "name": name}
    if is_custom:
        return {**item, "type": "custom_tool_call", "input": text, "status": "completed"}
    return {**item, "arguments": text, "status": "completed"}


def _hosted(native: Iterable[Json]) -> Iterator[JsonObject]:
    for event in native:
        if isinstance(event, Mapping) and event.get("type") == "response.output_item.done":
            yield {name: value for name, value in event["item"].items() if name != "id"}


def _call_id(call_id: str) -> str:
    """Shorten an id and keep it unique: calls and results are paired by it."""
    if len(call_id) <= CALL_ID_LIMIT:
        return call_id
    digest = hashlib.sha256(call_id.encode()).hexdigest()[:16]
    return f"{call_id[: CALL_ID_LIMIT - len(digest) - 1]}_{digest}"


def _text_content(content: Json) -> str:
    if isinstance(content, list):
        return "".join(part.get("text") or part.get("refusal") or "" for part in content)
    return content or ""
