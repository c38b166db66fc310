"""Requests and answers of a provider's own SDK: arguments for it, and events from it. Pure.

The objects that an SDK hands out have the fields of the wire, so the reader of the bundled client
for the same dialect reads them. What the SDK loses stays lost.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from harness.adapters.common.answer import Answer
from harness.adapters.common.failures import is_error
from harness.adapters.reference import reader_of
from harness.clients.interface import Call
from harness.wrapping.plain import as_json
from mockserver.dialects import find_dialect, sdk_arguments
from mockserver.vocabulary import (
    AssistantTurn,
    ErrorClass,
    ErrorEvent,
    Event,
    Json,
    NeutralCall,
    fold,
)


def native_request(call: Call) -> dict[str, Any]:
    """Return the keyword arguments for the method of the SDK that makes a call.

    ``call.dialect`` says which SDK. Whether to stream is left to you: SDKs say it in different
    ways. Raises ``ValueError`` for what the dialect cannot say.
    """
    return sdk_arguments(find_dialect(call.dialect), _neutral(call))


def native_turn(call: Call, answer: object, *, trusting: bool = False) -> AssistantTurn:
    """Return the turn of a whole answer, an object of the SDK or a dict.

    ``trusting`` is as with :class:`NativeAnswer`.
    """
    reader, data = _reader(call), as_json(answer)
    events = [*reader.chunk(data), *reader.done()]
    if trusting:
        events = _trusted(events, reader, is_shown=_shows_errors(reader, data))
    return fold(events)


#: What a reader says of an answer whose end it has not seen.
_NO_END = frozenset({ErrorClass.TRUNCATED_STREAM, ErrorClass.EMPTY_RESPONSE})


class NativeAnswer:
    """One streamed answer. Feed it with each item of the SDK, then call :meth:`end` once.

    With ``trusting``, an answer that the SDK ended without an exception is one that it takes for
    complete, unless a documented field says that it is not: a chunk that is an error in itself was
    handed on as if it were part of the answer. Otherwise such a chunk is an error, and so is an
    answer whose end was not seen.
    Raises ``ValueError`` for a call in a dialect that no bundled client reads.
    """

    def __init__(self, call: Call, *, trusting: bool = False) -> None:
        self._reader = _reader(call)
        self._trusting = trusting
        self._ending: list[Event] = []
        self._usage: list[Event] = []

    def feed(self, item: object) -> list[Event]:
        """Return the events of one event or chunk, an object or a dict.

        The ending waits for :meth:`end`, since the SDK may still raise; nothing comes after it.
        Counts come as soon as they are known: if the SDK raises, they are all there is.
        """
        data = as_json(item)
        events = self._unless_said(self._reader.chunk(data))
        if events and self._reader.closed:
            if self._trusting:
                is_shown = _shows_errors(self._reader, data)
                events = _trusted(events, self._reader, is_shown=is_shown)
            self._ending = [events.pop()]
            return events
        usage = self._unless_said(self._reader.usage_so_far())
        self._usage = usage or self._usage
        return [*events, *usage]

    def end(self) -> list[Event]:
        """Return the last events."""
        return self._ending or self._unless_said(self._ended())

    def _ended(self) -> list[Event]:
        if not self._trusting or _has_end(copy.deepcopy(self._reader).ended()):
            return self._reader.ended()
        return _trusted(self._reader.done(), self._reader, is_shown=False)

    def _unless_said(self, events: list[Event]) -> list[Event]:
        return [event for event in events if event not in self._usage]


def _trusted(events: list[Event], reader: Answer, *, is_shown: bool) -> list[Event]:
    """Return the last events as one sees them who takes an answer for complete.

    ``is_shown``: a documented field says if there is an error.
    """
    *before, last = events
    if isinstance(last, ErrorEvent) and (last.error.error_class in _NO_END or not is_shown):
        return [*before, replace(reader.stop_so_far(), native=last.native)]
    return events


def _shows_errors(reader: Answer, item: Json) -> bool:
    return isinstance(item, dict) and (reader.has_errors or not is_error(item))


def _has_end(events: list[Event]) -> bool:
    last = events[-1] if events else None
    return not (isinstance(last, ErrorEvent) and last.error.error_class in _NO_END)


def _neutral(call: Call) -> NeutralCall:
    return NeutralCall(
        model=call.model,
        messages=call.messages,
        tools=call.tools,
        stream=call.stream,
        options=call.options,
    )


def _reader(call: Call) -> Answer:
    """Return the reader of the bundled client for the dialect."""
    return reader_of(call, _neutral(call))
