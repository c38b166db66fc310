"""Texts that look like secrets and are none: a user says so, by the text or by its mark.

A mark is what a refusal shows in place of the text: the beginning of its SHA-256.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

#: Hexadecimal digits of a mark.
_DIGITS = 12
#: The file of a project that lists what is allowed, one text or mark a line.
FILE = ".tapecheck-allow"


def mark(text: str) -> str:
    """Return the mark of a text with one character per byte."""
    return sha256(text.encode("latin-1", "replace")).hexdigest()[:_DIGITS]


@dataclass(frozen=True)
class Allowed:
    """The texts and marks that are allowed."""

    entries: frozenset[str] = frozenset()

    @classmethod
    def of(cls, entries: Iterable[str]) -> Allowed:
        """Take texts and marks, without blanks around them."""
        stripped = (entry.strip() for entry in entries)
        return cls(frozenset(e.encode().decode("latin-1") for e in stripped if e))

    def has(self, text: str) -> bool:
        """Return whether a text is allowed: an entry is its mark, or has it as a part."""
        if not self.entries:
            return False
        return mark(text) in self.entries or any(text in entry for entry in self.entries)


NOTHING_ALLOWED = Allowed()


def lines(text: str) -> list[str]:
    """Return the entries of a file: one a line; a line that begins with ``#`` is a comment."""
    return [line for line in map(str.strip, text.splitlines()) if line and line[0] != "#"]
