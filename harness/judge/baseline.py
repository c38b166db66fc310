"""Known failures of an adapter: a list of causes, each with its reason.

A failing case is known when every finding that fails it is covered by an entry. The list is strict:
a pattern that covers nothing any more is stale and fails the run, so the list is always correct.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from harness.errors import BaselineError
from harness.judge.kinds import KINDS, Level
from harness.judge.transcript import Blame, Finding, Outcome, Verdict
from harness.suite.scenario import Case
from harness.suite.selection import Patterns, plain_start
from mockserver.errors import did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A known cause of failures, in the cases that one of the patterns selects.

    The cause is a kind of finding and a glob over its field. An entry of the older form names no
    cause: it covers all that its ``checks`` find. ``line`` is its place in the file.
    """

    reason: str
    kind: str = ""
    field: str = "*"
    cases: tuple[str, ...] = ("**",)
    checks: frozenset[str] = frozenset()
    line: int | None = dataclasses.field(default=None, compare=False)

    @property
    def name(self) -> str:
        """What is known: the kind and the field, or the checks of the older form."""
        if self.checks:
            return "+".join(sorted(self.checks))
        return self.kind if self.field == "*" else f"{self.kind} {self.field}"

    def covers(self, check: str, kind: str, name: str) -> bool:
        """Return whether a finding of that check, kind and field has this cause."""
        if self.checks:
            return check in self.checks
        return kind == self.kind and (name == self.field or fnmatchcase(name, self.field))


@dataclass(frozen=True, slots=True)
class Row:
    """One pattern of an entry."""

    entry: Entry
    pattern: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """The known failures of one adapter and the file that lists them."""

    path: Path
    entries: tuple[Entry, ...] = ()
    rows: tuple[Row, ...] = dataclasses.field(init=False, repr=False, compare=False)
    _index: Patterns = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rows = tuple(Row(entry, pattern) for entry in self.entries for pattern in entry.cases)
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "_index", Patterns(row.pattern for row in rows))

    @classmethod
    def empty(cls, path: Path) -> Baseline:
        """Return a baseline without entries."""
        return cls(path)

    @classmethod
    def read(
        cls, path: Path, data: Iterable[Mapping[str, Any]], lines: Sequence[int] = ()
    ) -> Baseline:
        """Make a baseline from the ``baseline`` list of an adapter's declaration.

        ``lines`` are the places of the entries. Raises :class:`BaselineError` for a kind that does
        not exist.
        """
        entries = []
        for number, item in enumerate(data):
            line = lines[number] if number < len(lines) else None
            kind = item.get("kind", "")
            if kind and kind not in KINDS:
                raise BaselineError(
                    f"baseline: unknown kind {kind!r}{did_you_mean(kind, KINDS)}",
                    path=path,
                    line=line,
                    hint="'tapecheck explain --levels' lists the kinds of findings",
                )
            cases = item.get("cases", "**")
            entries.append(
                Entry(
                    reason=item["reason"],
                    kind=kind,
                    field=item.get("field", "*"),
                    cases=(cases,) if isinstance(cases, str) else tuple(cases),
                    checks=frozenset(filter(None, item.get("signature", "").split("+"))),
                    line=line,
                )
            )
        return cls(path, tuple(entries))

    def data(self) -> Iterator[dict[str, Any]]:
        """Yield the entries as :meth:`read` takes them, each with its ``line``."""
        for entry in self.entries:
            yield {
                "kind": entry.kind,
                "field": entry.field,
                "signature": "+".join(sorted(entry.checks)),
                "cases": list(entry.cases),
                "reason": entry.reason,
                "line": entry.line,
            }

    def numbers(self, case_id: str) -> Iterator[int]:
        """Yield the numbers of the rows that select the case."""
        return self._index.matching(case_id)

    def unmatched(self, case_ids: Iterable[str]) -> tuple[Row, ...]:
        """Return the rows that select none of the cases."""
        selecting = {number for case_id in case_ids for number in self.numbers(case_id)}
        return tuple(row for number, row in enumerate(self.rows) if number not in selecting)

    def check_names(self, scenarios: Iterable[str]) -> None:
        """Raise :class:`BaselineError` for a pattern that can select no case of ``scenarios``."""
        for row in nameless(self, scenarios):
            raise BaselineError(
                f"baseline: no scenario matches {row.pattern!r}",
                path=self.path,
                line=row.entry.line,
                hint="fix the pattern or remove the entry; 'tapecheck list' shows the scenarios, "
                "'tapecheck baseline update' removes entries without one",
            )

    def place(self, entry: Entry) -> str:
        """Return the file and line of an entry."""
        return str(self.path) if entry.line is None else f"{self.path}:{entry.line}"

    def apply(self, case: Case, verdict: Verdict, level: Level) -> tuple[Verdict, str | None]:
        """Turn a known failure into ``known``, and one whose own entry is wrong into ``stale``.

        ``level`` is the level at which findings fail the case. Returns the verdict and the
        reasons of the entries that cover it, if all is known.
        """
        rows = [self.rows[n] for n in self.numbers(case.id)]
        if not rows or verdict.outcome not in {Outcome.PASS, Outcome.FAIL}:
            return verdict, None
        about_client = [f for f in verdict.findings if f.blame is Blame.CLIENT]
        own = [row for row in rows if plain_start(row.pattern) == case.id.rpartition("@")[0]]
        for row in own:
            if not any(_covers(row.entry, finding) for finding in about_client):
                stale = self._stale(row)
                changed = replace(
                    verdict, outcome=Outcome.STALE, findings=(stale, *verdict.findings)
                )
                return changed, row.entry.reason
        if verdict.outcome is Outcome.PASS:
            return verdict, None
        reasons: dict[str, None] = {}
        for finding in about_client:
            if not level.includes(finding.level):
                continue
            known = next((row.entry for row in rows if _covers(row.entry, finding)), None)
            if known is None:
                return verdict, None
            reasons[known.reason] = None
        return replace(verdict, outcome=Outcome.KNOWN), "; ".join(reasons)

    def _stale(self, row: Row) -> Finding:
        return Finding(
            check="baseline",
            kind="stale",
            field=row.entry.name,
            message=f"{self.place(row.entry)}: stale baseline entry: expected to fail by "
            f"{row.entry.name}, but it does not; 'tapecheck baseline update' removes it",
        )


