"""The glob grammar of everything that selects cases: run, skip, explain, baseline.

A pattern is a path glob (``*`` within a segment, ``**`` across, ``{a,b}``, ``?``, ``[ab]``) over
case ids. It selects a case when it matches the id or any leading part of it, so
``openai-chat``, ``openai-chat/tools-*`` and ``**/framing=one-byte`` all do what they look like.
``@adapter`` at the end narrows a pattern to adapters. A leading ``!`` leaves out what the rest
selects.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from harness.errors import SelectionError

#: A segment, or several, that are their own pattern.
_PLAIN_SEGMENT = re.compile(r"[\w.=,-]+", re.ASCII)
_PLAIN = re.compile(r"[\w.=,-]+(/[\w.=,-]+)*", re.ASCII)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A pattern in parts: the segments it begins with, the glob behind them, and the adapter's."""

    start: tuple[str, ...]
    glob: str
    adapter: str | None

    def selects(self, segments: Sequence[str], adapter: str) -> bool:
        count = len(self.start)
        if tuple(segments[:count]) != self.start:
            return False
        if self.adapter is not None and not _fits(adapter, self.adapter):
            return False
        if self.glob in {"", "**"}:
            return True
        return any(
            _fits("/".join(segments[count:end]), self.glob)
            for end in range(count + 1, len(segments) + 1)
        )


@lru_cache(maxsize=16_384)
def _parsed(pattern: str) -> _Pattern:
    path, at, adapter = pattern.rpartition("@")
    segments = ((path if at else pattern) or "**").split("/")
    count = 0
    while count < len(segments) and _PLAIN_SEGMENT.fullmatch(segments[count]):
        count += 1
    return _Pattern(tuple(segments[:count]), "/".join(segments[count:]), adapter if at else None)


def matches(case_id: str, pattern: str) -> bool:
    """Return whether ``pattern`` selects the case of that id."""
    path, _, adapter = case_id.rpartition("@")
    return _parsed(pattern).selects(path.split("/"), adapter)


def plain_start(pattern: str) -> str:
    """Return the leading part of a pattern that is no glob; all that it selects begins so."""
    return "/".join(_parsed(pattern).start)


class Patterns:
    """Many patterns, of which only those are tried for a case that begin like its id."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._by_start: defaultdict[tuple[str, ...], list[tuple[int, _Pattern]]]
        self._by_start = defaultdict(list)
        for number, text in enumerate(patterns):
            pattern = _parsed(text)
            self._by_start[pattern.start].append((number, pattern))

    def matching(self, case_id: str) -> Iterator[int]:
        """Yield the numbers of the patterns that select the case, the shortest start first."""
        path, _, adapter = case_id.rpartition("@")
        segments = tuple(path.split("/"))
        for count in range(len(segments) + 1):
            for number, pattern in self._by_start.get(segments[:count], ()):
                if pattern.selects(segments, adapter):
                    yield number


def _fits(name: str, pattern: str) -> bool:
    if _PLAIN.fullmatch(pattern):
        return name == pattern
    return any(compiled.match(name) for compiled in _compiled(pattern))


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> tuple[re.Pattern[str], ...]:
    # Most runs name their cases in full and do not need it.
    from wcmatch import glob

    flags = glob.GLOBSTAR | glob.BRACE | glob.DOTGLOB | glob.FORCEUNIX
    wanted, _ = glob.translate(pattern, flags=flags)
    return tuple(re.compile(text) for text in wanted)


def may_match(scenario: str, pattern: str) -> bool:
    """Return whether ``pattern`` may select a case of that scenario, before the cases are known."""
    path, at, _ = pattern.rpartition("@")
    path = path if at else pattern
    if "**" in path or "{" in path:
        return True
    # A case is one segment longer than its scenario.
    return matches(f"{scenario}@", path) or _fits(scenario, path.rpartition("/")[0])


def may_match_within(table: str, pattern: str) -> bool:
    """Return whether ``pattern`` may select a case of a scenario or table row of that id."""
    path, at, _ = pattern.rpartition("@")
    path = path if at else pattern
    if not path or "**" in path or "{" in path:
        return True
    # Each segment of one kind of id is a segment of the other, as far as both go.
    wanted, known = path.split("/"), table.split("/")
    shared = min(len(wanted), len(known))
    return _fits("/".join(known[:shared]), "/".join(wanted[:shared]))


def select(
    items: Sequence[_T], patterns: Iterable[str], name: Callable[[_T], str]
) -> tuple[_T, ...]:
    """Return the items that the patterns select, in their order; all without a pattern.

    Raises :class:`SelectionError` for a pattern that matches none of ``items``.
    """
    listed = list(patterns)
    index = Patterns(p.removeprefix("!") for p in listed)
    unwanted = {n for n, pattern in enumerate(listed) if pattern.startswith("!")}
    found = [frozenset(index.matching(name(item))) for item in items]
    used: frozenset[int] = frozenset().union(*found)
    for number, pattern in enumerate(listed):
        if number not in used:
            raise SelectionError(
                f"pattern {pattern.removeprefix('!')!r} matches no case",
                hint="'tapecheck list' shows the names",
            )
    everything = len(unwanted) == len(listed)
    return tuple(
        item
        for item, numbers in zip(items, found, strict=True)
        if numbers.isdisjoint(unwanted) and (everything or numbers)
    )
