"""Texts for the page: what a client gave is shown, and each text is kept once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from harness.judge.visible import visible
from harness.suite import bundled

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
class Texts:
    """Each text once, by its number."""

    numbers: dict[str, int] = field(default_factory=dict)

    def add(self, text: str) -> int:
        """Return the number of a text."""
        return self.numbers.setdefault(text, len(self.numbers))

    @property
    def listed(self) -> list[str]:
        """All texts, in the order of their numbers."""
        return list(self.numbers)
