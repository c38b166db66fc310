"""Rewrite the baseline of an adapter from the records of a run."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import yaml

from harness.errors import BaselineError
from harness.judge.baseline import Entry
from harness.suite.formats import VERSION
from harness.suite.selection import matches
from mockserver.vocabulary import JsonObject
from mockserver.wire import AXES

#: The ``baseline:`` block of a declaration: its line, and all that is indented or listed below.
_BLOCK = re.compile(r"^baseline:[^\n]*\n(?:(?:[ \t-][^\n]*|[ \t]*)(?:\n|\Z))*", re.MULTILINE)
_VERSION = re.compile(r"^version:", re.MULTILINE)
_FAILED = frozenset({"fail", "stale", "known"})


def is_whole(run: JsonObject, records: Sequence[JsonObject]) -> bool:
    """Return whether a run played all cases; a part does not show what an entry matches."""
    return (
        not run["patterns"]
        and not run["priorities"]
        and run["faults"]
        and run["axes"] in {"pairwise", "all"}
        and sum(r["type"] == "case" for r in records) == run["cases"]
    )


def rebaseline(
    before: Sequence[Entry],
    records: Iterable[JsonObject],
    reason: str | None,
    problems: Sequence[str] = (),
) -> tuple[Entry, ...]:
    """Return the entries that make every failure among ``records`` a known one.

    ``records`` are the cases of one adapter. A case keeps the reason it had; a new failure gets
    ``reason``. Entries of other scenarios stay, unless the run's ``problems`` say that there
    are none. Raises :class:`BaselineError` for a new failure without a reason, and for a
    case that the harness could not judge.
    """
    cases = list(records)
    entries = [
        e
        for e in before
        if not any(matches(c["id"], e.cases) for c in cases)
        and not any(f"baseline entry {e.cases!r} " in problem for problem in problems)
    ]
    by_scenario: defaultdict[str, list[JsonObject]] = defaultdict(list)
    for case in cases:
        if case["outcome"] == "error":
            raise BaselineError(
                f"{case['id']} is a harness error",
                hint="fix it first: a baseline lists failures of clients only",
            )
        by_scenario[case["scenario"]].append(case)
    for scenario in sorted(by_scenario):
        entries += _entries(scenario, by_scenario[scenario], reason)
    return tuple(entries)


def rewritten(text: str, entries: Sequence[Entry]) -> str:
    """Return the text of a declaration with another baseline and nothing else changed."""
    block = ""
    if entries:
        listed = [{"cases": e.cases, "signature": e.signature, "reason": e.reason} for e in entries]
        block = yaml.safe_dump({"baseline": listed}, sort_keys=False, allow_unicode=True, width=100)
        if not _VERSION.search(text):
            block = f"version: {VERSION}\n{block}"
    if _BLOCK.search(text):
        return _BLOCK.sub(lambda old: block + _blank_end(old.group()), text, count=1)
    return text + ("" if text.endswith("\n") or not text else "\n") + block


def _blank_end(text: str) -> str:
    return text[len(text.rstrip()) :].removeprefix("\n")


def _entries(scenario: str, cases: Sequence[JsonObject], reason: str | None) -> Iterator[Entry]:
    """Yield the fewest entries that match the failures of one scenario and nothing else."""
    alike: defaultdict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for case in cases:
        if case["outcome"] in _FAILED:
            alike[_signature(case), _reason(case, reason)].add((case["kind"], case["variation"]))
    played = _by_kind((case["kind"], case["variation"]) for case in cases)
    for (signature, why), failed in sorted(alike.items()):
        for pattern in _patterns(_by_kind(failed), played):
            name = f"{scenario}/{pattern}" if pattern else scenario
            yield Entry(cases=name, signature=signature, reason=why)


#: What a variation is of: the wire, or the word before its number.
_Kinds = Mapping[str, frozenset[str]]


def _by_kind(cases: Iterable[tuple[str, str]]) -> _Kinds:
    kinds: defaultdict[str, set[str]] = defaultdict(set)
    for kind, variation in cases:
        kinds["wire" if kind == "wire" else variation.partition("=")[0]].add(variation)
    return {kind: frozenset(variations) for kind, variations in kinds.items()}


def _patterns(failed: _Kinds, played: _Kinds) -> Iterator[str]:
    """Yield patterns that match the failed variations and no other that was played."""
    if failed == played:
        yield ""
        return
    words: defaultdict[str, list[str]] = defaultdict(list)
    for kind, variations in failed.items():
        whole = len(variations) > 1 and variations == played[kind]
        if kind != "wire":
            numbers = sorted((v.partition("=")[2] for v in variations), key=int)
            words["*" if whole else _braced(numbers)].append(kind)
        elif whole:
            yield f"{{recorded,{_braced(AXES)}=*}}"
        else:
            yield from sorted(variations)
    for pattern, kinds in words.items():
        yield f"{_braced(sorted(kinds))}={pattern}"


def _braced(words: Iterable[str]) -> str:
    several = list(words)
    return several[0] if len(several) == 1 else f"{{{','.join(several)}}}"


def _signature(case: JsonObject) -> str:
    # A stale case has one finding more: the baseline's own.
    checks = {finding["check"] for finding in case["findings"]}
    return "+".join(sorted(checks - {"baseline"}))


def _reason(case: JsonObject, reason: str | None) -> str:
    why = case.get("known") or reason
    if not why:
        raise BaselineError(
            f"{case['id']} fails, and is not in the baseline",
            hint="give the reason with --reason, or fix the client",
        )
    return str(why)
