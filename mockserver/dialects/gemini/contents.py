"""Writes messages of Chat Completions as the ``contents`` of a request. Pure.

An assistant message with ``parts`` goes back part by part, each with the signature that it came
with; one without has its text and its calls. The results of one turn are one content, in the order
of the calls (google-gemini/gemini-cli#16415), found by id: a response names the function.
"""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Iterable, Iterator, Sequence

from mockserver.dialects.dialect import UnwritableError
from mockserver.dialects.gemini.history import is_native
from mockserver.dialects.writing import text_of
from mockserver.vocabulary.model import Json, JsonObject

_DATA_URL = re.compile(r"data:([^;,]*);base64,(.*)", re.S)
_SYSTEM = ("system", "developer")


def system_texts(messages: Iterable[JsonObject]) -> list[str]:
    """Return the texts of the system messages, wherever they stand."""
    texts = (text_of(m.get("content")) for m in messages if m.get("role") in _SYSTEM)
    return [text for text in texts if text]


def contents_of(messages: Sequence[JsonObject]) -> list[JsonObject]:
    """Return the contents. Raises :class:`UnwritableError` for what they cannot say."""
    contents: list[JsonObject] = []
    calls: dict[str, JsonObject] = {}
    results: list[tuple[int, JsonObject]] = []
    for message in messages:
        role = message.get("role")
        if role == "tool":
            results.append(_result(message, calls))
            continue
        contents += _results(results)
        results = []
        if role == "assistant":
            parts = list(model_parts(message))
            calls = _calls_of(message)
            if parts:
                contents.append({"role": "model", "parts": parts})
        elif role == "user":
            contents.append({"role": "user", "parts": list(_said(message.get("content")))})
        elif role not in _SYSTEM:
            raise UnwritableError(f"contents have no message of role {role!r}")
    return [*contents, *_results(results)]


def model_parts(message: JsonObject) -> Iterator[JsonObject]:
    """Yield the parts of an assistant message."""
    parts = message.get("parts")
    if parts:
        for part in parts:
            yield from made_part(part)
        return
    if text := text_of(message.get("content")) or message.get("refusal"):
        yield {"text": text}
    for call in message.get("tool_calls") or ():
        function = call.get("function") or {}
        arguments = _object(function.get("arguments"), call.get("id"))
        made = {"name": function.get("name"), "args": arguments, "id": call.get("id")}
        google = (call.get("extra_content") or {}).get("google") or {}
        yield _signed({"functionCall": made}, google.get("thought_signature"))


def made_part(part: JsonObject) -> Iterator[JsonObject]:
    """Yield a normalized part in Gemini's form; nothing for what has no place there."""
    signature = part.get("thought_signature")
    match part["type"]:
        case "text" if part["text"]:
            yield _signed({"text": part["text"]}, signature)
        case "reasoning" if part["text"]:
            yield _signed({"text": part["text"], "thought": True}, part.get("signature"))
        case "reasoning" if part.get("signature"):
            yield _signed({"text": ""}, part["signature"])
        case "refusal" if part["refusal"]:
            yield {"text": part["refusal"]}
        case "tool_call" if part.get("arguments") is not None:
            call = {"name": part["name"], "args": part["arguments"]}
            if not part.get("id_synthesized"):
                call["id"] = part["id"]
            yield _signed({"functionCall": call}, signature)
        case "image":
            yield _signed(_image(part["url"]), signature)
        case "hosted_tool":
            yield from (n for n in part.get("native") or () if is_native(n))


def _calls_of(message: JsonObject) -> dict[str, JsonObject]:
    """Return the calls of a turn by id: number, name, and whether the id is the provider's."""
    made = {p["id"]: p for p in message.get("parts") or () if p["type"] == "tool_call"}
    return {
        str(call.get("id")): {
            "number": number,
            "name": (call.get("function") or {}).get("name"),
            "own": bool(made.get(str(call.get("id")), {}).get("id_synthesized")),
        }
        for number, call in enumerate(message.get("tool_calls") or ())
    }


def _result(message: JsonObject, calls: dict[str, JsonObject]) -> tuple[int, JsonObject]:
    """Return a result and the number of its call."""
    call_id = message.get("tool_call_id")
    call = calls.get(str(call_id))
    if call is None or not call["name"]:
        raise UnwritableError(
            f"the result of call {call_id!r} has no call before it: Gemini needs its name"
        )
    content = message.get("content")
    response: JsonObject = {"name": call["name"], "response": _response(text_of(content))}
    if not call["own"]:
        response["id"] = call_id
    shown = [p for p in content if p.get("type") != "text"] if isinstance(content, list) else []
    if shown:
        response["parts"] = list(_said(shown))
    return call["number"], {"functionResponse": response}


def _results(results: Iterable[tuple[int, JsonObject]]) -> Iterator[JsonObject]:
    if parts := [part for _, part in sorted(results, key=lambda result: result[0])]:
        yield {"role": "user", "parts": parts}


def _response(text: str) -> JsonObject:
    """Return a result as an object: its own if it is one."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"output": text}


def _said(content: Json) -> Iterator[JsonObject]:
    if isinstance(content, str):
        yield {"text": content}
        return
    for part in content if isinstance(content, list) else ():
        match part:
            case {"type": "text", "text": str(text)}:
                yield {"text": text}
            case {"type": "image_url", "image_url": {"url": str(url)}}:
                yield _image(url)
            case {"type": "input_audio", "input_audio": {"data": str(data), "format": str(form)}}:
                yield {"inlineData": {"mimeType": f"audio/{form}", "data": data}}
            case {"type": "file", "file": {"file_data": str(url)}} if match := _DATA_URL.match(url):
                yield {"inlineData": {"mimeType": match[1], "data": match[2]}}
            case {"type": "file", "file": {"file_id": str(uri)} as file}:
                mime = {"mimeType": file["mime_type"]} if file.get("mime_type") else {}
                yield {"fileData": {**mime, "fileUri": uri}}
            case _:
                kind = part.get("type") if isinstance(part, dict) else part
                raise UnwritableError(f"contents have no part of type {kind!r}")


def _image(url: str) -> JsonObject:
    if match := _DATA_URL.match(url):
        return {"inlineData": {"mimeType": match[1], "data": match[2]}}
    guessed = mimetypes.guess_type(url)[0] or ""
    mime = guessed if guessed.startswith("image/") else "image/jpeg"
    return {"fileData": {"mimeType": mime, "fileUri": url}}


def _object(text: Json, call_id: Json) -> JsonObject:
    try:
        value = json.loads(text or "{}")
    except (TypeError, ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UnwritableError(f"the arguments of call {call_id!r} are no JSON object")
    return value


def _signed(part: JsonObject, signature: Json) -> JsonObject:
    return {**part, "thoughtSignature": signature} if signature else part
