"""Reads the call behind a recorded request of Cohere's chat, version 2.

The call is in the words of Chat Completions; a field without such a word keeps its own. What
those words cannot say about an earlier turn of the model, its plan and its thinking, is in
``parts``, the normalized parts of that turn.
Source: https://docs.cohere.com/reference/chat.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from mockserver.cassettes.cassette import Request
from mockserver.dialects.dialect import UnreadableRequestError
from mockserver.dialects.recorded_body import body_of
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import Json, JsonObject

#: Fields that a call has elsewhere.
_NOT_OPTIONS = frozenset({"model", "messages", "tools", "stream", "strict_tools"})
_PARTS_OF_A_QUESTION = frozenset({"text", "image_url"})


def read_call(request: Request) -> NeutralCall:
    """Turn a recorded request back into a call. Raises :class:`UnreadableRequestError`."""
    if request.url.path.endswith("/v1/chat"):
        raise UnreadableRequestError("version 1 of Cohere's chat is served, but not judged")
    body = body_of(request)
    messages = [_message(m) for m in _objects(body.get("messages"), "messages")]
    if not messages:
        raise UnreadableRequestError("the recorded request has no messages")
    strict = body.get("strict_tools") is True
    return NeutralCall(
        model=str(body.get("model", "")),
        messages=tuple(messages),
        tools=tuple(_tool(t, strict=strict) for t in _objects(body.get("tools"), "tools")),
        stream=bool(body.get("stream", False)),
        options=dict(_options(body)),
    )


def _objects(value: Json, name: str) -> list[JsonObject]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise UnreadableRequestError(f"the {name} of the recorded request are no list of objects")
    return value


def _tool(tool: JsonObject, *, strict: bool) -> JsonObject:
    """Return the tool; all are strict if ``strict_tools`` says so."""
    if strict and isinstance(function := tool.get("function"), Mapping):
        return {**tool, "function": {**function, "strict": True}}
    return tool


def _message(message: JsonObject) -> JsonObject:
    match message.get("role"):
        case ("system" | "user") as role:
            return {"role": role, "content": _question(message.get("content"))}
        case "assistant":
            return _assistant(message)
        case "tool":
            call_id = message.get("tool_call_id")
            if not isinstance(call_id, str):
                raise UnreadableRequestError("a tool message has no tool_call_id")
            content = _result(message.get("content"))
            return {"role": "tool", "tool_call_id": call_id, "content": content}
        case role:
            raise UnreadableRequestError(f"a call cannot express a message of role {role!r}")


def _question(content: Json) -> Json:
    if isinstance(content, str):
        return content
    parts = _objects(content, "parts of a message")
    for part in parts:
        if part.get("type") not in _PARTS_OF_A_QUESTION:
            raise UnreadableRequestError(
                f"a call cannot express a message part of type {part.get('type')!r}"
            )
    return parts


def _result(content: Json) -> Json:
    """Return the content of a tool message; a document becomes the JSON text of its data."""
    if isinstance(content, str):
        return content
    return [_result_part(part) for part in _objects(content, "parts of a tool message")]


def _result_part(part: JsonObject) -> JsonObject:
    match part:
        case {"type": "text", "text": str(text)}:
            return {"type": "text", "text": text}
        case {"type": "document", "document": {"data": str(data)}}:
            return {"type": "text", "text": data}
        case {"type": "document", "document": {"data": data}}:
            return {"type": "text", "text": json.dumps(data, ensure_ascii=False)}
    raise UnreadableRequestError(
        f"a call cannot express a part of a tool message of type {part.get('type')!r}"
    )


def _assistant(message: JsonObject) -> JsonObject:
    """Return a turn of the model, with its parts if it has a plan or thinking."""
    content = message.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    parts = [_said(part) for part in _objects(content, "parts of a message")]
    plan = message.get("tool_plan")
    if isinstance(plan, str) and plan:
        parts.append({"type": "reasoning", "text": plan, "channel": "text"})
        parts.append({"type": "send_back", "fields": {"tool_plan": plan}})
    is_plain = all(part["type"] == "text" for part in parts)
    calls = _objects(message.get("tool_calls"), "tool calls")
    text = "".join(p["text"] for p in parts if p["type"] == "text")
    read: JsonObject = {"role": "assistant", "content": text or None}
    if calls:
        read["tool_calls"] = calls
        parts += [_call(call) for call in calls]
    return read if is_plain else {**read, "parts": parts}


def _said(part: JsonObject) -> JsonObject:
    match part:
        case {"type": "text", "text": str(text)}:
            return {"type": "text", "text": text}
        case {"type": "thinking", "thinking": str(text)}:
            return {"type": "reasoning", "text": text, "channel": "text"}
    raise UnreadableRequestError(
        f"a call cannot express an assistant's part of type {part.get('type')!r}"
    )


def _call(call: JsonObject) -> JsonObject:
    match call:
        case {"id": str(call_id), "function": {"name": str(name), "arguments": str(text)}}:
            pass
        case _:
            raise UnreadableRequestError("a tool call has no id, name or arguments")
    try:
        arguments = json.loads(text.strip() or "{}") or {}
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise UnreadableRequestError(f"the arguments of call {call_id} are not a JSON object")
    return {
        "type": "tool_call",
        "id": call_id,
        "name": name,
        "arguments": arguments,
        "arguments_raw": text,
    }


def _options(body: JsonObject) -> Iterator[tuple[str, Json]]:
    """Yield the other fields by their Chat Completions names, if they have such a name."""
    for name, value in body.items():
        if value is not None and name not in _NOT_OPTIONS:
            known, read = _READ.get(name, (name, _as_it_is))
            yield known, read(value)


def _as_it_is(value: Json) -> Json:
    return value


def _tool_choice(value: Json) -> Json:
    return value.lower() if value in ("REQUIRED", "NONE") else value


def _response_format(value: Json) -> Json:
    """Nest a schema, which here has no name."""
    if not isinstance(value, Mapping) or value.get("type") != "json_object":
        return value
    schema = value.get("json_schema", value.get("schema"))
    if schema is None:
        return value
    return {"type": "json_schema", "json_schema": {"schema": schema}}


_READ: Mapping[str, tuple[str, Callable[[Json], Json]]] = {
    "p": ("top_p", _as_it_is),
    "k": ("top_k", _as_it_is),
    "stop_sequences": ("stop", _as_it_is),
    "tool_choice": ("tool_choice", _tool_choice),
    "response_format": ("response_format", _response_format),
}
