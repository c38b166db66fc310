"""Whether tool calls and their results belong together, in dialects whose messages have blocks.

The calls of one message of the model have their results in the message behind it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Use:
    """A call or a result: its id, and the numbers of its message and of its block."""

    id: str
    message: int
    block: int


@dataclass(frozen=True, slots=True)
class Turn:
    """A message, or several of one role in a row; ``number`` is that of the last."""

    number: int
    calls: tuple[Use, ...] = ()
    results: tuple[Use, ...] = ()


def unanswered(turns: Sequence[Turn]) -> Iterator[tuple[Turn, tuple[str, ...]]]:
    """Yield each turn with calls whose results are not in the next one, and their ids."""
    for number, turn in enumerate(turns):
        later = turns[number + 1].results if number + 1 < len(turns) else ()
        known = {use.id for use in later}
        waiting = tuple(dict.fromkeys(use.id for use in turn.calls if use.id not in known))
        if waiting:
            yield turn, waiting


def orphans(turns: Sequence[Turn]) -> Iterator[Use]:
    """Yield each result whose call is not in the turn before."""
    for number, turn in enumerate(turns):
        known = {use.id for use in turns[number - 1].calls} if number else set()
        yield from (use for use in turn.results if use.id not in known)


def repeated(uses: Sequence[Use]) -> Iterator[Use]:
    """Yield each whose id was there before."""
    seen: set[str] = set()
    for use in uses:
        if use.id in seen:
            yield use
        seen.add(use.id)
