"""Say in few patterns which cases something is about."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from harness.reports.cause import Cause, causes_by_scenario

#: Paths after which neighbouring ones are merged into a wider one.
FEW = 12
#: Variations that are no wire: faults, and gates, each with a number.
_NUMBERED = frozenset({"cut", "reset", "stall", "hold"})

Name = tuple[str, str]
_ByScenario = Mapping[str, Sequence[str]]


def patterns(
    cases: Iterable[Name], others: Iterable[Name], known: Collection[str], few: int = FEW
) -> tuple[str, ...]:
    """Return few narrow patterns that select ``cases``.

    Cases are pairs of a scenario and a variation; ``others`` were played too. ``known`` are the
    scenarios that exist. A pattern is of a path and, where others of its scenarios are left out, of
    what the variations share: a value of an axis, or kinds of faults.
    """
    wanted, beside = _by_scenario(cases), _by_scenario(others)
    scenarios: defaultdict[str, set[str]] = defaultdict(set)
    scenarios[""] |= {scenario for scenario in wanted if not beside.get(scenario)}
    wires = {name: v for name, v in _split(wanted, numbered=False) if name not in scenarios[""]}
    passing = dict(_split(beside, numbered=False))
    causes = causes_by_scenario({s: (v, passing.get(s, ())) for s, v in wires.items()})
    for scenario, cause in causes.items():
        for glob in _globs(cause, wires[scenario]):
            scenarios[glob].add(scenario)
    for scenario, several in _split(wanted, numbered=True):
        if scenario not in scenarios[""]:
            scenarios[_numbered_glob(several)].add(scenario)
    return tuple(
        sorted(
            _joined(path, glob)
            for glob, several in scenarios.items()
            for path in narrowest(several, known, few)
        )
    )


def narrowest(wanted: Collection[str], known: Collection[str], few: int = FEW) -> list[str]:
    """Return at most ``few`` paths that select the wanted scenarios.

    Scenarios that are all there is below one path are that path; more paths than ``few`` are merged
    to wider ones. The empty path selects everything.
    """
    sizes = Counter(path for name in {*known, *wanted} for path in _above(name))
    counts = Counter(path for name in wanted for path in _above(name))
    paths = {
        next(p for p in _above(name) if p == name or counts[p] == sizes[p] > 1) for name in wanted
    }
    while len(paths) > few:
        parents = Counter(path.rpartition("/")[0] for path in paths if path)
        # The deepest parent of several paths loses least.
        parent = max(parents, key=lambda p: (parents[p] > 1, p.count("/") + bool(p), parents[p], p))
        paths = {path for path in paths if not _is_below(path, parent)} | {parent}
    return sorted(paths)


def _above(name: str) -> list[str]:
    """Return the path and those above it, the widest first."""
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(len(parts) + 1)]


def _is_below(path: str, parent: str) -> bool:
    return not parent or f"{path}/".startswith(f"{parent}/")


def _joined(path: str, glob: str) -> str:
    return "/".join(filter(None, (path, "**", glob)))


def _by_scenario(cases: Iterable[Name]) -> _ByScenario:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for scenario, variation in cases:
        found[scenario].append(variation)
    return found


def _split(cases: _ByScenario, *, numbered: bool) -> Iterator[tuple[str, list[str]]]:
    """Yield the scenarios that have numbered variations, or else wires, with those."""
    for scenario, variations in cases.items():
        kept = [v for v in variations if (v.partition("=")[0] in _NUMBERED) is numbered]
        if kept:
            yield scenario, kept


def _globs(cause: Cause, variations: Sequence[str]) -> Iterator[str]:
    """Yield globs over the last segment of an id."""
    if not cause.alternatives:
        yield ""
    for values in cause.alternatives or ():
        # In the order of the axes, as in every name.
        example = next(v for v in variations if values <= frozenset(v.split(",")))
        ordered = [value for value in example.split(",") if value in values]
        yield example if example == ",".join(ordered) == "recorded" else f"*{'*'.join(ordered)}*"


def _numbered_glob(variations: Iterable[str]) -> str:
    kinds = sorted({v.partition("=")[0] for v in variations})
    return f"{kinds[0]}=*" if len(kinds) == 1 else f"{{{','.join(kinds)}}}=*"
