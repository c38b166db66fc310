"""Find the smallest cause of a failure: the change of the wire that breaks a client."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations


@dataclass(frozen=True, slots=True)
class Cause:
    """What the failing wires have in common and no passing one has.

    ``values`` are ``axis=value``; empty if the failure does not depend on the wire, ``None``
    if nothing explains it.
    """

    values: tuple[str, ...] | None
    failed: int
    played: int

    def __str__(self) -> str:
        count = f"{self.failed} of {self.played}"
        match self.values:
            case None:
                return f"{count} wires fail, with nothing in common"
            case ():
                return f"every wire fails, {count}"
            case values:
                return f"only {' with '.join(values)} fails, {count}"


def smallest_cause(failed: Sequence[str], passed: Sequence[str]) -> Cause:
    """Explain failing variations by passing ones; both are names such as ``eol=cr,gzip=yes``.

    ``recorded``, the wire without any change, has no values. A cause is the fewest values, at
    most three, that are together in every failing wire and in no passing one.
    """
    bad = [_values(name) for name in failed]
    good = [_values(name) for name in passed]
    count = len(bad), len(bad) + len(good)
    if not good:
        return Cause((), *count)
    common = frozenset.intersection(*bad) if bad else frozenset()
    for candidate in _candidates(common):
        if not any(candidate <= other for other in good):
            return Cause(tuple(sorted(candidate)), *count)
    return Cause(None, *count)


def _values(name: str) -> frozenset[str]:
    return frozenset() if name == "recorded" else frozenset(name.split(","))


def _candidates(common: frozenset[str]) -> Iterator[frozenset[str]]:
    for size in range(1, 4):
        for values in combinations(sorted(common), size):
            yield frozenset(values)
