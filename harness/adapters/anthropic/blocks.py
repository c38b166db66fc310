"""Turns the content blocks of the Messages API into normalized events. Pure.

A delta belongs to the block of its ``index``. Blocks usually follow each other, but may
interleave. What a start holds counts as the first piece, except for the input of a tool, which
counts only if no pieces follow. A block that was never stopped ends with the answer.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from harness.adapters.chat.arguments import is_empty, read_arguments
from harness.adapters.chat.tool_calls import CallStarts, call_error
from harness.adapters.common.failures import failure
from harness.adapters.common.surrogates import SurrogateJoiner, fix_surrogates, fix_surrogates_in
from mockserver.vocabulary import (
    Citation,
    ContentDelta,
    ErrorClass,
    ErrorInfo,
    Event,
    HostedToolEvent,
    Json,
    JsonObject,
    ReasoningDelta,
    ReasoningSignature,
    SendBack,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)

#: The field with the text of a delta, by its type.
_PIECES: Mapping[str, str] = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
    "input_json_delta": "partial_json",
}
#: The block that a delta belongs to where its start is missing.
_IMPLIED: Mapping[str, str] = {"text_delta": "text", "thinking_delta": "thinking"}
#: Fields of a call that must go back with it.
_CALL_FIELDS = ("caller", "toolset_name")


@dataclass(slots=True)
class _Block:
    number: int
    kind: str
    start: JsonObject
    call: ToolCallStart | None = None
    joiner: SurrogateJoiner = field(default_factory=SurrogateJoiner)
    signature: str = ""
    citations: list[Json] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    is_whole: bool = True
    stopped: bool = False
    ended: bool = False

    @property
    def raw(self) -> str:
        """The text of the input so far."""
        return "".join(self.pieces)


class Blocks:
    """The blocks of one answer.

    ``error`` is set if the answer cannot go on. ``calls`` is the number of tool calls.
    """

    def __init__(self, taken_ids: Collection[str] = ()) -> None:
        self.error: ErrorInfo | None = None
        self.has_content = False
        self.has_text = False
        self._starts = CallStarts(taken_ids)
        self._blocks: list[_Block] = []
        self._by_index: dict[int, _Block] = {}
        self._skipped: set[int | None] = set()
        self._numbers: set[int] = set()
        self._next_number = 0
        #: The place of each block with text among them, by its number.
        self._texts: dict[int, int] = {}
        self._problems: list[tuple[str, str]] = []

    @property
    def calls(self) -> int:
        """The number of tool calls."""
        return len(self._starts)

    def take_problems(self) -> list[tuple[str, str]]:
        """Return what was wrong since the last time, as code and message of a warning."""
        problems, self._problems = self._problems, []
        return problems

    def whole(self, start: Json) -> Iterator[Event]:
        """Take a complete block."""
        index = len(self._blocks)
        yield from self.start(index, start)
        yield from self.stop(index)

    def start(self, index: Json, start: Json) -> Iterator[Event]:
        """Open a block."""
        if not isinstance(start, Mapping) or not _text(start.get("type")):
            self._problems.append(("block_without_type", "a content block has no type"))
            self._skipped.add(index if _is_index(index) else None)
            return
        block = self._open(index, start["type"], dict(start))
        match block.kind:
            case "text":
                yield from self._piece(block, "text_delta", start)
                cited = start.get("citations")
                for citation in cited if isinstance(cited, list) else ():
                    yield from self._cite(block, citation)
            case "thinking":
                yield from self._piece(block, "thinking_delta", start)
                yield from self._piece(block, "signature_delta", start)
            case "redacted_thinking":
                if data := _text(start.get("data")):
                    self.has_content = True
                    yield ReasoningSignature(redacted_data=data, index=block.number)
            case "tool_use":
                self.has_content = True
                if name := _text(start.get("name")):
                    block.call = self._starts.start(_text(start.get("id")), name)
                    yield block.call
            case _:
                self.has_content = True

    def delta(self, index: Json, delta: Json) -> Iterator[Event]:
        """Add a piece to a block. Deltas of unknown types are skipped."""
        if not isinstance(delta, Mapping):
            self._problems.append(("delta_without_type", "a delta of a block is no object"))
            return
        kind = delta.get("type")
        kind = kind if isinstance(kind, str) else ""
        block = self._find(index)
        if block is None:
            if kind not in _IMPLIED:
                is_skipped = (index if _is_index(index) else None) in self._skipped
                if kind in _PIECES and not is_skipped:
                    self._fail(f"a {kind} has no block with the index {index!r:.20}")
                return
            self._problems.append(("block_without_start", "a delta has no start of its block"))
            block = self._open(index, _IMPLIED[kind], {})
        if kind == "citations_delta":
            yield from self._cite(block, delta.get("citation"))
        elif kind == "compaction_delta":
            block.start |= {n: v for n, v in delta.items() if n != "type" and v is not None}
        elif kind in _PIECES:
            yield from self._piece(block, kind, delta)
        else:
            block.is_whole = False

    def stop(self, index: Json) -> Iterator[Event]:
        """Close a block. A call whose input is no object may be one that was cut short."""
        block = self._find(index)
        if block is None or block.stopped:
            return
        block.stopped = True
        if not self._may_be_cut(block):
            yield from self._end(block)

    def close(self, *, incomplete: bool) -> Iterator[Event]:
        """Close what is open at the end; ``incomplete``: the model was stopped before its end."""
        for block in self._blocks:
            is_last = block is self._blocks[-1]
            if self._may_be_cut(block):
                if not (incomplete and is_last):
                    yield from self._end(block)
            elif not block.stopped:
                yield from self._end(block)
            block.stopped = True
            if block.kind == "tool_use" and not block.ended and not incomplete:
                number = None if block.call is None else block.call.tool_call_index
                name = "" if block.call is None else block.call.tool_name
                self.error = self.error or call_error(number, name, block.raw)

    def _may_be_cut(self, block: _Block) -> bool:
        """Return whether a call has no input yet: without arguments, or stopped before them."""
        return block.kind == "tool_use" and not block.raw.strip() and not block.start.get("input")

    def _open(self, index: Json, kind: str, start: JsonObject) -> _Block:
        is_free = _is_index(index) and index not in self._numbers
        block = _Block(index if is_free else self._next_number, kind, start)
        self._blocks.append(block)
        self._numbers.add(block.number)
        self._next_number = max(self._next_number, block.number + 1)
        self._by_index[index if _is_index(index) else block.number] = block
        return block

    def _find(self, index: Json) -> _Block | None:
        if _is_index(index):
            return self._by_index.get(index)
        return self._blocks[-1] if self._blocks else None

    def _piece(self, block: _Block, kind: str, data: Mapping[str, Json]) -> Iterator[Event]:
        piece = data.get(_PIECES[kind])
        if piece is not None and not isinstance(piece, str):
            self._fail(f"the {_PIECES[kind]} of a {kind} is not text")
        if not piece or self.error:
            return
        match kind:
            case "text_delta":
                if text := block.joiner.feed(piece):
                    self._has_text(block)
                    yield ContentDelta(delta=text, index=block.number)
            case "thinking_delta":
                if text := block.joiner.feed(piece):
                    self.has_content = True
                    yield ReasoningDelta(delta=text, channel="text", index=block.number)
            case "signature_delta":
                block.signature += fix_surrogates(piece)
            case _:
                yield from self._input(block, piece)

    def _input(self, block: _Block, piece: str) -> Iterator[Event]:
        if block.ended:
            self._fail("the input of a tool goes on after the end of its block")
            return
        block.pieces.append(piece)
        if block.call is not None and (text := block.joiner.feed(piece)):
            number = block.call.tool_call_index
            yield ToolCallDelta(tool_call_index=number, arguments_delta=text)

    def _cite(self, block: _Block, citation: Json) -> Iterator[Event]:
        if block.kind != "text" or not isinstance(citation, Mapping):
            return
        native = fix_surrogates_in(dict(citation))
        block.citations.append(native)
        self._has_text(block)
        yield Citation(
            # A search result has its address in ``source``.
            url=_first_text(native, "url", "source"),
            title=_first_text(native, "title", "document_title"),
            index=block.number,
            native=(native,),
        )

    def _has_text(self, block: _Block) -> None:
        self.has_content = self.has_text = True
        self._texts.setdefault(block.number, len(self._texts))

    def _end(self, block: _Block) -> Iterator[Event]:
        match block.kind:
            case "text":
                if rest := block.joiner.close():
                    self._has_text(block)
                    yield ContentDelta(delta=rest, index=block.number)
                if block.citations:
                    # They go back with their text, which is known by its number.
                    number = str(self._texts[block.number])
                    yield SendBack(fields={"citations": {number: block.citations}})
            case "thinking":
                if rest := block.joiner.close():
                    yield ReasoningDelta(delta=rest, channel="text", index=block.number)
                if block.signature:
                    self.has_content = True
                    yield ReasoningSignature(signature=block.signature, index=block.number)
            case "tool_use":
                yield from self._end_call(block)
            case "redacted_thinking":
                pass
            case _:
                yield from self._hosted(block)

    def _end_call(self, block: _Block) -> Iterator[Event]:
        if block.call is None:
            return
        number = block.call.tool_call_index
        given = block.start.get("input")
        if not block.raw.strip() and isinstance(given, Mapping) and given:
            text = json.dumps(fix_surrogates_in(given), ensure_ascii=False, separators=(",", ":"))
            block.pieces = [text]
            yield ToolCallDelta(tool_call_index=number, arguments_delta=text)
        elif rest := block.joiner.close():
            yield ToolCallDelta(tool_call_index=number, arguments_delta=rest)
        raw = fix_surrogates(block.raw)
        arguments = read_arguments(raw)
        if arguments is None:
            return
        block.ended = True
        back = {n: block.start[n] for n in _CALL_FIELDS if block.start.get(n) is not None}
        yield ToolCallEnd(
            tool_call_index=number,
            arguments=arguments,
            arguments_raw="{}" if is_empty(raw) else raw,
            send_back=fix_surrogates_in(back) or None,
        )

    def _hosted(self, block: _Block) -> Iterator[Event]:
        """Yield a block of the provider's own tools as it goes back, if it came whole."""
        native = fix_surrogates_in(block.start)
        if block.raw.strip():
            native["input"] = read_arguments(fix_surrogates(block.raw))
        if not block.is_whole or ("input" in native and not isinstance(native["input"], dict)):
            message = f"a {block.kind[:50]} block cannot go back: its deltas are not understood"
            self._problems.append(("block_incomplete", message))
            return
        yield HostedToolEvent(kind=fix_surrogates(block.kind), native=(native,))

    def _fail(self, message: str) -> None:
        self.error = self.error or failure(ErrorClass.PROTOCOL, message)


def _is_index(index: Json) -> bool:
    return isinstance(index, int) and not isinstance(index, bool) and index >= 0


def _text(value: Json) -> str:
    return fix_surrogates(value) if isinstance(value, str) else ""


def _first_text(data: Mapping[str, Json], *names: str) -> str | None:
    return next((text for name in names if (text := _text(data.get(name)))), None)
