"""The sums of a run, from which every report for people is made."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from harness.errors import ReportError
from harness.judge.kinds import Level
from harness.judge.transcript import Blame
from harness.reports.grouping import FailureGroup, grouped, where
from harness.reports.where import Name
from harness.reports.words import many
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
class Facts:
    """What the cases of one adapter state, as far as it was judged on it, by words."""

    judged: set[str] = field(default_factory=set)
    unexposed: set[str] = field(default_factory=set)

    @property
    def text(self) -> str:
        """How many there were."""
        return f"{len(self.judged)} of {len(self.judged | self.unexposed)}"

    @property
    def unjudged(self) -> list[str]:
        """What was stated somewhere and judged nowhere."""
        return sorted(self.unexposed - self.judged)


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

    ``wires`` are the cases that are not faults, by scenario and adapter; ``failures`` what fails,
    by cause; ``files`` the file of each scenario; ``played`` the scenario and variation of each
    case, by adapter; ``outcomes`` the outcome of each case; ``below`` counts the cases with
    findings of a kind that does not fail them.
    """

    run: JsonObject
    end: JsonObject
    skips: list[JsonObject]
    wires: dict[str, dict[str, Cell]]
    sweeps: dict[str, Sweep]
    failures: list[FailureGroup]
    files: dict[str, str]
    played: dict[str, list[Name]]
    outcomes: dict[str, str]
    facts: dict[str, Facts]
    below: Counter[str]

    @property
    def adapters(self) -> list[str]:
        """The names of the adapters, in the order in which they were asked for."""
        return [adapter["name"] for adapter in self.run["adapters"]]

    @property
    def sentence(self) -> str:
        """How many cases were played, and what became of them."""
        counts = self.end["counts"]
        played = sum(count for outcome, count in counts.items() if outcome != "skip")
        against = sum(counts[outcome] for outcome in AGAINST)
        words = [f"{counts['pass']:,} passed", f"{against:,} failed"]
        words += [f"{counts['known']:,} known to fail"] * bool(counts["known"])
        skipped = [f"{many(counts['skip'], 'scenario')} skipped"] * bool(counts["skip"])
        return f"{many(played, 'case')}{self.shard}: {', '.join([*words, *skipped])}"

    @property
    def shard(self) -> str:
        """Which shard this is, such as `` of shard 1/3``; empty for a whole run."""
        shard = self.run.get("shard")
        return f" of shard {shard['number']}/{shard['of']}" if shard else ""

    def groups(self) -> Iterator[Group]:
        """Yield the scenarios that were run, grouped and in order."""
        groups: defaultdict[str, defaultdict[str, list[str]]]
        groups = defaultdict(lambda: defaultdict(list))
        for scenario in sorted(self.wires):
            groups[scenario.partition("/")[0]][self.files[scenario]].append(scenario)
        for name, files in groups.items():
            rows = [self._row(name, scenarios) for scenarios in files.values()]
            yield Group(name, _added(row.cells for row in rows), rows)

    def where(self, group: FailureGroup, few: int = 4) -> str:
        """Say in which scenarios and on which wires a cause shows."""
        return where(group, self.played[group.adapter], few)

    @property
    def levels(self) -> dict[str, str]:
        """The level at which findings fail each adapter."""
        return levels_of(self.run)

    def level_lines(self) -> Iterator[str]:
        """Yield how many cases have findings of each level, and which of them fail the run."""
        counts = self.end.get("levels", {})
        if not any(counts.values()):
            return
        text = ", ".join(f"{counts.get(level, 0):,} {level}" for level in Level)
        levels = set(self.levels.values())
        if len(levels) != 1:
            yield f"findings: {text}"
            return
        level = Level(levels.pop())
        lower = [word for word in Level if not level.includes(word) and counts.get(word)]
        fails = " and ".join(word for word in Level if level.includes(word))
        hint = f"; --level {lower[0]} fails for more" if lower else ""
        yield f"findings: {text}; fails for {fails}{hint}"
        if self.below:
            kinds = ", ".join(f"{kind} ({count:,})" for kind, count in self.below.most_common(8))
            yield f"not counted at this level: {kinds}"

    def _row(self, group: str, ids: Sequence[str]) -> Row:
        inside = [i.removeprefix(f"{group}/") for i in ids]
        name = inside[0] if len(inside) == 1 else _shared(inside)
        cells = {
            i.removeprefix(f"{name}/"): self.wires[s] for i, s in zip(inside, ids, strict=True)
        }
        return Row(name, _added(cells.values()), cells)


def levels_of(run: JsonObject) -> dict[str, str]:
    """Return the level at which findings fail each adapter of a run."""
    return {adapter["name"]: adapter.get("level", Level.MUST) for adapter in run["adapters"]}


def parts(
    records: Iterable[JsonObject],
) -> tuple[JsonObject, list[JsonObject], list[JsonObject], JsonObject]:
    """Return the first record, the skipped scenarios, the cases, and the last record of a run.

    Raises :class:`ReportError` for records that are not one whole run.
    """
    run = end = None
    skips: list[JsonObject] = []
    cases: list[JsonObject] = []
    for record in records:
        match record["type"]:
            case "run":
                run = record
            case "skip":
                skips.append(record)
            case "end":
                end = record
            case _:
                cases.append(record)
    if run is None:
        raise ReportError(
            "not the records of a run", hint="'tapecheck run --results FILE' writes them"
        )
    if end is None:
        raise ReportError("the run did not finish: its end record is missing", hint="run it again")
    return run, skips, cases, end


def summarize(records: Iterable[JsonObject]) -> Summary:
    """Sum up the records of a run.

    Raises :class:`ReportError` for records that are not one whole run.
    """
    run, skips, cases, end = parts(records)
    wires: defaultdict[str, defaultdict[str, Cell]] = defaultdict(lambda: defaultdict(Cell))
    sweeps: defaultdict[str, Sweep] = defaultdict(Sweep)
    played: defaultdict[str, list[Name]] = defaultdict(list)
    facts: defaultdict[str, Facts] = defaultdict(Facts)
    below: Counter[str] = Counter()
    levels = levels_of(run)
    for record in cases:
        _add(record, wires, sweeps)
        played[record["adapter"]].append((record["scenario"], record["variation"]))
        facts[record["adapter"]].judged.update(record.get("judged", ()))
        facts[record["adapter"]].unexposed.update(record.get("unexposed", ()))
        below.update(sorted(_below(record, Level(levels.get(record["adapter"], Level.MUST)))))
    return Summary(
        run=run,
        end=end,
        skips=skips,
        wires={s: dict(cells) for s, cells in wires.items()},
        sweeps=dict(sweeps),
        failures=grouped((r for r in cases if r["outcome"] in AGAINST), levels),
        files={record["scenario"]: record["file"] for record in cases},
        played=dict(played),
        outcomes={record["id"]: record["outcome"] for record in cases},
        facts={name: found for name, found in facts.items() if found.judged or found.unexposed},
        below=below,
    )


def _below(record: JsonObject, level: Level) -> set[str]:
    """Return the kinds of findings about the client that do not fail the case."""
    return {
        finding["kind"]
        for finding in record.get("findings", ())
        if finding["blame"] == Blame.CLIENT
        and "kind" in finding
        and not level.includes(Level(finding["level"]))
    }


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
