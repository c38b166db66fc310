"""Answers of the server's own, for requests that no recording answers.

All are JSON in the form that the providers' SDKs show to their users, under a status that
they do not retry (they retry 408, 409, 425, 429 and 5xx).
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from mockserver.serving.journal import Outcome


class RefusalError(Exception):
    """A request is answered with an error.

    ``kind`` is a stable word for programs, ``message`` is for people. ``last``: the rest of
    what the client sends cannot be understood, so the connection ends.
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

    def response(self) -> web.Response:
        """The HTTP response that tells the client."""
        error = {"type": f"tapecheck_{self.kind}", "message": f"tapecheck: {self.message}"}
        response = json_response(
            {"type": "error", "error": error | self.details}, status=self.status
        )
        # Known to the official OpenAI and Anthropic SDKs.
        response.headers["x-should-retry"] = "false"
        if self.last:
            response.force_close()
        return response


def json_response(data: Any, *, status: int = 200) -> web.Response:
    """A JSON answer, readable in a terminal."""
    text = json.dumps(data, indent=2) + "\n"
    return web.Response(body=text.encode(), status=status, content_type="application/json")
