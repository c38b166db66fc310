"""A transcript prepared for the checks: typed events, facts of the wire, the expectation."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from harness.judge.terms import Terms
from harness.judge.transcript import Transcript, TurnRecord
from harness.suite.scenario import Case, Expectation, TurnSpec
from mockserver.dialects import Facts, facts_of
from mockserver.vocabulary import AssistantTurn, Event, Json, JsonObject, fold
from mockserver.wire import Schedule


@dataclass(frozen=True)
class Reading:
    """One turn of one case, as the checks need it.

    ``terms`` are what the adapter declares. ``expect`` is what the scenario expects, or one of
    several outcomes that it accepts.
    """

    transcript: Transcript
    number: int
    terms: Terms = field(default_factory=Terms)
    expect: Expectation | None = None

    @property
    def case(self) -> Case:
        """The case at hand."""
        return self.transcript.case

    @property
    def record(self) -> TurnRecord:
        """The record of this turn."""
        return self.transcript.turns[self.number]

    @property
    def spec(self) -> TurnSpec:
        """The scenario's spec of this turn."""
        return self.case.scenario.turns[self.number]

    @property
    def features(self) -> frozenset[str]:
        """The features that the adapter declares."""
        return self.terms.features

    @cached_property
    def events(self) -> tuple[Event, ...] | None:
        """The events, typed; ``None`` if a type in one of them is wrong."""
        typed = tuple(e.value for e in self.record.events if e.value is not None)
        return typed if len(typed) == len(self.record.events) else None

    @cached_property
    def event_data(self) -> list[JsonObject]:
        """The events as JSON, for what is compared with a scenario or shown."""
        return [e.data for e in self.record.events]

    @cached_property
    def native(self) -> tuple[Json, ...]:
        """What the events carry from the wire, in order."""
        return tuple(n for e in self.record.events if e.value is not None for n in e.value.native)

    @property
    def turn(self) -> AssistantTurn | None:
        """The turn, typed; ``None`` if there is none, or a type in it is wrong."""
        return None if self.record.turn is None else self.record.turn.value

    @cached_property
    def folded(self) -> AssistantTurn | None:
        """The turn folded from the events; ``None`` if they are not typed."""
        if self.events is None or not self.record.turn_given:
            return self.turn
        return fold(self.events)

    @cached_property
    def facts(self) -> Facts | None:
        """The facts of the answers that the client received, if their dialect can be read.

        A wire of which a scenario accepts several outcomes says nothing beyond doubt.
        """
        expect = self.spec.expect
        if not self.record.schedules or (expect is not None and expect.any_of):
            return None
        return facts_about(self.case.scenario.dialect, *self.record.schedules)


@lru_cache(maxsize=512)
def facts_about(dialect: str, *answers: Schedule) -> Facts | None:
    """Return the facts of the answers of one turn; they are read once for all adapters."""
    return facts_of(dialect, *answers)
