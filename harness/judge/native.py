"""Check the native events of clients that emit them beside the normalized ones.

The grammar of their dialect says what is wrong; here it becomes findings. If the wire itself
carries such events, the client relays them and they must equal the wire. Otherwise the client
made them, and they must obey their schema and the whole grammar.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from harness.judge.reading import Reading
from harness.judge.transcript import Finding
from harness.suite.loader import describe
from harness.suite.schemas import definition
from mockserver.dialects import Difference, Grammar, find_dialect, grammars
from mockserver.vocabulary import Json, JsonObject
from mockserver.wire import Schedule


@dataclass(frozen=True, slots=True)
class Native:
    """The native events of a turn, in the order in which they were emitted.

    ``relayed``: the wire carries such events itself; ``answer`` is the last one that the client
    got, if any.
    """

    grammar: Grammar
    events: tuple[Json, ...]
    relayed: bool
    answer: Schedule | None

    @property
    def objects(self) -> list[JsonObject]:
        """The events that are objects; other values carry nothing of the turn."""
        return [event for event in self.events if isinstance(event, dict)]


def native_of(reading: Reading) -> Native | None:
    """Return the native events of a turn; ``None`` if it need not have any."""
    record = reading.record
    if not record.streamed or not record.events:
        return None
    for grammar in grammars():
        if grammar.feature in reading.features:
            return Native(
                grammar,
                reading.native,
                find_dialect(reading.case.scenario.dialect).grammar is grammar,
                record.schedules[-1] if record.schedules else None,
            )
    return None


def native(reading: Reading) -> Iterator[Finding]:
    """Check that the native events obey the grammar, or are the wire's own."""
    found = native_of(reading)
    if found is None:
        return
    if not found.relayed:
        yield from _made(found)
    elif found.answer is not None:
        for difference in found.grammar.relayed(found.events, found.answer):
            yield _finding("native", "native-content", difference, separator=" ")


def _made(found: Native) -> Iterator[Finding]:
    malformed: set[int] = set()
    objects = 0
    for number, event in enumerate(found.events):
        problems = _problems(found.grammar.schema, json.dumps(event, default=str))
        if problems:
            malformed.add(objects)
        objects += isinstance(event, dict)
        for problem in problems:
            yield Finding(
                check="native",
                kind="native-form",
                field=f"native.{event['type']}" if _is_typed(event) else "native",
                message=f"native event {number + 1}, {problem}",
                observed=event,
            )
    for difference in found.grammar.violations(found.objects, malformed):
        yield _finding("native", "native-order", difference, separator=", ")


def _is_typed(event: Json) -> bool:
    return isinstance(event, dict) and isinstance(event.get("type"), str)


# A scenario gives the same events on every wire; each is judged once.
@lru_cache(maxsize=4096)
def _problems(schema: str, text: str) -> tuple[str, ...]:
    event = json.loads(text)
    kind = event.get("type") if isinstance(event, dict) else None
    check = definition(schema, kind) if isinstance(kind, str) else None
    if check is None:
        return (f"unknown type {kind!r}",)
    return tuple(f"{kind}: {describe(problem)}" for problem in check.iter_errors(event))


def native_turn(reading: Reading) -> Iterator[Finding]:
    """Check that the native and the normalized events give the same turn."""
    found, turn = native_of(reading), reading.turn
    if found is None or turn is None:
        return
    for difference in found.grammar.against_turn(
        found.objects, turn, relayed=found.relayed, answer=found.answer
    ):
        yield _finding("native-turn", "native-content", difference)


def _finding(check: str, kind: str, difference: Difference, separator: str = "") -> Finding:
    at = "" if difference.at is None else f"native event {difference.at + 1}{separator}"
    return Finding(
        check=check,
        kind=kind,
        field="native",
        message=at + difference.message,
        expected=difference.expected,
        observed=difference.observed,
    )
