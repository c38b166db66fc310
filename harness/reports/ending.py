"""Fold the cases of a run into its last record, with what only all of them can tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.judge.baseline import Baseline
from harness.judge.transcript import Outcome
from harness.reports.exposure import Exposure
from harness.reports.records import Tally, end_record
from harness.reports.stale import Strictness
from mockserver.vocabulary import JsonObject


class Ending:
    """Watches the records of a run that begins with ``start``.

    ``baselines`` are those of its adapters; ``listed`` the fields that each must give in some case,
    empty for a run that cannot tell. ``problems`` were known before; ``unreadable`` says that a
    recording is among them. ``skips`` is the number of scenarios that are not run.
    """

    def __init__(
        self,
        start: JsonObject,
        *,
        baselines: Mapping[str, Baseline],
        listed: Mapping[str, Iterable[str]],
        skips: int,
        problems: Iterable[str] = (),
        unreadable: bool = False,
    ) -> None:
        self.tally = Tally(problems=list(problems), unreadable=unreadable)
        self.tally.counts[Outcome.SKIP] = skips
        self._strictness = Strictness(baselines, start)
        self._exposure = Exposure()
        self._listed = listed
        self._is_empty = not start["cases"] and "shard" not in start

    def add(self, record: JsonObject) -> None:
        """Note the record of one case."""
        self.tally.add(record)
        self._strictness.add(record)
        self._exposure.add(record)

    def stop(self, why: str, *, failed_itself: bool = False) -> None:
        """Note that not all cases were played; ``failed_itself`` says that the harness failed."""
        self.tally.problems.append(why)
        self.tally.failed_itself = failed_itself
        self._listed = {}

    def record(self) -> JsonObject:
        """Return the last record."""
        self.tally.problems += self._exposure.vanished(self._listed)
        self.tally.problems += self._strictness.problems()
        if self._is_empty:
            self.tally.problems.append("no case was run")
        return end_record(self.tally)
