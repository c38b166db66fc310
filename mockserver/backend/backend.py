"""The answers of one session, from the request to the exchange that is played.

A request is answered by the first of: a refusal in the provider's words, a limit, a rule, and what
a model could have said. No I/O and no clock: whoever asks says what time it is.
"""

from __future__ import annotations

from collections import Counter

from mockserver.backend import reply as replies
from mockserver.backend import synthesis
from mockserver.backend.arguments import UnmetSchemaError
from mockserver.backend.asked import Asked
from mockserver.backend.reply import Given, Reply
from mockserver.backend.settings import Settings
from mockserver.cassettes.cassette import Request
from mockserver.dialects.dialect import Dialect, UnreadableRequestError, UnwritableError
from mockserver.dialects.registry import of_request, read_call
from mockserver.library.refusal import RefusalError
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorClass, ErrorInfo

SYNTHESISED, REFUSED = "synthesised", "refused"


class Backend:
    """Answers requests that nobody recorded an answer for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        #: How often each request was answered: equal ones get ids of their own.
        self._times: Counter[tuple[str, bytes]] = Counter()

    def answer(self, request: Request, now: float) -> Given:  # noqa: ARG002
        """Answer a request that came at ``now``, in seconds of a clock that never goes back.

        Raises :class:`RefusalError` for an address of no dialect.
        """
        dialect = of_request(request)
        if dialect is None:
            raise RefusalError(404, "unknown_route", f"no dialect has {request.url.path}")
        try:
            asked = Asked(dialect, read_call(dialect, request), request)
        except UnreadableRequestError as exc:
            return self._refused(dialect, request, str(exc))
        try:
            return replies.given(asked, self._reply(asked))
        except (UnmetSchemaError, UnwritableError) as exc:
            return self._refused(dialect, request, str(exc))

    def _reply(self, asked: Asked) -> Reply:
        turn = synthesis.synthesise(
            asked, seed=self.settings.seed, number=self._number(asked.request)
        )
        return Reply(source=SYNTHESISED, turn=turn, pace=self.settings.pace)

    def _number(self, request: Request) -> int:
        key = request.uri, request.body
        self._times[key] += 1
        return self._times[key] - 1

    def _refused(self, dialect: Dialect, request: Request, message: str) -> Given:
        error = ErrorInfo(
            error_class=ErrorClass.INVALID_REQUEST, message=message, retryable=False, status=400
        )
        asked = Asked(dialect, NeutralCall(model="", messages=()), request)
        return replies.given(asked, Reply(source=REFUSED, error=error))
