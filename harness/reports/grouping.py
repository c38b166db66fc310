"""Group the failures of a run by cause, over all scenarios."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.judge.kinds import Level
from harness.judge.transcript import Blame
from harness.reports.cause import Cause, causes_by_scenario
from harness.reports.where import Name, narrowest
from mockserver.vocabulary import JsonObject

_FAULTS = frozenset({"cut", "reset", "stall"})


@dataclass(slots=True)
class FailureGroup:
    """The cases of one adapter that fail for one cause: the kind of finding and its field.

    ``records`` are the cases, the simplest first after :meth:`sort`; ``findings`` what was found
    in each.
    """

    adapter: str
    kind: str
    field: str
    level: str
    records: list[JsonObject] = dataclasses.field(default_factory=list)
    findings: dict[str, JsonObject] = dataclasses.field(default_factory=dict)

    def add(self, record: JsonObject, finding: JsonObject) -> None:
        """Add a case."""
        self.records.append(record)
        self.findings[record["id"]] = finding

    def sort(self, causes: Mapping[str, int]) -> None:
        """Put the simplest case first; ``causes`` says of how many groups each case is."""
        self.records.sort(key=lambda r: (causes[r["id"]], *simplest_first(r), r["scenario"]))

    @property
    def example(self) -> JsonObject:
        """The case that is shown."""
        return self.records[0]

    @property
    def finding(self) -> JsonObject:
        """What was found in the example."""
        return self.findings[self.example["id"]]

    @property
    def name(self) -> str:
        """The cause."""
        return self.kind if self.field in {"", self.kind} else f"{self.kind} {self.field}"

    @property
    def is_alike(self) -> bool:
        """Whether the same difference was found in all cases."""
        return len({finding["message"] for finding in self.findings.values()}) == 1

    @property
    def cases(self) -> set[Name]:
        """The scenario and variation of each case."""
        return {(r["scenario"], r["variation"]) for r in self.records}


def grouped(records: Iterable[JsonObject], levels: Mapping[str, str]) -> list[FailureGroup]:
    """Return the groups of failing cases, the weightiest first, then by number of cases.

    ``levels`` are the levels at which findings fail each adapter.
    """
    groups: dict[tuple[str, str, str], FailureGroup] = {}
    causes: Counter[str] = Counter()
    for record in records:
        level = Level(levels.get(record["adapter"], Level.MUST))
        for finding in counted(record, level):
            key = (record["adapter"], *_cause(finding))
            weight = finding.get("level", str(Level.MUST))
            groups.setdefault(key, FailureGroup(*key, weight)).add(record, finding)
            causes[record["id"]] += 1
    for group in groups.values():
        group.sort(causes)
    return sorted(groups.values(), key=_weightiest_first)


def counted(record: JsonObject, level: Level) -> Iterator[JsonObject]:
    """Yield the findings that count against a case, one for each kind and field.

    Of several checks that found the same, the one that knows the requirement is shown.
    """
    found: dict[tuple[str, str], JsonObject] = {}
    for finding in record.get("findings", ()):
        if record["outcome"] == "error" and finding["blame"] == Blame.CLIENT:
            continue
        if not level.includes(Level(finding.get("level", Level.MUST))):
            continue
        key = _cause(finding)
        if key not in found or ("line" in finding and "line" not in found[key]):
            found[key] = finding
    yield from found.values()


def _cause(finding: JsonObject) -> tuple[str, str]:
    return str(finding.get("kind", finding["check"])), str(finding.get("field", ""))


def simplest_first(record: JsonObject) -> tuple[bool, int, str]:
    """Order the cases of a scenario: wires before faults, few changes before many."""
    variation = record["variation"]
    return record["kind"] == "fault", 0 if variation == "recorded" else len(variation), variation


def where(group: FailureGroup, played: Iterable[Name], few: int) -> str:
    """Say in which scenarios and on which wires a cause shows; empty for a single case."""
    names = group.cases
    others = [name for name in played if name not in names]
    scenarios = {scenario for scenario, _ in names}
    if len(names) + sum(scenario in scenarios for scenario, _ in others) == 1:
        return ""
    return "; ".join(filter(None, (_scenarios(scenarios, others, few), _wires(names, others))))


def _scenarios(scenarios: set[str], others: Sequence[Name], few: int) -> str:
    if len(scenarios) == 1:
        return ""
    paths = narrowest(scenarios, {scenario for scenario, _ in others}, few)
    listed = [path if path in scenarios else f"{path}/**" for path in paths]
    if paths == [""]:
        # They have no path in common that is not that of all: name where most are.
        tops = Counter(scenario.partition("/")[0] for scenario in scenarios)
        listed = [f"{top}/** ({count:,})" for top, count in tops.most_common(few)]
    return f"in {len(scenarios):,} scenarios: {', '.join(listed)}"


def _wires(names: Iterable[Name], others: Iterable[Name]) -> str:
    failed, passed = _by_scenario(names), _by_scenario(others)
    wires = {
        scenario: (bad, [v for v in passed.get(scenario, ()) if _kind(v) not in _FAULTS])
        for scenario, variations in failed.items()
        if (bad := [v for v in variations if _kind(v) not in _FAULTS])
    }
    wires = {scenario: both for scenario, both in wires.items() if len(both[0]) + len(both[1]) > 1}
    causes = causes_by_scenario(wires)
    parts = []
    if len(failed) == 1 and causes:
        parts.append(str(next(iter(causes.values()))))
    else:
        texts = Counter(_short(cause) for cause in causes.values())
        parts += (
            f"{text} ({count:,})" if len(texts) > 1 else text
            for text, count in texts.most_common(3)
        )
    faults = Counter(_kind(v) for several in failed.values() for v in several)
    if several := [f"{kind} ({faults[kind]:,})" for kind in sorted(_FAULTS & faults.keys())]:
        parts.append(f"faults: {', '.join(several)}")
    return "; ".join(parts)


def _short(cause: Cause) -> str:
    if cause.alternatives is None:
        return "some wires"
    return f"only {cause.values}" if cause.alternatives else "every wire"


def _kind(variation: str) -> str:
    return variation.partition("=")[0]


def _by_scenario(names: Iterable[Name]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for scenario, variation in sorted(names):
        found[scenario].append(variation)
    return found


def _weightiest_first(group: FailureGroup) -> tuple[bool, int, int, str]:
    about_client = group.finding["blame"] == Blame.CLIENT
    return about_client, list(Level).index(Level(group.level)), -len(group.records), group.name
