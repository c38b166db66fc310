"""Requests and answers of a provider's own SDK: arguments for it, and events from it. Pure.

The objects that an SDK hands out have the fields of the wire, so the reader of the bundled client
for the same dialect reads them. What the SDK loses stays lost.
"""

from __future__ import annotations

from typing import Any

from harness.adapters.common.answer import Answer
from harness.adapters.common.history import call_ids
from harness.adapters.reference import NATIVE
from harness.adapters.responses.stream import ResponsesStream
from harness.clients.interface import Call
from harness.wrapping.plain import as_json
from mockserver.dialects import find_dialect, sdk_arguments
from mockserver.vocabulary import AssistantTurn, Event, NeutralCall, fold

#: The dialects whose answers are those of the Responses API.
_RESPONSES = frozenset({"openai-responses", "codex"})


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


class NativeAnswer:
    """One streamed answer. Feed it with each item of the SDK, then call :meth:`end` once.

    Raises ``ValueError`` for a call in a dialect that no bundled client reads by itself.
    """

    def __init__(self, call: Call) -> None:
        self._reader = _reader(call)
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
        """Return the last events. An answer whose end was not seen is an error."""
        return self._ending or self._unless_said(self._reader.ended())

    def _unless_said(self, events: list[Event]) -> list[Event]:
        return [event for event in events if event not in self._usage]


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
    if call.dialect in _RESPONSES:
        return ResponsesStream(taken_ids=call_ids(call.messages))
    if call.dialect not in NATIVE:
        raise ValueError(f"no bundled client reads the answers of an SDK for {call.dialect!r}")
    # Nothing is sent: the client only knows how its answers are read.
    return NATIVE[call.dialect].for_call(call).answering(_neutral(call), None)
