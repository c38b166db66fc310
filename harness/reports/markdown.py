"""Markdown for a pull request or a job's summary."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from harness.judge.visible import visible
from harness.reports import explain
from harness.reports.grouping import FailureGroup
from harness.reports.summary import Cell, Summary, summarize
from harness.reports.words import many
from mockserver.vocabulary import JsonObject

#: Comments have a limit of 65,536 characters; more causes than this do not help a reader.
FEW_FAILURES = 20


def write(records: Iterable[JsonObject], stream: TextIO, *, here: Path) -> None:
    """Write the report. Raises :class:`~harness.errors.ReportError` for half a run."""
    summary = summarize(records)
    stream.writelines(f"{line}\n" for line in _lines(summary, here))


def _lines(summary: Summary, here: Path) -> Iterator[str]:
    counts = summary.end["counts"]
    against = counts["fail"] + counts["stale"] + counts["error"]
    yield f"## tapecheck: {'all as expected' if summary.end['exit_code'] == 0 else 'failed'}"
    yield ""
    text = f"{counts['pass']:,} passed, {against:,} failed, {counts['known']:,} known failures"
    yield f"{text}, {counts['skip']:,} skipped."
    for line in summary.level_lines():
        yield ""
        yield f"{line}."
    yield from _matrix(summary)
    for adapter in summary.adapters:
        if (sweep := summary.sweeps.get(adapter)) is not None:
            yield ""
            yield f"{sweep.cell.mark} Fault sweep of `{adapter}`: {sweep.text}."
    for adapter, facts in summary.facts.items():
        unjudged = f"; not exposed, so not judged: {', '.join(facts.unjudged)}"
        yield ""
        yield f"`{adapter}`: {facts.text} facts judged{unjudged if facts.unjudged else ''}."
    if problems := summary.end["problems"]:
        yield from ("", "### Problems", "")
        yield from (f"- {_cell(problem)}" for problem in problems)
    if summary.failures:
        yield from ("", "### Failures by cause")
        for failure in summary.failures[:FEW_FAILURES]:
            yield from _failure(summary, failure, here)
        if (left := len(summary.failures) - FEW_FAILURES) > 0:
            yield from ("", f"… and {many(left, 'more cause')}.")


def _matrix(summary: Summary) -> Iterator[str]:
    adapters = summary.adapters
    yield ""
    yield f"| scenarios | {' | '.join(f'`{a}`' for a in adapters)} |"
    yield f"| --- |{' --- |' * len(adapters)}"
    for group in summary.groups():
        yield _row(f"**{group.name}**", adapters, group.cells)
        for row in group.rows:
            if any(cell.worst not in {"pass", "skip"} for cell in row.cells.values()):
                yield _row(f"`{group.name}/{row.name}`", adapters, row.cells)


def _row(name: str, adapters: Iterable[str], cells: dict[str, Cell]) -> str:
    return f"| {name} | {' | '.join(cells.get(a, Cell()).text for a in adapters)} |"


def _failure(summary: Summary, group: FailureGroup, here: Path) -> Iterator[str]:
    record, finding = group.example, group.finding
    by = f" of <code>{group.adapter}</code>" if len(summary.adapters) > 1 else ""
    cause = html.escape(explain.cause_of(finding))
    message = html.escape(visible(finding["message"]))
    yield ""
    yield f"<details><summary>{many(len(group.records), 'case')}{by}: <b>{cause}</b>"
    yield f"{'' if group.is_alike else 'such as '}{message}</summary>"
    yield ""
    yield "```text"
    yield record["id"]
    yield from (line.replace("```", "'''") for line in explain.details(record, finding, here, 100))
    if place := summary.where(group):
        yield place
    yield explain.replay(record["id"], summary.run.get("options", ()))
    yield "```"
    yield ""
    yield "</details>"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
