"""Writes the request of generateContent that says a call. Pure.

The model is in the path, and whether the answer is streamed is the method.
Source: https://ai.google.dev/api/generate-content; ``models.py`` of google-genai 3.6.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from mockserver.cassettes.cassette import Request
from mockserver.dialects.call_shape import check_shape, function_of, known_options
from mockserver.dialects.dialect import UnwritableError
from mockserver.dialects.gemini.call import OPTIONS
from mockserver.dialects.gemini.contents import contents_of, system_texts
from mockserver.dialects.writing import compact
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import Json, JsonObject

_HOST = "https://generativelanguage.googleapis.com"
_NAMES: Mapping[str, str] = {option: name for name, option in OPTIONS.items()} | {
    "max_tokens": "maxOutputTokens"
}
#: Options that only say what Gemini does anyway.
_LEFT_OUT = frozenset({"stream_options", "parallel_tool_calls", "store"})


def write_request(call: NeutralCall) -> Request:
    """Return the request. Raises :class:`UnwritableError` for what it cannot say."""
    check_shape(call)
    method = "streamGenerateContent?alt=sse" if call.stream else "generateContent"
    return Request(
        method="POST",
        uri=f"{_HOST}/v1beta/models/{quote(call.model.removeprefix('models/'), safe='')}:{method}",
        headers=(
            ("content-type", "application/json"),
            ("accept", "text/event-stream" if call.stream else "application/json"),
        ),
        body=compact(_body(call)).encode(),
    )


def _body(call: NeutralCall) -> JsonObject:
    options = {n: v for n, v in known_options(call.options).items() if n not in _LEFT_OUT}
    config = _object(options.pop("generationConfig", {}), "generationConfig")
    tool_config = _object(options.pop("toolConfig", {}), "toolConfig")
    body: JsonObject = {"contents": contents_of(call.messages)}
    if not body["contents"]:
        raise UnwritableError("contents need a message besides those of the system")
    if system := system_texts(call.messages):
        body["systemInstruction"] = {"role": "user", "parts": [{"text": t} for t in system]}
    if call.tools:
        body["tools"] = _tools(call)
    for name, value in options.items():
        match name:
            case "tool_choice":
                tool_config |= _tool_config(value)
            case "response_format":
                config |= _response_format(value)
            case "reasoning_effort":
                before = _object(config.get("thinkingConfig", {}), "thinkingConfig")
                config["thinkingConfig"] = {**_thinking(value), **before}
            case "stop" if isinstance(value, str):
                config["stopSequences"] = [value]
            case _ if name in _NAMES:
                config[_NAMES[name]] = value
            case _:
                body[name] = value
    if tool_config:
        body["toolConfig"] = tool_config
    if config:
        body["generationConfig"] = config
    return body


def _object(value: Json, name: str) -> JsonObject:
    if not isinstance(value, Mapping):
        raise UnwritableError(f"{name} is an object, not {value!r:.80}")
    return dict(value)


def _tools(call: NeutralCall) -> list[JsonObject]:
    kinds = [tool.get("type") or "function" for tool in call.tools]
    named = list(zip(kinds, call.tools, strict=True))
    declared = [function_of(tool) for kind, tool in named if kind == "function"]
    own = [{kind: tool.get(kind, {})} for kind, tool in named if kind != "function"]
    functions = [
        {
            "parametersJsonSchema" if n == "parameters" else n: v
            for n, v in function.items()
            if v is not None and n != "strict"
        }
        for function in declared
    ]
    return [*([{"functionDeclarations": functions}] if functions else []), *own]


def _tool_config(choice: Json) -> JsonObject:
    match choice:
        case "auto":
            return {}
        case "none":
            return _calling("NONE")
        case "required":
            return _calling("ANY")
        case {"type": "function", "function": {"name": str(name)}}:
            return _calling("ANY", [name])
        case {"type": "allowed_tools", "allowed_tools": {"tools": list(tools)}}:
            return _calling("ANY", [function_of(_object(t, "a tool"))["name"] for t in tools])
    raise UnwritableError(f"Gemini has no tool choice {choice!r}")


def _calling(mode: str, names: list[str] | None = None) -> JsonObject:
    allowed = {"allowedFunctionNames": names} if names else {}
    return {"functionCallingConfig": {"mode": mode, **allowed}}


def _response_format(form: Json) -> JsonObject:
    match form:
        case {"type": "text"}:
            return {}
        case {"type": "json_object"}:
            return {"responseMimeType": "application/json"}
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            return {"responseMimeType": "application/json", "responseJsonSchema": schema}
    raise UnwritableError(f"Gemini has no response format {form!r}")


def _thinking(effort: Json) -> JsonObject:
    """Return the configuration for an effort; its thoughts are shown, as nobody else asks."""
    if effort == "none":
        return {"thinkingBudget": 0}
    return {"thinkingLevel": str(effort).upper(), "includeThoughts": True}
