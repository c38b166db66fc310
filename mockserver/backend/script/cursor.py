"""A value of a script with its place, so that whatever is wrong can be named. Pure.

The place is a file and a line, or the way to the value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from mockserver.backend.script.steps import Tape
from mockserver.cassettes.yaml_reader import DEEPEST, KeyPath
from mockserver.errors import ScriptError, did_you_mean
from mockserver.vocabulary.model import Json

_T = TypeVar("_T")

#: Returns the place of a value in words for people.
Place = Callable[[KeyPath], str]
#: Opens a cassette by the name or path in a script. Raises ``ValueError`` that says why it cannot.
Open = Callable[[str], Tape]


def no_tapes(name: str) -> Tape:
    """Open no cassette."""
    raise ValueError(f"cassettes cannot be opened here: {name!r:.60}")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A value of a script and the way to it."""

    value: Any
    path: KeyPath
    place: Place
    open_tape: Open = no_tapes

    @property
    def where(self) -> str:
        """The place of the value."""
        return self.place(self.path)

    def error(self, message: str, hint: str = "") -> ScriptError:
        """Return what is wrong at this place."""
        return ScriptError(self.where, message, hint)

    def child(self, key: str | int) -> Cursor:
        """Return a value below this one."""
        return Cursor(self.value[key], (*self.path, key), self.place, self.open_tape)

    def children(self, known: Sequence[str], what: str) -> dict[str, Cursor]:
        """Return the values of a mapping that may have only known keys."""
        if not isinstance(self.value, dict):
            raise self.error(
                f"{what} is a mapping, not {shown(self.value)}", f"known: {', '.join(known)}"
            )
        for key in self.value:
            if key not in known:
                close = did_you_mean(str(key), known)
                at = self.child(key) if isinstance(key, str) else self
                raise at.error(
                    f"unknown key {shown(key)} in {what}{close}", f"known: {', '.join(known)}"
                )
        return {key: self.child(key) for key in self.value}

    def items(self, what: str) -> list[Cursor]:
        """Return the values of a list."""
        if not isinstance(self.value, list):
            raise self.error(
                f"{what} is a list, not {shown(self.value)}", "begin each item with '- '"
            )
        return [self.child(number) for number in range(len(self.value))]

    def text(self, what: str) -> str:
        """Return a text; a number is one, as YAML cannot tell."""
        if isinstance(self.value, str):
            return self.value
        if isinstance(self.value, int | float) and not isinstance(self.value, bool):
            return str(self.value)
        raise self.error(f"{what} is a text, not {shown(self.value)}", "put it in quotes")

    def count(self, what: str, least: int = 0) -> int:
        """Return a whole number."""
        number = self.value
        if isinstance(number, int) and not isinstance(number, bool) and least <= number < 10**9:
            return number
        raise self.error(
            f"{what} is a whole number, not {shown(number)}", f"write one from {least} on"
        )

    def flag(self, what: str) -> bool:
        """Return a truth value."""
        if isinstance(self.value, bool):
            return self.value
        raise self.error(f"{what} is true or false, not {shown(self.value)}", "write true or false")

    def parsed(self, parse: Callable[[Any], _T]) -> _T:
        """Return what a function of the notation reads."""
        try:
            return parse(self.value)
        except ValueError as exc:
            raise self.error(str(exc)) from None

    def json(self) -> Json:
        """Return a value that JSON has words for; YAML takes some texts for dates."""
        value = self.value
        if len(self.path) > DEEPEST:
            raise self.error("nested too deeply", f"keep it below {DEEPEST} levels")
        match value:
            case dict():
                for key in value:
                    if not isinstance(key, str):
                        raise self.error(f"the key {shown(key)} is no text", "put it in quotes")
                return {key: self.child(key).json() for key in value}
            case list():
                return [self.child(number).json() for number in range(len(value))]
            case None | bool() | str() | int():
                return value
            case float() if math.isfinite(value):
                return value
        raise self.error(f"JSON has no {type(value).__name__}: {shown(value)}", "put it in quotes")


def shown(value: object) -> str:
    """Return a value as a message shows it."""
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
