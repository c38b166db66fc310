"""Reads what an Ollama answer says, independently of any client. Pure.

One JSON object for each line, or one object as the whole body. A line with ``done: true`` is the
end, and nothing counts behind it. Source: https://github.com/ollama/ollama/blob/main/docs/api.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mockserver.dialects.arguments import readings
from mockserver.dialects.facts import CallFacts, Facts, counts, merge_usage, only, repaired
from mockserver.dialects.failures import read_failure
from mockserver.vocabulary.model import Json, JsonObject
from mockserver.wire.body import Body, Media

_USAGE: Mapping[str, tuple[str, ...]] = {
    "input_tokens": ("prompt_eval_count",),
    "output_tokens": ("eval_count",),
}
_NOT_JSON = object()
#: The reasons of a complete answer; others say that it was cut, or that nothing was generated.
_COMPLETE = frozenset({"stop", "tool_calls"})


def read(body: Body) -> Facts:
    """Read the facts of one answer of ``/api/chat`` or ``/api/generate``."""
    reader = _Reader()
    whole = _parsed(body.data)
    if isinstance(whole, dict):
        reader.line(whole)
        # One JSON answer is complete unless it says that it is not.
        if body.media is Media.OTHER and "done" not in whole:
            reader.facts.done = reader.facts.may_fail = True
    else:
        reader.lines(body)
    return reader.filled()


class _Reader:
    def __init__(self) -> None:
        self.facts = Facts()
        self.texts: list[str] = []
        self.thoughts: list[str] = []
        self.models: list[str] = []
        self.words: list[str] = []
        self.calls: list[JsonObject] = []
        self.calls_in_doubt = False
        self.text_in_doubt = False
        self.thoughts_in_doubt = False

    def lines(self, body: Body) -> None:
        """Read a body of several lines. What stands behind the last line end may be cut."""
        *complete, rest = body.data.split(b"\n")
        for line in complete:
            if not self.one(line):
                return
        if (last := _parsed(rest)) is not _NOT_JSON:
            self.one(rest)
        elif body.media is Media.OTHER and rest.strip():
            self.facts.broken = True
        self.facts.may_fail |= isinstance(last, dict) or body.media is Media.OTHER

    def one(self, line: bytes) -> bool:
        """Read a line; return whether what follows it can still be read."""
        if not line.strip():
            return True
        value = _parsed(line)
        if self.facts.done:
            # Nothing follows the end; some clients read on.
            self.text_in_doubt |= isinstance(value, dict)
            return True
        if value is None:
            return True
        if not isinstance(value, dict):
            self.facts.broken = True
            return False
        self.line(value)
        return self.facts.error is None

    def line(self, value: JsonObject) -> None:
        if value.get("error"):
            self.facts.error = read_failure(value)
            return
        merge_usage(self.facts.usage, counts(value, _USAGE))
        if isinstance(model := value.get("model"), str) and model:
            self.models.append(model)
        message = value.get("message")
        if isinstance(message, dict):
            self.text(message.get("content"))
            self.thought(message.get("thinking"))
            self.tool_calls(message.get("tool_calls"))
        else:
            self.text(value.get("response"))
            self.thought(value.get("thinking"))
            self.tool_calls(value.get("tool_calls"))
        if isinstance(word := value.get("done_reason"), str) and word:
            self.words.append(word)
        self.facts.done = value.get("done") is True

    def text(self, value: Json) -> None:
        if isinstance(value, str):
            self.texts.append(value)
        elif value is not None:
            self.text_in_doubt = True

    def thought(self, value: Json) -> None:
        if isinstance(value, str):
            self.thoughts.append(value)
        elif value is not None:
            self.thoughts_in_doubt = True

    def tool_calls(self, value: Json) -> None:
        entries = value if isinstance(value, list) else [] if value is None else [value]
        for entry in entries:
            if isinstance(entry, dict) and isinstance(entry.get("function"), dict):
                self.calls.append(entry)
            else:
                self.calls_in_doubt = True

    def filled(self) -> Facts:
        facts = self.facts
        facts.model = only(self.models)
        if self.words:
            facts.terminal, *others = dict.fromkeys(self.words)
            facts.other_terminals = tuple(others)
        open_end = not facts.terminal_seen
        text, thoughts = "".join(self.texts), "".join(self.thoughts)
        facts.text = None if self.text_in_doubt else repaired(text, unfinished=open_end)
        facts.reasoning = (
            None if self.thoughts_in_doubt else repaired(thoughts, unfinished=open_end)
        )
        ids = [_id(call) for call in self.calls]
        calls = tuple(_call(call, ids.count(_id(call))) for call in self.calls)
        facts.calls = None if self.calls_in_doubt else calls
        facts.may_fail |= (
            not facts.done
            or facts.terminal not in _COMPLETE
            or bool(facts.other_terminals)
            or facts.text is None
            or facts.calls is None
            or not (facts.text or calls)
            or (facts.terminal == "tool_calls" and not calls)
            or any(call.name is None or not call.arguments for call in calls)
            or not all(_has_object(call) for call in self.calls)
        )
        return facts


def _call(entry: JsonObject, number_of_same_id: int) -> CallFacts:
    """Read a whole call. The wire has no argument text, unless a look-alike sends one."""
    function = entry["function"]
    name, arguments = function.get("name"), function.get("arguments")
    found: tuple[JsonObject, ...] | None
    if isinstance(arguments, str):
        found = readings([arguments])
    elif arguments is None:
        found = ({},)
    else:
        found = readings([json.dumps(arguments)])
    return CallFacts(
        name=repaired(name) if isinstance(name, str) and name else None,
        id=_id(entry) if number_of_same_id == 1 else None,
        arguments=found,
    )


def _id(entry: JsonObject) -> str | None:
    value = entry.get("id")
    return value if isinstance(value, str) and value.strip() else None


def _has_object(entry: JsonObject) -> bool:
    return isinstance(entry["function"].get("arguments"), dict)


def _parsed(data: bytes) -> Any:
    """Return the JSON value; a byte order mark and bytes that are not UTF-8 do not matter."""
    try:
        return json.loads(data.decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError):
        return _NOT_JSON
