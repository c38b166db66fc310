"""The answers of one session, from the request to the exchange that is played.

A request is answered by the first of: a refusal in the provider's words, a limit, a rule, and what
a model could have said. No I/O and no clock: whoever asks says what time it is.
"""

from __future__ import annotations

from collections import Counter

from mockserver.backend import reply as replies
from mockserver.backend import routes, synthesis
from mockserver.backend.arguments import UnmetSchemaError
from mockserver.backend.asked import Asked
from mockserver.backend.desk import BackendDesk
from mockserver.backend.refusal import refusal, unserved
from mockserver.backend.reply import Given, Reply
from mockserver.backend.routes import NoRoute, Route
from mockserver.backend.script import Answering, Playing
from mockserver.backend.settings import Settings
from mockserver.cassettes.cassette import Request
from mockserver.dialects import registry
from mockserver.dialects.dialect import UnreadableRequestError, UnwritableError
from mockserver.dialects.memory import Memory
from mockserver.dialects.side import ProviderError, Side, SideRoute, refused

SYNTHESISED = "synthesised"


class Backend:
    """Answers requests that nobody recorded an answer for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        #: What later requests may refer to.
        self.memory = Memory()
        self.script = Playing(settings.script)
        self._scripted = Answering(settings.seed, settings.pace)
        #: How often each request was answered: equal ones get ids of their own.
        self._times: Counter[tuple[str, bytes]] = Counter()

    def answer(self, request: Request, now: float) -> Given:  # noqa: ARG002
        """Answer a request that came at ``now``, in seconds of a clock that never goes back.

        Raises :class:`RefusalError` for an address that nobody serves, and where the script of the
        session is over or does not fit.
        """
        route = routes.find(request)
        if isinstance(route, NoRoute):
            return unserved(request, route)
        dialect, request = route.dialect, route.request
        try:
            if route.side is not None:
                return self._aside(route, route.side)
            call = registry.read_asked(dialect, request, self.memory)
            given = self._given(Asked(dialect, call, request))
            if given.reply.turn is not None:
                registry.remember(dialect, request, call, given.reply.turn, self.memory)
            return given
        except (UnreadableRequestError, UnmetSchemaError, UnwritableError) as exc:
            return refusal(dialect, request, refused(str(exc)).error)
        except ProviderError as exc:
            return refusal(dialect, request, exc.error)

    def _given(self, asked: Asked) -> Given:
        step = self.script.next(asked)
        if step is not None:
            return self._scripted.given(step, asked)
        return replies.given(asked, self._reply(asked))

    def _aside(self, route: Route, side: SideRoute) -> Given:
        desk = BackendDesk(route.dialect, route.request, self.settings, self.memory)
        asked = Side(route.request, desk, route.named)
        response = registry.answered_aside(route.dialect, side, asked)
        return replies.of_response(route.request, response, Reply(source=SYNTHESISED))

    def _reply(self, asked: Asked) -> Reply:
        turn = synthesis.synthesise(
            asked, seed=self.settings.seed, number=self._number(asked.request)
        )
        return Reply(source=SYNTHESISED, turn=turn, pace=self.settings.pace)

    def _number(self, request: Request) -> int:
        key = request.uri, request.body
        self._times[key] += 1
        return self._times[key] - 1
