"""Expand scenarios to cases: which wires each is played on, for each adapter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

from harness.clients.interface import Adapter
from harness.suite.scenario import Case, CaseKind, Scenario
from mockserver.wire import (
    AXES,
    RECORDED,
    SWEPT,
    FaultKind,
    Media,
    Point,
    Schedule,
    apply_point,
    point,
    reframes,
)

_Value = tuple[str, str]
#: Bytes of the bodies of a scenario above which less is played than elsewhere.
LARGE = 65_536
#: Later rows of a table that together have what the first has alone.
_ROWS_IN_TURN = len(SWEPT)
#: How many faults come at the beginning, in the middle and at the end of a long recording.
_SWEPT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """Which points to play: ``none``, ``pairwise``, ``all``, or exactly ``chosen``."""

    mode: str = "pairwise"
    chosen: Point | None = None
    seed: int = 0


def parse_axes(text: str, seed: int = 0) -> Axes:
    """Read ``none``, ``pairwise``, ``all`` or ``eol=crlf,framing=one-byte``.

    Raises ``ValueError`` that names what is known.
    """
    if text in {"none", "pairwise", "all"}:
        return Axes(mode=text, seed=seed)
    values = {}
    for item in text.split(","):
        axis, separator, value = item.partition("=")
        if not separator:
            raise ValueError(f"axes are none, pairwise, all, or axis=value,…: not {text!r}")
        values[axis] = value
    return Axes(mode="chosen", chosen=point(values, seed), seed=seed)


def skip_reason(scenario: Scenario, adapter: Adapter) -> str | None:
    """Return why the adapter does not run the scenario, or ``None`` if it does."""
    if scenario.dialect not in adapter.dialects:
        return f"speaks {', '.join(sorted(adapter.dialects))}"
    if missing := sorted(scenario.requires - adapter.features):
        return f"does not declare {', '.join(missing)}"
    return None


def expand(
    scenario: Scenario, adapter: str, schedules: Sequence[Schedule], axes: Axes, faults: bool
) -> Iterator[Case]:
    """Yield the cases of one scenario for one adapter.

    Faults come after each event, of every kind, in a recording after those of :func:`swept`. In
    the later rows of a table, where the axes are pairwise, the kinds take turns.
    """
    for at in points(scenario, schedules, axes):
        yield Case(scenario=scenario, adapter=adapter, point=at)
    for gate in scenario.incremental:
        yield Case(scenario=scenario, adapter=adapter, kind=CaseKind.INCREMENTAL, gate=gate)
    if not faults or not sweepable(scenario, schedules):
        return
    count = len(schedules[-1].plain.event_ends)
    for event in range(count + 1) if scenario.has_expectation else swept(count):
        kinds: tuple[FaultKind, ...] = SWEPT
        if scenario.row > 0 and axes.mode == "pairwise":
            kinds = (kinds[(scenario.row + event) % _ROWS_IN_TURN],)
        for kind in kinds:
            yield Case(
                scenario=scenario, adapter=adapter, kind=CaseKind.FAULT, fault=kind, event=event
            )


def find_cases(
    scenario: Scenario,
    adapter: str,
    schedules: Sequence[Schedule],
    variations: Iterable[str],
    seed: int,
) -> Iterator[Case]:
    """Yield the cases of one scenario with these variations; one that does not exist is left out.

    Nothing else is expanded: a wire is made by its name.
    """
    axes = Axes(mode="none", seed=seed)
    known = {c.variation: c for c in expand(scenario, adapter, schedules, axes, faults=True)}
    for variation in variations:
        if variation not in known:
            try:
                axes = parse_axes(variation, seed)
            except ValueError:
                continue
            cases = expand(scenario, adapter, schedules, axes, faults=False)
            known |= {case.variation: case for case in cases}
        if variation in known:
            yield known[variation]


def sweepable(scenario: Scenario, schedules: Sequence[Schedule]) -> bool:
    """Return whether faults make sense: for one streamed turn whose whole content is known.

    The scenario states it, or the wire of a recording without a scenario. A client that may retry
    would send another request, which has no recorded answer.
    """
    expect, call = scenario.turns[0].expect, scenario.turns[0].call
    if expect is not None and expect.any_of:
        expect = expect.any_of[0]  # what comes before the fault is the same in all of them
    known = not scenario.has_expectation or (expect is not None and expect.is_whole)
    return (
        scenario.faults_skip is None
        and not scenario.choreographed
        and len(scenario.turns) == 1
        and scenario.streams
        and call is not None
        and call.max_retries == 0
        and known
        and schedules[-1].media is not Media.OTHER
    )


def swept(count: int) -> tuple[int, ...]:
    """Return after how many of ``count`` events faults come: each, or some of a long stream.

    These are the first and the last ones, where most kinds of events are, and a few between.
    """
    if count < 3 * _SWEPT:
        return tuple(range(count + 1))
    last = count + 1 - _SWEPT
    between = [_SWEPT + (last - _SWEPT) * step // _SWEPT for step in range(_SWEPT)]
    return (*range(_SWEPT), *between, *range(last, count + 1))


class _Wires:
    """The schedules of a scenario at some point, and, made once, those after one value more.

    Many points of a scenario begin with the same values.
    """

    def __init__(self, schedules: Sequence[Schedule], seed: int) -> None:
        self.schedules = schedules
        self._seed = seed
        self._after: dict[_Value, _Wires] = {}

    def after(self, axis: str, value: str) -> _Wires:
        """Return the schedules with one more value, or ``self`` if the wire does not change."""
        found = self._after.get((axis, value))
        if found is None:
            step = Point(((axis, value),), self._seed)
            changed = [apply_point(s, step) for s in self.schedules]
            same = all(new is old for new, old in zip(changed, self.schedules, strict=True))
            found = self if same else _Wires(changed, self._seed)
            self._after[axis, value] = found
        return found

    def changes(self, axis: str, value: str) -> bool:
        """Return whether one more value changes the wire."""
        if axis == "framing":
            return any(reframes(s, value, self._seed) for s in self.schedules)
        return self.after(axis, value) is not self


def points(scenario: Scenario, schedules: Sequence[Schedule], axes: Axes) -> Iterator[Point]:
    """Yield the points at which a scenario is played, the recorded wire first.

    A value that no client could see on these bodies is left out, and so is a point that gives the
    same wire as another. Pairwise is for streams; a large body, or one that is no stream, is
    played once with each value. The later rows of a table differ from the first in content alone:
    three of them together are played once with each value. For a large body ``all`` means
    pairwise.
    """
    yield RECORDED
    if axes.mode == "none" or scenario.choreographed:
        return
    if axes.mode == "chosen":
        assert axes.chosen is not None
        found: Iterable[Point] = (_effective(_Wires(schedules, axes.chosen.seed), axes.chosen),)
    else:
        wires = _Wires(schedules, axes.seed)
        allowed = _visible(scenario, wires)
        is_large = sum(len(s.body) for s in schedules) > LARGE
        is_stream = any(s.media is not Media.OTHER for s in schedules)
        if axes.mode == "all" and not is_large:
            found = (Point(effective, axes.seed) for effective in _product(wires, allowed))
        elif axes.mode == "all" or (is_stream and scenario.row == 0 and not is_large):
            found = (_effective(wires, point(v, axes.seed)) for v in pairwise(allowed))
        else:
            found = _each_once(wires, allowed, axes.seed)
            if scenario.row > 0:
                found = islice(found, scenario.row % _ROWS_IN_TURN, None, _ROWS_IN_TURN)
    seen = {RECORDED}
    for at in found:
        if at not in seen and not any(_is_excluded(scenario, a, v) for a, v in at.values):
            seen.add(at)
            yield at


def _product(wires: _Wires, allowed: Mapping[str, Sequence[str]]) -> Iterator[tuple[_Value, ...]]:
    """Yield every combination of values that each change something, axis by axis."""
    if not allowed:
        yield ()
        return
    (axis, values), *rest = allowed.items()
    for value in values:
        if value == "recorded":
            effective: tuple[_Value, ...] = ()
            changed = wires
        else:
            effective = ((axis, value),)
            changed = wires.after(axis, value)
            if changed is wires:
                continue
        for more in _product(changed, dict(rest)):
            yield (*effective, *more)


def pairwise(values: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """Return few combinations that together have every pair of values of two axes.

    Greedy: each new combination takes, axis by axis, the value that covers most open pairs.
    The result depends on the input alone.
    """
    axes = sorted(values, key=lambda a: -len(values[a]))
    pairs = {
        ((a, x), (b, y)) for a, b in combinations(axes, 2) for x in values[a] for y in values[b]
    }
    if len(axes) == 1:
        return [{axes[0]: v} for v in values[axes[0]]]
    chosen: list[dict[str, str]] = []
    while pairs:
        first, second = min(pairs)
        row = dict((first, second))
        for axis in axes:
            if axis not in row:
                row[axis] = max(
                    values[axis],
                    key=lambda v, axis=axis: sum(  # type: ignore[misc]
                        _pair(axes, (axis, v), known) in pairs for known in row.items()
                    ),
                )
        chosen.append({axis: row[axis] for axis in values})
        pairs -= {_pair(axes, p, q) for p, q in combinations(row.items(), 2)}
    return chosen


def _each_once(wires: _Wires, values: Mapping[str, Sequence[str]], seed: int) -> Iterator[Point]:
    """Yield as few points as have every value of every axis that changes something."""
    left = {(axis, v) for axis, several in values.items() for v in several}
    for row in range(max(map(len, values.values()), default=0)):
        chosen = {axis: several[row % len(several)] for axis, several in values.items()}
        at = _effective(wires, point(chosen, seed))
        left -= set(at.values)
        yield at
    # What another value hid: a split inside a character is invisible in compressed text.
    for alone in sorted(left):
        yield _effective(wires, point(dict([alone]), seed))


def _pair(axes: Sequence[str], one: _Value, other: _Value) -> tuple[_Value, _Value]:
    return (one, other) if axes.index(one[0]) < axes.index(other[0]) else (other, one)


def _visible(scenario: Scenario, wires: _Wires) -> dict[str, tuple[str, ...]]:
    shown: dict[str, tuple[str, ...]] = {}
    for axis, values in AXES.items():
        seen = ["recorded"]
        for value in values[1:]:
            visible = wires.changes(axis, value) or (
                axis == "framing" and wires.after("eol", "crlf").changes(axis, value)
            )
            if visible and not _is_excluded(scenario, axis, value):
                seen.append(value)
        if len(seen) > 1:
            shown[axis] = tuple(seen)
    return shown


def _is_excluded(scenario: Scenario, axis: str, value: str) -> bool:
    return axis in scenario.axes_skip or f"{axis}={value}" in scenario.axes_skip


def _effective(wires: _Wires, at: Point) -> Point:
    """Reduce a point to the values that change something where they are applied."""
    effective = []
    for axis, value in at.values:
        if not wires.changes(axis, value):
            continue
        effective.append((axis, value))
        if axis != "framing":  # Only the coding comes after it, which ignores the pieces.
            wires = wires.after(axis, value)
    return Point(tuple(effective), at.seed)
