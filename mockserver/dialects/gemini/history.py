"""Reads the ``contents`` of a request as messages of Chat Completions. Pure.

Contents of the model that follow one another are one assistant message: the chats of the official
SDK send one for each chunk. A call without an id gets one, which is marked as made here, and the
results are found by their ids, else by the names and the order of the calls.
Source: https://ai.google.dev/api/caching#Content, ``Part`` of google-genai 3.6.1.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from mockserver.dialects.dialect import UnreadableRequestError
from mockserver.vocabulary.model import Json, JsonObject

#: Parts of tools that the provider ran, which go back as they are.
HOSTED = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")


def is_native(part: Json) -> bool:
    """Return whether a part is one of Gemini's that goes back as it is: of a tool, or signed."""
    if not isinstance(part, dict):
        return False
    signature = part.get("thoughtSignature")
    return any(name in part for name in HOSTED) or (isinstance(signature, str) and signature != "")


def read_history(contents: Json) -> list[JsonObject]:
    """Return the messages. Raises :class:`UnreadableRequestError` for what they cannot say."""
    if isinstance(contents, str):
        return [{"role": "user", "content": contents}]
    history = _History()
    if isinstance(contents, dict):
        contents = [contents]
    if not isinstance(contents, list | None):
        raise UnreadableRequestError("the contents are neither text nor a list")
    for content in contents or ():
        if not isinstance(content, dict):
            raise UnreadableRequestError("the contents have an item that is not an object")
        history.take(content)
    return history.finished()


def text_of_parts(content: Json) -> str | None:
    """Return the text of a content with nothing else in it; ``None`` for any other."""
    parts = content.get("parts") if isinstance(content, dict) else content
    parts = [parts] if isinstance(parts, dict) else parts
    if not isinstance(parts, list):
        return None
    found = [part.get("text") if isinstance(part, dict) else part for part in parts]
    texts = [text for text in found if isinstance(text, str)]
    return "".join(texts) if len(texts) == len(found) else None


@dataclass(slots=True)
class _History:
    messages: list[JsonObject] = field(default_factory=list)
    turn: list[JsonObject] = field(default_factory=list)
    #: Calls that have no result yet: id and name.
    waiting: list[tuple[str, str]] = field(default_factory=list)
    calls: int = 0

    def take(self, content: JsonObject) -> None:
        parts = content.get("parts") or []
        if isinstance(parts, dict):
            parts = [parts]
        if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
            raise UnreadableRequestError("the parts of a content are no list of objects")
        if content.get("role") == "model":
            self.turn += (found for part in parts if (found := self.made(part)) is not None)
            return
        self.end_turn()
        results = [part for part in parts if isinstance(part.get("functionResponse"), dict)]
        self.messages += [self.result(part["functionResponse"]) for part in results]
        if said := [_said(part) for part in parts if "functionResponse" not in part]:
            self.messages.append({"role": "user", "content": _plain(said)})

    def finished(self) -> list[JsonObject]:
        self.end_turn()
        return self.messages

    def made(self, part: JsonObject) -> JsonObject | None:
        """Return a part that the model made; none for an empty text."""
        found = self._made(part)
        signature = part.get("thoughtSignature")
        if not isinstance(signature, str) or not signature or found is None:
            return found
        name = "signature" if found["type"] == "reasoning" else "thought_signature"
        return found if found["type"] == "hosted_tool" else {**found, name: signature}

    def _made(self, part: JsonObject) -> JsonObject | None:
        match part:
            case {"functionCall": dict() as call}:
                return self.call(call)
            case {"text": str(text), "thought": True}:
                return {"type": "reasoning", "text": text, "channel": "text"}
            case {"text": str(text)} if text:
                return {"type": "text", "text": text}
            case {"text": _, "thoughtSignature": str()}:
                return {"type": "reasoning", "text": "", "channel": "text"}
            case {"text": _}:
                return None
            case {"thoughtSignature": str(), **rest} if rest.keys() <= {"thought"}:
                return {"type": "reasoning", "text": "", "channel": "text"}
            case _ if is_native(part) and not _shows_image(part):
                names = (*HOSTED, *(n for n in part if n not in ("thought", "thoughtSignature")))
                kind = next(name for name in names if name in part)
                return {"type": "hosted_tool", "kind": kind, "native": [part]}
            case {"inlineData": dict() as data}:
                return {"type": "image", "url": _data_url(data)}
            case {"fileData": {"fileUri": str(uri)}}:
                return {"type": "image", "url": uri}
        if not part:
            return None
        raise UnreadableRequestError(
            f"a call cannot express a part of the model with {', '.join(part)}"
        )

    def call(self, call: JsonObject) -> JsonObject:
        name, arguments, call_id = call.get("name"), call.get("args"), call.get("id")
        arguments = {} if arguments is None else arguments
        if not isinstance(name, str) or not isinstance(arguments, dict):
            raise UnreadableRequestError("a functionCall of the recorded request has no name")
        given = isinstance(call_id, str) and bool(call_id)
        known = call_id if isinstance(call_id, str) and given else f"call_{self.calls}"
        self.calls += 1
        self.waiting.append((known, name))
        return {
            "type": "tool_call",
            "id": known,
            "name": name,
            "arguments": arguments,
            "arguments_raw": json.dumps(arguments, ensure_ascii=False, separators=(",", ":")),
            **({} if given else {"id_synthesized": True}),
        }

    def result(self, response: JsonObject) -> JsonObject:
        call_id, name = response.get("id"), response.get("name")
        found = next((one for one in self.waiting if one[0] == call_id), None)
        if found is None:
            found = next((one for one in self.waiting if one[1] == name), None)
        if found is not None:
            self.waiting.remove(found)
        known = call_id if found is None else found[0]
        if not isinstance(known, str):
            raise UnreadableRequestError(f"a functionResponse of {name!r} has no call")
        content: Json = _result_text(response.get("response"))
        parts = response.get("parts")
        shown = [_said(p) for p in parts if isinstance(p, dict)] if isinstance(parts, list) else []
        if shown:
            content = [{"type": "text", "text": content}, *shown]
        return {"role": "tool", "tool_call_id": known, "content": content}

    def end_turn(self) -> None:
        """Add the assistant message of the turn, if the model made anything."""
        parts, self.turn = _joined(self.turn), []
        if not parts:
            return
        text = "".join(part["text"] for part in parts if part["type"] == "text")
        message: JsonObject = {"role": "assistant", "content": text or None}
        if calls := [part for part in parts if part["type"] == "tool_call"]:
            message["tool_calls"] = [
                {
                    "id": call["id"],
                    "type": "function",
                    "function": {"name": call["name"], "arguments": call["arguments_raw"]},
                }
                for call in calls
            ]
        self.messages.append({**message, "parts": parts})


