"""Assembles tool calls from the deltas of Chat Completions. Pure.

A delta belongs to the call of its ``index``, unless it has a new id, which opens another call
(Ollama and vLLM number every call 0); without an index, to the call of its id; without both, to
the last call, unless that is complete and the delta names a tool again. An id that is blank
counts as absent, one that is a number is taken as text. Calls are numbered in
the order in which they were opened.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from harness.adapters.chat.arguments import Arguments, is_empty, read_arguments
from harness.adapters.chat.delta import SIGNATURES, fields_to_send_back
from harness.adapters.common.failures import clip, failure
from harness.adapters.common.surrogates import SurrogateJoiner, fix_surrogates
from mockserver.vocabulary import (
    ErrorClass,
    ErrorInfo,
    Event,
    Json,
    JsonObject,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    merged,
)


def call_error(number: int | None, name: str, raw: str) -> ErrorInfo:
    """Make the error of a call without a name, or whose arguments are not a JSON object."""
    if not name:
        return failure(
            ErrorClass.PROTOCOL, f"a tool call has no name; its arguments: {clip(raw, 300)}"
        )
    return failure(
        ErrorClass.INVALID_TOOL_ARGUMENTS,
        f"the arguments of tool call {number} ({name}) are not one JSON object: {clip(raw, 300)}",
    )


class CallStarts:
    """Opens the tool calls of one turn, numbered from 0, each with an id of its own.

    ``taken_ids`` are ids of earlier turns, which ids made here do not repeat.
    """

    def __init__(self, taken_ids: Collection[str] = ()) -> None:
        self._taken = taken_ids
        self._used: set[str] = set()

    def __len__(self) -> int:
        return len(self._used)

    def start(self, call_id: str, name: str) -> ToolCallStart:
        """Open the next call. An id that is empty or in use in this turn is replaced."""
        number = len(self._used)
        synthesized = not call_id or call_id in self._used
        if synthesized:
            made = (f"call_{n}" for n in count(number))
            call_id = next(m for m in made if m not in self._taken and m not in self._used)
        self._used.add(call_id)
        return ToolCallStart(
            tool_call_index=number,
            tool_call_id=call_id,
            tool_name=name,
            id_synthesized=synthesized,
        )


@dataclass(slots=True)
class _Call:
    number: int | None = None
    name: str = ""
    name_is_certain: bool = False
    wire_id: str = ""
    send_back: JsonObject = field(default_factory=dict)
    arguments: Arguments = field(default_factory=Arguments)
    pending: list[str] = field(default_factory=list)
    joiner: SurrogateJoiner = field(default_factory=SurrogateJoiner)

    def add_name(self, fragment: str, known: Collection[str]) -> None:
        """Add to the name, which may come in pieces or be repeated, until it is a known tool's."""
        if not self.name_is_certain and fragment != self.name:
            self.name += fragment
        if self.name in known:
            self.name_is_certain = True

    def add_arguments(self, piece: str) -> None:
        self._append(self.arguments.feed(self.joiner.feed(piece)))

    def end_arguments(self) -> None:
        self._append(self.arguments.feed(self.joiner.close()))
        self._append(self.arguments.close())

    @property
    def raw(self) -> str:
        return self.arguments.raw

    def _append(self, piece: str) -> None:
        if piece:
            self.pending.append(piece)
            self.name_is_certain |= bool(self.name)


