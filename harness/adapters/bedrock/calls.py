"""Assembles the tool calls of a Converse answer. Pure.

A call is one content block: its start has id and name, its deltas the argument text. Calls end
with the message, since its stop reason may say that they are not to be trusted.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from harness.adapters.chat.arguments import is_empty, read_arguments
from harness.adapters.chat.tool_calls import CallStarts, call_error
from harness.adapters.common.failures import clip, failure
from harness.adapters.common.surrogates import SurrogateJoiner, fix_surrogates, fix_surrogates_in
from mockserver.vocabulary import (
    ErrorClass,
    ErrorInfo,
    Event,
    Json,
    JsonObject,
    ToolCallDelta,
    ToolCallEnd,
)


@dataclass(slots=True)
class _Call:
    number: int
    name: str
    pieces: list[str] = field(default_factory=list)
    joiner: SurrogateJoiner = field(default_factory=SurrogateJoiner)

    def add(self, text: str) -> Iterator[Event]:
        if text:
            self.pieces.append(text)
            yield ToolCallDelta(tool_call_index=self.number, arguments_delta=text)


class BlockCalls:
    """The tool calls of one turn, by the index of their block."""

    def __init__(self, taken_ids: Collection[str] = ()) -> None:
        self._starts = CallStarts(taken_ids)
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._error: ErrorInfo | None = None

    def __bool__(self) -> bool:
        return bool(self._calls or self._error)

    def start(self, index: int, use: Mapping[str, Json]) -> Iterator[Event]:
        """Open the call of a block. One without a name is an error when the turn ends."""
        name, call_id = use.get("name"), use.get("toolUseId")
        if not (isinstance(name, str) and name):
            self._error = self._error or call_error(None, "", "")
            return
        is_id = isinstance(call_id, str) and call_id.strip()
        start = self._starts.start(
            fix_surrogates(call_id) if isinstance(call_id, str) and is_id else "",
            fix_surrogates(name),
        )
        call = self._by_index[index] = _Call(start.tool_call_index, start.tool_name)
        self._calls.append(call)
        yield start

    def add(self, index: int, piece: str) -> Iterator[Event]:
        """Take a piece of argument text. Without a start there is no call that it belongs to."""
        call = self._by_index.get(index)
        if call is not None:
            yield from call.add(call.joiner.feed(piece))
        elif self._error is None:
            message = (
                f"a tool call in block {index} has no start; its arguments: {clip(piece, 200)}"
            )
            self._error = failure(ErrorClass.PROTOCOL, message)

    def whole(self, index: int, use: Mapping[str, Json]) -> Iterator[Event]:
        """Take a complete block, whose input is an object."""
        yield from self.start(index, use)
        given: Json = use.get("input")
        text = given if isinstance(given, str) else _json_text({} if given is None else given)
        yield from self.add(index, text)

    def close(self, *, incomplete: bool) -> tuple[list[Event], ErrorInfo | None]:
        """End the turn: return the remaining events, and the error of the first bad call.

        ``incomplete``: the model was stopped, so a call that is not complete is not an error; it
        gets no ``tool_call_end``.
        """
        events: list[Event] = []
        error = self._error
        for call in self._calls:
            events += call.add(call.joiner.close())
        for call in self._calls:
            raw = "".join(call.pieces)
            arguments: JsonObject | None = None
            if not (incomplete and is_empty(raw)):
                arguments = read_arguments(raw)
            if arguments is not None:
                events.append(
                    ToolCallEnd(
                        tool_call_index=call.number,
                        arguments=arguments,
                        arguments_raw="{}" if is_empty(raw) else raw,
                    )
                )
            elif not incomplete:
                error = error or call_error(call.number, call.name, raw)
        return events, error


def _json_text(value: Json) -> str:
    """Return the argument text of an input; one that is nested too deeply is not valid JSON."""
    try:
        fixed = fix_surrogates_in(value)
        return json.dumps(fixed, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        return "an input that is nested too deeply"
