"""Reads the facts of Cohere's chat, version 2, independently of any client. Pure.

Content blocks and tool calls have indexes of their own. The plan before tool calls is reasoning.
Of the two pairs of token counts a client may give either, never a mix.
Source: https://docs.cohere.com/reference/chat-stream.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mockserver.dialects.cohere.call_facts import CallReader
from mockserver.dialects.cohere.citations import cites_text, sources_of
from mockserver.dialects.event_facts import EventReader, json_or_text
from mockserver.dialects.facts import (
    Facts,
    counts,
    is_unusual,
    merge_usage,
    only,
    repaired,
    unread,
)
from mockserver.dialects.failures import failure_of
from mockserver.vocabulary.model import Citation, Json, JsonObject
from mockserver.wire.body import Body, Media
from mockserver.wire.schedule import Schedule

_PAIR: Mapping[str, tuple[str, ...]] = {
    "input_tokens": ("input_tokens",),
    "output_tokens": ("output_tokens",),
}
#: Finish words that are failures, with their families.
_FAILURES: Mapping[str, frozenset[str]] = {
    "ERROR": frozenset({"server", "transport", "protocol"}),
    "TIMEOUT": frozenset({"server", "transport"}),
}
#: The finish words of a complete answer.
_COMPLETE = frozenset({"COMPLETE", "STOP_SEQUENCE", "TOOL_CALL"})
_THINKING, _TEXT = "thinking", "text"
#: Events with content, or the end. Whole answers have no type.
_KNOWN = frozenset(
    {"message-start", "content-start", "content-delta", "content-end", "tool-plan-delta"}
    | {"tool-call-start", "tool-call-delta", "tool-call-end", "citation-start", "message-end"}
)


def read_facts(answers: Sequence[Schedule]) -> Facts:
    """Read the last of several answers. A request that breaks the rules of use has status 498."""
    answer = answers[-1]
    if answer.status >= 400:
        failure = failure_of(answer)
        if answer.status == 498:
            # cohere-ai/cohere-developer-experience#189; the SDK calls it an invalid token.
            failure = replace(failure, families=frozenset({"request", "auth"}))
        return unread(failure)
    facts = read(answer.plain)
    facts.may_fail |= is_unusual(answer)
    return facts


def read(body: Body) -> Facts:
    """Read one body."""
    reader = _Reader()
    if body.media is Media.SSE:
        reader.stream(body)
        reader.end_marker(body)
    elif body.data.strip():
        reader.document(body.data)
    return reader.result()


@dataclass(slots=True)
class _Texts:
    """The texts of one kind, by content index, in the order of their first piece."""

    pieces: dict[Json, list[str]] = field(default_factory=dict)
    last: Json = None
    in_doubt: bool = False

    def add(self, index: Json, piece: Json) -> None:
        if not isinstance(piece, str) or not piece:
            return
        key = index if isinstance(index, int | str) else None
        self.in_doubt |= key in self.pieces and key != self.last
        self.pieces.setdefault(key, []).append(piece)
        self.last = key

    def joined(self, *, unfinished: bool) -> str | None:
        text = "".join(repaired("".join(one)) for one in self.pieces.values())
        if unfinished and text.endswith("\ufffd"):
            text = text[:-1]
        return None if self.in_doubt else text


class _Reader(EventReader):
    def __init__(self) -> None:
        super().__init__()
        self.texts = {_TEXT: _Texts(), _THINKING: _Texts()}
        self.calls = CallReader()
        self.citations: list[Citation] = []
        self.cites_elsewhere = False
        self.ids: list[str] = []
        self.tokens: dict[str, int | None] = {}
        self.billed: dict[str, int | None] = {}

    # --- forms of an answer

    def document(self, body: bytes) -> None:
        """Take a body that is one JSON value."""
        value = json_or_text(body.decode(errors="replace").strip())
        if isinstance(value, dict):
            self.event(value)
            self.facts.done = True
        else:
            self.facts.broken = True

    def event(self, event: JsonObject, _name: str = "") -> bool:
        """Take an event of a stream, or a whole answer; return whether more may follow."""
        if event.get("error") or event.get("type") == "error":
            self.fail(event)
            return False
        if isinstance(kind := event.get("type"), str) and kind not in _KNOWN:
            return True
        if isinstance(answer_id := event.get("id"), str) and answer_id:
            self.ids.append(answer_id)
        delta = _object(event.get("delta"))
        if isinstance(event.get("message"), str) and not delta:
            # The body of an HTTP error, in place of an event.
            self.fail(event)
            return False
        self.message(_object(delta.get("message")), event.get("index"))
        if isinstance(event.get("message"), dict):
            self.whole(event["message"])
        return all(self.end(end) for end in (delta, event))

    # --- content

    def message(self, message: JsonObject, index: Json) -> None:
        """Take the message of a delta: what a whole one has as lists stands alone in it."""
        for block in _objects(message.get("content")):
            self.content(block, index)
        if isinstance(plan := message.get("tool_plan"), str):
            self.texts[_THINKING].add("plan", plan)
        for call in _objects(message.get("tool_calls")):
            self.calls.take(index, call)
        for citation in _objects(message.get("citations")):
            self.cite(citation)

    def whole(self, message: JsonObject) -> None:
        """Take a whole message: its content may be a text."""
        content = message.get("content")
        blocks = [{"text": content}] if isinstance(content, str) else _objects(content)
        for number, block in enumerate(blocks):
            self.content(block, number)
        if isinstance(plan := message.get("tool_plan"), str):
            self.texts[_THINKING].add("plan", plan)
        for number, call in enumerate(_objects(message.get("tool_calls"))):
            self.calls.take(number, call)
        for citation in _objects(message.get("citations")):
            self.cite(citation)

    def content(self, block: JsonObject, index: Json) -> None:
        if block.get("type") in (None, _TEXT, _THINKING):
            for kind, texts in self.texts.items():
                texts.add(index, block.get(kind))

    def cite(self, citation: JsonObject) -> None:
        if cites_text(citation):
            self.citations += sources_of(citation)
        else:
            self.cites_elsewhere = True

    # --- the end

    def end(self, end: JsonObject) -> bool:
        """Take what the end of an answer has; return whether more may follow."""
        self.count(end.get("usage"))
        word = end.get("finish_reason")
        if not isinstance(word, str) or not word:
            return True
        if word in _FAILURES:
            text = end.get("error")
            self.fail({"message": text} if isinstance(text, str) else text)
            if (failure := self.facts.error) is not None:
                codes, families = failure.codes | {word}, failure.families | _FAILURES[word]
                self.facts.error = replace(failure, codes=codes, families=families)
        else:
            self.facts.terminal = word
        return False

    def count(self, usage: Json) -> None:
        if not isinstance(usage, dict):
            return
        merge_usage(self.tokens, counts(usage.get("tokens"), _PAIR))
        merge_usage(self.billed, counts(usage.get("billed_units"), _PAIR))
        cached = {"cache_read_input_tokens": ("cached_tokens",)}
        merge_usage(self.facts.usage, counts(usage, cached))

    def result(self) -> Facts:
        facts = self.facts
        unfinished = not facts.terminal_seen
        facts.text = self.texts[_TEXT].joined(unfinished=unfinished)
        facts.reasoning = self.texts[_THINKING].joined(unfinished=unfinished)
        complete = facts.done if facts.terminal is None else facts.terminal in _COMPLETE
        facts.calls = self.calls.facts(complete=complete)
        facts.citations = None if self.cites_elsewhere else tuple(self.citations)
        facts.response_id = only(self.ids)
        self.pairs()
        facts.may_fail = self.is_questionable()
        return facts

    def pairs(self) -> None:
        """Take both pairs of counts. What one of them lacks is in doubt."""
        pairs = [pair for pair in (self.tokens, self.billed) if pair]
        for name in _PAIR:
            if any(name in pair for pair in pairs):
                first, *others = (pair.get(name) for pair in pairs)
                self.facts.usage[name] = None if None in others else first
                self.facts.other_usage[name] = frozenset(c for c in others if c is not None)

    def is_questionable(self) -> bool:
        """Return whether a careful client may fail the turn, whatever its finish reason is."""
        facts = self.facts
        calls = facts.calls or ()
        return (
            facts.terminal not in _COMPLETE
            or facts.text is None
            or facts.calls is None
            or not (facts.text or calls)
            or (facts.terminal == "TOOL_CALL") != bool(calls)
            or any(call.name is None or call.raw is None for call in calls)
        )


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _objects(value: Json) -> list[JsonObject]:
    """Return the objects of a list, or one alone."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]
