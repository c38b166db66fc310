"""Markdown for a pull request or a job's summary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from harness.reports import explain
from harness.reports.changes import Change, Changes, compare
from harness.reports.grouping import FailureGroup
from harness.reports.markdown_text import code, fenced, html_code
from harness.reports.summary import Cell, Summary, summarize
from harness.reports.words import many
from mockserver.vocabulary import JsonObject

#: More causes than this do not help a reader.
FEW_FAILURES = 20
#: The same of rows of the matrix, of problems, and of causes in a list of changes.
_FEW_ROWS, _FEW_PROBLEMS, _FEW_CHANGES = 40, 20, 12
#: Characters of a page. A comment may have 65,536, a job's summary 1 MiB.
_LIMIT = 60_000


def write(
    records: Iterable[JsonObject],
    stream: TextIO,
    *,
    here: Path,
    before: Iterable[JsonObject] | None = None,
) -> None:
    """Write the report, with what changed since the run ``before``.

    Raises :class:`~harness.errors.ReportError` for half a run.
    """
    summary = summarize(records)
    changes = None if before is None else compare(summarize(before), summary)
    page = "\n".join(_head(summary, changes))
    shown = 0
    for group in summary.failures[:FEW_FAILURES]:
        block = "\n".join(_failure(summary, group, here))
        if len(page) + len(block) > _LIMIT:
            break
        page += ("" if shown else "\n\n### Failures by cause") + f"\n{block}"
        shown += 1
    if left := len(summary.failures) - shown:
        page += f"\n\n… and {many(left, 'more cause')}."
    stream.write(f"{page}\n")


def _head(summary: Summary, changes: Changes | None) -> Iterator[str]:
    yield f"## tapecheck: {_result(summary, changes)}"
    yield ""
    yield f"{summary.sentence}."
    for line in summary.level_lines():
        yield ""
        yield f"{line}."
    if changes is not None:
        yield from _changes(changes, several=len(summary.adapters) > 1)
    yield from _matrix(summary)
    for adapter in summary.adapters:
        if (sweep := summary.sweeps.get(adapter)) is not None:
            yield ""
            yield f"{sweep.cell.mark} Fault sweep of {code(adapter)}: {sweep.text}."
    for adapter, facts in summary.facts.items():
        unjudged = f"; not exposed, so not judged: {', '.join(facts.unjudged)}"
        yield ""
        yield f"{code(adapter)}: {facts.text} facts judged{unjudged if facts.unjudged else ''}."
    yield from _problems(summary.end["problems"])


def _result(summary: Summary, changes: Changes | None) -> str:
    result = "all as expected" if summary.end["exit_code"] == 0 else "failed"
    new = len(changes.new) if changes is not None else 0
    return result + (f", {many(new, 'case')} newly failing" if new else "")


def _problems(problems: Sequence[str]) -> Iterator[str]:
    if problems:
        yield from ("", "### Problems", "")
        yield from (f"- {code(problem)}" for problem in problems[:_FEW_PROBLEMS])
        if (left := len(problems) - _FEW_PROBLEMS) > 0:
            yield f"- … and {many(left, 'more problem')}"


def _changes(changes: Changes, *, several: bool) -> Iterator[str]:
    yield from ("", "### Since the run before", "")
    causes = changes.causes
    lists = {
        "newly failing": (changes.new, [(c, c.new) for c in causes if c.new]),
        "fixed": (changes.fixed, [(c, c.fixed) for c in causes if c.fixed]),
        "known to fail now": (changes.listed, [(c, c.listed) for c in causes if c.listed]),
        "still failing": (changes.still, [(c, c.still) for c in causes if c.still]),
    }
    if not changes.listed:
        del lists["known to fail now"]
    yield from ("| | cases | causes |", "| --- | --- | --- |")
    for name, (cases, those) in lists.items():
        yield f"| {name} | {len(cases):,} | {len(those):,} |"
    if changes.settings:
        yield from ("", "The runs differ in more than the results:", "")
        yield from (f"- {code(text)}" for text in changes.settings)
    for name, (_, those) in lists.items():
        if those:
            yield from ("", f"**{name.capitalize()}**", "")
            yield from (
                f"- {_change(change, ids, is_new=name == 'newly failing', several=several)}"
                for change, ids in those[:_FEW_CHANGES]
            )
        if (left := len(those) - _FEW_CHANGES) > 0:
            yield f"- … and {many(left, 'more cause')}"


def _change(change: Change, cases: Sequence[str], *, is_new: bool, several: bool) -> str:
    text = f"{many(len(cases), 'case')}: {code(explain.cause_of(change.group.finding))}"
    if several:
        text += f" of {code(change.group.adapter)}"
    text += f", {'such as ' if len(cases) > 1 else 'in '}{code(cases[0])}"
    if is_new and change.unplayed:
        text += f" ({change.unplayed:,} not played before)"
    return text


def _matrix(summary: Summary) -> Iterator[str]:
    adapters = summary.adapters
    yield ""
    yield f"| scenarios | {' | '.join(map(code, adapters))} |"
    yield f"| --- |{' --- |' * len(adapters)}"
    left = _FEW_ROWS
    for group in summary.groups():
        yield _row(f"**{code(group.name)}**", adapters, group.cells)
        for row in group.rows:
            if any(cell.worst not in {"pass", "skip"} for cell in row.cells.values()):
                if left > 0:
                    yield _row(code(f"{group.name}/{row.name}"), adapters, row.cells)
                left -= 1
    if left < 0:
        yield f"| … and {many(-left, 'more row')} |{' |' * len(adapters)}"


def _row(name: str, adapters: Iterable[str], cells: dict[str, Cell]) -> str:
    return f"| {name} | {' | '.join(cells.get(a, Cell()).text for a in adapters)} |"


def _failure(summary: Summary, group: FailureGroup, here: Path) -> Iterator[str]:
    finding = group.finding
    by = f" of {html_code(group.adapter)}" if len(summary.adapters) > 1 else ""
    cause, message = html_code(explain.cause_of(finding)), html_code(finding["message"])
    yield ""
    yield f"<details><summary>{many(len(group.records), 'case')}{by}: <b>{cause}</b>"
    yield f"{'' if group.is_alike else 'such as '}{message}</summary>"
    yield ""
    yield from fenced(_details(summary, group, here))
    yield ""
    yield "</details>"


def _details(summary: Summary, group: FailureGroup, here: Path) -> Iterator[str]:
    record = group.example
    yield record["id"]
    yield from explain.details(record, group.finding, here, 100)
    if place := summary.where(group):
        yield place
    yield explain.replay(record["id"], summary.run.get("options", ()))
