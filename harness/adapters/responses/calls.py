"""The tool calls of a Responses answer, put together from its events. Pure.

A custom tool takes free text where a function takes JSON. Its text becomes the one argument
``input``, so that every call has an object for arguments.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from harness.adapters.chat.tool_calls import CallStarts, blame, read_arguments
from harness.adapters.common.surrogates import Joiner, mend
from mockserver.vocabulary.model import (
    ErrorInfo,
    Event,
    Json,
    ToolCallDelta,
    ToolCallEnd,
    WarningEvent,
)

_CUSTOM_OPEN, _CUSTOM_CLOSE = '{"input":"', '"}'


def word(value: Json) -> str:
    """``value`` if it is a text, fit to be handed out, else nothing."""
    return mend(value) if isinstance(value, str) else ""


def remainder(said: str, whole: str) -> str:
    """What of ``whole`` was not said yet; nothing if it tells another story."""
    return whole[len(said) :] if whole.startswith(said) else ""


@dataclass(slots=True)
class Call:
    """One call. ``wire`` is the text as the provider sent it, ``raw`` the argument JSON."""

    custom: bool
    number: int | None = None
    name: str = ""
    call_id: str = ""
    wire: str = ""
    raw: str = ""
    ended: bool = False
    unsaid: list[str] = field(default_factory=list)
    halves: Joiner = field(default_factory=Joiner)

    def know(self, item: Mapping[str, Json]) -> None:
        """Take name and id from the item, as far as they are unknown."""
        self.name = self.name or word(item.get("name"))
        self.call_id = self.call_id or word(item.get("call_id"))

    def take(self, piece: str) -> None:
        """Take a piece of the wire's text."""
        piece = self.halves.feed(piece)
        self.wire += piece
        if not piece:
            return
        if self.custom:
            piece = json.dumps(piece, ensure_ascii=False)[1:-1]
            piece = piece if self.raw else _CUSTOM_OPEN + piece
        self._say(piece)

    def take_whole(self, text: Json) -> None:
        """Take the text that the provider calls the whole one, as far as it is new."""
        if text is not None and not isinstance(text, str):
            text = json.dumps(text, ensure_ascii=False, separators=(",", ":"))
        if text and (rest := remainder(self.wire, mend(text))):
            self.halves = Joiner()
            self.take(rest)

    def finish(self, text: Json) -> WarningEvent | None:
        """Take the last word; a warning if it contradicts the pieces, which are said already."""
        self.take_whole(text)
        self.take(self.halves.close())
        if self.custom:
            self._say(_CUSTOM_CLOSE if self.raw else _CUSTOM_OPEN + _CUSTOM_CLOSE)
            return None
        whole = word(text).strip()
        last_word = read_arguments(whole) if whole else None
        if last_word in (None, read_arguments(self.raw)):
            return None
        return WarningEvent(
            code="arguments_differ",
            message=f"the whole arguments of {self.name} are not what the deltas told",
        )

    def _say(self, piece: str) -> None:
        self.raw += piece
        self.unsaid.append(piece)


class Calls:
    """All calls of one turn, numbered as they are opened.

    ``taken_ids`` are ids of earlier turns, which ids made here must not repeat.
    """

    def __init__(self, taken_ids: Collection[str] = ()) -> None:
        self._starts = CallStarts(taken_ids)
        self.error: ErrorInfo | None = None

    def __bool__(self) -> bool:
        return bool(self._starts)

    def say(self, call: Call, *, last_chance: bool = False) -> Iterator[Event]:
        """Yield what is certain: a call opens when its name and id are known.

        On the ``last_chance`` a made-up id stands in for the call id.
        """
        if call.number is None:
            if not call.name or not (call.call_id or last_chance):
                return
            start = self._starts.start(call.call_id, call.name)
            call.number = start.tool_call_index
            yield start
        assert call.number is not None
        for piece in call.unsaid:
            yield ToolCallDelta(tool_call_index=call.number, arguments_delta=piece)
        call.unsaid.clear()

    def end(self, call: Call, text: Json, *, cut: bool) -> Iterator[Event]:
        """End a call with its whole ``text``, if the provider gave one.

        ``cut``: the model was stopped, so a call that is not whole is no error; it gets no
        end, and neither does free text, which cannot tell. Else the first such call is the
        turn's ``error``.
        """
        if call.ended:
            return
        call.ended = True
        if cut and (call.custom or not (call.wire or text)):
            yield from self.say(call, last_chance=True)
            return
        warning = call.finish(text)
        yield from self.say(call, last_chance=True)
        if warning:
            yield warning
        arguments = read_arguments(call.raw)
        if call.number is None or arguments is None:
            self.error = self.error or (None if cut else blame(call.number, call.name, call.raw))
            return
        nothing = call.raw.strip() in ("", "null")
        yield ToolCallEnd(
            tool_call_index=call.number,
            arguments=arguments,
            arguments_raw="{}" if nothing else call.raw,
        )
