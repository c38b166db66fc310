"""One answer of a provider, read from JSON values: what every API's reader has in common. Pure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import replace
from typing import ClassVar

from harness.adapters.common.failures import failure, scrub
from harness.adapters.common.usage import UsageMeter
from mockserver.vocabulary import (
    ErrorClass,
    ErrorEvent,
    ErrorInfo,
    Event,
    FinishReason,
    Json,
    MessageStop,
    UsageEvent,
    WarningEvent,
)


class Answer(ABC):
    """One answer. Feed it with ``chunk``, then end it if it has not ended itself.

    ``done``: the server sent ``[DONE]``, or the body was one whole JSON answer; ``ended``: the
    body ended; ``lost``: the connection broke; ``fail``: the answer is an error. Each returns
    events, of which the last is terminal; ``closed`` is true from then on, and every method
    returns nothing.

    ``api`` names the API in error messages, ``terminal`` the thing that ends its streams;
    ``has_errors`` is true if an answer has a documented field for an error.
    ``secrets`` never appear in an error; ``request_id`` goes into it if it has none of its own.
    """

    api: ClassVar[str]
    terminal: ClassVar[str]
    has_errors: ClassVar[bool] = False

    def __init__(self, *, secrets: Collection[str] = (), request_id: str | None = None) -> None:
        self.closed = False
        self.secrets = secrets
        self._request_id = request_id and scrub(request_id, secrets)
        self._started = False
        self._any_chunk = False
        self._usage = UsageMeter()
        self._warned: set[str] = set()
        self._warnings: list[Event] = []

    @abstractmethod
    def is_answer(self, value: Json) -> bool:
        """Return whether a JSON value that came outside of an event belongs to the answer."""

    @abstractmethod
    def chunk(
        self,
        value: Json,
        *,
        is_named_error: bool = False,
        default: ErrorClass = ErrorClass.STREAM_ERROR,
    ) -> list[Event]:
        """Take one JSON value.

        ``is_named_error``: it came as an SSE event named ``error``. ``default`` is the class of
        an error that names no cause.
        """

    @abstractmethod
    def done(self) -> list[Event]:
        """End because the server said that this was all."""

    def ended(self) -> list[Event]:
        """End because the body did. The turn is complete only if the wire gave a reason."""
        if not self._any_chunk:
            return self.fail(failure(ErrorClass.EMPTY_RESPONSE, "the server sent no event"))
        return self.lost(self._truncated())

    def lost(self, error: ErrorInfo) -> list[Event]:
        """End because the connection broke."""
        return self.fail(error)

    def fail(self, error: ErrorInfo) -> list[Event]:
        """End with an error."""
        if self.closed:
            return []
        self.closed = True
        error = replace(error, request_id=error.request_id or self._request_id)
        return [*self._take_warnings(), *self._usage_event(), ErrorEvent(error=error)]

    def stop_so_far(self) -> MessageStop:
        """Return the stop for one who takes an answer that is an error for a complete one."""
        return MessageStop(finish_reason=FinishReason.UNKNOWN)

    def usage_so_far(self) -> list[Event]:
        """Return the counts that came, as one event; none if there were none."""
        return self._usage_event()

    def warn(self, code: str, message: str) -> None:
        """Queue a warning, once for each ``code``; it comes with the next events."""
        if code not in self._warned:
            self._warned.add(code)
            self._warnings.append(WarningEvent(code=code, message=message))

    def _truncated(self) -> ErrorInfo:
        return failure(ErrorClass.TRUNCATED_STREAM, f"the stream ended without a {self.terminal}")

    def _usage_event(self) -> list[Event]:
        usage = self._usage.total()
        return [UsageEvent(usage=usage)] if usage else []

    def _take_warnings(self) -> list[Event]:
        warnings, self._warnings = self._warnings, []
        return warnings
