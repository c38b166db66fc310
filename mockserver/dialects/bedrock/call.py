"""Reads the call behind a recorded Converse request.

A content block or a tool that Chat Completions have no word for becomes a part, or a tool, of its
own name: ``{"cachePoint": {…}}`` is ``{"type": "cachePoint", "cachePoint": {…}}``.
Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import unquote

from mockserver.cassettes.cassette import Request
from mockserver.dialects.bedrock.history import one_block, read_history, system_messages
from mockserver.dialects.dialect import UnreadableRequestError
from mockserver.dialects.recorded_body import body_of
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import Json, JsonObject

#: Fields that a call has elsewhere.
_NOT_OPTIONS = frozenset({"messages", "system", "toolConfig", "modelId"})
#: Fields of ``inferenceConfig`` by their Chat Completions names.
INFERENCE: Mapping[str, str] = {
    "maxTokens": "max_completion_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "stopSequences": "stop",
}


def read_call(request: Request) -> NeutralCall:
    """Turn a recorded request back into a call. Raises :class:`UnreadableRequestError`."""
    model, _, operation = request.url.path.rpartition("/model/")[2].rpartition("/")
    if operation.startswith("invoke"):
        raise UnreadableRequestError(
            f"{operation} carries the body of the model's own API, which is not read: use the "
            f"Converse API. Without recordings, {operation} is answered for Anthropic's models, "
            "and for embeddings of Titan and Cohere"
        )
    body = body_of(request)
    messages = [*system_messages(body.get("system")), *read_history(body.get("messages"))]
    if not messages:
        raise UnreadableRequestError("the recorded request has no messages")
    config = _object(body.get("toolConfig"), "toolConfig")
    tools = [] if config.get("tools") is None else config["tools"]
    if not isinstance(tools, list):
        raise UnreadableRequestError("the tools of the recorded request are no list")
    return NeutralCall(
        model=unquote(model),
        messages=tuple(messages),
        tools=tuple(_tool(tool) for tool in tools),
        stream=operation == "converse-stream",
        options=dict(_options(body, config)),
    )


def asks_for_reasoning(call: NeutralCall) -> bool:
    """Return whether a call asks for reasoning: in the words of Claude, Nova or gpt-oss."""
    match call.options:
        case {"reasoning_effort": effort}:
            return bool(effort != "none")
        case {"additionalModelRequestFields": Mapping() as fields}:
            pass
        case _:
            return False
    for name in ("thinking", "reasoning_config", "reasoningConfig"):
        match fields.get(name):
            case {"type": "enabled" | "adaptive"}:
                return True
    return fields.get("reasoning_effort") not in (None, "none")


def _object(value: Json, name: str) -> Mapping[str, Json]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UnreadableRequestError(f"{name} of the recorded request is no object")
    return value


def _tool(tool: Json) -> JsonObject:
    kind, value = one_block(tool, "a tool")
    if kind != "toolSpec" or not isinstance(value, Mapping):
        return {"type": kind, kind: value}
    function = {n: v for n, v in value.items() if n != "inputSchema" and v is not None}
    schema = value.get("inputSchema")
    if isinstance(schema, Mapping) and "json" in schema:
        function["parameters"] = schema["json"]
    return {"type": "function", "function": function}


def _options(body: JsonObject, config: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """Yield the other fields by their Chat Completions names, if they have such a name."""
    if (choice := _tool_choice(config.get("toolChoice"))) is not None:
        yield "tool_choice", choice
    for name, value in body.items():
        if value is None or name in _NOT_OPTIONS:
            continue
        if (read := _READ.get(name)) is None or not isinstance(value, Mapping):
            yield name, value
        else:
            yield from read(value)


def _tool_choice(choice: Json) -> Json:
    """Read a choice. ``auto`` is the default and says nothing."""
    match choice:
        case {"any": _}:
            return "required"
        case {"tool": {"name": str(name)}}:
            return {"type": "function", "function": {"name": name}}
    return None


def _inference(value: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    for name, item in value.items():
        if item is not None and name in INFERENCE:
            yield INFERENCE[name], item
    if rest := {n: v for n, v in value.items() if n not in INFERENCE}:
        yield "inferenceConfig", rest


def _output(value: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    rest = dict(value)
    if (effort := rest.pop("effort", None)) is not None:
        yield "reasoning_effort", effort
    match rest.get("textFormat"):
        case {"type": "json_schema", "structure": {"jsonSchema": {"schema": str(text), **named}}}:
            try:
                schema = json.loads(text)
            except (ValueError, RecursionError):
                raise UnreadableRequestError("the schema of textFormat is not JSON") from None
            del rest["textFormat"]
            form = {"schema": schema, **named}
            yield "response_format", {"type": "json_schema", "json_schema": form}
    if rest:
        yield "outputConfig", rest


_READ: Mapping[str, Callable[[Mapping[str, Json]], Iterator[tuple[str, Json]]]] = {
    "inferenceConfig": _inference,
    "outputConfig": _output,
}
