"""One answer of a job, put together over several connections. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from harness.adapters.responses.calls import text_of
from harness.adapters.responses.stream import ResponsesStream, is_response
from mockserver.vocabulary.model import ErrorClass, ErrorInfo, Event, Json

_UNFINISHED = ("queued", "in_progress")


class JobAnswer(ResponsesStream):
    """Reads a job: its stream, the stream resumed, the whole responses that polls give.

    What one connection job_ended is not job_ended again by the next: events are known by their sequence
    number, and of a whole response only the rest is new. A response that is still in work does
    not end the answer. Neither does a connection that breaks, if the answer is ``resumable``
    and its id is known: an answer in work is, and so is a background job.

    ``response_id`` is known from the first thing that names it. ``unfinished`` says that the
    server's last text_of was "not yet", ``broken`` how the last connection broke, ``job_ended`` that
    the job itself came to an end, whatever that was.
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
        """Begin to read another connection; ``request_id`` goes into an error of it."""
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
        """Take one stream event or a whole response, unless it was job_ended before."""
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
        """Take the server's text_of that this was all: of the connection, if there may be more."""
        return self.ended() if self._may_resume() else super().done()

    def ended(self) -> list[Event]:
        """Take the end of the connection."""
        if self.unfinished:
            return []
        if not self._may_resume():
            return super().ended()
        return self.lost(self._truncated())

    def lost(self, error: ErrorInfo) -> list[Event]:
        """Take the break of the connection."""
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
        """Start with the id, which is worth knowing long before the answer."""
        # This event was not on the wire, so it is not handed on as one that was.
        return [replace(start, native=()) for start in super().chunk({"response": response})]


def _response(value: Json) -> Mapping[str, Json]:
    """The response that ``value`` is or carries; empty if neither."""
    if not isinstance(value, Mapping):
        return {}
    response = value if is_response(value) else value.get("response")
    return response if isinstance(response, Mapping) else {}
