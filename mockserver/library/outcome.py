"""How a request may end."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How a request ended.

    ``missed``: nothing is recorded for it. ``refused``: it was not looked up at all (unknown
    session, body too large). The others say how a recorded answer ended.
    """

    ANSWERING = "answering"
    FINISHED = "finished"
    TRUNCATED = "truncated"
    RESET = "reset"
    CLIENT_CLOSED = "client_closed"
    SERVER_CLOSED = "server_closed"
    MISSED = "missed"
    REFUSED = "refused"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be sent."""
        return self is not Outcome.ANSWERING

    @property
    def is_left(self) -> bool:
        """Whether the client left before the end."""
        return self is Outcome.CLIENT_CLOSED
