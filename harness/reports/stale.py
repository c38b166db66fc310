"""Find the entries of a baseline that hold no more, as far as a run can tell."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from harness.judge.baseline import Baseline, Ledger, Row
from harness.suite.selection import matches, plain_start
from mockserver.vocabulary import JsonObject

#: Stale patterns that a report names before it counts the rest.
_NAMED = 5


class Strictness:
    """Watches the records of a run for entries of baselines that cover nothing any more."""

    def __init__(self, baselines: Mapping[str, Baseline], run: JsonObject) -> None:
        self._run = run
        self._ledgers = {name: Ledger(b) for name, b in baselines.items() if b.entries}
        self._scenarios: set[str] = set()
        self._played = 0

    def add(self, record: JsonObject) -> None:
        """Note the record of one case."""
        self._played += 1
        if (ledger := self._ledgers.get(record["adapter"])) is not None:
            ledger.add(record)
            self._scenarios.add(record["scenario"])

    def problems(self) -> Iterator[str]:
        """Yield what is stale, unless the run ended early or its case says so itself."""
        if self._played < self._run["cases"]:
            return
        for ledger in self._ledgers.values():
            stale = stale_rows(ledger, self._run, self._scenarios)
            rows = [ledger.baseline.rows[n] for n in stale if n not in ledger.exact]
            yield from _problems(ledger.baseline, rows)


def stale_rows(ledger: Ledger, run: JsonObject, scenarios: Collection[str]) -> Iterator[int]:
    """Yield the rows of a baseline that select cases of a run and cover nothing in them.

    A row is judged only if the run, described by its first record, played all that its pattern
    may select. ``scenarios`` are those that were played.
    """
    for number in ledger.uncovering():
        pattern = ledger.baseline.rows[number].pattern
        if number in ledger.exact or _lies_within(plain_start(pattern), run, scenarios):
            yield number


def _problems(baseline: Baseline, rows: Sequence[Row]) -> Iterator[str]:
    """Yield one line for each stale pattern, up to a few."""
    for row in rows[:_NAMED]:
        yield (
            f"{baseline.place(row.entry)}: stale baseline entry: {row.entry.name} covers nothing "
            f"in {row.pattern!r} any more; 'tapecheck baseline update' removes it"
        )
    if len(rows) > _NAMED:
        yield f"{baseline.path}: {len(rows) - _NAMED:,} more stale baseline entries"


def _lies_within(start: str, run: JsonObject, scenarios: Collection[str]) -> bool:
    """Return whether a run surely played every case whose id begins with ``start``."""
    if "shard" in run or not run["faults"] or run["axes"] not in {"pairwise", "all"}:
        return False
    if run["priorities"] and not any(f"{start}/".startswith(f"{name}/") for name in scenarios):
        return False
    patterns = [wanted.rpartition("@") for wanted in run["patterns"]]
    if any("!" in path[:1] or name[:1] == "!" for path, _, name in patterns):
        return False
    return not patterns or any(
        matches(f"{start}@", (path if at else name) or "**") for path, at, name in patterns
    )
