"""Why a request gets the server's own error instead of a recorded answer."""

from __future__ import annotations

from typing import Any

from mockserver.library.outcome import Outcome


class RefusalError(Exception):
    """A request is answered with an error.

    ``kind`` is a stable word for programs, ``message`` is for people. ``last``: what the
    client sends next cannot be parsed, so the connection is closed.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        outcome: Outcome = Outcome.REFUSED,
        last: bool = False,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.outcome = outcome
        self.last = last
        self.details = details


def needs_one_process(what: str) -> RefusalError:
    """Return the refusal of what one of several processes does not know."""
    return RefusalError(
        400,
        "needs_one_process",
        f"{what} needs the state of one process; start the server without --workers",
    )
