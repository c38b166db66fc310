"""Reads the call behind recorded requests of Ollama's API. Pure.

Options that Chat Completions have too get their name there; the rest keep Ollama's, those of the
model in ``options``. A schema in ``format`` has no name, so it gets one. Source:
https://github.com/ollama/ollama/blob/main/docs/api.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mockserver.cassettes.cassette import Request
from mockserver.dialects.dialect import UnreadableRequestError
from mockserver.dialects.ollama.history import objects, read_messages, user_message
from mockserver.dialects.ollama.words import ENDPOINT, GENERATE, OPTIONS, SCHEMA_NAME
from mockserver.dialects.recorded_body import body_of
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import Json, JsonObject

#: Fields that a call has elsewhere.
_NOT_OPTIONS = frozenset({"model", "messages", "tools", "stream"})
_NOT_OPTIONS_OF_GENERATE = frozenset({"model", "prompt", "system", "images", "stream"})


def read_call(request: Request) -> NeutralCall:
    """Turn a recorded request back into a call. Raises :class:`UnreadableRequestError`."""
    body = body_of(request)
    if request.url.path.endswith("/generate"):
        messages = _of_prompt(body)
        fields = {n: v for n, v in body.items() if n not in _NOT_OPTIONS_OF_GENERATE}
        options = {**dict(_options(fields)), ENDPOINT: GENERATE}
        tools: tuple[JsonObject, ...] = ()
    else:
        messages = read_messages(body.get("messages"))
        fields = {n: v for n, v in body.items() if n not in _NOT_OPTIONS}
        options = dict(_options(fields))
        tools = tuple(objects(body.get("tools"), "tools"))
    if not messages:
        raise UnreadableRequestError("the recorded request asks nothing: it only loads the model")
    return NeutralCall(
        model=str(body.get("model", "")),
        messages=tuple(messages),
        tools=tools,
        stream=body.get("stream") is not False,
        options=options,
    )


def _of_prompt(body: JsonObject) -> list[JsonObject]:
    """Return the messages of a request to ``/api/generate``."""
    prompt, system = body.get("prompt") or "", body.get("system") or ""
    if not isinstance(prompt, str) or not isinstance(system, str):
        raise UnreadableRequestError("the prompt of the recorded request is not text")
    if not prompt and not body.get("images"):
        return []
    before = [{"role": "system", "content": system}] if system else []
    return [*before, user_message(prompt, body.get("images"))]


def _options(fields: JsonObject) -> Iterator[tuple[str, Json]]:
    """Yield the other fields by their Chat Completions names, if they have such a name."""
    for name, value in fields.items():
        match name, value:
            case _, None:
                continue
            case "options", Mapping():
                known = {n: v for n, v in value.items() if v is not None}
                yield from ((OPTIONS[n], v) for n, v in known.items() if n in OPTIONS)
                if own := {n: v for n, v in known.items() if n not in OPTIONS}:
                    yield "options", own
            case "format", "json":
                yield "response_format", {"type": "json_object"}
            case "format", Mapping():
                schema = {"name": SCHEMA_NAME, "schema": dict(value)}
                yield "response_format", {"type": "json_schema", "json_schema": schema}
            case "format", "":
                continue
            case "think", False:
                yield "reasoning_effort", "none"
            case "think", str():
                yield "reasoning_effort", value
            case _:
                yield name, value
