"""Reads the call behind a recorded request of generateContent. Pure.

The call is in the words of Chat Completions. What they have no word for stays under Google's own
names: ``generationConfig``, ``toolConfig``, ``safetySettings`` and the rest. What a client decides
by itself is left out: that thoughts are shown beside a level of thinking, and the name of a
schema. Schemas are JSON Schema afterwards, whichever form they had.
Source: https://ai.google.dev/api/generate-content, types of google-genai 3.6.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote

from mockserver.cassettes.cassette import Request
from mockserver.dialects.dialect import Reasoning, UnreadableRequestError
from mockserver.dialects.gemini.history import read_history, text_of_parts
from mockserver.dialects.gemini.schemas import json_schema
from mockserver.dialects.gemini.spelling import folded
from mockserver.dialects.recorded_body import body_of
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import Json, JsonObject

_PATH = re.compile(r".*/models/([^/:]+):(stream)?[gG]enerateContent")
#: Models that sign their calls even where no thoughts are asked for.
_ALWAYS_SIGNED = re.compile(r"(?:^|/)gemini-(?:[3-9]|\d\d)")
#: Names of options in ``generationConfig`` and in Chat Completions.
OPTIONS: Mapping[str, str] = {
    "temperature": "temperature",
    "topP": "top_p",
    "maxOutputTokens": "max_completion_tokens",
    "stopSequences": "stop",
    "candidateCount": "n",
    "seed": "seed",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
    "responseLogprobs": "logprobs",
    "logprobs": "top_logprobs",
}
_NOT_OPTIONS = frozenset(
    {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "model"}
)
#: The name of a schema, which Chat Completions require and Gemini does not have.
SCHEMA_NAME = "response"


def read_call(request: Request) -> NeutralCall:
    """Turn a recorded request back into a call. Raises :class:`UnreadableRequestError`."""
    asked = asked_in(request.url.path)
    if asked is None:
        raise UnreadableRequestError("the path of the recorded request names no model")
    body = dict(folded(body_of(request)))
    messages = [*_system(body.get("systemInstruction")), *read_history(body.get("contents"))]
    if not messages:
        raise UnreadableRequestError("the recorded request has no contents")
    return NeutralCall(
        model=asked[0],
        messages=tuple(messages),
        tools=tuple(_tools(body.get("tools"))),
        stream=asked[1],
        options=dict(_options(body)),
    )


def asked_reasoning(call: NeutralCall, request: Request) -> Reasoning | None:
    """Return what a request asks for of the thoughts.

    Their signatures are on calls and texts, not on the thoughts. Source:
    https://ai.google.dev/gemini-api/docs/thought-signatures.
    """
    match folded(body_of(request)):
        case {"generationConfig": {"thinkingConfig": {"includeThoughts": True, **rest}}}:
            shown = rest.get("thinkingBudget") != 0
        case _:
            shown = False
    signed = shown or _ALWAYS_SIGNED.search(call.model) is not None
    return Reasoning(shown=shown, sealed=False, calls_sealed=True) if signed else None


def asked_in(path: str) -> tuple[str, bool] | None:
    """Return the model that a path names, and whether it asks for a stream."""
    found = _PATH.fullmatch(path)
    return None if found is None else (unquote(found[1]), found[2] is not None)


def _system(instruction: Json) -> Iterator[JsonObject]:
    if not instruction:
        return
    if isinstance(instruction, str):
        text: str | None = instruction
    else:
        text = text_of_parts(instruction)
    if text is None:
        raise UnreadableRequestError("the systemInstruction of the recorded request is not text")
    yield {"role": "system", "content": text}


def _tools(tools: Json) -> Iterator[JsonObject]:
    """Yield each function as a tool; a tool of the provider has its own name as its type."""
    for tool in _objects(tools, "tools"):
        for kind, value in tool.items():
            if kind == "functionDeclarations":
                yield from map(_function, _objects(value, kind))
            elif value is not None:
                yield {"type": kind, kind: value}


def _function(declaration: JsonObject) -> JsonObject:
    function: JsonObject = {}
    for name, value in declaration.items():
        match name:
            case "parameters":
                function["parameters"] = json_schema(value)
            case "parametersJsonSchema":
                function["parameters"] = value
            case _ if value is not None:
                function[name] = value
    return {"type": "function", "function": function}


def _options(body: JsonObject) -> Iterator[tuple[str, Json]]:
    tool_config = body.get("toolConfig")
    if isinstance(tool_config, dict):
        yield from _tool_config(tool_config)
    config = body.get("generationConfig")
    if isinstance(config, dict):
        yield from _generation_config(config)
    yield from ((n, v) for n, v in body.items() if v is not None and n not in _NOT_OPTIONS)


def _tool_config(config: JsonObject) -> Iterator[tuple[str, Json]]:
    calling = config.get("functionCallingConfig")
    rest = {n: v for n, v in config.items() if v is not None}
    if isinstance(calling, dict) and (choice := _tool_choice(calling)) is not _OTHER:
        del rest["functionCallingConfig"]
        if choice is not None:
            yield "tool_choice", choice
    if rest:
        yield "toolConfig", rest


_OTHER = object()


def _tool_choice(calling: JsonObject) -> Json:
    """Return the choice of tools; ``None`` for the default, ``_OTHER`` for what has no word."""
    names = calling.get("allowedFunctionNames") or []
    match str(calling.get("mode", "AUTO")).upper(), names:
        case _ if calling.keys() - {"mode", "allowedFunctionNames"}:
            return _OTHER
        case "AUTO" | "MODE_UNSPECIFIED", []:
            return None
        case "NONE", []:
            return "none"
        case "ANY", []:
            return "required"
        case "ANY", [str(name)]:
            return _named(name)
        case "ANY", [*several] if all(isinstance(name, str) for name in several):
            allowed = {"mode": "required", "tools": [_named(name) for name in several]}
            return {"type": "allowed_tools", "allowed_tools": allowed}
    return _OTHER


def _named(name: str) -> JsonObject:
    return {"type": "function", "function": {"name": name}}


def _generation_config(config: JsonObject) -> Iterator[tuple[str, Json]]:
    rest = {n: v for n, v in config.items() if v is not None}
    for name, option in OPTIONS.items():
        if name in rest:
            yield option, rest.pop(name)
    if isinstance(thinking := rest.get("thinkingConfig"), dict):
        thinking = dict(thinking)
        if isinstance(level := thinking.get("thinkingLevel"), str):
            yield "reasoning_effort", level.lower()
            del thinking["thinkingLevel"]
            if thinking.get("includeThoughts") is True:
                del thinking["includeThoughts"]
        rest["thinkingConfig"] = thinking
        if not thinking:
            del rest["thinkingConfig"]
    if rest.get("responseMimeType") == "application/json":
        del rest["responseMimeType"]
        older = json_schema(rest.pop("responseSchema", None))
        schema = rest.pop("responseJsonSchema", None) or older
        if schema:
            inner = {"name": SCHEMA_NAME, "schema": schema}
            yield "response_format", {"type": "json_schema", "json_schema": inner}
        else:
            yield "response_format", {"type": "json_object"}
    if rest:
        yield "generationConfig", rest


def _objects(value: Json, name: str) -> Iterable[JsonObject]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise UnreadableRequestError(f"the {name} of the recorded request are no list of objects")
    return value
