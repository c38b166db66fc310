"""The report for a terminal, 80 columns wide or more."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.text import Text

from harness.reports import explain
from harness.reports.console import ReportConsole
from harness.reports.glyphs import showable
from harness.reports.matrix import Line, matrix
from harness.reports.summary import Cell, Failure, Group, Row, Summary, many, summarize
from mockserver.vocabulary import JsonObject

#: Up to this many rows are all shown; of more, those that are not as they should be.
FEW_ROWS = 24
#: Failures that are shown without ``verbose``.
FEW_FAILURES = 12
_STYLES = {
    "pass": "green",
    "fail": "bold red",
    "stale": "bold red",
    "error": "bold magenta",
    "known": "yellow",
    "skip": "dim",
}


def write(
    records: Iterable[JsonObject],
    stream: TextIO,
    *,
    here: Path,
    verbose: bool = False,
    seconds: float | None = None,
) -> None:
    """Write the report. Raises :class:`~harness.errors.ReportError` for half a run.

    A ``stream`` that is not of UTF-8 needs the error handler :data:`harness.reports.glyphs.ERRORS`.
    """
    summary = summarize(records)
    _Page(summary, ReportConsole(file=stream, highlight=False), here, verbose).write(seconds)


class _Page:
    def __init__(self, summary: Summary, console: Console, here: Path, verbose: bool) -> None:
        self.summary = summary
        self.console = console
        self.here = here
        self.verbose = verbose

    def write(self, seconds: float | None) -> None:
        self._matrix()
        self._sweeps()
        self._skips()
        self._failures()
        self._problems()
        self._counts(seconds)

    def _matrix(self) -> None:
        groups = list(self.summary.groups())
        lines = list(self._lines(groups))
        adapters = [a for a in self.summary.adapters if any(a in g.cells for g in groups)]
        if adapters:
            for line in matrix(lines, adapters, self.console.width):
                self._print(line)

    def _line(self, name: str, cells: dict[str, Cell], indent: int = 0, style: str = "") -> Line:
        shown = {a: cells.get(a, Cell()) for a in self.summary.adapters}
        texts = {a: Text(self._show(c.text), _STYLES[c.worst]) for a, c in shown.items()}
        return Line(self._show(name), texts, indent, style)

    def _show(self, text: str) -> str:
        """Return the text as the stream shows it, to know its width."""
        return showable(text, self.console.encoding)

    def _lines(self, groups: Sequence[Group]) -> Iterator[Line]:
        everything = self.verbose or sum(len(group.rows) for group in groups) <= FEW_ROWS
        for group in groups:
            yield self._line(group.name, group.cells, style="bold")
            for row in group.rows:
                if everything or _odd(row.cells):
                    yield self._line(row.name, row.cells, 2)
                    yield from self._scenario_lines(row)

    def _scenario_lines(self, row: Row) -> Iterator[Line]:
        """Yield the scenarios of a row, unless all have the same result."""
        marks = {tuple(cell.mark for cell in cells.values()) for cells in row.scenarios.values()}
        if len(row.scenarios) == 1 or (len(marks) == 1 and not self.verbose):
            return
        for name, cells in row.scenarios.items():
            if self.verbose or _odd(cells):
                yield self._line(name, cells, 4)

    def _sweeps(self) -> None:
        sweeps = [(a, s) for a in self.summary.adapters if (s := self.summary.sweeps.get(a))]
        if not sweeps:
            return
        width = max(len(adapter) for adapter, _ in sweeps)
        self._print(Text("fault sweep", "bold"))
        for adapter, sweep in sweeps:
            mark = Text(f"{sweep.cell.mark} ", _STYLES[sweep.cell.worst])
            self._print(mark, f"{adapter:{width}}  {sweep.text}")
        self.console.print()

    def _skips(self) -> None:
        if not self.verbose or not self.summary.skips:
            return
        self._heading("Skipped")
        for skip in self.summary.skips:
            adapter = "" if skip["adapter"] == "*" else f"@{skip['adapter']}"
            self._print(Text("– ", "dim"), f"{skip['scenario']}{adapter}: {skip['reason']}")
        self.console.print()

    def _failures(self) -> None:
        failures = self.summary.failures
        if not failures:
            return
        self._heading("Failures")
        shown = failures if self.verbose else failures[:FEW_FAILURES]
        for failure in shown:
            self._failure(failure)
        if left := len(failures) - len(shown):
            self._print(f"… and {left} more like these; -v shows all.", "\n")

    def _failure(self, failure: Failure) -> None:
        record = failure.example
        mark = Cell()
        mark.counts[record["outcome"]] = 1
        self._print(Text(f"{mark.mark} {record['id']}", _STYLES[record["outcome"]]))
        for line in explain.brief(record, self.here, self.console.width - 4):
            self._print(f"  {line}")
        if alike := self.summary.alike(failure):
            for n, line in enumerate(_wrapped(alike, self.console.width - 6, self.verbose)):
                self._print(Text(f"{'    ' if n else '  '}{line}", "dim"))
        command = explain.replay(record["id"], self.summary.run.get("options", ()))
        self._print(Text(f"  {command}", "cyan"), "\n")

    def _problems(self) -> None:
        if not self.summary.end["problems"]:
            return
        self._heading("Problems")
        for problem in self.summary.end["problems"]:
            self._print(Text("✗ ", _STYLES["fail"]), problem)
        self.console.print()

    def _counts(self, seconds: float | None) -> None:
        counts, code = self.summary.end["counts"], self.summary.end["exit_code"]
        ran = sum(n for outcome, n in counts.items() if outcome != "skip")
        words = [
            f"{counts[outcome]:,} {word}"
            for outcome, word in (
                ("pass", "passed"),
                ("fail", "failed"),
                ("stale", "stale in the baseline"),
                ("error", "harness errors"),
                ("known", "known failures"),
            )
            if counts[outcome] or outcome == "pass"
        ]
        if counts["skip"]:
            hint = "" if self.verbose else " (-v says why)"
            words.append(f"{counts['skip']:,} skipped{hint}")
        took = "" if seconds is None else f" in {seconds:.1f} s"
        style = _STYLES["pass"] if code == 0 else _STYLES["fail"]
        self._print(Text(f"{many(ran, 'case')}{took}: {', '.join(words)}", style))

    def _heading(self, text: str) -> None:
        self._print(Text(text, "bold"), "\n")

    def _print(self, *parts: str | Text) -> None:
        # Names and commands are for copying: no line is broken in the middle of one.
        self.console.print(Text.assemble(*parts), soft_wrap=True)


def _odd(cells: dict[str, Cell]) -> bool:
    return any(cell.worst not in {"pass", "skip"} for cell in cells.values())


def _wrapped(text: str, width: int, everything: bool) -> list[str]:
    limit = None if everything else 3
    return textwrap.wrap(text, width, max_lines=limit, placeholder=" …", break_on_hyphens=False)
