"""Reads the call behind recorded requests of the Responses API.

The call is in the words of Chat Completions. What they cannot say about an earlier turn of the
model is in ``parts``, the normalized parts of that turn. What a client decides by itself is left
out: ``stream_options``, ``background``, ``store``, and that it asks for encrypted reasoning.
Source: https://platform.openai.com/docs/api-reference/responses/create.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import unquote

from mockserver.cassettes.cassette import Interaction, Request
from mockserver.dialects.dialect import UnreadableRequestError
from mockserver.dialects.openai_responses.history import read_history
from mockserver.dialects.recorded_body import body_of
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import Json, JsonObject
from mockserver.wire.body import Media
from mockserver.wire.schedule import Schedule, from_response

#: Fields that say that a part of the conversation is on the server, not in the request.
_ON_THE_SERVER = ("previous_response_id", "conversation", "prompt")
#: Fields that a call has elsewhere, or that a client sets itself.
_NOT_OPTIONS = frozenset(
    {"model", "input", "instructions", "tools", "tool_choice", "stream", *_ON_THE_SERVER}
    | {"stream_options", "background", "store"}
)
_ENCRYPTED = "reasoning.encrypted_content"


def read_call(request: Request) -> NeutralCall:
    """Turn a recorded request back into a call. Raises :class:`UnreadableRequestError`."""
    return call_of(body_of(request))


def call_of(body: JsonObject) -> NeutralCall:
    """Return the call of a body. Raises :class:`UnreadableRequestError`."""
    for name in _ON_THE_SERVER:
        if body.get(name):
            raise UnreadableRequestError(
                f"a part of the conversation is on the server ({name} of the recorded request)"
            )
    messages = [*_instructions(body.get("instructions")), *read_history(body.get("input"))]
    if not messages:
        raise UnreadableRequestError("the recorded request has no input")
    return NeutralCall(
        model=str(body.get("model", "")),
        messages=tuple(messages),
        tools=tuple(_tool(t) for t in _objects(body.get("tools"), "tools")),
        stream=bool(body.get("stream", False)),
        options=dict(_options(body)),
    )


def asks_for_encrypted(request: Request) -> bool:
    """Return whether a request asks for its reasoning in the encrypted form."""
    include = body_of(request).get("include")
    return isinstance(include, list) and _ENCRYPTED in include


def is_about(first: Interaction, request: Request) -> bool:
    """Return whether a request gets the response that the first one created, by its id."""
    created = first.request.url.path.rstrip("/") + "/"
    if request.method.upper() != "GET" or not request.url.path.startswith(created):
        return False
    response_id = json.dumps(unquote(request.url.path.removeprefix(created)))
    return response_id.encode() in from_response(first.response).plain.data


def is_in_progress(answer: Schedule) -> bool:
    """Return whether an answer is a whole response that has not ended."""
    if answer.status >= 400 or answer.media is Media.SSE:
        return False
    try:
        response = json.loads(answer.plain.data)
    except (ValueError, RecursionError):
        return False
    return isinstance(response, dict) and response.get("status") in ("queued", "in_progress")


def _instructions(instructions: Json) -> Iterator[JsonObject]:
    if not instructions:
        return
    if not isinstance(instructions, str):
        raise UnreadableRequestError("the instructions of the recorded request are not text")
    yield {"role": "system", "content": instructions}


def _objects(value: Json, name: str) -> Iterable[JsonObject]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise UnreadableRequestError(f"the {name} of the recorded request are no list of objects")
    return value


def _tool(tool: JsonObject) -> JsonObject:
    """Nest a function or a custom tool, as Chat Completions do; others have no such form.

    A tool is strict only if it says so: that is the default of Chat Completions.
    """
    kind = tool.get("type")
    if kind not in ("function", "custom"):
        return tool
    inner = {n: v for n, v in tool.items() if n != "type" and v is not None}
    if not inner.get("strict"):
        inner.pop("strict", None)
    grammar = inner.get("format")
    if isinstance(grammar, Mapping) and grammar.get("type") == "grammar":
        rest = {n: v for n, v in grammar.items() if n != "type"}
        inner["format"] = {"type": "grammar", "grammar": rest}
    return {"type": kind, kind: inner}


def _tool_choice(choice: Json) -> Json:
    """Nest the choice of a tool, or of several. ``auto`` is the default and says nothing."""
    if not isinstance(choice, Mapping):
        return None if choice == "auto" else choice
    match choice.get("type"):
        case ("function" | "custom") as kind:
            return {"type": kind, kind: {"name": choice.get("name")}}
        case "allowed_tools":
            named = [_tool_choice(t) for t in _objects(choice.get("tools"), "allowed tools")]
            allowed = {"mode": choice.get("mode"), "tools": named}
            return {"type": "allowed_tools", "allowed_tools": allowed}
        case _:
            return dict(choice)


def _options(body: JsonObject) -> Iterator[tuple[str, Json]]:
    """Yield the other fields by their Chat Completions names, if they have such a name."""
    if (choice := _tool_choice(body.get("tool_choice"))) is not None:
        yield "tool_choice", choice
    for name, value in body.items():
        if value is None or name in _NOT_OPTIONS:
            continue
        if (read := _READ.get(name)) is None:
            yield name, value
        else:
            yield from read(value)


def _max_tokens(value: Json) -> Iterator[tuple[str, Json]]:
    yield "max_completion_tokens", value


def _include(value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(value, list) and (rest := [item for item in value if item != _ENCRYPTED]):
        yield "include", rest


def _reasoning(value: Json) -> Iterator[tuple[str, Json]]:
    if not isinstance(value, Mapping):
        return
    if value.get("effort") is not None:
        yield "reasoning_effort", value["effort"]
    if rest := {n: v for n, v in value.items() if n != "effort" and v is not None}:
        yield "reasoning", rest


def _text(value: Json) -> Iterator[tuple[str, Json]]:
    if not isinstance(value, Mapping):
        return
    if isinstance(form := value.get("format"), Mapping):
        inner = {n: v for n, v in form.items() if n != "type"}
        yield (
            "response_format",
            {"type": form.get("type"), **({"json_schema": inner} if inner else {})},
        )
    if value.get("verbosity") is not None:
        yield "verbosity", value["verbosity"]


_READ: Mapping[str, Callable[[Json], Iterator[tuple[str, Json]]]] = {
    "max_output_tokens": _max_tokens,
    "include": _include,
    "reasoning": _reasoning,
    "text": _text,
}
