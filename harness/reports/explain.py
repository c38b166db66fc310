"""Explain in plain text what is wrong with a case: briefly for reports, or in full.

Works on the records of a run, so that a report written later says the same.
"""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any

from harness.judge.kinds import KINDS, Level
from harness.judge.transcript import Blame, Finding
from harness.judge.visible import visible
from harness.reports.aligned import NOTHING, aligned, around, listed, one_line
from harness.reports.cause import Cause
from harness.reports.grouping import counted
from harness.reports.records import CaseResult, case_record, finding_record
from harness.reports.reproduction import Reproduction
from harness.reports.versions import versions_of
from harness.reports.wirebytes import event_lines, turn_of
from harness.reports.words import many
from harness.suite import bundled
from mockserver.vocabulary import JsonObject

#: Findings of one case that a report shows; ``explain`` shows all.
BRIEF = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two values first differ: the path inside them, and each side in one line."""

    where: str
    expected: str
    observed: str


def brief(record: JsonObject, here: Path, width: int = 100) -> Iterator[str]:
    """Yield a failed case in a few lines, none longer than ``width`` unless it is a name."""
    findings = list(counted(record, Level.MAY))
    for finding in findings[:BRIEF]:
        yield from textwrap.wrap(
            headline(finding), width, subsequent_indent="  ", break_on_hyphens=False
        )
        yield from details(record, finding, here, width)
    if len(findings) > BRIEF:
        yield f"and {many(len(findings) - BRIEF, 'more finding')}"


def details(record: JsonObject, finding: JsonObject, here: Path, width: int) -> Iterator[str]:
    """Yield where a requirement is, and both sides unless the message has them."""
    if "line" in finding:
        yield f"  {location(record, finding, here)}"
    if (found := difference(finding)) is None:
        return
    said = finding["message"]
    if all(side == NOTHING or side.strip('"') in said for side in (found.expected, found.observed)):
        return
    at = f" at {found.where}" if found.where else ""
    pair = around(found.expected, found.observed, max(width - 14 - len(at), 20))
    if "expected" in finding:
        yield f"    expected{at}  {pair[0]}"
    yield f"    observed{at}  {pair[1]}"


def headline(finding: JsonObject) -> str:
    """Return the level, the kind, the field and the message, in one line."""
    blame = "" if finding["blame"] == "client" else f" ({finding['blame']})"
    return f"{cause_of(finding)}{blame}: {visible(finding['message'])}"


def cause_of(finding: JsonObject) -> str:
    """Return the level, the kind and the field of a finding; of an old one the check."""
    if "kind" not in finding:
        return str(finding["check"])
    words = dict.fromkeys((finding["level"], finding["kind"], finding.get("field", "")))
    return " ".join(filter(None, words))


def location(record: JsonObject, finding: JsonObject, here: Path) -> str:
    """Return the ``file:line`` of the requirement behind a finding, seen from ``here``."""
    line = f":{finding['line']}" if "line" in finding else ""
    return f"{_spec(record['file'], here)}{line}"


def relative(file: str, here: Path) -> str:
    """Return a path as seen from the directory ``here``."""
    path = Path(file)
    return str(path.relative_to(here)) if path.is_relative_to(here) else file


def _spec(file: str, here: Path) -> str:
    """Return a spec's path; of a bundled one without the directory of the installation."""
    path, root = Path(file), bundled.root()
    if path.is_relative_to(root / "specs"):
        return path.relative_to(root).as_posix()
    return relative(file, here)


def replay(case_id: str, options: Sequence[str]) -> str:
    """Return the command that plays the case again; ``options`` are those of its run."""
    return shlex.join(["tapecheck", "explain", case_id, *options])


def difference(finding: JsonObject) -> Difference | None:
    """Return where the two sides of a finding first differ; ``None`` without two sides."""
    if "expected" not in finding and "observed" not in finding:
        return None
    where: list[str] = []
    expected, observed = finding.get("expected"), finding.get("observed")
    number = finding.get("event")
    while (step := _step(expected, observed, number)) is not None:
        number = None
        key, expected, observed = step
        if not where and _is_event(expected, observed):
            where.append(f"event {key + 1}")
            break
        where.append(str(key))
    return Difference("/".join(where), one_line(expected), one_line(observed))


