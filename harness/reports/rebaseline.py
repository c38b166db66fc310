"""Rewrite the baseline of an adapter from the records of a run."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

import yaml

from harness.errors import BaselineError
from harness.judge.baseline import Baseline, Entry, Ledger, covers, nameless
from harness.judge.kinds import KINDS, Level
from harness.reports import where
from harness.reports.stale import stale_rows
from harness.suite.formats import VERSION
from mockserver.vocabulary import JsonObject

#: The ``baseline:`` block of a declaration: its line, and all that is indented or listed below.
_BLOCK = re.compile(r"^baseline:[^\n]*\n(?:(?:[ \t-][^\n]*|[ \t]*)(?:\n|\Z))*", re.MULTILINE)
_VERSION = re.compile(r"^version:", re.MULTILINE)
_FAILED = frozenset({"fail", "stale", "known"})

_Cause = tuple[str, str, str]
_CaseName = tuple[str, str]


def rebaseline(
    before: Baseline,
    run: JsonObject,
    records: Iterable[JsonObject],
    scenarios: Collection[str],
    reason: str | None,
) -> tuple[Entry, ...]:
    """Return the fewest entries that make every failure among ``records`` a known one.

    ``run`` is the first record of the run, ``records`` the cases of one adapter, ``scenarios`` the
    ids of all that exist. Patterns that still cover something stay, and so do those of which the
    run did not play all cases. A cause that was not known gets ``reason``; entries of the older
    form pass their reasons on. Raises :class:`BaselineError` for a new cause without a reason, and
    for a case that the harness could not judge.
    """
    cases = list(records)
    ledger = Ledger(before)
    for case in cases:
        if case["outcome"] == "error":
            raise BaselineError(
                f"{case['id']} is a harness error",
                hint="fix it first: a baseline lists failures of clients only",
            )
        ledger.add(case)
    played = {case["scenario"] for case in cases}
    gone = set(stale_rows(ledger, run, played))
    lost = set(nameless(before, {*scenarios, *played}))
    gone |= {number for number, row in enumerate(before.rows) if row in lost}
    if is_whole(run, cases):
        gone |= set(range(len(before.rows))) - ledger.selecting
    # Entries of the older form are replaced by the causes of the cases that they select.
    gone |= {n for n in ledger.selecting if before.rows[n].entry.checks}
    kept = _without(before, gone)
    added = _added(before, kept, cases, scenarios, _level(run, cases), reason)
    return _merged([*kept, *_joined(added)])


def is_whole(run: JsonObject, cases: Sequence[JsonObject]) -> bool:
    """Return whether a run played all cases of an adapter."""
    return bool(
        "shard" not in run
        and not run["patterns"]
        and not run["priorities"]
        and run["faults"]
        and run["axes"] in {"pairwise", "all"}
        and (len(run["adapters"]) > 1 or len(cases) == run["cases"])
    )


def rewritten(text: str, entries: Sequence[Entry]) -> str:
    """Return the text of a declaration with another baseline and nothing else changed."""
    block = ""
    if entries:
        listed = [_plain(entry) for entry in entries]
        block = yaml.safe_dump({"baseline": listed}, sort_keys=False, allow_unicode=True, width=100)
        if not _VERSION.search(text):
            block = f"version: {VERSION}\n{block}"
    if _BLOCK.search(text):
        return _BLOCK.sub(lambda old: block + _blank_end(old.group()), text, count=1)
    return text + ("" if text.endswith("\n") or not text else "\n") + block


def _blank_end(text: str) -> str:
    return text[len(text.rstrip()) :].removeprefix("\n")


def _plain(entry: Entry) -> JsonObject:
    """Return an entry as it is in the file, without what is the default."""
    cases = entry.cases[0] if len(entry.cases) == 1 else list(entry.cases)
    if entry.checks:
        return {"cases": cases, "signature": entry.name, "reason": entry.reason}
    data: JsonObject = {"kind": entry.kind}
    if entry.field != "*":
        data["field"] = entry.field
    if cases != "**":
        data["cases"] = cases
    return data | {"reason": entry.reason}


def _without(before: Baseline, gone: Collection[int]) -> list[Entry]:
    """Return the entries without those rows."""
    left: defaultdict[Entry, list[str]] = defaultdict(list)
    for number, row in enumerate(before.rows):
        if number not in gone:
            left[row.entry].append(row.pattern)
    return [replace(entry, cases=tuple(patterns)) for entry, patterns in left.items()]


def _added(
    before: Baseline,
    kept: Sequence[Entry],
    cases: Sequence[JsonObject],
    scenarios: Collection[str],
    level: Level,
    reason: str | None,
) -> Iterator[Entry]:
    """Yield entries for the causes of failures that the kept ones do not cover."""
    after = Baseline(before.path, tuple(kept))
    causes: defaultdict[_Cause, set[_CaseName]] = defaultdict(set)
    others: defaultdict[tuple[str, str], set[_CaseName]] = defaultdict(set)
    names = {(case["scenario"], case["variation"]) for case in cases}
    for case in cases:
        rows = [after.rows[n].entry for n in after.numbers(case["id"])]
        for finding in _counted(case, level):
            name = (case["scenario"], case["variation"])
            kind, field = finding["kind"], finding["field"] or "*"
            others[kind, field].add(name)
            if not any(covers(entry, finding) for entry in rows):
                why = _reason(before, case, finding) or reason
                if not why:
                    raise BaselineError(
                        f"{case['id']} fails, and is not in the baseline",
                        hint="give the reason with --reason, or fix the client",
                    )
                causes[kind, field, why].add(name)
    for (kind, field, why), having in sorted(causes.items(), key=_weightiest_first):
        patterns = where.patterns(having, names - others[kind, field], scenarios)
        yield Entry(kind=kind, field=field, cases=patterns, reason=why)


def _counted(case: JsonObject, level: Level) -> Iterator[JsonObject]:
    """Yield the findings that fail a case."""
    if case["outcome"] not in _FAILED:
        return
    for finding in case["findings"]:
        if "kind" not in finding:
            raise BaselineError(
                "the results are of an older tapecheck, without kinds of findings",
                hint="run the adapter again",
            )
        if finding["kind"] != "stale" and level.includes(Level(finding["level"])):
            yield finding


def _reason(before: Baseline, case: JsonObject, finding: JsonObject) -> str | None:
    """Return the reason of an entry of the older form for a finding."""
    rows = (before.rows[number].entry for number in before.numbers(case["id"]))
    return next((entry.reason for entry in rows if entry.checks and covers(entry, finding)), None)


def _level(run: JsonObject, cases: Sequence[JsonObject]) -> Level:
    names = {case["adapter"] for case in cases}
    levels = (a.get("level", Level.MUST) for a in run["adapters"] if a["name"] in names)
    return Level(next(levels, Level.MUST))


def _weightiest_first(item: tuple[_Cause, object]) -> tuple[int, _Cause]:
    return list(Level).index(KINDS[item[0][0]].level), item[0]


def _joined(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Join entries that differ in the last part of the field alone, such as the counts of usage."""
    alike: defaultdict[tuple[object, ...], list[Entry]] = defaultdict(list)
    for entry in entries:
        head = entry.field.rpartition(".")[0]
        alike[entry.kind, head or entry.field, entry.cases, entry.reason].append(entry)
    for several in alike.values():
        first = several[0]
        head = first.field.rpartition(".")[0]
        yield first if len(several) == 1 else replace(first, field=f"{head}.*")


def _merged(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Join entries of one cause and reason."""
    found: dict[tuple[object, ...], Entry] = {}
    for entry in entries:
        own = entry.cases if entry.checks else ()
        key = (entry.kind, entry.field, entry.checks, entry.reason, own)
        before = found.get(key, replace(entry, cases=()))
        both = dict.fromkeys((*before.cases, *entry.cases))
        found[key] = replace(before, cases=tuple(both))
    return tuple(found.values())
