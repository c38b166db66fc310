"""What the Responses API refuses, in its words. Pure.

What only OpenAI itself refuses is refused for OpenAI's own models alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mockserver.dialects.objection import Objection, objection
from mockserver.dialects.openai_objections import (
    Range,
    booleans,
    invalid_type,
    invalid_value,
    is_own,
    missing,
    no_object,
    numbers,
    unknown,
    wrong,
)
from mockserver.dialects.openai_refusals import OpenAIRefusals
from mockserver.dialects.openai_responses.refused_items import of_items
from mockserver.dialects.openai_responses.refused_thoughts import of_thoughts
from mockserver.dialects.openai_schemas import of_function, strict
from mockserver.dialects.refusals import Sent
from mockserver.dialects.writing import text_of
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorClass
from mockserver.vocabulary.model import Json, JsonObject

#: The fields of a request, by the API reference and by the answers to each of them, and what the
#: Codex clients add.
_FIELDS = (
    "model",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "temperature",
    "top_p",
    "top_logprobs",
    "stream",
    "stream_options",
    "text",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "include",
    "store",
    "background",
    "previous_response_id",
    "conversation",
    "truncation",
    "metadata",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_cache_options",
    "service_tier",
    "prompt",
    "context_management",
    "moderation",
    "presence_penalty",
    "frequency_penalty",
    "client_metadata",
    "background_options",
    "access_programs",
    "image",
)
_NUMBERS = {
    "max_output_tokens": Range(16, whole=True),
    "max_tool_calls": Range(1, whole=True),
    "temperature": Range(0, 2),
    "top_p": Range(0, 1),
    "top_logprobs": Range(0, 20, whole=True),
}
#: What may stand in place of ``input``.
_CONTINUING = ("previous_response_id", "conversation", "prompt")
_FORMATS = ("json_object", "text", "json_schema")
_JSON = re.compile("json", re.IGNORECASE)


class ResponsesRefusals(OpenAIRefusals):
    """The words of the Responses API."""

    def objections(self, sent: Sent) -> Iterator[Objection]:
        """Yield what is wrong."""
        if (problem := no_object(sent)) is not None:
            yield problem
            return
        body, own = sent.body, is_own(sent.model)
        yield from _model(body, sent.request.url.path)
        items = body.get("input")
        if own:
            yield from _names(body)
        if items is None:
            if not any(body.get(name) for name in _CONTINUING):
                yield missing("input")
        elif isinstance(items, list):
            continues = any(body.get(name) for name in _CONTINUING)
            yield from of_items(items, own=own, whole=not continues)
            if own and not continues and sent.memory is not None:
                some = [item for item in items if isinstance(item, dict)]
                yield from of_thoughts(some, sent.memory)
        elif not isinstance(items, str):
            yield invalid_type("input", "one of a string or array of input items", items)
        yield from _tools(body, own=own)
        if own:
            yield from numbers(body, _NUMBERS)
            yield from booleans(body, ("store", "background", "parallel_tool_calls"))
            yield from _format(body, items)
        stream = body.get("stream")
        if stream is not None and not isinstance(stream, bool):
            yield invalid_type("stream", "a boolean", stream)

    def too_long(self, _tokens: int, _most: int, _call: NeutralCall) -> Objection:
        """Return what is said to a conversation that is too long."""
        return wrong(
            "context_length",
            "Your input exceeds the context window of this model. Please adjust your input and "
            "try again.",
            "openai/codex/issues/3177",
            param="input",
            code="context_length_exceeded",
        )


def _model(body: JsonObject, path: str) -> Iterator[Objection]:
    model = body.get("model")
    if model is None:
        # A stored prompt and a deployment have a model of their own.
        if not body.get("prompt") and "/deployments/" not in path:
            yield missing("model")
    elif not isinstance(model, str):
        yield invalid_type("model", "a string", model)
    elif not model:
        yield objection(
            "model",
            "The requested model '' does not exist.",
            "https://platform.openai.com/docs/api-reference/responses/create",
            error_class=ErrorClass.INVALID_REQUEST,
            param="model",
            code="model_not_found",
        )


def _names(body: JsonObject) -> Iterator[Objection]:
    if "messages" in body:
        yield wrong(
            "unknown_field",
            "Unsupported parameter: 'messages'. In the Responses API, this parameter has moved to "
            "'input'. Try again with the new parameter. See the API documentation for more "
            "information: https://platform.openai.com/docs/api-reference/responses/create.",
            "madox2/vim-ai/issues/162",
            code="unsupported_parameter",
        )
    yield from unknown({k: v for k, v in body.items() if k != "messages"}, _FIELDS)


def _tools(body: JsonObject, *, own: bool) -> Iterator[Objection]:
    tools = body.get("tools")
    if tools is not None and not isinstance(tools, list):
        yield invalid_type("tools", "an array of tools", tools)
        return
    for number, tool in enumerate(tools or ()):
        param = f"tools[{number}]"
        if not isinstance(tool, dict):
            yield invalid_type(param, "an object", tool)
        elif own and "type" not in tool:
            yield missing(f"{param}.type")
        elif own and tool["type"] == "function":
            yield from of_function(tool, param)


def _format(body: JsonObject, items: Json) -> Iterator[Objection]:
    text = body.get("text")
    form = text.get("format") if isinstance(text, dict) else None
    if not isinstance(form, dict):
        return
    match form.get("type"):
        case None:
            yield missing("text.format.type")
        case "json_object":
            if items is not None and not _says_json(items):
                yield _NO_WORD
        case "json_schema":
            if form.get("name") is None:
                yield missing("text.format.name")
            elif form.get("strict") is True and form.get("schema") is not None:
                words = f"response_format '{form['name']}'"
                yield from strict(
                    form["schema"], words, "text.format.schema", "invalid_json_schema"
                )
        case str() as kind if kind not in _FORMATS:
            yield invalid_value("text.format.type", kind, _FORMATS)


def _says_json(items: Json) -> bool:
    said = [items] if isinstance(items, str) else []
    if isinstance(items, list):
        said = [text_of(item.get("content")) for item in items if isinstance(item, dict)]
    return any(_JSON.search(text) for text in said)


_NO_WORD = wrong(
    "json_word",
    "Response input messages must contain the word 'json' in some form to use 'text.format' of "
    "type 'json_object'.",
    "https://platform.openai.com/docs/guides/structured-outputs",
    param="text.format",
)
