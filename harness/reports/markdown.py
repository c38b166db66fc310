"""Markdown for a pull request or a job's summary."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from harness.reports import explain
from harness.reports.summary import Cell, Failure, Summary, summarize
from mockserver.vocabulary import JsonObject

#: Comments have a limit of 65,536 characters; more failures than this do not help a reader.
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
    yield from _matrix(summary)
    for adapter in summary.adapters:
        if (sweep := summary.sweeps.get(adapter)) is not None:
            yield ""
            yield f"{sweep.cell.mark} Fault sweep of `{adapter}`: {sweep.text}."
    if problems := summary.end["problems"]:
        yield from ("", "### Problems", "")
        yield from (f"- {_cell(problem)}" for problem in problems)
    if summary.failures:
        yield from ("", "### Failures")
        for failure in summary.failures[:FEW_FAILURES]:
            yield from _failure(summary, failure, here)
        if (left := len(summary.failures) - FEW_FAILURES) > 0:
            yield from ("", f"… and {left} more.")


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


def _failure(summary: Summary, failure: Failure, here: Path) -> Iterator[str]:
    record = failure.example
    finding = record["findings"][0]
    yield ""
    yield f"<details><summary><code>{html.escape(record['id'])}</code>: "
    yield f"{html.escape(explain.headline(finding))}</summary>"
    yield ""
    yield "```text"
    yield from (line.replace("```", "'''") for line in explain.brief(record, here))
    if alike := summary.alike(failure):
        yield alike
    yield explain.replay(record["id"], summary.run.get("options", ()))
    yield "```"
    yield ""
    yield "</details>"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
