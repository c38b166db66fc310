"""Faults of a Chat Completions client that no bundled scenario shows, for the fuzzer to find.

Each is a reader of the bundled client that is wrong about one thing.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from harness.adapters.chat.stream import ChatStream
from mockserver.vocabulary import Event, JsonObject


class _Changing(ChatStream):
    """Changes the delta of each chunk, and its usage, before it is read."""

    def chunk(self, value: Any, **options: Any) -> list[Event]:
        if isinstance(value, dict):
            value = self.whole(value)
            if isinstance(choices := value.get("choices"), list):
                value = {**value, "choices": [self._changed(choice) for choice in choices]}
        return super().chunk(value, **options)

    def _changed(self, choice: Any) -> Any:
        delta = choice.get("delta") if isinstance(choice, dict) else None
        return {**choice, "delta": self.delta(delta)} if isinstance(delta, dict) else choice

    def delta(self, delta: JsonObject) -> JsonObject:
        return delta

    def whole(self, chunk: JsonObject) -> JsonObject:
        return chunk


class DropsCombining(_Changing):
    """Loses a delta that begins with a combining character."""

    def delta(self, delta: JsonObject) -> JsonObject:
        text = delta.get("content")
        is_lost = isinstance(text, str) and text and unicodedata.combining(text[0])
        return {**delta, "content": ""} if is_lost else delta


class LosesEscaped(_Changing):
    """Loses the argument piece of one character behind a piece that ends with a backslash."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.before: dict[Any, str] = {}

    def delta(self, delta: JsonObject) -> JsonObject:
        calls = delta.get("tool_calls")
        if not isinstance(calls, list):
            return delta
        return {**delta, "tool_calls": [self.call(call) for call in calls]}

    def call(self, call: Any) -> Any:
        function = call.get("function") if isinstance(call, dict) else None
        piece = function.get("arguments") if isinstance(function, dict) else None
        if not isinstance(piece, str):
            return call
        before = self.before.get(call.get("index"), "")
        self.before[call.get("index")] = piece or before
        if len(piece) == 1 and before.endswith("\\"):
            return {**call, "function": {**function, "arguments": ""}}
        return call


class CountsTheInputTwice(_Changing):
    """Adds the input to the total twice if no token was made of it."""

    def whole(self, chunk: JsonObject) -> JsonObject:
        usage = chunk.get("usage")
        if not isinstance(usage, dict) or usage.get("completion_tokens") != 0:
            return chunk
        given = usage.get("prompt_tokens") or 0
        return {**chunk, "usage": {**usage, "total_tokens": 2 * given}}


class PlainNames(_Changing):
    """Writes the name of a tool with an underscore where it has a hyphen."""

    def delta(self, delta: JsonObject) -> JsonObject:
        calls = delta.get("tool_calls")
        if not isinstance(calls, list):
            return delta
        return {**delta, "tool_calls": [self.call(call) for call in calls]}

    def call(self, call: Any) -> Any:
        function = call.get("function") if isinstance(call, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(name, str):
            return call
        return {**call, "function": {**function, "name": name.replace("-", "_")}}


class DropsTheDigitZero(_Changing):
    """Takes the text ``0`` for none."""

    def delta(self, delta: JsonObject) -> JsonObject:
        return {**delta, "content": None} if delta.get("content") == "0" else delta


PLANTED: tuple[type[ChatStream], ...] = (
    DropsCombining,
    LosesEscaped,
    CountsTheInputTwice,
    PlainNames,
    DropsTheDigitZero,
)
