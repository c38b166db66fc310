"""Known failures of an adapter, each with its reason and how it fails.

A baseline is strict: an entry whose case passes, fails in another way, or does not exist fails
the run, so the list is always correct.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.judge.transcript import Finding, Outcome, Verdict
from harness.suite.scenario import Case
from harness.suite.selection import matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Cases that are known to fail: ``signature`` is the checks that find something, by ``+``."""

    cases: str
    signature: str
    reason: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """The known failures of one adapter and the file that lists them."""

    path: Path
    entries: tuple[Entry, ...] = ()

    @classmethod
    def empty(cls, path: Path) -> Baseline:
        """Return a baseline without entries."""
        return cls(path)

    @classmethod
    def read(cls, path: Path, data: Iterable[Mapping[str, Any]]) -> Baseline:
        """Make a baseline from the ``baseline`` list of an adapter's declaration."""
        return cls(path, tuple(Entry(**entry) for entry in data))

    def entry_for(self, case: Case) -> Entry | None:
        """Return the first entry that matches the case."""
        return next((e for e in self.entries if matches(case.id, e.cases)), None)

    def apply(self, case: Case, verdict: Verdict) -> tuple[Verdict, str | None]:
        """Turn a known failure into ``known`` and a wrong entry into ``stale``.

        Returns the verdict and the reason of the entry, if one names the case.
        """
        entry = self.entry_for(case)
        if entry is None or verdict.outcome not in {Outcome.PASS, Outcome.FAIL}:
            return verdict, None
        if verdict.outcome is Outcome.FAIL and verdict.signature == entry.signature:
            return replace(verdict, outcome=Outcome.KNOWN), entry.reason
        how = "passes" if verdict.outcome is Outcome.PASS else f"fails by {verdict.signature}"
        stale = Finding(
            check="baseline",
            kind="stale",
            message=f"stale baseline entry: expected to fail by {entry.signature}, but it {how}",
            expected=entry.signature,
            observed=verdict.signature or "pass",
        )
        findings = (stale, *verdict.findings)
        return replace(verdict, outcome=Outcome.STALE, findings=findings), entry.reason

    def unmatched(self, cases: Sequence[Case]) -> tuple[Entry, ...]:
        """Return the entries that match none of ``cases``."""
        return tuple(e for e in self.entries if not any(matches(c.id, e.cases) for c in cases))
