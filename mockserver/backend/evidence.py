"""What was seen of a client: its requests, when they came, and what each was answered. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from mockserver.backend.asked import Asked
from mockserver.backend.reply import Given
from mockserver.cassettes.cassette import Request, header_value
from mockserver.dialects.dialect import UnreadableRequestError
from mockserver.dialects.registry import of_request, read_call
from mockserver.library.outcome import Outcome
from mockserver.library.session import Found
from mockserver.wire.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One request and what became of it.

    ``arrived``, ``began`` and ``ended`` are when it had come, when its answer began and when that
    had ended, in seconds of one clock; ``sent`` is how many bytes of the body were sent. ``found``
    is ``None`` for a request that got no answer of a provider. ``call`` numbers the calls that the
    test itself has marked as one.
    """

    number: int
    request: Request
    connection: int
    arrived: float
    began: float | None
    ended: float | None
    sent: int
    outcome: Outcome
    found: Found | None = None
    call: int | None = None

    @cached_property
    def asked(self) -> Asked | None:
        """What the request asks for; ``None`` where that cannot be read."""
        if isinstance(self.found, Given) and self.found.asked is not None:
            return self.found.asked
        dialect = of_request(self.request)
        if dialect is None:
            return None
        try:
            return Asked(dialect, read_call(dialect, self.request), self.request)
        except UnreadableRequestError:
            return None

    @property
    def schedule(self) -> Schedule | None:
        """The answer as it was to be sent, with its interruption."""
        return self.found.exchange.schedule if self.found else None

    def header(self, name: str) -> str | None:
        """Return the first header of the request of that name, in any case."""
        return header_value(self.request.headers, name)
