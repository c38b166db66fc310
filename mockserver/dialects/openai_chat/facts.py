"""Reads the facts of a Chat Completions wire, streamed or not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mockserver.dialects.facts import Facts, counts, repaired
from mockserver.vocabulary.model import JsonObject
from mockserver.wire import sse
from mockserver.wire.body import Body, Media

_USAGE: Mapping[str, tuple[str, ...]] = {
    "input_tokens": ("prompt_tokens",),
    "output_tokens": ("completion_tokens",),
    "total_tokens": ("total_tokens",),
    "cache_read_input_tokens": ("prompt_tokens_details", "cached_tokens"),
    "reasoning_tokens": ("completion_tokens_details", "reasoning_tokens"),
}

#: Codes that a chunk may carry without being an error.
_NO_ERROR = re.compile("|0|2[0-9][0-9]|ok|success|true|false", re.I)
_PARTS = ("content", "refusal", "tool_calls", "function_call")


def read(body: Body) -> Facts:
    """Read the facts of one answer."""
    return _FactsReader().read(body)


class _FactsReader:
    def __init__(self) -> None:
        self.facts = Facts()
        self.keys: set[tuple[object, object]] = set()
        self.from_deltas: set[str] = set()
        self.id: Any = None
        self.restarted = False

    def read(self, body: Body) -> Facts:
        if body.media is Media.SSE:
            for block in body.blocks:
                if not self.block(block):
                    break
            last = body.unfinished
            # An unfinished block counts only as the end marker; its JSON may be cut.
            if last is not None and (last.data or "").strip() == "[DONE]":
                self.facts.done = True
        elif body.data.strip():
            self.document(body.data)
        facts = self.facts
        if facts.calls is not None:
            facts.calls = len(self.keys)
        if self.restarted:
            facts.text = facts.refusal = facts.calls = facts.usage = None
        for name in ("text", "refusal"):
            if (value := getattr(facts, name)) is not None:
                setattr(facts, name, repaired(value, unfinished=not facts.terminal_seen))
        return facts

    def block(self, block: sse.Block) -> bool:
        if any(line.startswith(("error", "{")) for line in block.ignored):
            # Not standard: llama.cpp's error field, or JSON without a field name.
            self.facts.error = True
            return False
        data = (block.data or "").strip()
        if not data or block.is_keepalive:
            return True
        if data == "[DONE]":
            self.facts.done = True
            return False
        if block.event == "error" and block.json is not None:
            self.facts.error = True
            return False
        if block.json is sse.NOT_JSON:
            self.facts.broken = True
            return False
        return self.chunk(block.json)

    def document(self, body: bytes) -> None:
        text = body.decode(errors="replace").strip()
        try:
            chunk, end = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            self.facts.broken = True
            return
        # Some gateways append the end marker of a stream to a whole answer.
        if text[end:].strip() not in {"", "data: [DONE]", "data:[DONE]"}:
            self.facts.broken = True
            return
        if isinstance(chunk, dict) and isinstance(chunk.get("choices"), list):
            self.chunk(chunk)
            self.facts.done = True
        else:
            self.facts.error = True

    def chunk(self, chunk: Any) -> bool:
        if chunk is None:
            return True
        if not isinstance(chunk, dict):
            self.facts.broken = True
            return False
        if _is_error(chunk):
            self.facts.error = True
            return False
        self.identity(chunk)
        self.usage(chunk.get("usage"))
        if isinstance(x_groq := chunk.get("x_groq"), dict):
            self.usage(x_groq.get("usage"))
            if x_groq.get("error"):
                self.facts.error = True
                return False
        for choice in _objects(chunk.get("choices")):
            if choice.get("index") in (None, 0):
                self.choice(choice)
        return True

    def identity(self, chunk: JsonObject) -> None:
        """Notice another answer that begins in the middle of one; its text may go either way."""
        first, self.id = self.id, self.id or chunk.get("id")
        is_new = bool(self.id) and chunk.get("id") not in (None, "", first)
        deltas = _objects([choice.get("delta") for choice in _objects(chunk.get("choices"))])
        has_role = any(delta.get("role") for delta in deltas)
        if first and is_new and has_role and self.facts.terminal is None:
            self.restarted = True

    def choice(self, choice: JsonObject) -> None:
        if isinstance(delta := choice.get("delta"), dict):
            self.parts(delta, in_message=False)
            self.from_deltas.update(name for name in _PARTS if delta.get(name))
        if isinstance(message := choice.get("message"), dict):
            # After deltas a whole message repeats them; what they left out is new.
            new = {name: part for name, part in message.items() if name not in self.from_deltas}
            self.parts(new, in_message=True)
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason not in {"", "null"} and self.facts.terminal is None:
            self.facts.terminal = reason

    def parts(self, parts: JsonObject, *, in_message: bool) -> None:
        facts = self.facts
        for name, attribute in (("content", "text"), ("refusal", "refusal")):
            piece = parts.get(name)
            if piece is None or piece == "":
                continue
            before = getattr(facts, attribute)
            in_place = in_message or facts.terminal is None
            plain = isinstance(piece, str) and in_place and before is not None
            setattr(facts, attribute, before + piece if plain else None)
        calls = _objects(parts.get("tool_calls"))
        for call in calls:
            if "custom" in call and not call.get("function"):
                continue  # a tool without JSON arguments, which a turn cannot express
            if in_message:
                # In a whole message every entry is a call, with any id and in any choice.
                self.keys.add(("message", len(self.keys)))
            else:
                self.call(call)
        if not calls and _has_name(parts.get("function_call")):
            self.keys.add(("function", len(self.keys) if in_message else None))

    def call(self, call: JsonObject) -> None:
        index, call_id = call.get("index"), _id(call.get("id"))
        if index is not None and (isinstance(index, bool) or not isinstance(index, int | str)):
            self.facts.calls = None
            return
        if call_id is not None:
            self.keys.discard((index, None))
            self.keys.add((index, call_id))
        elif index is not None and not any(k[0] == index for k in self.keys):
            self.keys.add((index, None))
        elif index is None and not self.keys:
            self.keys.add((None, None))
        elif index is None and _has_name(call.get("function")):
            self.facts.calls = None

    def usage(self, usage: Any) -> None:
        known, new = self.facts.usage, counts(usage, _USAGE)
        if known is not None and any(known.values()) and new and not any(new.values()):
            # Zeros after counts: a placeholder to some readers, the last word to others.
            self.facts.usage = None
        elif known is not None:
            known.update(new)


def _is_error(chunk: JsonObject) -> bool:
    """Return whether a chunk is an error: an object of its own, or flat as some providers do."""
    if chunk.get("error") or chunk.get("object") == "error" or "error_type" in chunk:
        return True
    base = chunk.get("base_resp")  # MiniMax; 0 is success
    if isinstance(base, dict) and base.get("status_code") not in (None, 0, "0", ""):
        return True
    code, message = chunk.get("code"), chunk.get("message")  # DashScope
    is_code = isinstance(code, int | str) and not _NO_ERROR.fullmatch(str(code).strip())
    has_message = isinstance(message, str) and bool(message.strip())
    return is_code and has_message and not chunk.get("choices")


def _objects(value: Any) -> list[JsonObject]:
    """Return the objects of a list; what is no object is neither a choice nor a call."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _has_name(function: Any) -> bool:
    return isinstance(function, dict) and bool(function.get("name"))


def _id(value: Any) -> str | None:
    """Return a call's id: a number is text, and a blank id is none."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number or (isinstance(value, str) and value.strip()) else None
