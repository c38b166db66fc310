"""Writes the request of the Messages API that says a call.

Options with a Chat Completions name are translated, all others go into the body as they are; two
are the SDK's own: ``betas`` go into the header ``anthropic-beta``. The API wants a limit of
tokens in every request: without one it is :data:`MAX_TOKENS`.

A request that is read back is the same call, but for what the API does not have: the name of a
schema, a developer's role apart from the system's, the spelling of arguments, an effort below
``low``. The limit of tokens is then ``max_tokens``, and an earlier turn has ``parts``.
Source: https://platform.claude.com/docs/en/api/messages and the types of the SDK ``anthropic``.
"""

from __future__ import annotations

from collections.abc import Mapping

from mockserver.cassettes.cassette import Headers, Request
from mockserver.dialects.anthropic.call import BETA_HEADER
from mockserver.dialects.anthropic.conversation import conversation
from mockserver.dialects.call_shape import check_shape, function_of
from mockserver.dialects.dialect import UnwritableError
from mockserver.dialects.writing import compact
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import Json, JsonObject

URL = "https://api.anthropic.com/v1/messages"
VERSION = "2023-06-01"
#: The limit of an answer where a call gives none. Every model of the API can give as many.
MAX_TOKENS = 4096
#: Options that only a client of Chat Completions has a use for.
_UNUSED = frozenset({"stream_options"})
_CHOICES: Mapping[str, str] = {"auto": "auto", "required": "any", "none": "none"}


def write_request(call: NeutralCall) -> Request:
    """Return the request. Raises :class:`UnwritableError` for what the API cannot say."""
    check_shape(call)
    system, messages = conversation(call.messages)
    options = {n: v for n, v in call.options.items() if v is not None and n not in _UNUSED}
    body: JsonObject = {"model": call.model, "max_tokens": _max_tokens(options)}
    if system:
        body["system"] = system
    body["messages"] = messages
    if call.tools:
        body["tools"] = [_tool(tool) for tool in call.tools]
    betas = options.pop("betas", None)
    if choice := _tool_choice(options):
        body["tool_choice"] = choice
    if config := _output_config(options):
        body["output_config"] = config
    if metadata := _metadata(options):
        body["metadata"] = metadata
    if (stop := options.pop("stop", None)) is not None:
        body["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    if options.get("reasoning_effort") == "none":
        options["thinking"] = {"type": "disabled"}
    options.pop("reasoning_effort", None)
    body |= options
    body["stream"] = call.stream
    return Request(
        method="POST",
        uri=URL,
        headers=(*_headers(stream=call.stream), *_beta(betas)),
        body=compact(body).encode(),
    )


def _headers(*, stream: bool) -> Headers:
    return (
        ("accept", "text/event-stream" if stream else "application/json"),
        ("anthropic-version", VERSION),
        ("content-type", "application/json"),
    )


def _beta(betas: Json) -> Headers:
    if not betas:
        return ()
    if not isinstance(betas, list) or not all(isinstance(beta, str) for beta in betas):
        raise UnwritableError("betas are a list of names")
    return ((BETA_HEADER, ",".join(betas)),)


def _max_tokens(options: JsonObject) -> Json:
    limits = [options.pop(name, None) for name in ("max_completion_tokens", "max_tokens")]
    return next((limit for limit in limits if limit is not None), MAX_TOKENS)


def _tool(tool: JsonObject) -> JsonObject:
    if isinstance(tool.get("function"), Mapping):
        function = function_of(tool)
        rest = {n: v for n, v in function.items() if n != "parameters" and v is not None}
        schema = function.get("parameters") or {"type": "object", "properties": {}}
        return {**rest, "input_schema": schema}
    if "custom" in tool:
        raise UnwritableError("the Messages API has no custom tools with free text")
    if tool.get("type") == "function" or not (tool.get("type") or tool.get("name")):
        raise UnwritableError(f"a tool has no function, and is none of the API: {tool!r:.80}")
    return tool


def _tool_choice(options: JsonObject) -> JsonObject | None:
    choice, parallel = options.pop("tool_choice", None), options.pop("parallel_tool_calls", None)
    said: JsonObject
    match choice:
        case None:
            said = {"type": "auto"}
        case str() if choice in _CHOICES:
            said = {"type": _CHOICES[choice]}
        case {"type": "function", "function": {"name": str(name)}}:
            said = {"type": "tool", "name": name}
        case {"type": str(kind)} if kind not in ("allowed_tools", "custom"):
            said = dict(choice)
        case _:
            raise UnwritableError(f"the Messages API cannot say the tool_choice {choice!r:.100}")
    if parallel is not None and said["type"] != "none":
        said["disable_parallel_tool_use"] = not parallel
    return None if choice is None and parallel is None else said


def _output_config(options: JsonObject) -> JsonObject:
    config = options.pop("output_config", None)
    said: JsonObject = dict(config) if isinstance(config, Mapping) else {}
    effort = options.get("reasoning_effort")
    if effort not in (None, "none"):
        # The lowest effort of the API is the one above.
        said["effort"] = "low" if effort == "minimal" else effort
    match options.pop("response_format", None):
        case None | {"type": "text"}:
            pass
        case {"type": "json_schema", "json_schema": {"schema": schema, **rest}}:
            kept = {n: v for n, v in rest.items() if n not in ("name", "strict", "description")}
            said["format"] = {"type": "json_schema", "schema": schema, **kept}
        case form:
            raise UnwritableError(f"the Messages API has no response_format {form!r:.100}")
    return said


def _metadata(options: JsonObject) -> JsonObject:
    metadata, user = options.pop("metadata", None), options.pop("user", None)
    said: JsonObject = dict(metadata) if isinstance(metadata, Mapping) else {}
    return said if user is None else {**said, "user_id": user}
