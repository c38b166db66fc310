"""Texts for the page: what a client gave is shown, and each is kept once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from harness.judge.visible import visible
from harness.suite import bundled

_T = TypeVar("_T")
#: Folders below which a scenario's path is the same on every machine.
_SPECS = ("specs", "scenarios")


def shown(text: object, clip: int) -> str:
    """Return a text in one line, with escapes for what cannot be seen, and not too long.

    Line separators, controls, marks that turn the direction of text, and half characters are
    escapes then.
    """
    given = str(text)
    seen = visible(given[:clip])
    return seen if len(given) <= clip else f"{seen}…"


def path_of(file: str, here: Path) -> str:
    """Return the path of a requirement, without the directories of the machine that ran it."""
    path = Path(file)
    for base in (bundled.root(), here):
        if path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    for number in range(len(path.parts) - 1):
        if path.parts[number : number + 2] == _SPECS:
            return Path(*path.parts[number:]).as_posix()
    return path.name


@dataclass(slots=True)
class Once(Generic[_T]):
    """Each value once, by its number."""

    numbers: dict[_T, int] = field(default_factory=dict)

    def add(self, value: _T) -> int:
        """Return the number of a value."""
        return self.numbers.setdefault(value, len(self.numbers))

    @property
    def listed(self) -> list[_T]:
        """All values, in the order of their numbers."""
        return list(self.numbers)
