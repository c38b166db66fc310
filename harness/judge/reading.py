"""A transcript made ready for the checks: typed events, facts of the wire, the expectation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from harness.judge.transcript import Transcript, TurnRecord
from harness.suite.scenario import Case, TurnSpec
from mockserver.dialects.facts import Facts
from mockserver.dialects.registry import facts_of
from mockserver.vocabulary.codec import event_from_json, turn_from_json
from mockserver.vocabulary.model import AssistantTurn, Event


@dataclass(frozen=True)
class Reading:
    """One turn of one case, as the checks want it.

    ``granularity`` and ``features`` are what the adapter declares.
    """

    transcript: Transcript
    number: int
    granularity: str = "exact"
    features: frozenset[str] = frozenset()

    @property
    def case(self) -> Case:
        """The case at hand."""
        return self.transcript.case

    @property
    def record(self) -> TurnRecord:
        """What was seen of this turn."""
        return self.transcript.turns[self.number]

    @property
    def spec(self) -> TurnSpec:
        """What the scenario says of this turn."""
        return self.case.scenario.turns[self.number]

    @cached_property
    def events(self) -> tuple[Event, ...] | None:
        """The events, typed; ``None`` if one of them is not in the form of the schema."""
        try:
            return tuple(event_from_json(e) for e in self.record.events)
        except (ValueError, TypeError, AttributeError):
            return None

    @cached_property
    def turn(self) -> AssistantTurn | None:
        """The turn, typed; ``None`` if there is none in the form of the schema."""
        try:
            return None if self.record.turn is None else turn_from_json(self.record.turn)
        except (ValueError, TypeError, AttributeError):
            return None

    @cached_property
    def facts(self) -> Facts | None:
        """What the answers that the client received say, if their dialect can be read."""
        if not self.record.schedules:
            return None
        return facts_of(self.case.scenario.dialect, *self.record.schedules)
