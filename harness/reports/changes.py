"""What changed between two runs, by cause: what fails now, what is fixed, and what still fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.judge.transcript import Outcome
from harness.reports.grouping import FailureGroup
from harness.reports.summary import Summary

#: What runs that are compared should have in common, in the words of a report.
_SETTINGS = {
    "tapecheck": "tapecheck",
    "python": "Python",
    "axes": "axes",
    "seed": "seed",
    "faults": "faults",
    "patterns": "patterns",
    "priorities": "priorities",
}


@dataclass(frozen=True, slots=True)
class Change:
    """The cases of one adapter that fail for one cause, now or before.

    ``new`` are those that fail now and did not before, ``unplayed`` how many of them were not
    played before; ``fixed`` those that were played again and do not fail for this cause any more,
    ``listed`` those of which the baseline says so now; ``still`` those that fail in both runs.
    """

    group: FailureGroup
    new: tuple[str, ...] = ()
    unplayed: int = 0
    fixed: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    still: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """All changes, those of the weightiest causes first, and in what else the runs differ."""

    causes: tuple[Change, ...]
    settings: tuple[str, ...]

    @property
    def new(self) -> frozenset[str]:
        """The cases that did not fail before for some cause that they fail for now."""
        return frozenset(case for change in self.causes for case in change.new)

    @property
    def fixed(self) -> frozenset[str]:
        """The cases that do not fail any more for some cause."""
        return frozenset(case for change in self.causes for case in change.fixed)

    @property
    def listed(self) -> frozenset[str]:
        """The cases that the baseline lists now."""
        return frozenset(case for change in self.causes for case in change.listed)

    @property
    def still(self) -> frozenset[str]:
        """The cases that fail for the same cause in both runs."""
        return frozenset(case for change in self.causes for case in change.still)


def compare(before: Summary, after: Summary) -> Changes:
    """Compare a run with an earlier one."""
    earlier, later = _by_cause(before), _by_cause(after)
    outcomes = after.outcomes
    causes = []
    for key in later | earlier:
        old = _ids(earlier.get(key))
        now = _ids(later.get(key))
        gone = {case for case in old - now if case in outcomes}
        listed = {case for case in gone if outcomes[case] == Outcome.KNOWN}
        causes.append(
            Change(
                group=later.get(key) or earlier[key],
                new=tuple(sorted(now - old)),
                unplayed=len(now - old - before.outcomes.keys()),
                fixed=tuple(sorted(gone - listed)),
                listed=tuple(sorted(listed)),
                still=tuple(sorted(now & old)),
            )
        )
    return Changes(tuple(causes), tuple(_settings(before, after)))


def _by_cause(summary: Summary) -> dict[tuple[str, str, str], FailureGroup]:
    return {(group.adapter, group.kind, group.field): group for group in summary.failures}


def _ids(group: FailureGroup | None) -> set[str]:
    return {record["id"] for record in group.records} if group is not None else set()


def _settings(before: Summary, after: Summary) -> Iterator[str]:
    """Yield in what the two runs differ beside their results."""
    for key, name in _SETTINGS.items():
        old, now = before.run.get(key), after.run.get(key)
        if old is not None and now is not None and old != now:
            yield f"{name} {_said(old)} before, {_said(now)} now"
    old_levels = before.levels
    for adapter in after.run["adapters"]:
        name = adapter["name"]
        if name not in old_levels:
            yield f"{name} was not run before"
            continue
        declared = next(a for a in before.run["adapters"] if a["name"] == name)
        for key in ("versions", "level"):
            old, now = declared.get(key), adapter.get(key)
            if old is not None and now is not None and old != now:
                yield f"{name}: {_said(old)} before, {_said(now)} now"


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)
