"""Writes messages of Chat Completions as those of the Messages API.

The results of a turn's tool calls stand in one user message, before any text. An earlier turn of
the model is written from its ``parts``, in their order: thinking with its signature, what the
provider's own tools gave and citations go back as they came. Reasoning without a signature cannot
go back and is left out, and so is what tools of another API gave.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mockserver.dialects.anthropic.blocks import call_fields, native_block
from mockserver.dialects.dialect import UnwritableError
from mockserver.vocabulary.model import Json, JsonObject

_DATA_URL = re.compile(r"data:([^;,]*);base64,(.*)", re.S)
_SYSTEM = ("system", "developer")


def conversation(messages: Sequence[JsonObject]) -> tuple[Json, list[JsonObject]]:
    """Return the system prompt, if there is one, and the other messages.

    Raises :class:`UnwritableError` for what the API cannot say.
    """
    first = next(
        (n for n, message in enumerate(messages) if message.get("role") not in _SYSTEM),
        len(messages),
    )
    written: list[JsonObject] = []
    results_open = False
    for message in messages[first:]:
        role = message.get("role")
        match role:
            case "tool":
                block = _result(message)
                if results_open:
                    written[-1]["content"].append(block)
                else:
                    written.append({"role": "user", "content": [block]})
            case "user":
                content = _content(message.get("content"))
                if results_open:
                    written[-1]["content"] += _blocks(content)
                else:
                    written.append({"role": "user", "content": content})
            case "assistant":
                if content := _assistant(message):
                    written.append({"role": "assistant", "content": content})
            case "system" | "developer":
                content = _content(message.get("content"))
                written.append({"role": "system", "content": content})
            case _:
                raise UnwritableError(f"the Messages API has no messages of the role {role!r}")
        results_open = role == "tool"
    return _system(messages[:first]), written


def _system(messages: Sequence[JsonObject]) -> Json:
    contents = [_content(message.get("content")) for message in messages]
    if len(contents) == 1 and isinstance(contents[0], str):
        return contents[0]
    return [block for content in contents for block in _blocks(content)]


def _blocks(content: str | list[JsonObject]) -> list[JsonObject]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _content(content: Json) -> str | list[JsonObject]:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    return [_part(part) for part in content]


def _part(part: JsonObject) -> JsonObject:
    """Write a part; the API's own blocks are parts too."""
    match part["type"]:
        case "image_url":
            image = part.get("image_url")
            url = image.get("url") if isinstance(image, Mapping) else image
            if not isinstance(url, str):
                raise UnwritableError("an image_url part has no url")
            found = _DATA_URL.fullmatch(url)
            source = {"type": "url", "url": url} if found is None else _base64(found)
            return {"type": "image", "source": source, **_rest(part, "image_url")}
        case "file":
            return {"type": "document", "source": _file(part.get("file")), **_rest(part, "file")}
        case "refusal" if isinstance(part.get("refusal"), str):
            return {"type": "text", "text": part["refusal"]}
        case "input_audio":
            raise UnwritableError("the Messages API takes no audio")
    return part


def _rest(part: JsonObject, name: str) -> JsonObject:
    return {n: v for n, v in part.items() if n not in ("type", name)}


def _base64(data_url: re.Match[str]) -> JsonObject:
    return {"type": "base64", "media_type": data_url[1], "data": data_url[2]}


def _file(file: Json) -> JsonObject:
    match file:
        case {"file_data": str(data)} if found := _DATA_URL.fullmatch(data):
            return _base64(found)
        case {"file_id": str(file_id)}:
            return {"type": "file", "file_id": file_id}
    raise UnwritableError("a file is a file_id or file_data in a data: URL with base64")


def _result(message: JsonObject) -> JsonObject:
    known = ("role", "tool_call_id", "content", "name")
    rest = {n: v for n, v in message.items() if n not in known and v is not None}
    return {
        "type": "tool_result",
        "tool_use_id": message["tool_call_id"],
        "content": _content(message.get("content")),
        **rest,
    }


def _assistant(message: JsonObject) -> str | list[JsonObject]:
    """Return the blocks of a turn; nothing if it has no content that can go back."""
    parts = message.get("parts")
    if parts:
        return list(_said(parts))
    content, calls = message.get("content"), message.get("tool_calls")
    refusal = message.get("refusal")
    said = _content(content if content or not isinstance(refusal, str) else refusal)
    if not calls:
        return said
    return [*(_blocks(said) if said else ()), *map(_plain_call, calls)]


def _said(parts: Iterable[JsonObject]) -> Iterator[JsonObject]:
    parts = list(parts)
    sources = _sources(parts)
    texts = 0
    for part in parts:
        match part:
            case {"type": "text", "text": str(text)}:
                cited = sources.get(str(texts))
                texts += 1
                if text:
                    yield {"type": "text", "text": text, **({"citations": cited} if cited else {})}
            case {"type": "refusal", "refusal": str(refusal)}:
                yield {"type": "text", "text": refusal}
            case {"type": "reasoning", "redacted_data": str(data)}:
                yield {"type": "redacted_thinking", "data": data}
            case {"type": "reasoning", "text": str(text), "signature": str(signature)}:
                yield {"type": "thinking", "thinking": text, "signature": signature}
            case {"type": "tool_call", "id": str(call_id), "name": str(name)}:
                back = part.get("send_back")
                yield _tool_use(call_id, name, _input(part), back)
            case {"type": "hosted_tool"} if (block := native_block(part)) is not None:
                yield block
            case _:
                continue


def _sources(parts: Sequence[JsonObject]) -> Mapping[str, Json]:
    """Return the citations of texts, by the number of the text."""
    for part in parts:
        match part:
            case {"type": "send_back", "fields": {"citations": dict() as sources}}:
                return sources
    return {}


def _input(part: JsonObject) -> Json:
    arguments = part.get("arguments")
    return _parsed(part.get("arguments_raw")) if arguments is None else arguments


def _plain_call(call: JsonObject) -> JsonObject:
    function = call["function"]
    return _tool_use(call["id"], function["name"], _parsed(function.get("arguments")), None)


def _parsed(text: Json) -> Json:
    if not isinstance(text, str):
        return None
    try:
        return json.loads(text.strip() or "{}")
    except (ValueError, RecursionError):
        return None


def _tool_use(call_id: str, name: str, arguments: Json, back: Json) -> JsonObject:
    if not isinstance(arguments, dict):
        raise UnwritableError(f"the arguments of the tool call {name!r} are not a JSON object")
    rest = call_fields(back) or {}
    return {"type": "tool_use", "id": call_id, "name": name, "input": arguments, **rest}
