"""What a dialect can say of a neutral turn. Pure.

A dialect lists what it has words for. :func:`fit` reduces a turn to that and names what is lost, so
that nothing is lost silently when a turn is written in another dialect.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any, TypeVar

from mockserver.vocabulary.model import (
    PART_TYPES,
    AssistantTurn,
    Citation,
    FinishReason,
    HostedToolPart,
    ImagePart,
    Part,
    ReasoningPart,
    RefusalPart,
    SendBackPart,
    Status,
    TextPart,
    ToolCallPart,
    Usage,
)

#: Usage fields, in the order in which they are named.
_COUNTS = (
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "reasoning_tokens",
)
#: Fields of a reasoning part that must go back unchanged.
_SEALS = ("signature", "encrypted_content", "redacted_data")
_Signed = TypeVar("_Signed", TextPart, ImagePart)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What an answer of a dialect can hold.

    ``words`` are the finish words it is written with; a reason without one is written as ``stop``.
    ``parts`` are the kinds of parts that it has. ``order`` is the order of parts that it always
    has, each kind but tool calls joined to one part; empty where it keeps the order of a turn.
    ``channel`` is the channel of its reasoning, ``channels`` are others that it has too, ``seals``
    are the fields that reasoning keeps beside its text. ``urls_only`` says that citations without
    a URL cannot be said. ``call_ids``, ``call_text`` and ``call_signatures`` say that a call keeps
    its id, its argument text as it is, its signature; ``text_signatures`` that texts and images
    keep theirs. ``neighbours`` that two texts of one kind that follow one another stay two, even
    if neither has a signature. ``usage`` are the counts that it has. ``stop_word`` is the finish
    word of an answer that ends at a stop sequence of the call, where that is not ``stop``.
    """

    words: Mapping[FinishReason, str]
    parts: frozenset[type[Part]] = frozenset({TextPart, ToolCallPart})
    order: tuple[type[Part], ...] = ()
    channel: str = "text"
    channels: frozenset[str] = frozenset()
    seals: frozenset[str] = frozenset()
    call_ids: bool = True
    call_text: bool = True
    call_signatures: bool = False
    text_signatures: bool = False
    neighbours: bool = True
    citations: bool = False
    urls_only: bool = False
    phases: bool = False
    omitted: bool = False
    response_id: bool = True
    model: bool = True
    usage: frozenset[str] = frozenset(_COUNTS[:3])
    stop_word: str | None = None

    @property
    def lacks(self) -> tuple[str, ...]:
        """What a turn can have and an answer cannot, in words for people."""
        return tuple(name for name, has in self._things() if not has)

    def _things(self) -> Iterator[tuple[str, bool]]:
        for kind in PART_TYPES.values():
            yield kind.type, kind in self.parts
        for seal in _SEALS:
            yield seal, seal in self.seals
        yield "omitted reasoning", self.omitted
        yield "call ids", self.call_ids
        yield "argument text", self.call_text
        yield "call signatures", self.call_signatures
        yield "citations", self.citations
        yield "phases", self.phases
        yield "order of parts", not self.order
        yield "response_id", self.response_id
        yield "model", self.model
        for count in _COUNTS:
            yield count, count in self.usage
        for reason in FinishReason:
            yield f"finish {reason}", reason in self.words or reason is FinishReason.UNKNOWN


@dataclass(frozen=True, slots=True)
class Fitted:
    """A turn as a dialect can say it, and what it cannot, in words for people."""

    turn: AssistantTurn
    lost: tuple[str, ...] = ()


