"""Writes requests of Cohere's chat, version 2. Pure.

An assistant turn that calls tools has no text content: the API refuses it
(vercel/ai#5794), so such text goes to ``tool_plan``, where the model puts its own.
Source: https://docs.cohere.com/reference/chat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from mockserver.cassettes.cassette import Request
from mockserver.dialects.call_shape import check_shape, function_of, known_options
from mockserver.dialects.dialect import UnwritableError
from mockserver.dialects.writing import compact, text_of
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import Json, JsonObject

URL = "https://api.cohere.com/v2/chat"
#: What Chat Completions has and an answer does not depend on.
_LEFT_OUT = frozenset({"stream_options", "user", "metadata", "store"})


def write_request(call: NeutralCall) -> Request:
    """Return the request. Raises :class:`UnwritableError` for what the API cannot say."""
    check_shape(call)
    body: JsonObject = {
        "stream": call.stream,
        "model": call.model,
        "messages": [_message(message) for message in call.messages],
    }
    tools, choice = _named(call.tools, call.options.get("tool_choice"))
    if tools:
        body["tools"] = [_tool(tool) for tool in tools]
        if any(_function(tool).get("strict") for tool in tools):
            body["strict_tools"] = True
    for name, value in known_options({**call.options, "tool_choice": choice}).items():
        if name not in _LEFT_OUT:
            body |= _OPTIONS[name](value) if name in _OPTIONS else {name: value}
    headers = (("content-type", "application/json"), ("accept", "*/*"))
    return Request(method="POST", uri=URL, headers=headers, body=compact(body).encode())


def _named(tools: Iterable[JsonObject], choice: Json) -> tuple[list[JsonObject], Json]:
    """Leave only the tool that must be called: the API cannot name one of several."""
    tools = list(tools)
    if not isinstance(choice, Mapping):
        return tools, choice
    named = choice.get("function")
    name = named.get("name") if isinstance(named, Mapping) else None
    found = [tool for tool in tools if _function(tool).get("name") == name]
    if not found:
        raise UnwritableError(f"tool_choice {dict(choice)} names none of the tools")
    return found, "required"


def _function(tool: JsonObject) -> Mapping[str, Json]:
    function = tool.get("function")
    return function if isinstance(function, Mapping) else {}


def _tool(tool: JsonObject) -> JsonObject:
    if (tool.get("type") or "function") != "function":
        raise UnwritableError(f"Cohere has no tools of type {tool['type']!r}")
    function = {name: value for name, value in function_of(tool).items() if name != "strict"}
    return {"type": "function", "function": {"parameters": {"type": "object"}, **function}}


def _message(message: JsonObject) -> JsonObject:
    match message.get("role"):
        case "system" | "developer":
            return {"role": "system", "content": _content(message, {"text"})}
        case "user":
            return {"role": "user", "content": _content(message, {"text", "image_url"})}
        case "assistant":
            return _assistant(message)
        case "tool":
            return {
                "role": "tool",
                "tool_call_id": message["tool_call_id"],
                "content": _content(message, {"text"}),
            }
        case role:
            raise UnwritableError(f"Cohere has no messages of role {role!r}")


def _content(message: JsonObject, kinds: set[str]) -> Json:
    content = message.get("content")
    if not isinstance(content, list):
        return "" if content is None else content
    for part in content:
        if part["type"] not in kinds:
            raise UnwritableError(
                f"Cohere has no parts of type {part['type']!r} "
                f"in a message of role {message.get('role')!r}"
            )
    return content


def _assistant(message: JsonObject) -> JsonObject:
    parts = message.get("parts") or list(_parts(message))
    calls = [_call(call) for call in message.get("tool_calls") or ()]
    plan = _plan(parts) if calls else ""
    thoughts = [p["text"] for p in parts if p["type"] == "reasoning" and p["text"]]
    if plan in thoughts:
        thoughts.remove(plan)
    said = [text for part in parts if (text := _said(part))]
    written: JsonObject = {"role": "assistant"}
    content: list[JsonObject] = [{"type": "thinking", "thinking": text} for text in thoughts]
    if calls:
        plan = "\n".join(filter(None, (plan, *said)))
    else:
        content += [{"type": "text", "text": text} for text in said]
    if [block["type"] for block in content] == ["text"]:
        written["content"] = content[0]["text"]
    elif content:
        written["content"] = content
    elif not calls:
        written["content"] = ""
    if plan:
        written["tool_plan"] = plan
    if calls:
        written["tool_calls"] = calls
    return written


def _parts(message: JsonObject) -> Iterator[JsonObject]:
    """Yield the parts of a plain message."""
    if text := text_of(message.get("content")):
        yield {"type": "text", "text": text}
    elif refusal := message.get("refusal"):
        yield {"type": "refusal", "refusal": refusal}


def _plan(parts: Iterable[JsonObject]) -> str:
    plans = (p["fields"].get("tool_plan") for p in parts if p["type"] == "send_back")
    return next((plan for plan in plans if isinstance(plan, str)), "")


def _said(part: JsonObject) -> str:
    match part:
        case {"type": "text", "text": str(text)} | {"type": "refusal", "refusal": str(text)}:
            return text
    return ""


def _call(call: JsonObject) -> JsonObject:
    function = call["function"]
    kept = {"name": function["name"], "arguments": function.get("arguments") or "{}"}
    return {"id": call.get("id"), "type": "function", "function": kept}


def _tool_choice(value: Json) -> JsonObject:
    if value == "auto":
        return {}
    return {"tool_choice": value.upper() if value in ("required", "none") else value}


def _response_format(value: Json) -> JsonObject:
    if not isinstance(value, Mapping) or value.get("type") != "json_schema":
        return {"response_format": value}
    schema = value.get("json_schema")
    if not isinstance(schema, Mapping) or schema.get("schema") is None:
        raise UnwritableError("the response_format has no schema")
    return {"response_format": {"type": "json_object", "json_schema": schema["schema"]}}


def _reasoning_effort(value: Json) -> JsonObject:
    """Switch thinking on or off: there are no degrees."""
    return {"thinking": {"type": "disabled" if value == "none" else "enabled"}}


def _only(name: str, allowed: Json) -> Callable[[Json], JsonObject]:
    def check(value: Json) -> JsonObject:
        if value != allowed:
            raise UnwritableError(f"Cohere has no {name} other than {allowed}")
        return {}

    return check


def _renamed(name: str) -> Callable[[Json], JsonObject]:
    return lambda value: {name: value}


def _stop(value: Json) -> JsonObject:
    return {"stop_sequences": [value] if isinstance(value, str) else value}


_OPTIONS: Mapping[str, Callable[[Json], JsonObject]] = {
    "max_completion_tokens": _renamed("max_tokens"),
    "n": _only("n", 1),
    "parallel_tool_calls": _only("parallel_tool_calls", True),
    "reasoning_effort": _reasoning_effort,
    "response_format": _response_format,
    "stop": _stop,
    "tool_choice": _tool_choice,
    "top_k": _renamed("k"),
    "top_p": _renamed("p"),
}
