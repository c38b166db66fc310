"""What arrives from a client's process for one call, as the output of that call. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from harness.clients import door
from harness.clients.giving_up import Sink
from harness.clients.in_process import OnEvent, Output
from harness.clients.interface import Call
from harness.clients.protocol import (
    Done,
    Emitted,
    Failed,
    MessageError,
    Meter,
    Native,
    NotRun,
    Raised,
)
from mockserver.vocabulary import (
    AssistantTurn,
    ErrorEvent,
    ErrorInfo,
    Event,
    Json,
    JsonObject,
    Status,
)


class Reading(Protocol):
    """One answer as an SDK hands it out: chunks, or events."""

    def feed(self, item: Json) -> Iterable[Event]:
        """Return the events of one item."""

    def end(self) -> Iterable[Event]:
        """Return the last events, of an answer that the SDK ended without an exception."""


class Sdks(Protocol):
    """What is known of the SDKs of providers."""

    def arguments(self, call: Call) -> JsonObject | None:
        """Return the arguments with which the SDK of the call's dialect makes the call."""

    def reading(self, call: Call, form: str) -> Reading:
        """Return a reader of a streamed answer. Raises ``ValueError`` for an unknown form."""

    def turn(self, call: Call, form: str, answer: Json) -> AssistantTurn:
        """Return the turn of a whole answer. Raises ``ValueError`` for an unknown form."""

    def failure(self, raised: Raised) -> ErrorInfo:
        """Return what an exception says."""


#: Characters of a key that say nothing by themselves.
_HARMLESS = 12


def without_half(text: str, key: str) -> str:
    """Return a text without the key, and without a part of it where the text may be cut."""
    text = text.replace(key, "[key]") if key else text
    halves = (key[:length] for length in range(len(key) - 1, _HARMLESS, -1))
    half = next((half for half in halves if text.endswith(half)), "")
    return f"{text.removesuffix(half)}[key]" if half else text


#: What a client's process may send for a call.
OfCall = Emitted | Native | Failed | Done | NotRun


#: The class of an exception in JavaScript that has no class of its own.
PLAIN_ERROR = "Error"


class Receiving:
    """One call. Feed it with the messages of a process; ``output`` is complete after ``done``.

    Events go to ``sink``, which is this object unless another stands before it. ``failures`` are
    the names of the exceptions that the client documents; none means any. ``not_run`` says why
    the process could not make the call.
    """

    def __init__(
        self,
        call: Call,
        *,
        sdks: Sdks | None = None,
        failures: frozenset[str] = frozenset(),
        on_event: OnEvent | None = None,
    ) -> None:
        self.output = Output()
        self.not_run: str | None = None
        self.sink: Sink = self
        self._call = call
        self._sdks = sdks
        self._failures = failures
        self._on_event = on_event
        self._meter = Meter()
        self._reading: Reading | None = None
        self._has_said = False

    def take(self, message: OfCall, size: int) -> str | None:
        """Take a message of ``size`` bytes; return how the client flooded, if it did.

        Raises :class:`MessageError` for one that has no meaning here.
        """
        if not isinstance(message, Done | NotRun):
            self._has_said = True
            if (flood := self._meter.exceeded_by(size)) is not None:
                return flood.removeprefix("the client ")
        match message:
            case Emitted():
                noted = door.Copied({}, message.problems, message.incomplete)
                copied = door.copied(message.data, noted)
                (self.sink.turn if message.is_turn else self.sink.event)(copied)
            case Native():
                self._take_native(message)
            case Failed():
                self._take_failure(message.error)
            case Done():
                self._end(message)
            case NotRun():
                self.not_run = without_half(message.message, self._call.api_key)
        return None

    def leave(self) -> None:
        """Note that nobody reads any more: an end that comes now is no success."""
        self._reading, self._has_said = None, True

    def event(self, item: Any) -> None:
        """Check, type and keep an event."""
        self.output.events.append(door.event(item))
        if self._on_event is not None:
            self._on_event(self.output.events[-1])

    def turn(self, item: Any) -> None:
        """Check, type and keep the turn."""
        self.output.turn, self.output.turn_given = door.turn(item), True

    def _known(self) -> Sdks:
        if self._sdks is None:
            raise MessageError("native messages are for commands")
        return self._sdks

    def _take_native(self, message: Native) -> None:
        form = message.form or self._call.dialect
        try:
            if message.is_turn:
                self.sink.turn(self._known().turn(self._call, form, message.data))
                self.output.turn_read = True
                return
            self._reading = self._reading or self._known().reading(self._call, form)
        except ValueError as exc:
            raise MessageError(str(exc)) from None
        for event in self._reading.feed(message.data):
            self.sink.event(event)

    def _take_failure(self, raised: Raised) -> None:
        self._reading = None  # the exception is the end
        self.output.traceback = without_half(raised.traceback, self._call.api_key)
        if self._is_foreign(raised.names):
            self.output.raised = f"{raised.names[0]}: {raised.message}"
            return
        error = self._known().failure(raised)
        if self._call.stream:
            self.sink.event(ErrorEvent(error=error))
        elif not self.output.turn_given:
            self.sink.turn(AssistantTurn(status=Status.FAILED, error=error, parts=()))

    def _is_foreign(self, names: Sequence[str]) -> bool:
        # JavaScript's plain Error is what its libraries throw on purpose; a class cannot be named.
        documented = not self._failures or not self._failures.isdisjoint(names)
        return not documented and names[0] != PLAIN_ERROR

    def _end(self, message: Done) -> None:
        output = self.output
        if self._sdks is not None and self._call.stream and not self._has_said:
            # The SDK ended without a chunk and without an exception.
            self._reading = self._sdks.reading(self._call, self._call.dialect)
        if self._reading is not None:
            for event in self._reading.end():
                self.sink.event(event)
        output.raised = output.raised or message.raised
        output.traceback = output.traceback or message.traceback
        output.ended, output.logs, output.late = message.stopped, message.logs, message.late
