"""Play drawn wires to a client until the time is up; shrink each new failure. Needs hypothesis."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, Phase, Verbosity, find, settings
from hypothesis.errors import HypothesisException

from harness.errors import HarnessError
from harness.fuzz import cases, witness
from harness.fuzz.causes import Cause, cause_of, counted, is_refused, known_reason
from harness.fuzz.wires import MOST, Asked, Wire, wires
from harness.judge.baseline import Baseline
from harness.judge.transcript import Blame, Finding
from harness.plan.planning import Plan, held
from harness.plan.wires import schedules_for
from harness.reports.records import CaseResult
from harness.run.again import lacks_evidence
from harness.run.runner import Runner
from mockserver.dialects import find_dialect

#: Wires and seconds for making one failure smaller.
SHRINKS, SHRINK_SECONDS = 500, 40.0
#: Wires that are drawn from one beginning. Each round begins with the simplest ones again.
ROUND = 2000


_numbers = count()


class OurFaultError(HarnessError):
    """The writer and the reader of a dialect disagree about a wire: a bug of ours."""

    exit_code = 3

    def __init__(self, wire: Wire, message: str) -> None:
        super().__init__(message, hint="this is a fault of tapecheck, not of the client")
        self.wire = wire


class _StopError(BaseException):
    """Ends a search from inside; hypothesis hands on what is no ``Exception``."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A failure at its smallest. ``finding`` is the one of the cause, ``played`` what it took."""

    cause: Cause
    finding: Finding
    wire: Wire
    played: int


@dataclass(kw_only=True)
class Tally:
    """What a search has seen so far.

    ``known`` counts wires by the reasons of the baseline, ``again`` by the causes that were found.
    ``unproven`` wires gave no evidence; ``refused`` ones were in a coding that the client does not
    take; ``fleeting`` failures did not come again.
    """

    played: int = 0
    known: Counter[str] = field(default_factory=Counter)
    again: Counter[Cause] = field(default_factory=Counter)
    unproven: int = 0
    refused: int = 0
    fleeting: int = 0

    @property
    def judged(self) -> int:
        """How many wires proved something."""
        return self.played - self.unproven - self.refused


