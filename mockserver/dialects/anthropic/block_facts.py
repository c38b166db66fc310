"""Reads the content blocks of a Messages wire. Pure.

A delta belongs to the block of its index. Where careful clients may differ, nothing is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from mockserver.dialects.anthropic.blocks import neutral_citation
from mockserver.dialects.arguments import is_one_object, readings
from mockserver.dialects.facts import CallFacts, Facts, repaired
from mockserver.vocabulary.model import Citation, Json, JsonObject

#: The text in a delta, by its type.
_TEXTS: Mapping[str, str] = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
    "input_json_delta": "partial_json",
}
#: Fields of a block that deltas continue.
_GROWING = ("text", "thinking", "signature")


@dataclass(slots=True)
class _Block:
    index: int
    start: JsonObject
    #: Pieces by the name of their field.
    pieces: dict[str, list[str]] = field(default_factory=dict)
    citations: list[Json] = field(default_factory=list)
    stopped: bool = False

    @property
    def kind(self) -> Json:
        return self.start.get("type")

    def text(self, name: str) -> str:
        return "".join(self.pieces.get(name, ()))


class BlockReader:
    """Collects the blocks of one answer, streamed or whole."""

    def __init__(self) -> None:
        self.is_odd = False
        self._in_doubt = False
        self._cites_in_doubt = False
        self._blocks: list[_Block] = []
        self._by_index: dict[int, _Block] = {}

    def start(self, index: Json, start: Json) -> None:
        """Open a block."""
        if not _has_type(start) or not _is_index(index) or self._find(index) is not None:
            self._in_doubt = True
            return
        block = _Block(index, start)
        for name in _GROWING:
            self._add(block, name, start.get(name))
        block.citations += _list(start.get("citations"))
        self._blocks.append(block)
        self._by_index[block.index] = block

    def delta(self, index: Json, delta: Json) -> None:
        """Add a piece to its block. Unknown types of deltas are skipped."""
        if not isinstance(delta, dict):
            self._in_doubt = True
            return
        kind = delta.get("type")
        name = _TEXTS.get(kind) if isinstance(kind, str) else None
        block = self._find(index)
        if block is None:
            self._in_doubt |= name is not None
            self._cites_in_doubt |= kind == "citations_delta"
            return
        self.is_odd |= block.stopped
        if kind == "citations_delta":
            block.citations.append(delta.get("citation"))
        elif name is not None:
            self._add(block, name, delta.get(name))

    def doubt(self) -> None:
        """Say nothing: a part of the answer may be read in two ways."""
        self._in_doubt = True

    def stop(self, index: Json) -> None:
        """Close a block."""
        block = self._find(index)
        if block is not None:
            block.stopped = True

    def whole(self, content: Iterable[Json]) -> None:
        """Take the content of a whole message."""
        for index, block in enumerate(content):
            self.start(index, block)
            self.stop(index)

    def fill(self, facts: Facts, *, complete: bool, unfinished: bool) -> None:
        """Write what was collected.

        ``complete``: the model was not stopped, so a call without arguments has none;
        ``unfinished``: more was to come.
        """
        self.is_odd |= any(not block.stopped for block in self._blocks) or self._is_out_of_order()
        facts.text = self._joined("text", "text", unfinished=unfinished)
        facts.reasoning = self._joined("thinking", "thinking", unfinished=unfinished)
        calls = [block for block in self._blocks if block.kind == "tool_use"]
        # A call without a name may be left out.
        if self._in_doubt or not all(_has_name(block) for block in calls):
            facts.calls = None
            return
        given = (block.start.get("id") for block in calls)
        ids = Counter(call_id for call_id in given if isinstance(call_id, str))
        facts.calls = tuple(_call(block, ids, complete=complete) for block in calls)
        facts.signatures = self._signatures()
        facts.citations = self._citations()

    def _add(self, block: _Block, name: str, piece: Json) -> None:
        if piece is not None and not isinstance(piece, str):
            self._in_doubt = True
        elif piece:
            block.pieces.setdefault(name, []).append(piece)

    def _find(self, index: Json) -> _Block | None:
        return self._by_index.get(index) if _is_index(index) else None

    def _is_out_of_order(self) -> bool:
        indexes = [block.index for block in self._blocks]
        return indexes != list(range(len(indexes)))

    def _joined(self, kind: str, name: str, *, unfinished: bool) -> str | None:
        if self._in_doubt:
            return None
        blocks = [block for block in self._blocks if block.kind == kind]
        text = "".join(block.text(name) for block in blocks)
        by_index = sorted(blocks, key=lambda block: block.index)
        if text != "".join(block.text(name) for block in by_index):
            return None
        return repaired(text, unfinished=unfinished)

    def _signatures(self) -> tuple[str, ...] | None:
        """Return what must go back with thinking; ``None`` if a signature came in pieces.

        The official SDK keeps the last piece of one.
        """
        found: list[Json] = []
        for block in self._blocks:
            if block.kind == "thinking":
                if len(block.pieces.get("signature", ())) > 1:
                    return None
                found.append(block.text("signature"))
            elif block.kind == "redacted_thinking":
                found.append(block.start.get("data"))
        texts = (repaired(one) for one in found if isinstance(one, str) and one)
        return tuple(dict.fromkeys(texts))

    def _citations(self) -> tuple[Citation, ...] | None:
        cited = [
            citation
            for block in self._blocks
            if block.kind == "text"
            for citation in block.citations
            if citation is not None
        ]
        if self._cites_in_doubt or any(not _is_plain_source(citation) for citation in cited):
            return None
        found = [neutral_citation(citation) for citation in cited]
        return tuple(dict.fromkeys(citation for citation in found if citation is not None))


def _call(block: _Block, ids: Mapping[str, int], *, complete: bool) -> CallFacts:
    call_id, given = block.start.get("id"), block.start.get("input")
    pieces = block.pieces.get("partial_json", [])
    arguments: tuple[JsonObject, ...] | None = None
    if pieces or not given:
        arguments = readings(pieces, complete=complete)
    elif isinstance(given, dict):
        arguments = (given,)
    text = repaired("".join(pieces))
    return CallFacts(
        name=repaired(block.start["name"]),
        id=_own_id(call_id, ids),
        arguments=arguments,
        raw=text if is_one_object(text) else None,
    )


def _own_id(call_id: Json, ids: Mapping[str, int]) -> str | None:
    """Return the id of a call; ``None`` if another call has the same. ``ids`` counts all."""
    is_own = isinstance(call_id, str) and call_id and ids[call_id] == 1
    return repaired(call_id) if is_own else None


def _has_name(block: _Block) -> bool:
    name = block.start.get("name")
    return isinstance(name, str) and bool(name)


def _is_plain_source(citation: Json) -> bool:
    """Return whether all clients take the same for the address of a source."""
    return isinstance(citation, dict) and not citation.get("source")


def _has_type(block: Any) -> TypeGuard[JsonObject]:
    return isinstance(block, dict) and isinstance(block.get("type"), str) and block["type"] != ""


def _is_index(index: Any) -> TypeGuard[int]:
    return isinstance(index, int) and not isinstance(index, bool)


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