def explain(
    result: CaseResult,
    *,
    here: Path,
    width: int,
    options: Sequence[str] = (),
    cause: Cause | None = None,
) -> str:
    """Return everything about one case, for a reader who wants to fix its client.

    Paths are given as seen from ``here``; ``options`` are those that find the case again.
    """
    record = case_record(result)
    lines = [
        f"{record['outcome'].upper()}  {record['id']}",
        record["title"],
        "",
        f"requirement  {_spec(record['file'], here)}",
        *(f"source       {source}" for source in record["source"]),
    ]
    lines += (f"{name:12} {record[name]}" for name in ("level", "known") if name in record)
    if cause is not None:
        lines.append(f"cause        {cause}")
    clients = [value for option, value in pairwise(options) if option == "--adapter"]
    versions = versions_of(tuple(clients or [record["adapter"]]))
    versions = (versions[0], result.version) if result.version else versions
    lines.append(f"versions     {', '.join(versions)}")
    findings = result.verdict.findings
    shown: set[tuple[int, int]] = set()
    for same in _grouped(findings):
        lines += ["", *_explained(result, same, here, width, shown)]
    if not findings:
        lines += ["", f"{record['checks']} checks found nothing wrong."]
    for turn in result.transcript.turns:
        if findings and turn.traceback:
            lines += [
                "",
                "traceback",
                *(f"  {visible(line)}" for line in turn.traceback.splitlines()),
            ]
    turn_number = turn_of(findings[0]) if findings else 0
    if commands := Reproduction(result.transcript, turn_number, here).lines():
        # Without indentation, so that they can be pasted: the end of a program stands alone.
        python = "" if "node" not in result.version else "; the program is for Python"
        lines += ["", f"reproduce with any client{python}:", *commands]
    return "\n".join([*lines, "", f"replay: {replay(record['id'], options)}", ""])


def _grouped(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Yield what several checks found as one, the one with a requirement first."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        key = finding.kind, finding.field, finding.blame, repr(finding.expected or finding.message)
        groups.setdefault(key, []).append(finding)
    for group in groups.values():
        yield sorted(group, key=lambda f: f.key_path is None)


def _explained(
    result: CaseResult, same: Sequence[Finding], here: Path, width: int, shown: set[tuple[int, int]]
) -> Iterator[str]:
    finding = same[0]
    data = finding_record(result.case, finding)
    checks = ", ".join(dict.fromkeys(f.check for f in same))
    yield from textwrap.wrap(headline(data | {"check": checks}), width, subsequent_indent="  ")
    if finding.blame is Blame.CLIENT:
        yield f"  {finding.level}, {finding.kind}: {KINDS[finding.kind].reason}"
    if "line" in data:
        yield f"  {location({'file': str(result.case.scenario.file)}, data, here)}"
    yield from sides(data.get("expected"), data.get("observed"), width)
    yield from (f"  {line}" for line in event_lines(result.transcript, finding, width - 2, shown))


def sides(expected: Any, observed: Any, width: int) -> Iterator[str]:
    """Yield two values side by side, equal parts on one line; one alone if nothing is expected."""
    if expected is None:
        for item in listed(observed):
            yield from textwrap.wrap(
                item, width, initial_indent="  observed  ", subsequent_indent=" " * 12
            )
        return
    column = (width - 5) // 2
    yield f"  {'expected':{column}} | observed"
    for row in aligned(expected, observed):
        if row.skipped:
            yield f"  … {row.skipped} equal lines"
            continue
        mark = ">" if row.differs else " "
        left, right = _folded(row.left, column), _folded(row.right, column)
        for cells in zip_longest(left, right, fillvalue=""):
            yield f"{mark} {cells[0]:{column}} | {cells[1]}".rstrip()


def _folded(text: str, column: int) -> list[str]:
    return textwrap.wrap(text, column, drop_whitespace=False, break_on_hyphens=False)


def _step(expected: Any, observed: Any, number: int | None) -> tuple[Any, Any, Any] | None:
    if isinstance(expected, list) and isinstance(observed, list):
        if number is not None:
            return number, _item(expected, number), _item(observed, number)
        pairs: Iterable[tuple[Any, Any, Any]] = (
            (i, _item(expected, i), _item(observed, i))
            for i in range(max(len(expected), len(observed)))
        )
    elif isinstance(expected, Mapping) and isinstance(observed, Mapping):
        # What is not expected is not compared.
        pairs = ((k, v, observed.get(k)) for k, v in expected.items())
    else:
        return None
    return next((step for step in pairs if step[1] != step[2]), None)


def _item(values: list[Any], number: int) -> Any:
    return values[number] if number < len(values) else None


def _is_event(*values: Any) -> bool:
    return any(isinstance(v, Mapping) and isinstance(v.get("type"), str) for v in values)
