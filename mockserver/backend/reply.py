"""What to answer, in neutral words, and the exchange that says it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mockserver.backend.asked import Asked
from mockserver.backend.tokens import TOKENS
from mockserver.cassettes.cassette import Headers, Request, Response
from mockserver.dialects.objection import Objection
from mockserver.dialects.registry import written_answer, written_error
from mockserver.dialects.writing import Pace
from mockserver.errors import CodingError
from mockserver.library.session import Exchange, Found
from mockserver.vocabulary.failure import ErrorInfo
from mockserver.vocabulary.model import AssistantTurn
from mockserver.wire import variation
from mockserver.wire.schedule import Send, from_response
from mockserver.wire.variation import Break, Variation

#: Says of every answer what it is.
ANSWER_HEADER = "x-tapecheck-answer"
#: What an answer is that says why there is none.
REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A turn or an error, and how it is sent.

    ``source`` says where it comes from: ``synthesised``, ``rule answers.yaml:7``, ``refused``.
    ``headers`` are sent beside those of the provider. ``variation`` changes or interrupts it.
    """

    source: str
    turn: AssistantTurn | None = None
    error: ErrorInfo | None = None
    pace: Pace = TOKENS
    variation: Variation = field(default_factory=Variation)
    headers: Headers = ()

    @property
    def label(self) -> str:
        """What the answer is and what interrupts it: ``synthesised, cut=3``."""
        broken = self.variation.broken
        return self.source if broken is None else f"{self.source}, {broken}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given(Found):
    """An answer that was made: to what, and what it says.

    ``asked`` is ``None`` for a request that asks for no answer of a model, such as a list of
    models, and for one that cannot be read. ``objections`` are what the provider refuses about it,
    ``notes`` what else somebody who reads the journal should know.
    """

    asked: Asked | None
    reply: Reply
    objections: tuple[Objection, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What the answer is, as its header says."""
        return self.reply.label

    @property
    def has_times(self) -> bool:
        """Whether its pieces are due at times that were asked for."""
        return bool(self.reply.pace.first_ms or self.reply.pace.each_ms)

    @property
    def note(self) -> str | None:
        """What the provider refuses about the request, and other notes."""
        why = [one.error.message for one in self.objections]
        if not why and self.reply.source == REFUSED and self.reply.error is not None:
            why = [self.reply.error.message]
        return "; ".join((*(f"refused: {words}" for words in why), *self.notes)) or None

    @property
    def broken(self) -> Break | None:
        """Where the answer is interrupted, if it is."""
        return self.reply.variation.broken


def given(asked: Asked, reply: Reply) -> Given:
    """Write a reply as the provider would send it.

    Raises :class:`~mockserver.dialects.UnwritableError` for what the dialect cannot say, and
    ``ValueError`` for an interruption behind the end.
    """
    if reply.error is not None and reply.turn is None:
        response = written_error(asked.dialect, reply.error, asked.call)
    else:
        assert reply.turn is not None
        response = written_answer(asked.dialect, reply.turn, asked.call, reply.pace, asked.request)
    return of_response(asked.request, response, reply, asked)


def of_response(
    request: Request, response: Response, reply: Reply, asked: Asked | None = None
) -> Given:
    """Send a response that is already written."""
    headers = (*response.headers, *reply.headers, (ANSWER_HEADER, reply.label))
    schedule = from_response(replace(response, headers=headers))
    (schedule,) = variation.apply([schedule], reply.variation)
    return Given(Exchange(request, schedule), asked=asked, reply=reply)


def with_headers(found: Given, headers: Headers) -> Given:
    """Send an answer with more headers."""
    if not headers:
        return found
    exchange = found.exchange
    schedule = replace(exchange.schedule, headers=(*exchange.schedule.headers, *headers))
    return replace(found, exchange=Exchange(exchange.request, schedule))


def delayed(found: Given, first_ms: float) -> Given:
    """Begin an answer so much later."""
    if not first_ms:
        return found
    exchange = found.exchange
    schedule = exchange.schedule
    steps = tuple(
        replace(step, at_ms=step.at_ms + first_ms) if isinstance(step, Send) else step
        for step in schedule.steps
    )
    later = replace(schedule, headers_ms=schedule.headers_ms + first_ms, steps=steps)
    pace = replace(found.reply.pace, first_ms=first_ms)
    return replace(
        found,
        exchange=Exchange(exchange.request, later),
        reply=replace(found.reply, pace=pace),
    )


def interrupted(found: Given, broken: Break) -> Given:
    """Interrupt an answer; one that cannot be interrupted so is sent whole, with a note."""
    reply = replace(found.reply, variation=replace(found.reply.variation, broken=broken))
    exchange = found.exchange
    try:
        (schedule,) = variation.apply([exchange.schedule], Variation(broken=broken))
    except (CodingError, ValueError) as exc:
        return replace(found, notes=(*found.notes, f"sent whole: {exc}"))
    headers = [(n, v) for n, v in schedule.headers if n != ANSWER_HEADER]
    schedule = replace(schedule, headers=(*headers, (ANSWER_HEADER, reply.label)))
    return replace(found, exchange=Exchange(exchange.request, schedule), reply=reply)
