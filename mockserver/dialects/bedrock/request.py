"""Writes a call as a Converse request.

Messages of one role that follow each other become one, since roles must alternate: all results of
a turn are in one user message. System messages go to ``system``, wherever they stood. Reasoning
goes back only with its signature, or redacted: models refuse it without. A text that is blank is
left out of an earlier turn, as the API refuses it.
Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from mockserver.cassettes.cassette import Request
from mockserver.dialects.bedrock.call import INFERENCE
from mockserver.dialects.call_shape import check_shape, function_of, known_options
from mockserver.dialects.dialect import UnwritableError
from mockserver.dialects.writing import compact, text_of
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import Json, JsonObject
from mockserver.wire.eventstream import CONTENT_TYPE

_HOST = "https://bedrock-runtime.us-east-1.amazonaws.com"
_DATA_URL = re.compile(r"data:(?:image|application|text|audio)/([a-z0-9.+-]+);base64,(.*)", re.S)
_IMAGES = frozenset({"png", "jpeg", "gif", "webp"})
#: What an id of a tool use may be.
_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_NOT_IN_ID = re.compile(r"[^a-zA-Z0-9_.:-]")
_NOT_IN_NAME = re.compile(r"[^a-zA-Z0-9 ()\[\]-]+")
_WORDS = {chat: native for native, chat in INFERENCE.items()} | {"max_tokens": "maxTokens"}
#: Kinds of blocks of a turn: ``ContentBlock`` of botocore 1.44.8.
_BLOCKS = frozenset(
    {
        *("text", "image", "document", "video", "audio", "toolUse", "toolResult", "guardContent"),
        *("cachePoint", "reasoningContent", "citationsContent", "searchResult"),
        *("toolAddition", "toolRemoval"),
    }
)
#: Options that have a place of their own.
_PLACED = frozenset({*_WORDS, "tool_choice", "response_format", "reasoning_effort"})


def write_request(call: NeutralCall) -> Request:
    """Return the request. Raises :class:`UnwritableError`."""
    check_shape(call)
    body: JsonObject = {"messages": _messages(call.messages)}
    if system := [block for m in call.messages if _is_system(m) for block in _blocks(m)]:
        body["system"] = system
    options = known_options(call.options)
    if inference := dict(_inference(options)):
        body["inferenceConfig"] = inference
    if config := _tool_config(call):
        body["toolConfig"] = config
    if output := dict(_output(options)):
        body["outputConfig"] = output
    for name, value in options.items():
        if name not in _PLACED:
            both = isinstance(value, dict) and isinstance(body.get(name), dict)
            body[name] = {**value, **body[name]} if both else value
    operation = "converse-stream" if call.stream else "converse"
    return Request(
        method="POST",
        uri=f"{_HOST}/model/{quote(call.model, safe='')}/{operation}",
        headers=(
            ("content-type", "application/json"),
            ("accept", CONTENT_TYPE if call.stream else "application/json"),
        ),
        body=compact(body).encode(),
    )


def tool_use_id(call_id: str) -> str:
    """Return an id that the API takes; other ones stay unique, since results name them."""
    if _ID.fullmatch(call_id):
        return call_id
    digest = hashlib.sha256(call_id.encode(errors="surrogatepass")).hexdigest()[:16]
    return f"{_NOT_IN_ID.sub('_', call_id)[:47]}_{digest}"


def _is_system(message: JsonObject) -> bool:
    return message.get("role") in ("system", "developer")


def _messages(messages: Iterable[JsonObject]) -> list[JsonObject]:
    written: list[JsonObject] = []
    for message in messages:
        if _is_system(message):
            continue
        match message.get("role"):
            case "user":
                role, blocks = "user", list(_blocks(message))
            case "tool":
                role, blocks = "user", [{"toolResult": _result(message)}]
            case "assistant":
                role, blocks = "assistant", list(_made(message))
            case other:
                raise UnwritableError(
                    f"unknown message role {other!r}: "
                    "use system, developer, user, assistant or tool"
                )
        if written and written[-1]["role"] == role:
            written[-1]["content"] += blocks
        elif blocks:
            written.append({"role": role, "content": blocks})
    return written


def _result(message: JsonObject) -> JsonObject:
    failed = {"status": message["status"]} if message.get("status") else {}
    return {
        "toolUseId": tool_use_id(message["tool_call_id"]),
        "content": list(_blocks(message)),
        **failed,
    }


def _blocks(message: JsonObject) -> Iterator[JsonObject]:
    content = message.get("content")
    if isinstance(content, str):
        yield {"text": content}
        return
    for part in content if isinstance(content, list) else ():
        yield _block(part)


def _block(part: Json) -> JsonObject:
    match part:
        case {"type": "text", "text": str(text)}:
            return {"text": text}
        case {"type": "image_url", "image_url": {"url": str(url)} | str(url)}:
            return {"image": _image(url)}
        case {"type": "file", "file": {"file_data": str(data), **file}}:
            return {"document": _document(data, str(file.get("filename") or ""))}
        case {"type": "input_audio", "input_audio": {"data": str(data), "format": str(form)}}:
            return {"audio": {"format": form, "source": {"bytes": data}}}
        case {"type": str(kind), **rest} if kind in rest:
            return {kind: rest[kind]}
    shown = part.get("type") if isinstance(part, Mapping) else type(part).__name__
    raise UnwritableError(f"a message part of type {shown!r} cannot be sent to Bedrock")


def _image(url: str) -> JsonObject:
    found = _DATA_URL.fullmatch(url)
    form = found[1].replace("jpg", "jpeg") if found else ""
    if found is None or form not in _IMAGES:
        raise UnwritableError(
            "Bedrock takes images as data URLs of png, jpeg, gif or webp in base64, "
            f"not {url[:40]!r}"
        )
    return {"format": form, "source": {"bytes": found[2]}}


def _document(data: str, filename: str) -> JsonObject:
    name, _, form = filename.rpartition(".")
    if not form or not name:
        raise UnwritableError(f"a file needs a name with its format, such as a.pdf: {filename!r}")
    found = _DATA_URL.fullmatch(data)
    return {
        "format": form.lower(),
        "name": _NOT_IN_NAME.sub(" ", name)[:200],
        "source": {"bytes": found[2] if found else data},
    }


def _made(message: JsonObject) -> Iterator[JsonObject]:
    """Yield the blocks of an earlier turn of the model."""
    parts = message.get("parts")
    if not parts:
        if (text := text_of(message.get("content")) or message.get("refusal") or "").strip():
            yield {"text": text}
        for call in message.get("tool_calls") or ():
            function = call["function"]
            yield _call(call["id"], function["name"], function.get("arguments"))
        return
    for part in parts:
        match part["type"]:
            case "text" if part["text"].strip():
                yield {"text": part["text"]}
            case "refusal" if part["refusal"].strip():
                yield {"text": part["refusal"]}
            case "reasoning" if part.get("signature"):
                text = {"text": part["text"], "signature": part["signature"]}
                yield {"reasoningContent": {"reasoningText": text}}
            case "reasoning" if part.get("redacted_data"):
                yield {"reasoningContent": {"redactedContent": part["redacted_data"]}}
            case "tool_call" if part.get("arguments") is not None:
                yield _call(
                    part["id"],
                    part["name"],
                    part.get("arguments_raw") or compact(part["arguments"]),
                )
            case "image" if _DATA_URL.fullmatch(part["url"]):
                yield {"image": _image(part["url"])}
            case "hosted_tool":
                yield from (b for b in part.get("native") or () if _is_block(b))


def _is_block(native: Json) -> bool:
    """Return whether a part that goes back as it is is a block of Converse, not of another API."""
    return isinstance(native, Mapping) and len(native) == 1 and not _BLOCKS.isdisjoint(native)


def _call(call_id: str, name: str, arguments: Json) -> JsonObject:
    try:
        given = json.loads(arguments or "{}")
    except (TypeError, ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise UnwritableError(f"the arguments of call {call_id!r} are not one JSON object")
    return {"toolUse": {"toolUseId": tool_use_id(call_id), "name": name, "input": given}}


def _inference(options: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    for name, native in _WORDS.items():
        value = options.get(name)
        if value is not None:
            is_one = native == "stopSequences" and isinstance(value, str)
            yield native, [value] if is_one else value


def _tool_config(call: NeutralCall) -> JsonObject:
    choice = call.options.get("tool_choice")
    said = _tool_choice(choice)
    has_history = any(m.get("tool_calls") or m.get("role") == "tool" for m in call.messages)
    if not call.tools or (choice == "none" and not has_history):
        return {}
    return {"tools": [_tool(tool) for tool in call.tools], **said}


def _tool_choice(choice: Json) -> JsonObject:
    match choice:
        case None | "auto" | "none":
            return {}
        case "required":
            return {"toolChoice": {"any": {}}}
        case {"function": {"name": str(name)}}:
            return {"toolChoice": {"tool": {"name": name}}}
    raise UnwritableError(f"Bedrock has no tool_choice {choice!r:.80}")


def _tool(tool: JsonObject) -> JsonObject:
    kind = tool.get("type") or "function"
    if kind != "function":
        if kind not in tool:
            raise UnwritableError(f"a tool of type {kind!r} cannot be sent to Bedrock")
        return {kind: tool[kind]}
    function = function_of(tool)
    known = {n: v for n, v in function.items() if n != "parameters" and v not in (None, "")}
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    return {"toolSpec": {**known, "inputSchema": {"json": schema}}}


def _output(options: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    form = options.get("response_format")
    match form:
        case {"type": "json_schema", "json_schema": {"schema": schema, **named}}:
            known = {n: v for n, v in named.items() if n in ("name", "description") and v}
            definition = {"schema": compact(schema), **known}
            yield (
                "textFormat",
                {"type": "json_schema", "structure": {"jsonSchema": definition}},
            )
        case None | {"type": "text"}:
            pass
        case _:
            raise UnwritableError("Bedrock takes a response_format of type json_schema only")
    if options.get("reasoning_effort") is not None:
        yield "effort", options["reasoning_effort"]
