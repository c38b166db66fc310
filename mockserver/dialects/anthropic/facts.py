"""Reads the facts of a Messages wire, streamed or not.

The counts of the wire leave cached input out of ``input_tokens``; here it is inside, as in
OpenTelemetry's conventions, and the count of the wire is as right.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from mockserver.dialects.anthropic.block_facts import BlockReader
from mockserver.dialects.event_facts import EventReader
from mockserver.dialects.facts import Facts, counts, merge_usage, only, repaired
from mockserver.vocabulary.model import Json, JsonObject
from mockserver.wire.body import Body, Media

_USAGE: Mapping[str, tuple[str, ...]] = {
    "input_tokens": ("input_tokens",),
    "output_tokens": ("output_tokens",),
    "cache_read_input_tokens": ("cache_read_input_tokens",),
    "cache_creation_input_tokens": ("cache_creation_input_tokens",),
    "reasoning_tokens": ("output_tokens_details", "thinking_tokens"),
}
_CACHES = ("cache_read_input_tokens", "cache_creation_input_tokens")
#: The events that hold a part of the answer.
_CONTENT = frozenset(
    {"message_start", "content_block_start", "content_block_delta", "message_delta"}
)
#: The stop reasons of a complete answer.
_COMPLETE = frozenset({"end_turn", "stop_sequence", "tool_use"})


def read(body: Body) -> Facts:
    """Read the facts of one answer."""
    reader = _FactsReader()
    if body.media is Media.SSE:
        reader.stream(body)
    elif body.data.strip():
        reader.document(body.data)
    return reader.all()


class _FactsReader(EventReader):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = BlockReader()
        self.ids: list[str] = []
        self.models: list[str] = []
        self.words: list[str] = []
        self.started = 0
        self.restarted = False
        self.is_odd = False
        self.untyped = False

    def event(self, event: JsonObject, name: str) -> bool:
        """Take one event; return false if it is the last one that counts."""
        kind = event.get("type")
        if not isinstance(kind, str):
            # Some clients go by the name of the event.
            self.is_odd = True
            self.untyped |= name in _CONTENT
            kind = name
        if kind == "error" or (event.get("error") and kind != "message_start"):
            self.fail(event)
            return False
        match kind:
            case "message_start":
                self.start(event.get("message"))
            case "content_block_start":
                self.blocks.start(event.get("index"), event.get("content_block"))
                self.is_odd |= bool(self.words)
            case "content_block_delta":
                self.blocks.delta(event.get("index"), event.get("delta"))
                self.is_odd |= bool(self.words)
            case "content_block_stop":
                self.blocks.stop(event.get("index"))
            case "message_delta":
                self.usage(event.get("usage"))
                self.reason(event.get("delta"))
            case "message_stop":
                self.facts.done = True
                return False
        return True

    def start(self, message: Json) -> None:
        self.started += 1
        self.is_odd |= self.started > 1
        if not isinstance(message, dict):
            self.is_odd = True
            return
        new_id = message.get("id")
        if self.started > 1 and new_id not in self.ids:
            # Another answer: what came before may be dropped or kept.
            self.restarted = True
        self.head(message)
        self.usage(message.get("usage"))
        self.reason(message)
        if message.get("content"):
            self.restarted = True

    def head(self, message: JsonObject) -> None:
        for values, value in ((self.ids, message.get("id")), (self.models, message.get("model"))):
            if isinstance(value, str) and value:
                values.append(repaired(value))

    def usage(self, usage: Json) -> None:
        merge_usage(self.facts.usage, counts(usage, _USAGE))

    def reason(self, data: Json) -> None:
        word = data.get("stop_reason") if isinstance(data, dict) else None
        if isinstance(word, str) and word not in ("", "null"):
            self.words.append(word)

    def document(self, body: bytes) -> None:
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            self.facts.broken = True
            return
        content = message.get("content") if isinstance(message, dict) else None
        is_message = isinstance(message, dict) and not message.get("error")
        if is_message and message.get("type") == "message" and not isinstance(content, list):
            # It is no error, but an answer that some clients do not take.
            self.reason(message)
            self.blocks.doubt()
            self.facts.done = True
            return
        if not is_message or not isinstance(content, list):
            self.fail(message)
            return
        self.head(message)
        self.usage(message.get("usage"))
        self.reason(message)
        self.blocks.whole(content)
        self.facts.done = True

    def all(self) -> Facts:
        facts = self.facts
        facts.response_id, facts.model = only(self.ids), only(self.models)
        if self.words:
            facts.terminal, *others = dict.fromkeys(self.words)
            facts.other_terminals = tuple(others)
        self.blocks.fill(
            facts,
            complete=facts.done if facts.terminal is None else facts.terminal in _COMPLETE,
            unfinished=not facts.terminal_seen,
        )
        if self.untyped:
            facts.response_id = facts.model = None
        if self.restarted or self.untyped:
            facts.text = facts.reasoning = facts.calls = None
            facts.signatures = facts.citations = None
            facts.usage = dict.fromkeys(_USAGE)
        _add_cached(facts)
        facts.may_fail = self.is_questionable()
        return facts

    def is_questionable(self) -> bool:
        """Return whether a careful client may fail the turn, whatever its stop reason is."""
        facts = self.facts
        calls = facts.calls or ()
        return (
            self.is_odd
            or self.blocks.is_odd
            or not facts.done
            or facts.terminal not in _COMPLETE
            or bool(facts.other_terminals)
            or facts.text is None
            or facts.calls is None
            or not (facts.text or calls)
            or (facts.terminal == "tool_use" and not calls)
            or any(len(call.arguments or ()) != 1 for call in calls)
        )


def _add_cached(facts: Facts) -> None:
    """Count cached input as input; the count without it may be given too."""
    plain = facts.usage.get("input_tokens")
    caches = [facts.usage[name] for name in _CACHES if name in facts.usage]
    if plain is None or not caches:
        return
    known = [count for count in caches if count is not None]
    # A cache of which the count is in doubt leaves the sum in doubt too.
    total = plain + sum(known) if len(known) == len(caches) else None
    facts.usage["input_tokens"] = total
    facts.other_usage["input_tokens"] = frozenset({plain})
