"""What Chat Completions refuses, in its order and words. Pure.

What only OpenAI itself refuses, and other servers that speak this API may allow, is refused for
OpenAI's own models alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mockserver.dialects.objection import Objection
from mockserver.dialects.openai_chat.refused_messages import of_messages
from mockserver.dialects.openai_objections import (
    Range,
    booleans,
    empty_array,
    has_fixed_temperature,
    invalid_type,
    invalid_value,
    is_own,
    missing,
    no_object,
    numbers,
    thinks,
    unknown,
    wrong,
)
from mockserver.dialects.openai_refusals import OpenAIRefusals
from mockserver.dialects.openai_schemas import of_function, strict
from mockserver.dialects.refusals import Sent
from mockserver.dialects.writing import text_of
from mockserver.vocabulary.model import Json, JsonObject

#: The fields of a request, by the API reference and by the answers to each of them.
_FIELDS = (
    "model",
    "messages",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "functions",
    "function_call",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "n",
    "stop",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "response_format",
    "reasoning_effort",
    "verbosity",
    "modalities",
    "audio",
    "prediction",
    "web_search_options",
    "service_tier",
    "store",
    "metadata",
    "user",
    "safety_identifier",
    "moderation",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
)
_NUMBERS = {
    "max_completion_tokens": Range(1, whole=True),
    "n": Range(1, 128, whole=True),
    "temperature": Range(0, 2),
    "top_p": Range(0, 1),
    "presence_penalty": Range(-2, 2),
    "frequency_penalty": Range(-2, 2),
    "top_logprobs": Range(0, 20, whole=True),
    "max_tokens": Range(1, whole=True),
}
_NAME_LENGTH = 64
_JSON = re.compile("json", re.IGNORECASE)
_CHOICES = ("none", "auto", "required")


class ChatRefusals(OpenAIRefusals):
    """The words of Chat Completions."""

    def objections(self, sent: Sent) -> Iterator[Objection]:
        """Yield what is wrong, in the order in which OpenAI looks."""
        if (problem := no_object(sent)) is not None:
            yield problem
            return
        body, own = sent.body, is_own(sent.model)
        if not body.get("model") and "/deployments/" not in sent.request.url.path:
            yield _NO_MODEL
        messages = body.get("messages")
        if messages is None:
            yield missing("messages")
        elif not isinstance(messages, list):
            yield invalid_type("messages", "an array of objects", messages)
        elif not messages:
            yield empty_array("messages")
        if own:
            yield from unknown(body, _FIELDS)
        if isinstance(messages, list):
            yield from of_messages(messages, own=own)
        yield from _tools(body, own=own)
        if own:
            yield from numbers(body, _NUMBERS)
            yield from booleans(body, ("parallel_tool_calls", "logprobs", "store"))
            yield from _format(body, messages)
        yield from _stream(body)
        if has_fixed_temperature(sent.model):
            yield from _temperature(body.get("temperature"))
        if thinks(sent.model) and body.get("max_tokens") is not None:
            yield _MAX_TOKENS


def _tools(body: JsonObject, *, own: bool) -> Iterator[Objection]:
    tools, choice = body.get("tools"), body.get("tool_choice")
    if tools is not None and not isinstance(tools, list):
        yield invalid_type("tools", "an array of objects", tools)
        return
    if tools == [] and own:
        yield empty_array("tools")
    for number, tool in enumerate(tools or ()):
        yield from _tool(tool, f"tools[{number}]", own=own)
    if choice is None or not own:
        return
    if isinstance(choice, str) and choice not in _CHOICES:
        yield invalid_value("tool_choice", choice, _CHOICES)
    elif not isinstance(choice, str | dict):
        yield invalid_type("tool_choice", "one of a string or object", choice)
    elif not tools and choice != "none":
        yield _NO_TOOLS


def _tool(tool: Json, param: str, *, own: bool) -> Iterator[Objection]:
    if not isinstance(tool, dict):
        yield invalid_type(param, "an object", tool)
        return
    if not own:
        return
    if "type" not in tool:
        yield missing(f"{param}.type")
    function = tool.get("function")
    if tool.get("type", "function") != "function":
        return
    if function is None:
        yield missing(f"{param}.function")
    elif not isinstance(function, dict):
        yield invalid_type(f"{param}.function", "an object", function)
    else:
        yield from of_function(function, f"{param}.function", _NAME_LENGTH)


def _format(body: JsonObject, messages: Json) -> Iterator[Objection]:
    form = body.get("response_format")
    if form is None:
        return
    if not isinstance(form, dict):
        yield invalid_type("response_format", "an object", form)
        return
    kinds = ("json_object", "json_schema", "text")
    match form.get("type"):
        case None:
            yield missing("response_format.type")
        case "json_object":
            if isinstance(messages, list) and not _says_json(messages):
                yield _NO_WORD
        case "json_schema":
            yield from _schema(form.get("json_schema"))
        case str() as kind if kind not in kinds:
            yield invalid_value("response_format.type", kind, kinds)


def _schema(named: Json) -> Iterator[Objection]:
    param = "response_format.json_schema"
    if named is None:
        yield missing(param)
    elif not isinstance(named, dict):
        yield invalid_type(param, "an object", named)
    elif named.get("name") is None:
        yield missing(f"{param}.name")
    elif named.get("strict") is True and named.get("schema") is not None:
        words = f"response_format '{named['name']}'"
        yield from strict(named["schema"], words, "response_format", None)


def _says_json(messages: list[Json]) -> bool:
    said = (text_of(m.get("content")) for m in messages if isinstance(m, dict))
    return any(_JSON.search(text) for text in said)


def _stream(body: JsonObject) -> Iterator[Objection]:
    stream, options = body.get("stream"), body.get("stream_options")
    if stream is not None and not isinstance(stream, bool):
        yield invalid_type("stream", "a boolean", stream)
    elif options is not None and not isinstance(options, dict):
        yield invalid_type("stream_options", "an object", options)
    elif options is not None and not stream:
        yield _NO_STREAM


def _temperature(value: Json) -> Iterator[Objection]:
    if isinstance(value, int | float) and value != 1:
        yield wrong(
            "temperature",
            f"Unsupported value: 'temperature' does not support {str(value)[:40]} with this model. "
            "Only the default (1) value is supported.",
            "QwenLM/qwen-code/issues/921",
            param="temperature",
            code="unsupported_value",
        )


_NO_MODEL = wrong("model", "you must provide a model parameter", "danielmiessler/Fabric/issues/239")
_NO_TOOLS = wrong(
    "tool_choice",
    "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
    "dapr/dapr-agents/issues/248",
    param="tool_choice",
)
_NO_WORD = wrong(
    "json_word",
    "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
    "'json_object'.",
    "ultimatejimmy/xray.koplugin/issues/33",
    param="messages",
)
_NO_STREAM = wrong(
    "stream_options",
    "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
    "BerriAI/litellm/issues/5803",
    param="stream_options",
)
_MAX_TOKENS = wrong(
    "max_tokens",
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
    "'max_completion_tokens' instead.",
    "griptape-ai/ComfyUI-Griptape/issues/312",
    param="max_tokens",
    code="unsupported_parameter",
)
