"""Writes the requests of Ollama's API from a neutral call. Pure.

Source: https://github.com/ollama/ollama/blob/main/docs/api.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from mockserver.cassettes.cassette import Request
from mockserver.dialects.call_shape import check_shape, function_of, known_options
from mockserver.dialects.dialect import UnwritableError
from mockserver.dialects.ollama.words import ENDPOINT, GENERATE, OPTIONS
from mockserver.dialects.writing import compact, text_of
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import Json, JsonObject

_ADDRESS = "http://127.0.0.1:11434"
_HEADERS = (("content-type", "application/json"), ("accept", "application/json"))
_DATA_URL = re.compile(r"data:[^,]*;base64,(.*)", re.DOTALL)
#: Ollama's names of options by those of Chat Completions, which has two for the limit.
_NAMES = {ours: own for own, ours in OPTIONS.items()} | {"max_tokens": "num_predict"}
#: Options of a call that are not fields of the body by that name.
_TRANSLATED = frozenset({*_NAMES, ENDPOINT, "options", "response_format", "tool_choice"})


def write_request(call: NeutralCall) -> Request:
    """Return the request to a server on this machine. Raises :class:`UnwritableError`."""
    check_shape(call)
    if (wanted := call.options.get(ENDPOINT)) not in (None, GENERATE):
        raise UnwritableError(f"the option {ENDPOINT} is {GENERATE!r} or absent, not {wanted!r}")
    body: JsonObject = {
        "model": call.model,
        **(_chat(call) if wanted is None else _prompt(call)),
        "stream": call.stream,
        **dict(_fields(call.options)),
    }
    path = "/api/chat" if wanted is None else "/api/generate"
    return Request(
        method="POST", uri=_ADDRESS + path, headers=_HEADERS, body=compact(body).encode()
    )


def _chat(call: NeutralCall) -> JsonObject:
    """Return messages and tools. There is no word for a choice of tools but to leave them out."""
    choice = call.options.get("tool_choice")
    if choice not in (None, "auto", "none"):
        raise UnwritableError(f"Ollama's API cannot say tool_choice {choice!r}")
    for tool in call.tools:
        if tool.get("type") != "function":
            raise UnwritableError(f"Ollama's API has no tools of type {tool.get('type')!r}")
        function_of(tool)
    tools = {"tools": list(call.tools)} if call.tools and choice != "none" else {}
    return {"messages": list(_messages(call.messages)), **tools}


def _prompt(call: NeutralCall) -> JsonObject:
    """Return the one message of a request to ``/api/generate``, and the system message."""
    body: JsonObject = {}
    *before, last = call.messages
    if call.tools or len(before) > 1 or last.get("role") != "user":
        raise UnwritableError(f"/api/{GENERATE} takes one user message, and no tools")
    body["prompt"] = text_of(last.get("content"))
    if before:
        if before[0].get("role") not in ("system", "developer"):
            raise UnwritableError(f"/api/{GENERATE} takes a system message before that of the user")
        body["system"] = text_of(before[0].get("content"))
    return {**body, **_images(last.get("content"))}


def _messages(messages: Sequence[JsonObject]) -> Iterator[JsonObject]:
    """Yield the messages. A result goes to its call by the name of the function, and by the id.

    An id that a client made is not sent: the server has never seen it.
    """
    names: dict[str, str] = {}
    made: set[str] = set()
    for message in messages:
        match message.get("role"):
            case "assistant":
                calls = list(_calls(message))
                names |= {call_id: call["function"]["name"] for call_id, call in calls}
                made |= {call_id for call_id, call in calls if "id" not in call}
                yield _assistant(message, [call for _, call in calls])
            case "tool":
                call_id = message.get("tool_call_id")
                if call_id not in names:
                    raise UnwritableError(f"a tool result is for no known call: {call_id!r}")
                known = {} if call_id in made else {"tool_call_id": call_id}
                if _images(message.get("content")):
                    raise UnwritableError("a tool result of Ollama's API has no images")
                text = text_of(message.get("content"))
                yield {"role": "tool", "content": text, "tool_name": names[call_id], **known}
            case role:
                content = message.get("content")
                role = "system" if role == "developer" else role
                yield {"role": role, "content": text_of(content), **_images(content)}


def _assistant(message: JsonObject, calls: list[JsonObject]) -> JsonObject:
    parts: list[JsonObject] = message.get("parts") or []
    thinking = "".join(part["text"] for part in parts if part["type"] == "reasoning")
    text = text_of(message.get("content")) or message.get("refusal") or ""
    return {
        "role": "assistant",
        "content": text,
        **({"thinking": thinking} if thinking else {}),
        **({"tool_calls": calls} if calls else {}),
    }


def _calls(message: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Yield the id and the wire form of each call; one that never became complete is left out."""
    parts = {p["id"]: p for p in message.get("parts") or () if p["type"] == "tool_call"}
    for call in message.get("tool_calls") or ():
        part = parts.get(call.get("id"), {})
        if "arguments" in part and part["arguments"] is None:
            continue
        function = call.get("function") or {}
        written: JsonObject = {} if part.get("id_synthesized") else {"id": call["id"]}
        written["function"] = {
            "name": function.get("name"),
            "arguments": _arguments(function.get("arguments"), call["id"]),
        }
        yield call["id"], written


def _arguments(text: Json, call_id: str) -> JsonObject:
    try:
        arguments = json.loads(text) if isinstance(text, str) and text.strip() else {}
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise UnwritableError(f"the arguments of call {call_id!r} are not a JSON object")
    return arguments


def _images(content: Json) -> JsonObject:
    """Return the images of a message as Base64 text; Ollama fetches none from the web."""
    images: list[str] = []
    for part in content if isinstance(content, list) else ():
        kind = part.get("type")
        if kind == "text":
            continue
        image = part.get("image_url") if kind == "image_url" else None
        url = image.get("url") if isinstance(image, Mapping) else image
        found = _DATA_URL.fullmatch(url) if isinstance(url, str) else None
        if found is None:
            raise UnwritableError(f"Ollama's API takes text and data: images, not {part!r:.80}")
        images.append(found[1])
    return {"images": images} if images else {}


def _fields(options: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """Yield the further fields of the body; an option that is ``None`` is left out."""
    known = known_options(options)
    if effort := known.pop("reasoning_effort", None):
        yield "think", False if effort == "none" else effort
    if form := known.get("response_format"):
        yield from _format(form)
    of_model = {_NAMES[n]: v for n, v in known.items() if n in _NAMES}
    own = known.get("options", {})
    if not isinstance(own, Mapping):
        raise UnwritableError(f"options are an object, not {own!r:.80}")
    if of_model or own:
        yield "options", {**of_model, **own}
    yield from ((n, v) for n, v in known.items() if n not in _TRANSLATED)


def _format(form: Json) -> Iterator[tuple[str, Json]]:
    match form:
        case {"type": "json_object"}:
            yield "format", "json"
        case {"type": "json_schema", "json_schema": {"schema": Mapping() as schema}}:
            yield "format", schema
        case {"type": "text"}:
            return
        case _:
            raise UnwritableError(f"Ollama's API cannot say response_format {form!r:.80}")
