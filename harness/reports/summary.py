"""The sums of a run, from which every report for people is made."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from harness.errors import ReportError
from harness.reports.cause import smallest_cause
from mockserver.vocabulary import JsonObject

#: Outcomes that count against a run.
AGAINST = frozenset({"fail", "stale", "error"})
_MARKS = (("error", "!"), ("stale", "✗"), ("fail", "✗"), ("known", "~"), ("pass", "✓"))
NOT_RUN = "–"


@dataclass(slots=True)
class Cell:
    """Outcomes of cases that belong together, by their names, and a mark for all of them."""

    counts: Counter[str] = field(default_factory=Counter)

    @property
    def mark(self) -> str:
        """The mark of the worst outcome."""
        return next((mark for outcome, mark in _MARKS if self.counts[outcome]), NOT_RUN)

    @property
    def worst(self) -> str:
        """The worst outcome; ``skip`` if nothing was run."""
        return next((outcome for outcome, _ in _MARKS if self.counts[outcome]), "skip")

    @property
    def text(self) -> str:
        """The mark with passed and all cases."""
        total = self.counts.total()
        return f"{self.mark} {self.counts['pass']}/{total}" if total else self.mark

    def __add__(self, other: Cell) -> Cell:
        return Cell(self.counts + other.counts)


@dataclass(slots=True)
class Sweep:
    """The fault sweep of one adapter: its faults, and the streams that had one."""

    cell: Cell = field(default_factory=Cell)
    streams: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)

    @property
    def text(self) -> str:
        """How many faults there were, and what the client made of them."""
        counts = self.cell.counts
        text = f"{many(counts.total(), 'fault')} in {many(len(self.streams), 'stream')}"
        if against := sum(counts[outcome] for outcome in AGAINST):
            text += f", {against:,} failed in {many(len(self.failing), 'stream')}"
        elif not counts["known"]:
            text += ", all reported"
        return text + (f", {counts['known']:,} known" if counts["known"] else "")


@dataclass(slots=True)
class Failure:
    """Cases of one scenario and adapter that fail alike; the first is the example."""

    records: list[JsonObject] = field(default_factory=list)

    @property
    def example(self) -> JsonObject:
        """The case that is shown."""
        return self.records[0]


@dataclass(slots=True)
class Row:
    """The scenarios of one file, under the name they share, with a cell per adapter."""

    name: str
    cells: dict[str, Cell]
    scenarios: dict[str, dict[str, Cell]]


@dataclass(slots=True)
class Group:
    """The scenarios whose ids begin alike."""

    name: str
    cells: dict[str, Cell]
    rows: list[Row]


@dataclass(slots=True)
class Summary:
    """A whole run.

    ``wires`` are the cases that are not faults, by scenario and adapter; ``passed`` the wires
    on which a scenario passed with an adapter; ``files`` the file of each scenario.
    """

    run: JsonObject
    end: JsonObject
    skips: list[JsonObject]
    wires: dict[str, dict[str, Cell]]
    sweeps: dict[str, Sweep]
    failures: list[Failure]
    files: dict[str, str]
    passed: dict[tuple[str, str], list[str]]

    @property
    def adapters(self) -> list[str]:
        """The names of the adapters, in the order in which they were asked for."""
        return [adapter["name"] for adapter in self.run["adapters"]]

    def groups(self) -> Iterator[Group]:
        """Yield the scenarios that were run, grouped and in order."""
        groups: defaultdict[str, defaultdict[str, list[str]]]
        groups = defaultdict(lambda: defaultdict(list))
        for scenario in sorted(self.wires):
            groups[scenario.partition("/")[0]][self.files[scenario]].append(scenario)
        for name, files in groups.items():
            rows = [self._row(name, scenarios) for scenarios in files.values()]
            yield Group(name, _added(row.cells for row in rows), rows)

    def alike(self, failure: Failure) -> str:
        """Say on which wires a failure occurs; empty if there was only one case."""
        example = failure.example
        failed = [r["variation"] for r in failure.records if r["kind"] == "wire"]
        passed = self.passed.get((example["scenario"], example["adapter"]), [])
        others = [r["variation"] for r in failure.records if r["kind"] != "wire"]
        parts = []
        if failed and len(failed) + len(passed) > 1:
            parts.append(str(smallest_cause(failed, passed)))
        if others and len(failure.records) > 1:
            parts.append(f"the same at {', '.join(others)}")
        return "; ".join(parts)

    def _row(self, group: str, ids: Sequence[str]) -> Row:
        inside = [i.removeprefix(f"{group}/") for i in ids]
        name = inside[0] if len(inside) == 1 else _shared(inside)
        cells = {
            i.removeprefix(f"{name}/"): self.wires[s] for i, s in zip(inside, ids, strict=True)
        }
        return Row(name, _added(cells.values()), cells)


def summarize(records: Iterable[JsonObject]) -> Summary:
    """Sum up the records of a run.

    Raises :class:`ReportError` for records that are not one whole run.
    """
    run = end = None
    skips: list[JsonObject] = []
    wires: defaultdict[str, defaultdict[str, Cell]] = defaultdict(lambda: defaultdict(Cell))
    sweeps: defaultdict[str, Sweep] = defaultdict(Sweep)
    failures: defaultdict[tuple[str, str, str, str], Failure] = defaultdict(Failure)
    files: dict[str, str] = {}
    passed: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for record in records:
        match record["type"]:
            case "run":
                run = record
            case "skip":
                skips.append(record)
            case "end":
                end = record
            case _:
                _add(record, wires, sweeps)
                files[record["scenario"]] = record["file"]
                if record["outcome"] == "pass" and record["kind"] == "wire":
                    passed[record["scenario"], record["adapter"]].append(record["variation"])
                if record["outcome"] in AGAINST:
                    key = ("scenario", "adapter", "outcome", "signature")
                    failures[tuple(record.get(k, "") for k in key)].records.append(record)
    if run is None:
        raise ReportError(
            "not the records of a run", hint="'tapecheck run --results FILE' writes them"
        )
    if end is None:
        raise ReportError("the run did not finish: its end record is missing", hint="run it again")
    for failure in failures.values():
        failure.records.sort(key=_simplest_first)
    return Summary(
        run=run,
        end=end,
        skips=skips,
        wires={s: dict(cells) for s, cells in wires.items()},
        sweeps=dict(sweeps),
        failures=sorted(failures.values(), key=_wires_first),
        files=files,
        passed=dict(passed),
    )


def many(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _add(
    record: JsonObject,
    wires: defaultdict[str, defaultdict[str, Cell]],
    sweeps: defaultdict[str, Sweep],
) -> None:
    scenario, adapter, outcome = record["scenario"], record["adapter"], record["outcome"]
    if record["kind"] != "fault":
        wires[scenario][adapter].counts[outcome] += 1
        return
    # A scenario of which only faults were selected has a row, too.
    _ = wires[scenario][adapter]
    sweep = sweeps[adapter]
    sweep.cell.counts[outcome] += 1
    sweep.streams.add(scenario)
    if outcome in AGAINST:
        sweep.failing.add(scenario)


def _wires_first(failure: Failure) -> tuple[str, str, bool, int, str]:
    record = failure.example
    return (record["scenario"], record["adapter"], *_simplest_first(record))


def _simplest_first(record: JsonObject) -> tuple[bool, int, str]:
    variation = record["variation"]
    return record["kind"] == "fault", 0 if variation == "recorded" else len(variation), variation


def _added(rows: Iterable[dict[str, Cell]]) -> dict[str, Cell]:
    total: defaultdict[str, Cell] = defaultdict(Cell)
    for cells in rows:
        for adapter, cell in cells.items():
            total[adapter] += cell
    return dict(total)


def _shared(names: Sequence[str]) -> str:
    parts = []
    for level in zip(*(name.split("/") for name in names), strict=False):
        if len(set(level)) > 1:
            break
        parts.append(level[0])
    return "/".join(parts)
