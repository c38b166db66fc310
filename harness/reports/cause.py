"""Find the smallest cause of a failure: the change of the wire that breaks a client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

#: Alternatives and values of one that still explain something.
_FEW = 3
Values = frozenset[str]


@dataclass(frozen=True, slots=True)
class Cause:
    """What failing wires have and passing ones have not.

    ``alternatives`` are values ``axis=value`` of which one set is in each failing wire, and none
    in a passing one, but for those with a value of ``unless``; empty if the failure does not
    depend on the wire, ``None`` if nothing explains it. ``shared`` are the values of all failing
    wires, ``sharing`` the wires with them.
    """

    alternatives: tuple[Values, ...] | None
    failed: int
    played: int
    shared: Values = frozenset()
    sharing: int = 0
    unless: str = ""

    @property
    def values(self) -> str:
        """The alternatives in words."""
        text = " or ".join(" with ".join(sorted(values)) for values in self.alternatives or ())
        return text + (f" without {self.unless}" if self.unless else "")

    def __str__(self) -> str:
        count = f"{self.failed} of {self.played}"
        if self.alternatives:
            return f"only {self.values} fails, {count}"
        if self.alternatives is not None:
            return f"every wire fails, {count}"
        if self.shared:
            shared = " with ".join(sorted(self.shared))
            return f"{shared} in common, where {self.failed} of {self.sharing} fail; {count} in all"
        return f"{count} wires fail, with nothing in common"


def smallest_cause(failed: Sequence[str], passed: Sequence[str]) -> Cause:
    """Explain failing variations by passing ones; both are names such as ``eol=cr,gzip=yes``.

    A cause is the fewest values, at most three, that are together in every failing wire and in no
    passing one; or else a few such sets, of which each failing wire has one.
    """
    bad, good = [_values(name) for name in failed], [_values(name) for name in passed]
    count = len(bad), len(bad) + len(good)
    if not good:
        return Cause((), *count)
    if found := _explanations(bad, good):
        return Cause(
            (min(found, key=sorted),), *count, unless=_unless(min(found, key=sorted), good)
        )
    if alternatives := _alternatives(bad, good):
        return Cause(alternatives, *count)
    shared = frozenset.intersection(*bad) if bad else frozenset()
    sharing = len(bad) + sum(shared <= other for other in good)
    return Cause(None, *count, shared, sharing)


def causes_by_scenario(
    wires: Mapping[str, tuple[Sequence[str], Sequence[str]]],
) -> dict[str, Cause]:
    """Explain the failing and passing variations of each scenario.

    Where several causes explain a scenario as well, it is the one that explains most scenarios.
    """
    bad_and_good = {
        name: ([_values(v) for v in failed], [_values(v) for v in passed])
        for name, (failed, passed) in wires.items()
    }
    possible = {
        name: _explanations(*both) if both[1] else [] for name, both in bad_and_good.items()
    }
    votes = Counter(values for found in possible.values() for values in found)
    causes = {}
    for name, (failed, passed) in wires.items():
        if found := possible[name]:
            best = max(found, key=lambda values: (votes[values], -len(values), sorted(values)))
            unless = _unless(best, bad_and_good[name][1])
            causes[name] = Cause((best,), len(failed), len(failed) + len(passed), unless=unless)
        else:
            causes[name] = smallest_cause(failed, passed)
    return causes


def _values(name: str) -> Values:
    # The wire without any change is its own value.
    return frozenset(name.split(","))


def _explanations(bad: Sequence[Values], good: Sequence[Values]) -> list[Values]:
    """Return the smallest sets of values, all of one size, that explain every bad wire.

    A set is in every bad wire; and in no good one, or only in such as another value protects.
    """
    common = frozenset.intersection(*bad) if bad else frozenset()
    for size in range(1, _FEW + 1):
        found = [v for v in _subsets(common, size) if not any(v <= other for other in good)]
        if not found and size == 1:
            known = frozenset().union(*bad)
            found = [
                v
                for v in _subsets(common, size)
                if (protecting := _protecting(v, good)) and not known & protecting
            ]
        if found:
            return found
    return []


def _protecting(values: Values, good: Sequence[Values]) -> Values:
    """Return what all good wires with the values have beside them."""
    having = [other for other in good if values <= other]
    return frozenset.intersection(*having) - values if having else frozenset()


def _unless(values: Values, good: Sequence[Values]) -> str:
    return min(_protecting(values, good), default="")


def _alternatives(bad: Sequence[Values], good: Sequence[Values]) -> tuple[Values, ...]:
    """Return a few sets of which each bad wire has one and no good wire any; empty for none."""
    left = set(bad)
    chosen: list[Values] = []
    while left and len(chosen) < _FEW:
        candidates = Counter(
            values
            for wire in left
            for size in range(1, _FEW)
            for values in _subsets(wire, size)
            if not any(values <= other for other in good)
        )
        if not candidates:
            return ()
        best = max(candidates, key=lambda v: (candidates[v], -len(v), sorted(v)))
        chosen.append(best)
        left = {wire for wire in left if not best <= wire}
    return () if left else tuple(sorted(chosen, key=sorted))


def _subsets(values: Values, size: int) -> Iterator[Values]:
    return map(frozenset, combinations(sorted(values), size))