class ToolCalls:
    """The tool calls of one turn.

    ``known`` are the tool names of the request. ``taken_ids`` are ids of earlier turns, which
    ids made here do not repeat.
    """

    def __init__(self, known: Collection[str] = (), taken_ids: Collection[str] = ()) -> None:
        self._known = known
        self._starts = CallStarts(taken_ids)
        self._calls: list[_Call] = []
        self._by_index: dict[Json, _Call] = {}
        self._last: _Call | None = None

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, delta: Mapping[str, Json]) -> Iterator[Event]:
        """Take one entry of ``tool_calls`` and yield what is certain by now."""
        function = _object(delta.get("function"))
        if not function and delta.get("type") not in (None, "", "function"):
            return
        name = _text(function.get("name"))
        arguments = function.get("arguments")
        if arguments is not None and not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
        fields = fields_to_send_back(delta)
        if in_function := fields_to_send_back(function):
            fields["function"] = in_function
        wire_id = _id(delta.get("id"))
        call = self._find(delta.get("index"), wire_id, name)
        if call is None:
            if not (wire_id or name or arguments):
                return
            call = self._open(delta.get("index"))
        self._last = call
        call.wire_id = call.wire_id or wire_id
        call.send_back = merged(call.send_back, fields)
        if name:
            call.add_name(name, self._known)
        if arguments:
            call.add_arguments(arguments)
        yield from self._emit()

    def add_legacy(self, function_call: Mapping[str, Json]) -> Iterator[Event]:
        """Take a ``function_call`` delta of the older API: one call without an id."""
        yield from self.add({"index": "function_call", "function": function_call})

    def close(self, *, incomplete: bool) -> tuple[list[Event], ErrorInfo | None]:
        """End the turn: return the remaining events, and the error of the first bad call.

        ``incomplete``: the model was stopped, so a call that is not complete is not an error;
        it gets no ``tool_call_end``.
        """
        for call in self._calls:
            call.end_arguments()
            call.name_is_certain = bool(call.name)
        events = list(self._emit(skip_nameless=True))
        error: ErrorInfo | None = None
        for call in self._calls:
            raw = call.raw
            arguments = None if incomplete and not raw.strip() else read_arguments(raw)
            if call.number is not None and arguments is not None:
                signature = _signature(call.send_back)
                google = {"extra_content": {"google": {"thought_signature": signature}}}
                events.append(
                    ToolCallEnd(
                        tool_call_index=call.number,
                        arguments=arguments,
                        arguments_raw="{}" if is_empty(raw) else raw,
                        thought_signature=signature,
                        send_back=None if call.send_back == google else call.send_back or None,
                    )
                )
            elif not incomplete:
                error = error or call_error(call.number, call.name, call.raw)
        return events, error

    def _find(self, index: Json, wire_id: str, name: str) -> _Call | None:
        if _is_index(index):
            call = self._by_index.get(index)
            if call is None or not wire_id or wire_id == call.wire_id:
                return call
            is_late_id = not call.wire_id and not (call.number is not None and name)
            return call if is_late_id else None
        last = self._last
        if wire_id:
            same = next((c for c in reversed(self._calls) if c.wire_id == wire_id), None)
            if same is None:
                return last if last and not last.wire_id and not name else None
            return same
        return None if last and name and last.arguments.are_complete else last

    def _open(self, index: Json) -> _Call:
        call = _Call()
        self._calls.append(call)
        if _is_index(index):
            self._by_index[index] = call
        return call

    def _emit(self, *, skip_nameless: bool = False) -> Iterator[Event]:
        for call in self._calls:
            if call.number is None:
                if not call.name_is_certain:
                    if skip_nameless:
                        continue
                    return
                start = self._starts.start(call.wire_id, call.name)
                call.number = start.tool_call_index
                yield start
            for piece in call.pending:
                yield ToolCallDelta(tool_call_index=call.number, arguments_delta=piece)
            call.pending.clear()


def _is_index(index: Json) -> bool:
    return isinstance(index, int | str) and not isinstance(index, bool) and index != ""


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Json) -> str:
    return fix_surrogates(value) if isinstance(value, str) else ""


def _id(value: Json) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    text = _text(value)
    return text if text.strip() else ""


def _signature(fields: Json, depth: int = 4) -> str | None:
    """Return the first signature in what must be sent back."""
    if not isinstance(fields, Mapping) or not depth:
        return None
    found = (_text(fields.get(name)) for name in SIGNATURES)
    inner = (_signature(value, depth - 1) for value in fields.values())
    return next(filter(None, (*found, *inner)), None)
