"""Make a plan of what the user asked for: adapters, scenarios, selection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from harness.clients import registry
from harness.clients.interface import Adapter
from harness.errors import SelectionError, SpecError
from harness.judge.baseline import Baseline
from harness.judge.kinds import Level
from harness.plan import recordings
from harness.plan.expand import Axes, expand, find_cases, skip_reason
from harness.suite import bundled, loader
from harness.suite.scenario import Case, CaseKind, Scenario
from harness.suite.selection import matches, may_match, may_match_within, select
from mockserver.cassettes import Cassette
from mockserver.dialects import find_dialect
from mockserver.library import library
from mockserver.wire import RECORDED, FaultKind, Schedule, from_response

#: Scenarios that a problem names before it counts the rest.
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What to run. Empty ``adapters``, ``scenarios`` and ``cassettes`` mean the bundled ones.

    ``recordings`` takes the place of scenarios. ``priorities`` narrows to P0, P1 or P2, and to the
    first row of each table where they are in ``first_rows``, too. Faults come in all scenarios, or
    in those that the patterns ``sweep`` select. ``keep`` is where the transcripts of failing cases
    go. ``level`` takes the place of what the adapters declare. ``in_process`` runs users' clients
    in this process too, where nothing can stop them.
    """

    adapters: tuple[str, ...] = ()
    scenarios: tuple[Path, ...] = ()
    cassettes: tuple[Path, ...] = ()
    recordings: Path | None = None
    patterns: tuple[str, ...] = ()
    priorities: frozenset[str] = frozenset()
    first_rows: frozenset[str] = frozenset()
    axes: Axes = field(default_factory=Axes)
    faults: bool = True
    sweep: tuple[str, ...] = ()
    level: Level | None = None
    keep: Path | None = None
    in_process: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether all bundled scenarios are asked for, so that what is missing is known."""
        chosen = self.scenarios or self.patterns or self.priorities
        return not chosen and self.recordings is None


@dataclass(frozen=True, slots=True)
class Skip:
    """A scenario that an adapter does not run, and why."""

    scenario: str
    adapter: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Which shard of a plan this is, and what is known of the whole plan.

    ``cases`` is the number of all cases, ``digest`` a hash of their ids; ``problems`` and
    ``unreadable`` are those of the whole plan, which a shard alone does not say.
    """

    number: int
    of: int
    cases: int
    digest: str
    problems: tuple[str, ...]
    unreadable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run will do.

    ``cases`` are in the order of scenarios, then adapters; ``scenarios`` are those that the
    patterns leave in question. ``skips`` are not counted as run; ``problems`` are known before
    the run and fail it: a recording that cannot be read, a declared feature that no scenario
    of a whole run exercises, a baseline entry that names nothing. ``unreadable`` says that a
    recording is among them. ``share`` is given if these are the cases of one shard.
    """

    settings: Settings
    adapters: tuple[Adapter, ...]
    baselines: dict[str, Baseline]
    cases: tuple[Case, ...]
    skips: tuple[Skip, ...]
    problems: tuple[str, ...] = ()
    unreadable: bool = False
    scenarios: tuple[Scenario, ...] = ()
    share: Share | None = None

    @property
    def listed(self) -> dict[str, frozenset[str]]:
        """What each adapter must give in some case of a whole run; empty for any other run."""
        return {a.name: a.listed for a in self.adapters} if self.settings.is_whole else {}


def make_plan(settings: Settings, loaded: Sequence[tuple[Adapter, Baseline]] | None = None) -> Plan:
    """Load what is asked for and decide what to run.

    ``loaded`` are the adapters of the settings where they are loaded already. Raises a
    :class:`~harness.errors.HarnessError` or :class:`~mockserver.errors.CassetteError` for the
    first thing that is wrong.
    """
    if loaded is None:
        loaded = load_adapters(settings)
    adapters = tuple(adapter for adapter, _ in loaded)
    if len({a.name for a in adapters}) < len(adapters):
        raise SelectionError("two adapters have one name", hint="give one of them another name")
    scenarios, excluded = find_scenarios(settings)
    scenarios = tuple(s for s in scenarios if _may_be_played(s, settings))
    is_everything = not (settings.patterns or settings.priorities or settings.recordings)
    if is_everything and not settings.scenarios:
        for _, baseline in loaded:
            baseline.check_names(scenario.id for scenario in scenarios)
    cases: list[Case] = []
    unjudged: defaultdict[tuple[str, str], list[Case]] = defaultdict(list)
    skips = [Skip(item.name, "*", item.reason) for item in excluded if not item.unreadable]
    for scenario in scenarios:
        plain: tuple[Case, ...] | None = None
        for adapter in adapters:
            if (reason := skip_reason(scenario, adapter)) is not None:
                skips.append(Skip(scenario.id, adapter.name, reason))
                continue
            if plain is None:
                wires, faults = schedules_of(scenario), _is_swept(scenario, settings)
                plain = tuple(expand(scenario, "", wires, settings.axes, faults))
            for case in plain:
                if is_judged(case):
                    cases.append(replace(case, adapter=adapter.name))
                else:
                    unjudged[adapter.name, scenario.dialect].append(case)
    problems = [f"{item.name}: {item.reason}" for item in excluded if item.unreadable]
    problems += (_unjudged(*key, those) for key, those in unjudged.items())
    if is_everything:
        # With fewer wires or no faults, an entry may match cases that only a whole run plays.
        all_kinds = settings.faults and settings.axes.mode in {"pairwise", "all"}
        baselines = [(a, b) for a, b in loaded if b.entries and all_kinds]
        for adapter, baseline in baselines:
            own = (case.id for case in cases if case.adapter == adapter.name)
            problems += (
                f"{baseline.place(row.entry)}: {row.pattern!r} of the baseline matches no case of "
                f"{adapter.name}; 'tapecheck baseline update' removes it"
                for row in baseline.unmatched(own)
            )
    if settings.is_whole:
        problems += _unexercised(adapters, cases, scenarios)
    selected, stalls = _one_stall_each(
        select(cases, settings.patterns, lambda case: case.id), adapters
    )
    skips += stalls
    return Plan(
        settings=settings,
        adapters=adapters,
        scenarios=scenarios,
        baselines={adapter.name: baseline for adapter, baseline in loaded},
        cases=selected,
        skips=tuple(skips),
        problems=tuple(problems),
        unreadable=any(item.unreadable for item in excluded),
    )


def _one_stall_each(
    cases: Sequence[Case], adapters: Iterable[Adapter]
) -> tuple[tuple[Case, ...], list[Skip]]:
    """Leave one stall to each client that waits for ever: each more would cost its deadline."""
    left_out = dict.fromkeys((a.name for a in adapters if not a.gives_up), -1)
    kept = []
    for case in cases:
        if case.fault is FaultKind.STALL and case.adapter in left_out:
            left_out[case.adapter] += 1
            if left_out[case.adapter]:
                continue
        kept.append(case)
    reason = (
        "declares that it never gives up on a silent stream; one stall shows it, {} are left out"
    )
    return tuple(kept), [Skip("*", n, reason.format(c)) for n, c in left_out.items() if c > 0]


def plan_cases(settings: Settings, ids: Collection[str]) -> tuple[Plan, frozenset[str]]:
    """Make a plan of the cases of these ids, as far as the settings select them.

    Only their scenarios are read. Returns the plan, and the ids of cases that do not exist. Raises
    as :func:`make_plan` does.
    """
    loaded = load_adapters(settings)
    wanted: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for case_id in select(tuple(ids), settings.patterns, str):
        path, _, name = case_id.rpartition("@")
        scenario_id, _, variation = path.rpartition("/")
        wanted[scenario_id, name].append(variation)
    names = tuple(sorted({scenario_id for scenario_id, _ in wanted}))
    scenarios, _ = find_scenarios(replace(settings, patterns=names))
    found: list[Case] = []
    for scenario in scenarios:
        for adapter, _ in loaded:
            variations = wanted.get((scenario.id, adapter.name), ())
            if variations and skip_reason(scenario, adapter) is None:
                wires, seed = schedules_of(scenario), settings.axes.seed
                found += find_cases(scenario, adapter.name, wires, variations, seed)
    cases = tuple(case for case in found if _is_selected(case, settings))
    gone = {f"{s}/{v}@{a}" for (s, a), several in wanted.items() for v in several}
    gone -= {case.id for case in found}
    plan = Plan(
        # The records name the cases, so that they do not pass for a whole run.
        settings=replace(settings, patterns=tuple(case.id for case in cases)),
        adapters=tuple(adapter for adapter, _ in loaded),
        scenarios=tuple(s for s in scenarios if s.id in names),
        baselines={adapter.name: baseline for adapter, baseline in loaded},
        cases=cases,
        skips=(),
    )
    return plan, frozenset(gone)


def _is_selected(case: Case, settings: Settings) -> bool:
    """Return whether priorities, axes and faults leave a case in."""
    if settings.priorities and case.scenario.priority not in settings.priorities:
        return False
    if case.kind is CaseKind.FAULT:
        return settings.faults
    if case.kind is CaseKind.INCREMENTAL or case.point == RECORDED:
        return True
    return settings.axes.mode != "none" and settings.axes.chosen in {None, case.point}


def load_adapters(settings: Settings) -> list[tuple[Adapter, Baseline]]:
    """Load the adapters that the settings name, each with its baseline.

    Raises what :func:`harness.clients.registry.load` raises.
    """
    loaded = [
        registry.load(a, in_process=settings.in_process)
        for a in settings.adapters or registry.bundled_names()
    ]
    if settings.level is None:
        return loaded
    return [(replace(adapter, level=settings.level), baseline) for adapter, baseline in loaded]


def is_judged(case: Case) -> bool:
    """Return whether any check can tell a right client from a wrong one.

    The right result of a broken stream is known only from the facts of its wire.
    """
    if find_dialect(case.scenario.dialect).reads_facts:
        return True
    return case.scenario.has_expectation and case.kind is CaseKind.WIRE


def _unjudged(adapter: str, dialect: str, cases: Sequence[Case]) -> str:
    ids = list(dict.fromkeys(case.scenario.id for case in cases))
    named = ", ".join(ids[:_NAMED]) + (f" and {len(ids) - _NAMED} more" * (len(ids) > _NAMED))
    return (
        f"{adapter}: {len(cases)} cases of {named} cannot be judged and were not run: the dialect "
        f"{dialect} has no reader of wire facts (exclude them with --no-faults or a pattern)"
    )


def _may_be_played(scenario: Scenario, settings: Settings) -> bool:
    if scenario.row > 0 and scenario.priority in settings.first_rows:
        return False
    return may_be_selected(scenario, settings)


def _is_swept(scenario: Scenario, settings: Settings) -> bool:
    """Return whether a scenario is played with faults."""
    if not settings.faults or not settings.sweep:
        return settings.faults
    return any(matches(f"{scenario.id}@", pattern) for pattern in settings.sweep)


def may_be_selected(scenario: Scenario | loader.Outline, settings: Settings) -> bool:
    """Return whether the priorities and patterns may select a case of the scenario."""
    if settings.priorities and scenario.priority not in settings.priorities:
        return False
    wanted = _wanted_patterns(settings)
    return not wanted or any(may_match(scenario.id, pattern) for pattern in wanted)


def find_scenarios(
    settings: Settings,
) -> tuple[tuple[Scenario, ...], tuple[recordings.Excluded, ...]]:
    """Return the scenarios that the settings name, before any selection.

    Files in which no pattern can select a case are not read.
    """
    if settings.recordings is not None:
        return recordings.scan(settings.recordings)
    roots = (*settings.cassettes, bundled.cassettes())
    found: list[Scenario] = []
    for directory in settings.scenarios or (bundled.scenarios(),):
        found += loader.load_all(directory, roots, _wanted_files(settings))
    return tuple(found), ()


def find_outlines(settings: Settings) -> tuple[loader.Outline, ...]:
    """Return what a list shows of the scenarios that the settings select."""
    found: list[Scenario | loader.Outline] = []
    if settings.recordings is not None:
        found += recordings.scan(settings.recordings)[0]
    else:
        for directory in settings.scenarios or (bundled.scenarios(),):
            found += loader.outline_all(directory, _wanted_files(settings))
    return tuple(
        loader.Outline(o.id, o.title, o.priority) for o in found if may_be_selected(o, settings)
    )


def _wanted_patterns(settings: Settings) -> list[str]:
    return [p for p in settings.patterns if not p.startswith("!")]


def _wanted_files(settings: Settings) -> loader.Wanted | None:
    wanted = _wanted_patterns(settings)
    if not wanted:
        return None
    return lambda scenario: any(may_match_within(scenario, pattern) for pattern in wanted)


#: Cassettes in memory, by the paths that they would have.
_held: dict[Path, Cassette] = {}


@contextmanager
def held(cassette: Cassette) -> Iterator[None]:
    """Let a cassette be played that is in no file; no other one ever has its path."""
    _held[cassette.path] = cassette
    try:
        yield
    finally:
        del _held[cassette.path]


@lru_cache(maxsize=256)
def cassette_of(path: Path) -> Cassette:
    """Return the cassette at ``path``, from a cache."""
    return _held.get(path) or library.load(path)


def schedules_of(scenario: Scenario) -> tuple[Schedule, ...]:
    """Return the answers that a scenario plays, as recorded.

    Raises :class:`SpecError` for an interaction number that the cassette does not have.
    """
    try:
        return played(scenario.cassette, scenario.interactions)
    except IndexError:
        raise SpecError(
            f"{scenario.id} plays interactions {scenario.interactions}, "
            f"{scenario.cassette.name} has {len(cassette_of(scenario.cassette).interactions)}",
            path=scenario.file,
            hint="numbers start at 0",
        ) from None


@lru_cache(maxsize=256)
def played(cassette: Path, interactions: tuple[int, ...] | None) -> tuple[Schedule, ...]:
    """Return the schedules of those interactions, or of all, as recorded, from a cache.

    Raises ``IndexError`` for an interaction number that the cassette does not have.
    """
    recorded = cassette_of(cassette).interactions
    numbers = range(len(recorded)) if interactions is None else interactions
    return tuple(from_response(recorded[n].response) for n in numbers)


def _unexercised(
    adapters: Iterable[Adapter], cases: Iterable[Case], scenarios: Sequence[Scenario]
) -> Iterator[str]:
    """Yield the declared features that nothing exercises.

    A feature that its dialects have only together with others, which the adapter does not
    declare, is no mistake: the scenarios with it are skipped, with that reason.
    """
    exercised: defaultdict[str, set[str]] = defaultdict(set)
    for case in cases:
        exercised[case.adapter] |= case.scenario.requires
    for adapter in adapters:
        there = {
            feature
            for scenario in scenarios
            if scenario.dialect in adapter.dialects and scenario.requires - adapter.features
            for feature in scenario.requires
        }
        for feature in sorted(adapter.features - exercised[adapter.name] - there):
            yield f"{adapter.name} declares {feature!r}, which no scenario exercises"