class Search:
    """Searches the wires of one dialect for failures of one client. A context manager."""

    def __init__(
        self,
        plan: Plan,
        dialect: str,
        asked: Asked,
        *,
        seed: int = 0,
        most: int = MOST,
        shrinks: int = SHRINKS,
        progress: Callable[[Tally], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        (self._adapter,) = plan.adapters
        self._baseline: Baseline = plan.baselines[self._adapter.name]
        self._dialect = dialect
        self._random = Random(f"{seed} {dialect}")  # noqa: S311 - not for secrets
        features = self._adapter.features
        self._wires = wires(find_dialect(dialect), features, asked, most=most)
        self._progress = progress or (lambda _: None)
        self.clock = clock
        self.shrinks = shrinks
        self._loop = asyncio.Runner()
        self._runner = Runner(plan, deadline=10.0)
        self.tally = Tally()

    def __enter__(self) -> Search:
        self._loop.__enter__()
        self._loop.run(self._runner.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._runner.__aexit__(None, None, None))
        self._loop.__exit__(None, None, None)

    def found(self, *, seconds: float, examples: int | None = None) -> Iterator[Found]:
        """Yield each new failure, at its smallest, until the time is up.

        ``examples`` is the number of wires in place of the time; what shrinking plays is not
        counted. Raises :class:`OurFaultError`.
        """
        began = self.clock()

        def is_over() -> bool:
            if examples is not None:
                return self._drawn >= examples
            return self.clock() - began >= seconds

        self._drawn = 0
        while not is_over():
            attempt = _Attempt(self, is_over)
            attempt.run(self._wires, self._random)
            if attempt.fault is not None:
                raise attempt.fault
            if attempt.best is None:
                continue
            settled = self._settled(attempt)
            if settled is None:
                self.tally.fleeting += 1
                continue
            yield settled

    def _settled(self, attempt: _Attempt) -> Found | None:
        """Return the failure if it comes again."""
        assert attempt.best is not None
        assert attempt.cause is not None
        finding = self.finding_of(attempt.best, attempt.cause)
        self.tally.again[attempt.cause] += 1
        if finding is None:
            return None
        return Found(
            cause=attempt.cause, finding=finding, wire=attempt.best, played=self.tally.played
        )

    def finding_of(self, wire: Wire, cause: Cause) -> Finding | None:
        """Play a wire and return the finding of that cause."""
        result = self.play(wire)
        if result is None:
            return None
        return next((f for f in self._unknown(result) if cause_of(f, result) == cause), None)

    def drawn(self, wire: Wire) -> Cause | None:
        """Play a new wire and return the cause of its failure, if that is new."""
        self._drawn += 1
        result = self.play(wire)
        if result is None or (leading := next(self._unknown(result), None)) is None:
            return None
        cause = cause_of(leading, result)
        if cause in self.tally.again:
            self.tally.again[cause] += 1
            return None
        return cause

    def play(self, wire: Wire) -> CaseResult | None:
        """Play a wire; ``None`` if that proved nothing. Raises :class:`OurFaultError`."""
        self.tally.played += 1
        self._progress(self.tally)
        # What is played is known by its path, so each wire of this process has one of its own.
        name = f"fuzz/{self._dialect}-{next(_numbers)}"
        path = Path(f"{name}.yaml")
        document = cases.document(wire, name, name)
        case, cassette = cases.case_of(wire, self._adapter.name, document, path, path)
        if not cases.may_play(case.scenario, self._adapter):
            return None
        with held(cassette):
            (sent,) = schedules_for(case)
            if (why := witness.disagreement(wire, sent)) is not None:
                raise OurFaultError(wire, f"the {self._dialect} writer and reader disagree: {why}")
            result = self._loop.run(self._runner.run_case(case))
        if any(f.blame is not Blame.CLIENT for f in result.verdict.findings):
            self.tally.unproven += 1
            return None
        if lacks_evidence(result.transcript):
            self.tally.unproven += 1
            return None
        if is_refused(result.transcript):
            self.tally.refused += 1
            return None
        return result

    def _unknown(self, result: CaseResult) -> Iterator[Finding]:
        """Yield the findings that fail a case and are not in the baseline."""
        for finding in counted(result, self._adapter.level):
            reason = known_reason(finding, self._baseline)
            if reason is None:
                yield finding
            else:
                self.tally.known[reason] += 1


class _Attempt:
    """One round of hypothesis: draws until a new failure comes, and shrinks that one.

    ``best`` is the smallest wire that shows ``cause``; ``None`` if the round found nothing.
    ``fault`` is the smallest wire about which a dialect is in disagreement with itself.
    """

    def __init__(self, search: Search, is_over: Callable[[], bool]) -> None:
        self._search = search
        self._is_over = is_over
        self._left = search.shrinks
        self._until = 0.0
        self.cause: Cause | None = None
        self.best: Wire | None = None
        self.fault: OurFaultError | None = None

    def run(self, strategy: object, random: Random) -> None:
        chosen = settings(
            max_examples=ROUND,
            database=None,
            deadline=None,
            derandomize=False,
            phases=(Phase.generate, Phase.shrink),
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
        )
        # A client that does not always fail confuses the shrinking; the best wire is kept.
        with suppress(_StopError, HypothesisException):
            find(strategy, self._fails, settings=chosen, random=random)  # type: ignore[arg-type]

    def _fails(self, wire: Wire) -> bool:
        if self.cause is None and self.fault is None:
            if self._is_over():
                raise _StopError
            self._until = self._search.clock() + SHRINK_SECONDS
        else:
            self._left -= 1
            if not self._left or self._search.clock() > self._until:
                raise _StopError
        try:
            is_smaller = self._shows(wire)
        except OurFaultError as exc:
            if self.fault is None or wire.size <= self.fault.wire.size:
                self.fault = exc
            return True
        if is_smaller and (self.best is None or wire.size <= self.best.size):
            self.best = wire
        return is_smaller

    def _shows(self, wire: Wire) -> bool:
        """Return whether a wire shows the cause; the first new one is the cause."""
        if self.fault is not None:
            self._search.play(wire)
            return False
        if self.cause is None:
            self.cause = self._search.drawn(wire)
            return self.cause is not None
        return self._search.finding_of(wire, self.cause) is not None
