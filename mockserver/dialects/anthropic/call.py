"""Reads the call behind recorded requests of the Messages API.

The call is in the words of Chat Completions; options without such a word keep the name that they
have here, so that a request can be written again. What a client decides by itself is left out.
Source: https://platform.claude.com/docs/en/api/messages and the types of the SDK ``anthropic``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mockserver.cassettes.cassette import Request, header_value
from mockserver.dialects.anthropic.history import read_history, system_messages
from mockserver.dialects.dialect import UnreadableRequestError
from mockserver.dialects.recorded_body import body_of
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import Json, JsonObject

#: Fields that a call has elsewhere.
_NOT_OPTIONS = frozenset({"model", "messages", "system", "tools", "stream"})
#: Fields with a Chat Completions name of the same meaning.
_RENAMED: Mapping[str, str] = {"stop_sequences": "stop"}
#: The name of a JSON schema in Chat Completions, which this API does not have.
SCHEMA_NAME = "output"
BETA_HEADER = "anthropic-beta"


def read_call(request: Request) -> NeutralCall:
    """Turn a recorded request back into a call. Raises :class:`UnreadableRequestError`."""
    body = body_of(request)
    messages = [*system_messages(body.get("system")), *read_history(body.get("messages"))]
    if not messages:
        raise UnreadableRequestError("the recorded request has no messages")
    options = dict(_options(body))
    if betas := header_value(request.headers, BETA_HEADER):
        options["betas"] = [beta.strip() for beta in betas.split(",") if beta.strip()]
    return NeutralCall(
        model=_text(body.get("model"), "model"),
        messages=tuple(messages),
        tools=tuple(map(_tool, _tools(body.get("tools")))),
        stream=bool(body.get("stream", False)),
        options=options,
    )


def _text(value: Json, name: str) -> str:
    if value is not None and not isinstance(value, str):
        raise UnreadableRequestError(f"the {name} of the recorded request is not text")
    return value or ""


def _tools(tools: Json) -> list[JsonObject]:
    if tools is None:
        return []
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise UnreadableRequestError("the tools of the recorded request are no list of objects")
    return tools


def _tool(tool: JsonObject) -> JsonObject:
    """Nest a tool of the client, as Chat Completions do; tools of the provider stay as they are."""
    if tool.get("type") not in (None, "custom"):
        return tool
    function = {n: v for n, v in tool.items() if n not in ("type", "input_schema")}
    if tool.get("input_schema") is not None:
        function["parameters"] = tool["input_schema"]
    return {"type": "function", "function": function}


def _options(body: JsonObject) -> Iterator[tuple[str, Json]]:
    for name, value in body.items():
        if value is None or name in _NOT_OPTIONS:
            continue
        if name in _RENAMED:
            yield _RENAMED[name], value
        elif name == "tool_choice" and isinstance(value, dict):
            yield from _tool_choice(value)
        elif name == "output_config" and isinstance(value, dict):
            yield from _output_config(value)
        elif name == "output_format" and isinstance(value, dict):
            # The older name of ``output_config.format``.
            yield from _output_config({"format": value})
        elif name == "metadata" and isinstance(value, dict):
            yield from _metadata(value)
        else:
            yield name, value


def _tool_choice(choice: JsonObject) -> Iterator[tuple[str, Json]]:
    """Read a choice. ``auto`` is the default and says nothing."""
    match choice.get("type"):
        case "any":
            yield "tool_choice", "required"
        case "none":
            yield "tool_choice", "none"
        case "tool":
            function = {"name": choice.get("name")}
            yield "tool_choice", {"type": "function", "function": function}
        case "auto":
            pass
        case _:
            yield "tool_choice", choice
            return
    if isinstance(off := choice.get("disable_parallel_tool_use"), bool):
        yield "parallel_tool_calls", not off


def _output_config(config: JsonObject) -> Iterator[tuple[str, Json]]:
    rest = {n: v for n, v in config.items() if n not in ("format", "effort") and v is not None}
    form = config.get("format")
    if isinstance(form, dict) and form.get("type") == "json_schema":
        inner = {"name": SCHEMA_NAME, **{n: v for n, v in form.items() if n != "type"}}
        yield "response_format", {"type": "json_schema", "json_schema": inner}
    elif form is not None:
        rest["format"] = form
    if config.get("effort") is not None:
        yield "reasoning_effort", config["effort"]
    if rest:
        yield "output_config", rest


def _metadata(metadata: JsonObject) -> Iterator[tuple[str, Json]]:
    if metadata.get("user_id") is not None:
        yield "user", metadata["user_id"]
    if rest := {n: v for n, v in metadata.items() if n != "user_id"}:
        yield "metadata", rest
