"""The report for a terminal, 80 columns wide or more."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.text import Text

from harness.judge.visible import visible
from harness.reports import explain
from harness.reports.console import ReportConsole
from harness.reports.glyphs import showable
from harness.reports.grouping import FailureGroup
from harness.reports.matrix import Line, matrix
from harness.reports.summary import NOT_RUN, Cell, Group, Row, Summary, summarize
from harness.reports.words import many
from mockserver.vocabulary import JsonObject

#: Up to this many rows are all shown; of more, those that are not as they should be.
FEW_ROWS = 24
#: Causes that are shown without ``verbose``.
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
        self._unexposed()
        self._sweeps()
        self._skips()
        self._failures()
        self._problems()
        self._counts(seconds)

    def _matrix(self) -> None:
        groups = list(self.summary.groups())
        lines = list(self._lines(groups))
        adapters = [a for a in self.summary.adapters if any(a in g.cells for g in groups)]
        if facts := self.summary.facts:
            cells = {adapter: Text(found.text) for adapter, found in facts.items()}
            lines.append(Line("facts judged", cells, style="bold"))
        if adapters:
            absent = self._show(NOT_RUN)
            for line in matrix(lines, adapters, self.console.width, absent):
                self._print(line)

    def _unexposed(self) -> None:
        """Say what was not judged, since the client does not give it out."""
        found = {a: f.unjudged for a, f in self.summary.facts.items() if f.unjudged}
        for adapter, words in found.items():
            name = f"{adapter}: " if len(self.summary.adapters) > 1 else ""
            text = f"{name}not exposed, so not judged: {', '.join(words)}"
            for line in textwrap.wrap(text, self.console.width, subsequent_indent="  "):
                self._print(line)
        if found:
            self.console.print()

    def _line(self, name: str, cells: dict[str, Cell], indent: int = 0, style: str = "") -> Line:
        texts = {
            a: Text(self._show(cells[a].text), _STYLES[cells[a].worst])
            for a in self.summary.adapters
            if a in cells
        }
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
        if not self.verbose:
            self._unjudged()
            return
        if not self.summary.skips:
            return
        self._heading("Skipped")
        for skip in self.summary.skips:
            adapter = "" if skip["adapter"] == "*" else f"@{skip['adapter']}"
            self._print(Text("– ", "dim"), f"{skip['scenario']}{adapter}: {skip['reason']}")
        self.console.print()

    def _unjudged(self) -> None:
        """Name why recordings were given to no client: a green run did not judge them."""
        by_reason: dict[str, list[str]] = {}
        for skip in self.summary.skips:
            if skip["adapter"] == "*" and skip["scenario"].startswith("recordings/"):
                by_reason.setdefault(skip["reason"], []).append(skip["scenario"])
        if not by_reason:
            return
        self._heading("Recordings that no client was given")
        for reason, names in by_reason.items():
            self._print(Text("– ", "dim"), f"{len(names)}, such as {names[0]}: {reason}")
        self.console.print()

    def _failures(self) -> None:
        failures = self.summary.failures
        if not failures:
            return
        cases = {record["id"] for group in failures for record in group.records}
        self._heading(f"{many(len(cases), 'case')} failed, {many(len(failures), 'cause')}")
        shown = failures if self.verbose else failures[:FEW_FAILURES]
        for group in shown:
            self._failure(group)
        if left := len(failures) - len(shown):
            self._print(f"… and {many(left, 'more cause')}; -v shows all.", "\n")

    def _failure(self, group: FailureGroup) -> None:
        record, finding, width = group.example, group.finding, self.console.width
        mark = Cell()
        mark.counts[record["outcome"]] = 1
        by = f" of {group.adapter}" if len(self.summary.adapters) > 1 else ""
        count = many(len(group.records), "case")
        head = f"{mark.mark} {count}{by}: {explain.cause_of(finding)}"
        self._print(Text(head, _STYLES[record["outcome"]]))
        such = "" if group.is_alike else "such as "
        for line in _wrapped(f"{such}{visible(finding['message'])}", width - 4):
            self._print(f"  {line}")
        several = len(group.records) > 1
        self._print(Text(f"  {'for example ' if several else 'in '}{record['id']}", "bold"))
        for line in explain.details(record, finding, self.here, width - 4):
            self._print(f"  {line}")
        if place := self.summary.where(group, 100 if self.verbose else 4):
            for n, line in enumerate(_wrapped(place, width - 6, None if self.verbose else 3)):
                self._print(Text(f"{'    ' if n else '  '}{line}", "dim"))
        command = explain.replay(record["id"], self.summary.run.get("options", ()))
        self._print(Text(f"  {command}", "cyan"))
        for other in group.records[1:] if self.verbose else ():
            self._print(Text(f"    {other['id']}", "dim"))
        self.console.print()

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
                ("error", "not judged: errors of the harness"),
                ("known", "known to fail"),
            )
            if counts[outcome] or outcome == "pass"
        ]
        if counts["skip"]:
            hint = "" if self.verbose else " (-v says why)"
            words.append(f"{many(counts['skip'], 'scenario')} skipped{hint}")
        took = "" if seconds is None else f" in {seconds:.1f} s"
        style = _STYLES["pass"] if code == 0 else _STYLES["fail"]
        self._print(
            Text(f"{many(ran, 'case')}{self.summary.shard}{took}: {', '.join(words)}", style)
        )
        for line in self.summary.level_lines():
            for part in textwrap.wrap(line, self.console.width, subsequent_indent="  "):
                self._print(part)

    def _heading(self, text: str) -> None:
        self._print(Text(text, "bold"), "\n")

    def _print(self, *parts: str | Text) -> None:
        # Names and commands are for copying: no line is broken in the middle of one.
        self.console.print(Text.assemble(*parts), soft_wrap=True)


def _odd(cells: dict[str, Cell]) -> bool:
    return any(cell.worst not in {"pass", "skip"} for cell in cells.values())


def _wrapped(text: str, width: int, lines: int | None = None) -> list[str]:
    return textwrap.wrap(
        text, max(width, 20), max_lines=lines, placeholder=" …", break_on_hyphens=False
    )
