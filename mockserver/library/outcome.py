"""What may become of a request."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What became of a request.

    ``missed``: nothing recorded for it. ``refused``: it could not be considered at all (an
    unknown session, a body too large). The rest says how a recorded answer ended.
    """

    ANSWERING = "answering"
    FINISHED = "finished"
    TRUNCATED = "truncated"
    RESET = "reset"
    CLIENT_CLOSED = "client_closed"
    SERVER_CLOSED = "server_closed"
    MISSED = "missed"
    REFUSED = "refused"
