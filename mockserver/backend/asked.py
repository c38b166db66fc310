"""What a request asks for, and how far its conversation is. Pure.

Only the conversation in the request counts, never what was asked before: parallel clients of one
server cannot disturb one another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from mockserver.cassettes.cassette import Request
from mockserver.dialects.dialect import Dialect, Reasoning
from mockserver.dialects.registry import asked_reasoning
from mockserver.dialects.writing import text_of
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import Json, JsonObject


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call; ``parameters`` is a JSON schema."""

    name: str
    parameters: JsonObject


@dataclass(frozen=True)
class Asked:
    """One request for an answer, in its dialect and in neutral words."""

    dialect: Dialect
    call: NeutralCall
    request: Request

    @cached_property
    def tools(self) -> tuple[Tool, ...]:
        """The functions that are offered; tools that a provider runs itself are left out."""
        return tuple(self._tools())

    def _tools(self) -> Iterator[Tool]:
        older = self.call.options.get("functions")
        offered = [tool.get("function") for tool in self.call.tools] or _list(older)
        for function in offered:
            if isinstance(function, dict) and isinstance(function.get("name"), str):
                parameters = function.get("parameters")
                yield Tool(function["name"], parameters if isinstance(parameters, dict) else {})

    @cached_property
    def reasoning(self) -> Reasoning | None:
        """What the request asks for of the model's reasoning; ``None`` for nothing."""
        return asked_reasoning(self.dialect, self.call, self.request)

    @property
    def choice(self) -> Json:
        """Which tools may be called, in the words of Chat Completions, older ones too."""
        options = self.call.options
        return options.get("tool_choice", options.get("function_call"))

    @property
    def is_parallel(self) -> bool:
        """Whether several tools may be called at once; older functions are called one by one."""
        options = self.call.options
        if not self.call.tools and options.get("functions"):
            return False
        return options.get("parallel_tool_calls") is not False

    @cached_property
    def question(self) -> str:
        """The text of the last message of the user."""
        return next((text_of(m.get("content")) for m in self._backwards("user")), "")

    @cached_property
    def system(self) -> str:
        """The instructions for the model."""
        found = [m for m in self.call.messages if m.get("role") in ("system", "developer")]
        return "\n".join(text_of(m.get("content")) for m in found)

    @cached_property
    def turn(self) -> int:
        """How many messages of the model the conversation has."""
        return sum(m.get("role") == "assistant" for m in self.call.messages)

    @cached_property
    def this_turn(self) -> tuple[JsonObject, ...]:
        """The messages since the last answer that was no tool call, oldest first.

        A message of the user behind a tool's result belongs to the turn: some frameworks send the
        results so, or ask the model to go on.
        """
        messages = self.call.messages
        for number in range(len(messages) - 1, -1, -1):
            if messages[number].get("role") == "assistant" and not calls_of(messages[number]):
                return messages[number + 1 :]
        return messages

    @cached_property
    def calls(self) -> tuple[JsonObject, ...]:
        """The tool calls of this turn: ``id``, ``name`` and ``arguments``, as text."""
        return tuple(call for message in self.this_turn for call in calls_of(message))

    @cached_property
    def called(self) -> frozenset[str]:
        """The names of the tools that were called in this turn."""
        return frozenset(call["name"] for call in self.calls)

    @cached_property
    def results(self) -> tuple[str, ...]:
        """The names of the tools whose results are behind the last message of the model."""
        names = {call["id"]: call["name"] for call in self.calls}
        found = []
        for message in reversed(self.call.messages):
            if message.get("role") == "assistant":
                break
            if message.get("role") == "tool":
                found.append(names.get(str(message.get("tool_call_id")), ""))
            elif message.get("role") == "function":
                found.append(str(message.get("name")))
        return tuple(reversed(found))

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """All texts of the conversation, with the arguments of the calls."""
        return tuple(self._texts())

    def _texts(self) -> Iterator[str]:
        for message in self.call.messages:
            yield text_of(message.get("content"))
            for call in calls_of(message):
                yield call["name"]
                yield call["arguments"]

    @cached_property
    def images(self) -> int:
        """How many images the conversation has."""
        return sum(
            isinstance(part, dict) and part.get("type") in ("image_url", "image")
            for message in self.call.messages
            for part in _list(message.get("content"))
        )

    def _backwards(self, role: str) -> Iterator[JsonObject]:
        return (m for m in reversed(self.call.messages) if m.get("role") == role)


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def calls_of(message: JsonObject) -> list[JsonObject]:
    """Return the calls of a message of the model; what is not one is left out."""
    found = []
    older = {"function": message.get("function_call")}
    for call in _list(message.get("tool_calls")) or [older]:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            arguments = function.get("arguments")
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            name, id_ = str(function.get("name")), str(call.get("id"))
            found.append({"id": id_, "name": name, "arguments": text})
    return found
