"""Requests and answers of a provider's own SDK: arguments for it, and events from it. Pure.

The objects that an SDK hands out have the fields of the wire, so the reader of the bundled client
for the same dialect reads them. What the SDK loses stays lost.
"""

from __future__ import annotations

import copy
from typing import Any

from harness.adapters.common.answer import Answer
from harness.adapters.reference import reader_of
from harness.clients.interface import Call
from harness.wrapping.plain import as_json
from mockserver.dialects import find_dialect, sdk_arguments
from mockserver.vocabulary import (
    AssistantTurn,
    ErrorClass,
    ErrorEvent,
    Event,
    FinishReason,
    MessageStop,
    NeutralCall,
    fold,
)


def native_request(call: Call) -> dict[str, Any]:
    """Return the keyword arguments for the method of the SDK that makes a call.

    ``call.dialect`` says which SDK. Whether to stream is left to you: SDKs say it in different
    ways. Raises ``ValueError`` for what the dialect cannot say.
    """
    return sdk_arguments(find_dialect(call.dialect), _neutral(call))


def native_turn(call: Call, answer: object) -> AssistantTurn:
    """Return the turn of a whole answer, an object of the SDK or a dict."""
    reader = _reader(call)
    return fold([*reader.chunk(as_json(answer)), *reader.done()])


#: What a reader says of an answer whose end it has not seen.
_NO_END = frozenset({ErrorClass.TRUNCATED_STREAM, ErrorClass.EMPTY_RESPONSE})


class NativeAnswer:
    """One streamed answer. Feed it with each item of the SDK, then call :meth:`end` once.

    With ``trusting``, an answer that the SDK ended without an exception is one that it takes for
    complete; otherwise one whose end was not seen is an error.
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
        events = self._unless_said(self._reader.chunk(as_json(item)))
        if events and self._reader.closed:
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
        *events, last = self._reader.done()
        is_failure = isinstance(last, ErrorEvent)
        return [*events, MessageStop(finish_reason=FinishReason.UNKNOWN) if is_failure else last]

    def _unless_said(self, events: list[Event]) -> list[Event]:
        return [event for event in events if event not in self._usage]


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
