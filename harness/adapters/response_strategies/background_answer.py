"""One answer of a job, read over several connections. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from harness.adapters.responses.calls import text_of
from harness.adapters.responses.stream import ResponsesStream, is_response
from mockserver.vocabulary import ErrorClass, ErrorInfo, Event, Json

_UNFINISHED = ("queued", "in_progress")


class JobAnswer(ResponsesStream):
    """Reads a job: its stream, the resumed stream, the whole responses that polls return.

    Nothing is emitted twice: events are known by their sequence number, and of a whole response
    only the rest is new. A response that is still in progress does not end the answer. Neither
    does a connection that breaks, if the answer is ``resumable`` and its id is known: a
    background job is, and so is an answer in progress.

    ``response_id`` is set by the first event that has it. ``unfinished``: the last poll said
    "not yet". ``broken``: the error of the last connection, if it broke. ``job_ended``: the job
    itself ended, with any outcome.
    """

    def __init__(
        self,
        *,
        resumable: bool,
        response_id: str | None = None,
        taken_ids: Collection[str] = (),
        secrets: Collection[str] = (),
    ) -> None:
        super().__init__(taken_ids=taken_ids, secrets=secrets)
        self.response_id = response_id
        self.unfinished = False
        self.broken: ErrorInfo | None = None
        self.job_ended = False
        self._resumable = resumable
        self._last_read: int | None = None

    def connect(self, request_id: str | None) -> None:
        """Begin to read another connection; its errors get ``request_id``."""
        self._request_id = request_id
        self.unfinished, self.broken = False, None
        self._last_read = self.sequence_number

    def chunk(
        self,
        value: Json,
        *,
        is_named_error: bool = False,
        default: ErrorClass = ErrorClass.STREAM_ERROR,
    ) -> list[Event]:
        """Take one stream event or a whole response, unless an earlier connection sent it."""
        if self.closed or self._was_read(value):
            return []
        response = _response(value)
        self.response_id = self.response_id or text_of(response.get("id")) or None
        if response is value and self.response_id and response.get("status") in _UNFINISHED:
            self.unfinished = self._resumable = True
            return [] if self._started else self._start(response)
        events = super().chunk(value, is_named_error=is_named_error, default=default)
        self.job_ended = bool(response) and self.closed
        return events

    def done(self) -> list[Event]:
        """End the connection if the job may have more, otherwise the answer."""
        return self.ended() if self._may_resume() else super().done()

    def ended(self) -> list[Event]:
        """End because the connection did, unless the job can be resumed."""
        if self.unfinished:
            return []
        if not self._may_resume():
            return super().ended()
        return self.lost(self._truncated())

    def lost(self, error: ErrorInfo) -> list[Event]:
        """End because the connection broke, unless the job can be resumed."""
        if not self._may_resume():
            return super().lost(error)
        self.broken = self.broken or error
        return []

    def _may_resume(self) -> bool:
        return self._resumable and self.response_id is not None and not self.closed

    def _was_read(self, value: Json) -> bool:
        number = value.get("sequence_number") if isinstance(value, Mapping) else None
        return isinstance(number, int) and self._last_read is not None and number <= self._last_read

    def _start(self, response: Mapping[str, Json]) -> list[Event]:
        """Emit the start with the id, which is useful long before the answer."""
        # This event was not on the wire, so it is not in ``native``.
        return [replace(start, native=()) for start in super().chunk({"response": response})]


def _response(value: Json) -> Mapping[str, Json]:
    """Return the response that ``value`` is or contains; empty if neither."""
    if not isinstance(value, Mapping):
        return {}
    response = value if is_response(value) else value.get("response")
    return response if isinstance(response, Mapping) else {}