@dataclass(slots=True)
class _Fitting:
    capacity: Capacity
    lost: list[str] = field(default_factory=list)

    def lose(self, what: str) -> None:
        if what not in self.lost:
            self.lost.append(what)

    def parts(self, parts: tuple[Part, ...]) -> Iterator[Part]:
        calls = 0
        for number, part in enumerate(parts):
            if type(part) not in self.capacity.parts:
                self.lose(f"part {number} ({part.type})")
                continue
            match part:
                case TextPart():
                    yield self.signed(self.text(part, number), number)
                case ImagePart():
                    yield self.signed(part, number)
                case ReasoningPart():
                    yield from self.reasoning(part, number)
                case ToolCallPart():
                    yield self.call(part, number, calls)
                    calls += 1
                case _:
                    yield part

    def text(self, part: TextPart, number: int) -> TextPart:
        if part.citations and not self.capacity.citations:
            self.lose(f"the citations of part {number} (text)")
            part = replace(part, citations=())
        cited = tuple(c for c in part.citations if c.url or not self.capacity.urls_only)
        if cited != part.citations:
            self.lose(f"the citations without a URL of part {number} (text)")
            part = replace(part, citations=cited)
        if part.phase is not None and not self.capacity.phases:
            self.lose(f"the phase of part {number} (text)")
            part = replace(part, phase=None)
        return part

    def signed(self, part: _Signed, number: int) -> _Signed:
        if part.thought_signature is None or self.capacity.text_signatures:
            return part
        self.lose(f"the signature of part {number} ({part.type})")
        return replace(part, thought_signature=None)

    def reasoning(self, part: ReasoningPart, number: int) -> Iterator[ReasoningPart]:
        for name in _SEALS:
            if getattr(part, name) is not None and name not in self.capacity.seals:
                self.lose(f"the {name} of part {number} (reasoning)")
                fields: dict[str, Any] = {name: None}
                part = replace(part, **fields)
        if part.omitted and not self.capacity.omitted:
            self.lose(f"that part {number} (reasoning) was omitted")
            part = replace(part, omitted=False)
        if part.channel not in (self.capacity.channel, *self.capacity.channels):
            if part.text:
                self.lose(f"the channel {part.channel} of part {number} (reasoning)")
            part = replace(part, channel=self.capacity.channel)
        if part.text or part.omitted or any(getattr(part, name) for name in _SEALS):
            yield part

    def call(self, part: ToolCallPart, number: int, call: int) -> ToolCallPart:
        if not self.capacity.call_ids and not part.id_synthesized:
            self.lose(f"the id of part {number} (tool_call)")
        if not self.capacity.call_ids:
            part = replace(part, id=f"call_{call}", id_synthesized=True)
        if part.thought_signature is not None and not self.capacity.call_signatures:
            self.lose(f"the signature of part {number} (tool_call)")
            part = replace(part, thought_signature=None)
        if part.send_back is not None:
            self.lose(f"provider's own fields of part {number} (tool_call)")
            part = replace(part, send_back=None)
        if not self.capacity.call_text and part.arguments is not None:
            plain = json.dumps(part.arguments, ensure_ascii=False, separators=(",", ":"))
            part = replace(part, arguments_raw=plain)
        return part

    def ordered(self, parts: list[Part]) -> tuple[Part, ...]:
        if not self.capacity.neighbours:
            parts = self.apart(parts)
        if not self.capacity.order:
            return tuple(parts)
        found: list[Part] = []
        for kind in self.capacity.order:
            same = [part for part in parts if type(part) is kind]
            found += same if kind is ToolCallPart else _joined(same)
        if [type(p) for p in found] != [type(p) for p in parts]:
            self.lose("the order of the parts")
        return tuple(found)

    def apart(self, parts: list[Part]) -> list[Part]:
        """Join neighbouring texts without signatures."""
        found: list[Part] = []
        for part in parts:
            if found and _is_plain(part) and _is_plain(found[-1]) and type(part) is type(found[-1]):
                self.lose(f"that two neighbouring parts ({part.type}) are apart")
                found[-1:] = _joined([found[-1], part])
            else:
                found.append(part)
        return found

    def usage(self, usage: Usage | None) -> Usage | None:
        if usage is None:
            return None
        for name in _COUNTS:
            if getattr(usage, name) is not None and name not in self.capacity.usage:
                if name != "total_tokens" or not _adds_up(usage):
                    self.lose(f"usage.{name}")
                fields: dict[str, Any] = {name: None}
                usage = replace(usage, **fields)
        return None if usage == Usage() else usage


def fit(turn: AssistantTurn, capacity: Capacity) -> Fitted:
    """Reduce a turn to what a dialect can say."""
    fitting = _Fitting(capacity)
    if turn.response_id is not None and not capacity.response_id:
        fitting.lose("response_id")
        turn = replace(turn, response_id=None)
    if turn.model is not None and not capacity.model:
        fitting.lose("model")
        turn = replace(turn, model=None)
    if (reason := turn.finish_reason) is not None and reason not in capacity.words:
        fitting.lose(f"finish_reason {reason}")
        turn = replace(turn, finish_reason=FinishReason.STOP)
        if turn.status is Status.INCOMPLETE:
            turn = replace(turn, status=Status.COMPLETED)
    word = None if turn.finish_reason is None else capacity.words[turn.finish_reason]
    if turn.finish_reason is FinishReason.STOP and turn.raw_finish_reason is not None:
        word = turn.raw_finish_reason if turn.raw_finish_reason == capacity.stop_word else word
    turn = replace(
        turn,
        raw_finish_reason=word,
        parts=fitting.ordered(list(fitting.parts(turn.parts))),
        usage=fitting.usage(turn.usage),
    )
    return Fitted(turn, tuple(fitting.lost))


def _adds_up(usage: Usage) -> bool:
    """Return whether the total says no more than the counts that it is made of."""
    known = (usage.input_tokens, usage.output_tokens)
    return usage.total_tokens == sum(count or 0 for count in known)


def _is_plain(part: Part) -> bool:
    match part:
        case TextPart():
            return part.thought_signature is None and part.phase is None
        case ReasoningPart():
            return not part.omitted and all(getattr(part, name) is None for name in _SEALS)
    return False


def _moved(citation: Citation, offset: int) -> Citation:
    """Return a citation of a text that is behind ``offset`` characters now."""
    start, end = citation.start, citation.end
    return replace(
        citation,
        start=None if start is None else start + offset,
        end=None if end is None else end + offset,
    )


def _joined(parts: list[Part]) -> list[Part]:
    """Join parts of one kind to one; those that cannot be joined stay apart."""
    if len(parts) < 2:
        return parts
    match parts[0]:
        case TextPart() as first:
            texts = [p for p in parts if isinstance(p, TextPart)]
            offsets = accumulate((len(p.text) for p in texts), initial=0)
            cited = tuple(
                _moved(c, offset)
                for p, offset in zip(texts, offsets, strict=False)
                for c in p.citations
            )
            return [replace(first, text="".join(p.text for p in texts), citations=cited)]
        case ReasoningPart() as first:
            thoughts = [p for p in parts if isinstance(p, ReasoningPart)]
            return [replace(first, text="".join(p.text for p in thoughts))]
        case RefusalPart() as first:
            refusals = [p for p in parts if isinstance(p, RefusalPart)]
            return [replace(first, refusal="".join(p.refusal for p in refusals))]
        case ImagePart() | SendBackPart() | HostedToolPart():
            return parts
    return parts
