"""What the harness knows of the SDKs behind commands: their arguments, answers and exceptions.

A command hands on what its SDK gave it, and the readers of the bundled clients turn that into
events. What the SDK loses stays lost, and an answer that it ended without an exception is one that
it takes for complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness.clients.interface import Call
from harness.clients.protocol import Raised
from harness.clients.receiving import Reading
from harness.wrapping.chat import ChatAnswer, chat_turn
from harness.wrapping.exceptions import error_said
from harness.wrapping.native import NativeAnswer, native_request, native_turn
from mockserver.vocabulary import (
    AssistantTurn,
    ErrorClass,
    ErrorEvent,
    ErrorInfo,
    Event,
    FinishReason,
    Json,
    JsonObject,
    MessageStop,
)

#: The dialect whose chunks a reader of their own reads.
_CHAT = "openai-chat"
#: What a reader says of an answer without an end.
_NO_END = frozenset({ErrorClass.TRUNCATED_STREAM, ErrorClass.EMPTY_RESPONSE})


class ProviderSdks:
    """The SDKs of all dialects that a bundled client reads."""

    def arguments(self, call: Call) -> JsonObject | None:
        """Return the arguments for the SDK; ``None`` for what the dialect cannot say."""
        try:
            return native_request(call)
        except ValueError:
            return None

    def reading(self, call: Call, form: str) -> Reading:
        """Return a reader. Raises ``ValueError`` for a form that no bundled client reads."""
        return _Handed(ChatAnswer(call) if form == _CHAT else NativeAnswer(_in(call, form)))

    def turn(self, call: Call, form: str, answer: Json) -> AssistantTurn:
        """Return the turn of a whole answer. Raises as :meth:`reading` does."""
        return chat_turn(call, answer) if form == _CHAT else native_turn(_in(call, form), answer)

    def failure(self, raised: Raised) -> ErrorInfo:
        """Return what an exception says."""
        return error_said(raised)


class _Handed:
    """Reads items; an end without an exception is one that the SDK takes for complete."""

    def __init__(self, answer: ChatAnswer | NativeAnswer) -> None:
        self._answer = answer

    def feed(self, item: Json) -> Iterable[Event]:
        return self._answer.feed(item)

    def end(self) -> Sequence[Event]:
        events = list(self._answer.end())
        match events[-1:]:
            case [ErrorEvent(error=error)] if error.error_class in _NO_END:
                events[-1] = MessageStop(finish_reason=FinishReason.UNKNOWN)
        return events


def _in(call: Call, form: str) -> Call:
    return replace(call, dialect=form)
