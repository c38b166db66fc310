"""The glob grammar of everything that selects cases: run, skip, explain, baseline.

A pattern is a path glob (``*`` within a segment, ``**`` across, ``{a,b}``, ``?``, ``[ab]``) over
case ids. It selects a case when it matches the id or any leading part of it, so
``openai-chat``, ``openai-chat/tools-*`` and ``**/framing=one-byte`` all do what they look like.
``@adapter`` at the end narrows a pattern to adapters. A leading ``!`` leaves out what the rest
selects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from harness.errors import SelectionError

#: What is its own pattern.
_PLAIN = re.compile(r"[\w.=,-]+(/[\w.=,-]+)*", re.ASCII)
_T = TypeVar("_T")


def matches(case_id: str, pattern: str) -> bool:
    """Return whether ``pattern`` selects the case of that id."""
    path, _, adapter = case_id.rpartition("@")
    wanted, at, adapter_pattern = pattern.rpartition("@")
    if at:
        if not _fits(adapter, adapter_pattern):
            return False
    else:
        wanted = pattern
    segments = path.split("/")
    leading = ("/".join(segments[:n]) for n in range(1, len(segments) + 1))
    return any(_fits(part, wanted or "**") for part in leading)


def _fits(name: str, pattern: str) -> bool:
    if _PLAIN.fullmatch(pattern):
        return name == pattern
    # Most runs name their cases in full and do not need it.
    from wcmatch import glob

    flags = glob.GLOBSTAR | glob.BRACE | glob.DOTGLOB | glob.FORCEUNIX
    return bool(glob.globmatch(name, pattern, flags=flags))


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
    wanted = [p for p in patterns if not p.startswith("!")]
    unwanted = [p[1:] for p in patterns if p.startswith("!")]
    names = [name(item) for item in items]
    for pattern in (*wanted, *unwanted):
        if not any(matches(n, pattern) for n in names):
            raise SelectionError(
                f"pattern {pattern!r} matches no case", hint="'tapecheck list' shows the names"
            )
    return tuple(
        item
        for item, n in zip(items, names, strict=True)
        if (not wanted or any(matches(n, p) for p in wanted))
        and not any(matches(n, p) for p in unwanted)
    )
