"""One cell of the matrix: a scenario as one client passes or fails it. Pure."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from harness.judge.kinds import KINDS, Level
from harness.judge.transcript import Blame
from harness.reports.aligned import aligned, around
from harness.reports.cause import smallest_cause
from harness.reports.grouping import simplest_first
from harness.reports.html.texts import Once, shown
from mockserver.vocabulary import JsonObject

#: The marks of a case and of a cell, the most important first.
MARKS = ("must", "error", "stale", "should", "known", "may", "pass", "skip")
#: Lines of a comparison that are shown, and of a program.
_ROWS, _LINES = 40, 60


@dataclass(slots=True)
class Cause:
    """What is wrong in one way, on some wires of a cell. ``example`` is the simplest case."""

    level: str
    kind: str
    field: str
    known: bool
    records: list[JsonObject] = dataclasses.field(default_factory=list)
    findings: list[JsonObject] = dataclasses.field(default_factory=list)

    @property
    def example(self) -> tuple[JsonObject, JsonObject]:
        """The record of the simplest case, and what was found in it."""
        pairs = zip(self.records, self.findings, strict=True)
        return min(pairs, key=lambda pair: simplest_first(pair[0]))


def mark_of(record: JsonObject) -> str:
    """Return the mark of one case: its level, or what is to be said instead."""
    outcome = str(record["outcome"])
    if outcome in ("error", "stale", "known", "skip"):
        return outcome
    # A case that fails without a level is of a version that had none, or has others.
    level = record.get("level", "must" if outcome == "fail" else "pass")
    return level if level in MARKS else "must"


def causes_of(records: Iterable[JsonObject]) -> list[Cause]:
    """Return what is wrong with the cases of one cell, the weightiest first."""
    found: dict[tuple[str, ...], Cause] = {}
    for record in records:
        known = record["outcome"] == "known"
        for finding in _distinct(record):
            level, (kind, place) = finding.get("level", ""), _name_of(finding)
            level = level if level in {*Level} else "must"
            key = (level, kind, place, str(finding["blame"]), str(known))
            cause = found.setdefault(key, Cause(level, kind, place, known))
            cause.records.append(record)
            cause.findings.append(finding)
    levels = {level: number for number, level in enumerate(MARKS)}
    return sorted(found.values(), key=lambda c: (c.known, levels.get(c.level, 0)))


def _distinct(record: JsonObject) -> Iterator[JsonObject]:
    """Yield one finding for each kind and field, that which knows the requirement if there is."""
    found: dict[tuple[str, str], JsonObject] = {}
    for finding in record.get("findings", ()):
        key = _name_of(finding)
        if key not in found or ("line" in finding and "line" not in found[key]):
            found[key] = finding
    yield from found.values()


def _name_of(finding: JsonObject) -> tuple[str, str]:
    return str(finding.get("kind", finding["check"])), str(finding.get("field", ""))


@dataclass(frozen=True, slots=True)
class Packer:
    """Turns cells into the data of the page.

    Texts, variations and lists of variations are numbers: most clients pass a scenario on the same
    wires.
    """

    texts: Once[str]
    variations: Once[str]
    lists: Once[tuple[int, ...]]
    clip: int

    def cell(self, records: Sequence[JsonObject]) -> JsonObject:
        """Return one cell, of the cases of one client in one scenario."""
        marks: defaultdict[str, list[str]] = defaultdict(list)
        for record in sorted(records, key=simplest_first):
            marks[mark_of(record)].append(record["variation"])
        mark = next(mark for mark in MARKS if mark in marks)
        ordinary = {"recorded"} & {record["variation"] for record in records}
        data: JsonObject = {
            "mark": mark,
            "whole": bool(ordinary & {*marks[mark]}) if ordinary else len(marks) == 1,
            "cases": {m: self._list(names) for m, names in marks.items()},
        }
        if causes := causes_of(records):
            data["causes"] = [self._cause(cause, records) for cause in causes]
        return data

    def _cause(self, cause: Cause, records: Sequence[JsonObject]) -> JsonObject:
        record, finding = cause.example
        data: JsonObject = {
            "level": cause.level,
            "kind": self._text(cause.kind),
            "field": self._text(cause.field),
            "check": self._text(finding["check"]),
            "message": self._text(finding["message"]),
            "at": self._list(r["variation"] for r in cause.records),
            "example": self.variation(record),
        }
        if finding["blame"] != Blame.CLIENT:
            data["blame"] = finding["blame"]
        elif cause.kind in KINDS:
            data["why"] = self._text(KINDS[cause.kind].reason)
        if cause.known and "known" in record:
            data["known"] = self._text(record["known"])
        if "line" in finding:
            data["line"] = int(finding["line"])
        if sentence := _dependence(cause, records):
            data["depends"] = self._text(sentence)
        if "expected" in finding or "observed" in finding:
            data["rows"] = list(self._rows(finding.get("expected"), finding.get("observed")))
            data["both"] = "expected" in finding
        for name in ("wire", "reproduce"):
            if lines := (finding if name == "wire" else record).get(name):
                shortened = [shown(line, self.clip) for line in lines[:_LINES]]
                data[name] = self.texts.add("\n".join(shortened))
        return data

    def _rows(self, expected: object, observed: object) -> Iterator[list[int]]:
        """Yield lines of both sides, with 1 for those that differ; a number alone is skipped."""
        rows = aligned(expected, observed)
        for row in islice(rows, _ROWS):
            if row.skipped:
                yield [row.skipped]
                continue
            sides = around(row.left, row.right, self.clip)
            yield [*map(self._text, sides), int(row.differs)]
        if left := sum(1 for _ in rows):
            yield [left]

    def variation(self, record: JsonObject) -> int:
        """Return the number of a record's variation."""
        return self.variations.add(shown(record["variation"], self.clip))

    def _list(self, names: Iterable[str]) -> int:
        return self.lists.add(tuple(self.variations.add(shown(n, self.clip)) for n in names))

    def _text(self, text: object) -> int:
        return self.texts.add(shown(text, self.clip))


def _dependence(cause: Cause, records: Iterable[JsonObject]) -> str:
    """Say on which changes of the wire a cause depends; nothing where one wire was played."""
    failed = [r["variation"] for r in cause.records if r["kind"] == "wire"]
    ids = {r["id"] for r in cause.records}
    passed = [r["variation"] for r in records if r["kind"] == "wire" and r["id"] not in ids]
    if not failed or len(failed) + len(passed) < 2:
        return ""
    return str(smallest_cause(failed, passed))
