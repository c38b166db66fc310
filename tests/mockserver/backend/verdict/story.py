"""Writes what a client did as evidence, with times that the test chooses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mockserver.backend.asked import Asked
from mockserver.backend.evidence import Seen
from mockserver.backend.reply import Reply, given
from mockserver.backend.synthesis import synthesise
from mockserver.backend.verdict import Level, Statements, Verdict, judge
from mockserver.dialects import Objection
from mockserver.library.outcome import Outcome
from mockserver.vocabulary import (
    AssistantTurn,
    ErrorClass,
    ErrorInfo,
    JsonObject,
    Status,
    TextPart,
)
from mockserver.wire import variation
from mockserver.wire.schedule import Ending
from tests.mockserver.backend.asking import asked, user

_CLASSES = {
    400: ErrorClass.INVALID_REQUEST,
    401: ErrorClass.AUTHENTICATION,
    429: ErrorClass.RATE_LIMIT,
    500: ErrorClass.SERVER_ERROR,
    503: ErrorClass.OVERLOADED,
}
#: Seconds that each answer takes.
TAKES = 0.1


def failure(status: int, retry: float | None = None) -> ErrorInfo:
    return ErrorInfo(
        error_class=_CLASSES[status],
        message="no",
        retryable=True,
        status=status,
        retry_after=retry,
    )


@dataclass
class Story:
    """The requests of one client, each at a time of its own."""

    dialect: str = "openai-chat"
    seen: list[Seen] = field(default_factory=list)
    #: The turn of each answer.
    turns: list[AssistantTurn] = field(default_factory=list)

    def ask(
        self,
        *messages: JsonObject,
        at: float,
        fail: ErrorInfo | None = None,
        broken: str = "",
        in_band: ErrorInfo | None = None,
        headers: Mapping[str, str] | None = None,
        connection: int = 1,
        call: int | None = None,
        outcome: Outcome | None = None,
        until: float | None = None,
        objections: tuple[Objection, ...] = (),
        **options: Any,
    ) -> AssistantTurn:
        """Send one request and return the whole turn.

        ``broken`` is a variation such as ``cut=3``; ``in_band`` is an error that comes in the
        stream, behind half of the text.
        """
        question = asked(*messages or (user("Hi"),), dialect=self.dialect, stream=True, **options)
        request = replace(
            question.request, headers=(*question.request.headers, *(headers or {}).items())
        )
        question = Asked(question.dialect, question.call, request)
        turn = synthesise(question, number=len(self.seen))
        sent = turn if in_band is None else _failing(turn, in_band)
        reply = (
            Reply(source="rule", error=fail)
            if fail
            else Reply(source="rule", turn=sent, variation=variation.parse(broken or "seed=0"))
        )
        found = replace(given(question, reply), objections=objections)
        schedule = found.exchange.schedule
        ends = {Ending.TRUNCATE: Outcome.TRUNCATED, Ending.STALL: Outcome.CLIENT_CLOSED}
        self.seen.append(
            Seen(
                number=len(self.seen),
                request=request,
                connection=connection,
                arrived=at,
                began=at,
                ended=at + TAKES if until is None else until,
                sent=len(schedule.body),
                outcome=outcome or ends.get(schedule.ending, Outcome.FINISHED),
                found=found,
                call=call,
            )
        )
        self.turns.append(turn)
        return turn

    def verdict(self, **statements: Any) -> Verdict:
        """Judge it."""
        return judge(self.seen, Statements(**statements))

    def found(self, **statements: Any) -> dict[str, Level]:
        """Return the checks that found something, each with its level."""
        return {f.check: f.level for f in reversed(self.verdict(**statements).findings)}


def _failing(turn: AssistantTurn, error: ErrorInfo) -> AssistantTurn:
    half = TextPart(text=turn.content[: len(turn.content) // 2])
    return replace(turn, parts=(half,), status=Status.FAILED, error=error, finish_reason=None)


def answer(text: str) -> JsonObject:
    """Return a message of the model."""
    return {"role": "assistant", "content": text}


def tried(times: int) -> dict[str, str]:
    """Return the header by which a client counts its retries."""
    return {"x-stainless-retry-count": str(times)}
