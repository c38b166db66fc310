"""Which answer of a script is next in one session. No I/O and no clock.

Answers with a condition come first, in their order; the first that fits is given. The others are
given in turn, each once, and the last one stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mockserver.backend.asked import Asked
from mockserver.backend.script.conditions import fits, says
from mockserver.backend.script.steps import EMPTY, STAY, End, Rule, Script, Step
from mockserver.errors import SessionError
from mockserver.library.outcome import Outcome
from mockserver.library.refusal import RefusalError


class Playing:
    """The state of a script in one session. Rules can be added."""

    def __init__(self, script: Script = EMPTY) -> None:
        self.only = False
        #: How many rules were added.
        self.count = 0
        self._rules: list[tuple[Rule, _Turns]] = []
        self._plain = _Turns([], STAY)
        self._vectors: list[tuple[Rule, _Turns]] = []
        self.add(script.rules, only=script.only)

    def add(self, rules: Iterable[Rule], *, only: bool = False) -> None:
        """Append rules. With ``only``, nothing but the script is answered from now on."""
        if only:
            self.only = True
            self._plain.end = End(stop=True)
        for rule in rules:
            self.count += 1
            if rule.steps[0].embed is not None:
                self._vectors.append((rule, _Turns(rule.steps, rule.end)))
                continue
            if rule.condition is not None:
                self._rules.append((rule, _Turns(rule.steps, rule.end)))
                continue
            self._plain.steps += rule.steps
            if not self.only or rule.end is not STAY:
                self._plain.end = rule.end

    def replace(self, old: Rule, new: Rule) -> None:
        """Put a rule in the place of one that was added, as if it had been there from the start.

        Raises :class:`SessionError` for one that is not there any more.
        """
        for rules in (self._rules, self._vectors):
            for number, (rule, _) in enumerate(rules):
                if rule is old:
                    del rules[number]
                    if new.condition is None and rules is self._rules:
                        self.add([new])
                    else:
                        rules.insert(number, (new, _Turns(new.steps, new.end)))
                    return
        steps = self._plain.steps
        place = next((n for n, step in enumerate(steps) if step is old.steps[0]), None)
        if place is None:
            raise SessionError(f"{old.where}: this answer was forgotten; add it again")
        steps[place : place + len(old.steps)] = () if new.condition else new.steps
        if new.condition is not None:
            self.add([new])

    def next(self, asked: Asked) -> Step | None:
        """Return the answer to a request; ``None`` where the script leaves it open.

        Raises :class:`RefusalError` where the script says that nothing else is answered.
        """
        for rule, turns in self._rules:
            if rule.condition is not None and fits(rule.condition, asked):
                step = turns.take(asked)
                if step is not None:
                    return step
        step = self._plain.take(asked)
        if step is None and self.only:
            raise _over(f"no answer of the script fits {asked.question!r:.60}")
        return step

    @property
    def unused(self) -> tuple[str, ...]:
        """The places of the answers that were never given."""
        every = (*(turns for _, turns in (*self._rules, *self._vectors)), self._plain)
        return tuple(step.where for turns in every for step in turns.unused)

    def vectors(self) -> Vectors:
        """Return the embeddings for the texts of one request."""
        return Vectors(self._vectors)


class Vectors:
    """The embeddings that a script has for the texts of one request, in their order.

    ``where`` are the places of those that were given.
    """

    def __init__(self, rules: Sequence[tuple[Rule, _Turns]]) -> None:
        self._rules = rules
        self._left: dict[str, list[tuple[float, ...]]] = {}
        self.where: list[str] = []

    def next(self, text: str) -> tuple[float, ...] | None:
        """Return the vector of the next text; ``None`` where the script has none."""
        for rule, turns in self._rules:
            if rule.condition is not None and not says(rule.condition, text):
                continue
            if not self._left.get(rule.where):
                step = turns.take(None)
                if step is None or step.embed is None:
                    continue
                self._left[rule.where] = list(step.embed)
                self.where.append(step.where)
            return self._left[rule.where].pop(0)
        return None


class _Turns:
    """Several answers in turn, and what comes behind the last."""

    def __init__(self, steps: Sequence[Step], end: End) -> None:
        self.steps = list(steps)
        self.end = end
        self._place = 0
        self._given = 0
        #: How many of them were given at least once.
        self._reached = 0

    @property
    def unused(self) -> list[Step]:
        """Those that were never given."""
        return self.steps[self._reached :]

    def take(self, asked: Asked | None) -> Step | None:
        """Return the next one; ``None`` if there is none, or it would never end a loop."""
        while self._place < len(self.steps):
            step = self.steps[self._place]
            times = self._times(step)
            if times is None or self._given < times:
                if asked and self._repeats(step) and _was_called(step, asked):
                    return None
                self._given += 1
                self._reached = max(self._reached, self._place + 1)
                return step
            self._place, self._given = self._place + 1, 0
        if not self.steps:
            return None
        if self.end.repeat:
            self._place, self._given = 0, 1
            return self.steps[0]
        last = self.steps[-1].where
        if self.end.stop:
            raise _over(f"{last}: this was the last answer of the script")
        return Step(where=last, fail=self.end.fail) if self.end.fail else None

    def _times(self, step: Step) -> int | None:
        """Return how often a step is given; ``None`` for the last one, which stays."""
        if step.times is not None:
            return step.times
        stays = self.end == STAY and self._place == len(self.steps) - 1
        return None if stays else 1

    def _repeats(self, step: Step) -> bool:
        """Whether a call was the only one, or was given before."""
        return self._times(step) is None and (len(self.steps) == 1 or self._given > 0)


def _was_called(step: Step, asked: Asked) -> bool:
    """Return whether the conversation has all calls already: a client would go on for ever."""
    return bool(step.calls) and {call.name for call in step.calls} <= asked.called


def _over(message: str) -> RefusalError:
    return RefusalError(
        422,
        "script_over",
        f"{message}; add an answer, or leave out 'only: true' and 'end: stop'",
        outcome=Outcome.MISSED,
    )
