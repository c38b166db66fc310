"""The answers of one session, from the request to the exchange that is played.

A request is answered by the first of: a refusal in the provider's words, a limit, a failure, a
rule, and what a model could have said. No I/O and no clock: whoever asks says what time it is.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from hashlib import blake2b

from mockserver.backend import refusing, routes, synthesis, tokens
from mockserver.backend import reply as replies
from mockserver.backend.asked import Asked
from mockserver.backend.desk import BackendDesk
from mockserver.backend.failing import Drawn, Failing
from mockserver.backend.limits import UNLIMITED, Meter, Meters
from mockserver.backend.repeats import Repeat, Repeats
from mockserver.backend.reply import Given, Reply
from mockserver.backend.routes import NoRoute, Route
from mockserver.backend.schemas.unmet import UnmetSchemaError
from mockserver.backend.script import Answering, Playing, Script
from mockserver.backend.settings import Settings
from mockserver.backend.synthesis import BLOCK
from mockserver.backend.unserved import unserved
from mockserver.cassettes.cassette import Request
from mockserver.dialects import registry
from mockserver.dialects.dialect import Dialect, UnreadableRequestError, UnwritableError
from mockserver.dialects.memory import Memory
from mockserver.dialects.side import ObjectionError, Side, SideRoute
from mockserver.errors import DialectError
from mockserver.vocabulary.call import NeutralCall

SYNTHESISED, FAILED = "synthesised", "failed"


class Backend:
    """Answers requests that nobody recorded an answer for.

    ``epoch`` is the time, in seconds since 1970, at which the clock of the requests was 0.
    """

    def __init__(self, settings: Settings, epoch: float = 0.0) -> None:
        self.settings = settings
        self.script = Playing(settings.script)
        self._scripted = Answering(settings.seed, settings.pace)
        self._limits = settings.limits.over(settings.script.limits)
        self._meters = Meters(self._limits)
        self._failing = Failing(settings.failures, settings.seed)
        self._epoch = epoch
        #: What later requests may refer to.
        self.memory = Memory()
        #: How often each request was answered: equal ones get ids of their own.
        self._times: Counter[bytes] = Counter()
        self._count = 0
        self._repeats = Repeats()
        # Asked for each answer, so it is not found out again each time.
        has_times = settings.pace.first_ms or settings.pace.each_ms
        self._is_open = self._limits == UNLIMITED and not settings.failures and not has_times

    def add(self, script: Script) -> None:
        """Add the answers of a script, and its limits where it has some."""
        self.script.add(script.rules, only=script.only)
        if script.limits:
            self._limits = self.settings.limits.over(script.limits)
            self._meters = Meters(self._limits)
            self._is_open = False

    def answer(self, request: Request, now: float) -> Given:
        """Answer a request that came at ``now``, in seconds of a clock that never goes back.

        Raises :class:`RefusalError` for an address that nobody serves, and where the script of the
        session is over or does not fit.
        """
        came, route = request, routes.find(request)
        if isinstance(route, NoRoute):
            return unserved(request, route)
        dialect, request = route.dialect, route.request
        key = self.settings.key
        if key is not None and (wrong := refusing.bad_key(dialect, request, key)) is not None:
            return refusing.refused(dialect, request, wrong)
        try:
            if route.side is not None:
                return self._aside(route, route.side)
            uses = self.memory.uses
            given = self._asked(dialect, request, now)
            if self.memory.uses == uses:
                self._note(came, given)
        except (UnreadableRequestError, UnmetSchemaError, UnwritableError) as exc:
            given = refusing.refused(dialect, request, refusing.unreadable(dialect, str(exc)))
        except ObjectionError as exc:
            given = refusing.refused(dialect, request, exc.reason)
        return self._with_limits(given, now)

    def repeat(self, request: Request) -> Repeat | None:
        """Return what answers a request from now on, if its answers differ in their ids alone."""
        return self._repeats.find(request)

    def _note(self, request: Request, given: Given) -> None:
        """Remember a request whose answer depends on nothing else."""
        asked = given.asked
        if asked is None or given.label != SYNTHESISED or given.objections or not self.is_plain:
            return
        counted = _counted(asked.request)
        block = self._times[counted] // BLOCK
        repeat = Repeat(
            first=block * BLOCK,
            take=partial(self._take, counted),
            make=partial(self._written, asked),
            own=partial(synthesis.own_of, synthesis.key_of(asked.request, self.settings.seed)),
            is_current=lambda: self.is_plain and self._times[counted] // BLOCK == block,
        )
        self._repeats.keep(request, repeat)

    @property
    def is_plain(self) -> bool:
        """Whether no answer has a script, a time, a limit or a failure: it can be sent at once."""
        return self._is_open and not self.script.count and not self.script.only

    def _aside(self, route: Route, side: SideRoute) -> Given:
        scripted = self.script.vectors()
        desk = BackendDesk(route.dialect, route.request, self.settings, self.memory, scripted)
        asked = Side(route.request, desk, route.named)
        try:
            response = registry.answered_aside(route.dialect, side, asked)
        except DialectError as exc:
            # As where a call is read: what is sent may be too odd.
            raise UnreadableRequestError(str(exc)) from exc
        source = f"rule {', '.join(scripted.where)}" if scripted.where else SYNTHESISED
        return replies.of_response(route.request, response, Reply(source=source))

    def _asked(self, dialect: Dialect, request: Request, now: float) -> Given:
        """Answer a request for an answer of a model."""
        call, why = self._call(dialect, request)
        objections = tuple(refusing.objections(dialect, request, call, self.memory))
        if call is None or (objections and not self.settings.lenient):
            reasons = objections or (refusing.unreadable(dialect, why),)
            given = refusing.refused(dialect, request, reasons[0], call=call)
            return replace(given, objections=objections)
        asked = Asked(dialect, call, request)
        given = self._limited(asked, now) or self._answered(asked)
        return replace(given, objections=objections)

    def _call(self, dialect: Dialect, request: Request) -> tuple[NeutralCall | None, str]:
        """Return the call of a request, or why it has none.

        What is not as the provider has it may be too odd to be read at all.
        """
        try:
            return registry.read_asked(dialect, request, self.memory), ""
        except (UnreadableRequestError, DialectError) as exc:
            return None, str(exc)

    def _limited(self, asked: Asked, now: float) -> Given | None:
        """Return the answer to a request that is too large, or comes too early."""
        count, most = tokens.of_request(asked), self._limits.context
        if most is not None and count > most:
            reason = registry.said(asked.dialect, lambda r: r.too_long(count, most, asked.call))
        elif (excess := self._meter(asked).take(count, now)) is not None:
            reason = registry.said(asked.dialect, lambda r: r.over_limit(excess, asked.call))
        else:
            return None
        return refusing.refused(asked.dialect, asked.request, reason, call=asked.call)

    def _meter(self, asked: Asked) -> Meter:
        """Return the quotas of the model that is asked."""
        dialect = asked.dialect
        return self._meters.of(dialect.provider or dialect.name, asked.call.model)

    def _answered(self, asked: Asked) -> Given:
        drawn = self._failing.next()
        if drawn is not None and drawn.failure.status is not None:
            return self._failed(asked, drawn, drawn.failure.status)
        step = self.script.next(asked)
        given = self._made(asked) if step is None else self._scripted.given(step, asked)
        turn = given.reply.turn
        if turn is not None:
            registry.remember(asked.dialect, asked.request, asked.call, turn, self.memory)
            self._meter(asked).spend(tokens.of_turn(turn)[0])
        if drawn is None or given.broken is not None:
            return given
        broken = drawn.broken(given.exchange.schedule)
        if broken is None:
            return given
        given = replies.interrupted(given, broken)
        return replace(given, notes=(*given.notes, f"{FAILED} {drawn.failure}"))

    def _failed(self, asked: Asked, drawn: Drawn, status: int) -> Given:
        reason = registry.said(
            asked.dialect, lambda r: r.failure(status, drawn.failure.retry, asked.call)
        )
        source = f"{FAILED} {drawn.failure}"
        return refusing.refused(
            asked.dialect, asked.request, reason, source=source, call=asked.call
        )

    def _made(self, asked: Asked) -> Given:
        return self._written(asked, self._take(_counted(asked.request)))

    def _written(self, asked: Asked, number: int) -> Given:
        turn = synthesis.synthesise(asked, seed=self.settings.seed, number=number)
        pace = self.settings.pace
        if pace.jitter:
            pace = replace(pace, seed=self.settings.seed + self._count)
        reply = Reply(source=SYNTHESISED, turn=turn, pace=pace)
        return replies.given(asked, reply)

    def _take(self, counted: bytes) -> int:
        """Return how often a request was answered before, and count it."""
        number = self._times[counted]
        self._times[counted] = number + 1
        self._count += 1
        return number

    def _with_limits(self, given: Given, now: float) -> Given:
        """Send with an answer what is left of the quotas of its model, as the provider does."""
        asked = given.asked
        if asked is None or not asked.call.model:
            return given
        quotas = self._meter(asked).quotas(now)
        if not quotas:
            return given
        epoch = self._epoch + now
        headers = registry.said(asked.dialect, lambda r: r.limit_headers(quotas, epoch))
        return replies.with_headers(given, headers)


def _counted(request: Request) -> bytes:
    """Return what is equal for equal requests."""
    hashed = blake2b(request.uri.encode(errors="surrogatepass"), digest_size=16)
    hashed.update(b"\0" + request.body)
    return hashed.digest()