def _joined(parts: list[JsonObject]) -> list[JsonObject]:
    """Join neighbouring texts of one kind that carry no signature."""
    found: list[JsonObject] = []
    for part in parts:
        last = found[-1] if found else {"type": ""}
        plain = {"text": {"type", "text"}, "reasoning": {"type", "text", "channel"}}
        fields = plain.get(part["type"])
        if fields and last["type"] == part["type"] and fields == part.keys() == last.keys():
            found[-1] = {**last, "text": last["text"] + part["text"]}
        else:
            found.append(part)
    return found


def _said(part: JsonObject) -> JsonObject:
    """Return a part of a message that the model did not make."""
    match part:
        case {"text": str(text)}:
            return {"type": "text", "text": text}
        case {"inlineData": dict() as data} if _mime(data).startswith("image/"):
            return {"type": "image_url", "image_url": {"url": _data_url(data)}}
        case {"inlineData": dict() as data}:
            return {"type": "file", "file": {"file_data": _data_url(data)}}
        case {"fileData": {"fileUri": str(uri)} as data} if not _mime(data).startswith("image/"):
            mime = {"mime_type": _mime(data)} if _mime(data) else {}
            return {"type": "file", "file": {"file_id": uri, **mime}}
        case {"fileData": {"fileUri": str(uri)}}:
            return {"type": "image_url", "image_url": {"url": uri}}
    raise UnreadableRequestError(
        f"a call cannot express a part with {', '.join(part) or 'nothing'}"
    )


def _shows_image(part: JsonObject) -> bool:
    file = part.get("inlineData") or part.get("fileData")
    return isinstance(file, dict) and _mime(file).startswith("image/")


def _plain(said: list[JsonObject]) -> Json:
    """Return a single text as a string."""
    match said:
        case [{"type": "text", "text": str(text)}]:
            return text
    return said


def _result_text(response: Json) -> str:
    """Return a result as text: what is alone under ``output`` is the result itself."""
    match response:
        case {"output": str(text), **rest} if not rest:
            return text
        case {"output": value, **rest} if not rest:
            response = value
        case None:
            return ""
    return json.dumps(response, ensure_ascii=False, separators=(",", ":"))


def _mime(data: JsonObject) -> str:
    return str(data.get("mimeType") or "")


def _data_url(data: JsonObject) -> str:
    content = data.get("data")
    if not isinstance(content, str):
        raise UnreadableRequestError("an inlineData of the recorded request has no data")
    return f"data:{_mime(data)};base64,{content}"
