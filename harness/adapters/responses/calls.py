"""Assembles the tool calls of a Responses answer from its events. Pure.

A custom tool takes free text where a function takes JSON. Its text becomes the one argument
``input``, so that every call has an object for arguments.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from harness.adapters.chat.arguments import Arguments, is_empty, read_arguments
from harness.adapters.chat.tool_calls import CallStarts, call_error
from harness.adapters.common.surrogates import SurrogateJoiner, fix_surrogates
from mockserver.vocabulary import ErrorInfo, Event, Json, ToolCallDelta, ToolCallEnd, WarningEvent

_CUSTOM_OPEN, _CUSTOM_CLOSE = '{"input":"', '"}'


def text_of(value: Json) -> str:
    """Return ``value`` without lone surrogates if it is a string, else an empty string."""
    return fix_surrogates(value) if isinstance(value, str) else ""


def remainder(emitted: str, whole: str) -> str:
    """Return the part of ``whole`` after ``emitted``; empty if it does not begin with that."""
    return whole[len(emitted) :] if whole.startswith(emitted) else ""


@dataclass(slots=True)
class Call:
    """One call. ``wire`` is the text from the provider, ``raw`` the argument JSON made of it."""

    custom: bool
    number: int | None = None
    name: str = ""
    call_id: str = ""
    wire: Arguments = field(default_factory=Arguments)
    raw: str = ""
    ended: bool = False
    pending: list[str] = field(default_factory=list)
    joiner: SurrogateJoiner = field(default_factory=SurrogateJoiner)

    def fill_from(self, item: Mapping[str, Json]) -> None:
        """Take name and id from the item if they are unknown."""
        self.name = self.name or text_of(item.get("name"))
        self.call_id = self.call_id or text_of(item.get("call_id"))

    def take(self, piece: str) -> None:
        """Take a piece of the provider's text."""
        piece = self.joiner.feed(piece)
        self._append(self.wire.append(piece) if self.custom else self.wire.feed(piece))

    def take_complete(self, text: Json) -> None:
        """Take the provider's complete text, and of it what is new."""
        if text is not None and not isinstance(text, str):
            text = json.dumps(text, ensure_ascii=False, separators=(",", ":"))
        if not text:
            return
        text = fix_surrogates(text)
        self._append(self.wire.close(text))
        if rest := remainder(self.wire.raw, text):
            self.joiner = SurrogateJoiner()
            self._append(self.wire.append(self.joiner.feed(rest)))

    def finish(self, text: Json) -> WarningEvent | None:
        """Take the final text; return a warning if it contradicts the pieces already emitted."""
        self.take_complete(text)
        self.take(self.joiner.close())
        self._append(self.wire.close())
        if self.custom:
            self._emit(_CUSTOM_CLOSE if self.raw else _CUSTOM_OPEN + _CUSTOM_CLOSE)
            return None
        whole = text_of(text).strip()
        final_arguments = read_arguments(whole) if whole else None
        if final_arguments in (None, read_arguments(self.raw)):
            return None
        return WarningEvent(
            code="arguments_differ",
            message=f"the complete arguments of {self.name} differ from its deltas",
        )

    def _append(self, piece: str) -> None:
        if self.custom and piece:
            piece = json.dumps(piece, ensure_ascii=False)[1:-1]
            piece = piece if self.raw else _CUSTOM_OPEN + piece
        self._emit(piece)

    def _emit(self, piece: str) -> None:
        if not piece:
            return
        self.raw += piece
        self.pending.append(piece)


class Calls:
    """All calls of one turn, numbered as they are opened.

    ``taken_ids`` are ids of earlier turns, which ids made here do not repeat.
    """

    def __init__(self, taken_ids: Collection[str] = ()) -> None:
        self._starts = CallStarts(taken_ids)
        self.error: ErrorInfo | None = None

    def __bool__(self) -> bool:
        return bool(self._starts)

    def emit(self, call: Call, *, final: bool = False) -> Iterator[Event]:
        """Yield what is certain: a call opens when its name and id are known.

        When ``final``, a generated id replaces a missing one.
        """
        if call.number is None:
            if not call.name or not (call.call_id or final):
                return
            start = self._starts.start(call.call_id, call.name)
            call.number = start.tool_call_index
            yield start
        assert call.number is not None
        for piece in call.pending:
            yield ToolCallDelta(tool_call_index=call.number, arguments_delta=piece)
        call.pending.clear()

    def end(self, call: Call, text: Json, *, incomplete: bool) -> Iterator[Event]:
        """End a call with its complete ``text``, if the provider sent one.

        ``incomplete``: the model was stopped, so a call that is not complete is not an error;
        it gets no ``tool_call_end``, and neither does free text, which may have been cut
        anywhere. Otherwise the first such call is the turn's ``error``.
        """
        if call.ended:
            return
        call.ended = True
        if incomplete and (call.custom or not (call.wire.raw or text)):
            yield from self.emit(call, final=True)
            return
        warning = call.finish(text)
        yield from self.emit(call, final=True)
        if warning:
            yield warning
        arguments = read_arguments(call.raw)
        if call.number is None or arguments is None:
            self.error = self.error or (
                None if incomplete else call_error(call.number, call.name, call.raw)
            )
            return
        yield ToolCallEnd(
            tool_call_index=call.number,
            arguments=arguments,
            arguments_raw="{}" if is_empty(call.raw) else call.raw,
        )