class Ledger:
    """Notes for each pattern of a baseline whether it selects cases, and covers anything in them.

    ``selecting`` are the rows that select any, ``exact`` those that are the whole name of a case.
    """

    def __init__(self, baseline: Baseline) -> None:
        self.baseline = baseline
        self.selecting: set[int] = set()
        self.exact: set[int] = set()
        self._covering: set[int] = set()
        self._unclear: set[int] = set()

    def add(self, record: Mapping[str, Any]) -> None:
        """Note the record of one case."""
        path = record["id"].rpartition("@")[0]
        for number in self.baseline.numbers(record["id"]):
            row = self.baseline.rows[number]
            self.selecting.add(number)
            if plain_start(row.pattern) == path:
                self.exact.add(number)
            if record["outcome"] == Outcome.ERROR:
                self._unclear.add(number)
            if number not in self._covering and any(
                covers(row.entry, finding) for finding in record.get("findings", ())
            ):
                self._covering.add(number)

    def uncovering(self) -> list[int]:
        """Return the rows that select cases and cover nothing in them."""
        return sorted(self.selecting - self._covering - self._unclear)


def nameless(baseline: Baseline, scenarios: Iterable[str]) -> Iterator[Row]:
    """Yield the rows whose pattern can select no case of ``scenarios``."""
    starts = {""}
    ids = set(scenarios)
    for name in ids:
        parts = name.split("/")
        starts |= {"/".join(parts[:count]) for count in range(1, len(parts) + 1)}
    for row in baseline.rows:
        # Behind the scenario there is one segment more.
        start = plain_start(row.pattern)
        if start not in starts and start.rpartition("/")[0] not in ids:
            yield row


def covers(entry: Entry, finding: Mapping[str, Any]) -> bool:
    """Return whether an entry covers the record of a finding."""
    return finding["blame"] == Blame.CLIENT and entry.covers(
        finding["check"], finding.get("kind", ""), finding.get("field", "")
    )


def _covers(entry: Entry, finding: Finding) -> bool:
    return entry.covers(finding.check, finding.kind, finding.field)
