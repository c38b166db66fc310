"""Say how the wire of a case broke, and what the client did then.

This is read off the transcript, independently of what the judge says of it, so that a report can
show every client's habits side by side.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from harness.judge import channels
from harness.judge.reading import facts_about
from harness.judge.transcript import Transcript, TurnRecord
from harness.suite.scenario import Case, Expectation
from mockserver.dialects import Facts
from mockserver.errors import CodingError
from mockserver.wire import Body, Ending, Media, Schedule


class How(StrEnum):
    """How an answer broke, before it said how it ends."""

    EARLY_END = "early-end"
    CUT_IN_EVENT = "cut-in-event"
    CLOSED = "closed"
    RESET = "reset"
    STALL = "stall"
    GARBLED = "garbled"
    IN_BAND = "in-band"
    STATUS = "status"


class Reaction(StrEnum):
    """What the client did: it reported a failure, or it did not."""

    TOLD = "told"
    SILENT = "silent"
    HANG = "hang"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Broken:
    """A break and the reaction to it."""

    how: How
    reaction: Reaction


_ENDINGS = {
    Ending.FINISH: How.EARLY_END,
    Ending.TRUNCATE: How.CLOSED,
    Ending.RESET: How.RESET,
    Ending.STALL: How.STALL,
}


def broken_of(transcript: Transcript) -> Broken | None:
    """Return the break of the last answer, if the turn that it ends must fail.

    ``None`` where the answer was whole, where nothing was answered, and where a scenario accepts
    several outcomes.
    """
    case, turns = transcript.case, transcript.turns
    if not turns or not turns[-1].schedules or turns[-1].cancelled:
        return None
    expect = case.scenario.turns[len(turns) - 1].expect
    if expect is not None and (expect.any_of or not _may_break(case, expect)):
        return None
    answers = turns[-1].schedules
    try:
        how = _how(answers[-1], facts_about(case.scenario.dialect, *answers))
    except CodingError:
        how = _ENDINGS[answers[-1].ending]
    return None if how is None else Broken(how, _reaction(turns[-1]))


def _may_break(case: Case, expect: Expectation) -> bool:
    """Return whether the turn is broken by a fault, or expected to fail."""
    if case.fault is not None or expect.error is not None:
        return True
    if expect.events:
        return expect.events[-1].get("type") == "error"
    return bool(expect.turn) and (expect.turn or {}).get("status") == "failed"


def _how(answer: Schedule, facts: Facts | None) -> How | None:
    if answer.status >= 400:
        return How.STATUS
    if facts is None:
        return None
    if facts.error is not None:
        return How.IN_BAND
    if facts.broken:
        is_stream = answer.plain.media is not Media.OTHER
        return How.GARBLED if is_stream else _inside(answer.plain) or How.GARBLED
    if facts.terminal_seen:
        return None
    how = _ENDINGS[answer.ending]
    if how in {How.EARLY_END, How.CLOSED}:
        return _inside(answer.plain) or how
    return how


def _inside(body: Body) -> How | None:
    """Return how a body breaks that does not end between two events; ``None`` if it does."""
    if body.media is not Media.OTHER:
        is_whole = not body.data or body.event_ends[-1:] == (len(body.data),)
        return None if is_whole else How.CUT_IN_EVENT
    text = body.data.strip()
    try:
        json.loads(text or b"{}")
    except (ValueError, RecursionError):
        return How.CUT_IN_EVENT if text[:1] in (b"{", b"[") else How.GARBLED
    return None


def _reaction(turn: TurnRecord) -> Reaction:
    if turn.hung:
        return Reaction.HANG
    if turn.broke_off:
        return Reaction.FOREIGN
    seen = channels.of_events([event.data for event in turn.events])
    if turn.turn is not None and not turn.events:
        seen = channels.of_turn(turn.turn.data)
    return Reaction.TOLD if seen["status"] == "failed" else Reaction.SILENT
