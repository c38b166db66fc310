"""Reads the facts of a Chat Completions wire, streamed or not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mockserver.dialects.event_facts import EventReader
from mockserver.dialects.facts import Facts, counts, merge_usage, only
from mockserver.dialects.openai_chat.call_facts import CallReader
from mockserver.dialects.openai_chat.content_facts import ContentReader
from mockserver.vocabulary.model import JsonObject
from mockserver.wire.body import Body, Media

_USAGE: Mapping[str, tuple[str, ...]] = {
    "input_tokens": ("prompt_tokens",),
    "output_tokens": ("completion_tokens",),
    "total_tokens": ("total_tokens",),
    "cache_read_input_tokens": ("prompt_tokens_details", "cached_tokens"),
    "cache_creation_input_tokens": ("prompt_tokens_details", "cache_write_tokens"),
    "reasoning_tokens": ("completion_tokens_details", "reasoning_tokens"),
}

#: Codes that a chunk may carry without being an error.
_NO_ERROR = re.compile("|0|2[0-9][0-9]|ok|success|true|false", re.I)
#: The finish reasons of a complete answer.
_COMPLETE = frozenset({"stop", "tool_calls", "function_call"})


def read(body: Body) -> Facts:
    """Read the facts of one answer."""
    return _FactsReader().read(body)


class _FactsReader(EventReader):
    def __init__(self) -> None:
        super().__init__()
        self.content = ContentReader()
        self.calls = CallReader()
        self.calls_from_deltas = False
        self.restarted = False
        self.ids: list[str] = []
        self.models: list[str] = []
        self.words: list[str] = []

    def read(self, body: Body) -> Facts:
        facts = self.facts
        if body.media is Media.SSE:
            self.stream(body)
            self.end_marker(body)
        elif body.data.strip():
            self.document(body.data)
        facts.response_id, facts.model = only(self.ids), only(self.models)
        if self.words:
            facts.terminal, *others = dict.fromkeys(self.words)
            facts.other_terminals = tuple(others)
        complete = facts.done if facts.terminal is None else facts.terminal in _COMPLETE
        facts.calls = None if self.restarted else self.calls.facts(complete=complete)
        if self.restarted:
            self.content.doubt()
            facts.usage = dict.fromkeys(_USAGE)
        self.content.fill(facts, unfinished=not facts.terminal_seen)
        facts.may_fail = self.is_questionable()
        return facts

    def is_questionable(self) -> bool:
        """Return whether a careful client may fail the turn, whatever its finish reason is."""
        facts = self.facts
        calls = facts.calls or ()
        return (
            self.content.is_odd
            or not facts.done
            or facts.terminal not in _COMPLETE
            or bool(facts.other_terminals)
            or facts.text is None
            or facts.calls is None
            or not (facts.text or facts.refusal or calls)
            or (facts.terminal != "stop" and not calls)
            or any(c.name is None or c.raw is None for c in calls)
        )

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
            self.event(chunk)
            self.facts.done = True
        else:
            self.fail(chunk)

    def event(self, chunk: JsonObject, _name: str = "") -> bool:
        """Take one chunk."""
        if _is_error(chunk):
            self.fail(chunk)
            return False
        merge_usage(self.facts.usage, counts(chunk.get("usage"), _USAGE))
        if isinstance(x_groq := chunk.get("x_groq"), dict):
            merge_usage(self.facts.usage, counts(x_groq.get("usage"), _USAGE))
            if x_groq.get("error"):
                self.fail(x_groq["error"])
                return False
        choices = [c for c in _objects(chunk.get("choices")) if c.get("index") in (None, 0)]
        self.restarted |= self.is_restart(chunk, choices)
        for values, value in ((self.ids, chunk.get("id")), (self.models, chunk.get("model"))):
            if isinstance(value, str) and value:
                values.append(value)
        return all(self.choice(choice) for choice in choices)

    def is_restart(self, chunk: JsonObject, choices: list[JsonObject]) -> bool:
        """Return whether another answer begins in the middle of this one: another id and role."""
        chunk_id = chunk.get("id")
        begins = any(isinstance(c.get("delta"), dict) and c["delta"].get("role") for c in choices)
        return (
            begins and bool(chunk_id and self.ids) and chunk_id != self.ids[-1]
        ) and self.content.has_begun

    def choice(self, choice: JsonObject) -> bool:
        ended = bool(self.words)
        if isinstance(delta := choice.get("delta"), dict):
            self.content.take(delta, in_message=False, ended=ended)
            calls = _objects(delta.get("tool_calls"))
            for call in calls:
                self.calls.delta(call)
            if not calls:
                self.calls.legacy(delta.get("function_call"), in_message=False)
            self.calls_from_deltas |= bool(delta.get("tool_calls") or delta.get("function_call"))
        if isinstance(message := choice.get("message"), dict):
            self.content.take(message, in_message=True, ended=ended)
            if not self.calls_from_deltas:
                calls = _objects(message.get("tool_calls"))
                for call in calls:
                    self.calls.whole(call)
                if not calls:
                    self.calls.legacy(message.get("function_call"), in_message=True)
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason not in {"", "null"}:
            self.words.append(reason)
        if choice.get("usage"):
            # Not standard: known to some clients only.
            for name in _USAGE:
                self.facts.usage.setdefault(name, None)
        if choice.get("error"):
            self.fail(choice["error"])
            return False
        return True


def _is_error(chunk: JsonObject) -> bool:
    """Return whether a chunk is an error: an object of its own, or flat as some providers do."""
    if chunk.get("error") or "error" in (chunk.get("object"), chunk.get("type")):
        return True
    if "error_type" in chunk or "error_message" in chunk:
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
