"""Members taken out of a JSON object while its text arrives, piece by piece. Pure.

No library does this. ijson (3.6) gives a string only when it is whole, and no text positions;
jiter (0.19) reads the whole text again for every piece and gives values, not text; json-stream
(2.5) pulls its input. Here the text that stays must be handed out at once and unchanged, so
that the pieces join to the object as it was written, less the members taken.

Only the structure is read. Text that is no JSON object passes through as it came; whether the
whole is valid is for ``json.loads`` to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from enum import Enum, auto
from typing import NamedTuple

from harness.adapters.common.surrogates import Joiner

_SPACE = frozenset(" \t\n\r")
_WHOLE = re.compile(r'(?:[^\\"]|\\u[0-9a-fA-F]{4}|\\[^u]|\\u(?=[0-9a-fA-F]{0,3}[^0-9a-fA-F]))*')


class Rest(NamedTuple):
    """Text that stays in the object, as it was written."""

    text: str


class Taken(NamedTuple):
    """A piece of the value of a member taken out: decoded text, or JSON if it is no string."""

    key: str
    text: str


class MemberTaker:
    """Takes the members named ``keys`` out of one object; members of inner objects stay.

    A key that comes twice is taken twice. A comma is held back until the next key is known,
    so what was handed out is at every moment a beginning of the object that stays.
    """

    def __init__(self, keys: Collection[str]) -> None:
        self.any_taken = False
        self._keys = keys
        self._scan = _Scanner()
        self._any_kept = False
        self._opening = ""
        self._gap = ""
        self._key = ""
        self._value: _Value | None = None

    def feed(self, piece: str) -> list[Rest | Taken]:
        """Take the next text and return what is certain by now, neighbours joined."""
        said: list[Rest | Taken] = []
        for place, text in self._scan.feed(piece):
            if self._value and place in (_Place.GAP, _Place.AFTER):
                _say(said, Taken(self._value.key, self._value.close()))
                self._value = None
            if self._value and place is _Place.VALUE:
                _say(said, Taken(self._value.key, self._value.feed(text)))
            else:
                _say(said, Rest(self._keep(place, text)))
        return said

    def _keep(self, place: _Place, text: str) -> str:
        """Take text that is not part of a taken value; return what may be handed out."""
        match place:
            case _Place.OPENING:
                self._opening += text
            case _Place.GAP:
                leading = self.any_taken and not self._any_kept
                self._gap += text.replace(",", "") if leading else text
            case _Place.KEY:
                self._key += text
            case _Place.COLON if self._key and (name := _decoded(self._key)) in self._keys:
                self.any_taken = True
                self._value = _Value(name)
                self._gap = self._key = ""
            case _Place.COLON if self._value:
                pass
            case _:
                self._any_kept |= bool(self._key)
                text = self._opening + self._gap + self._key + text
                self._opening = self._gap = self._key = ""
                return text
        return ""


def _say(said: list[Rest | Taken], new: Rest | Taken) -> None:
    if not new.text:
        return
    if said and said[-1][:-1] == new[:-1]:
        said[-1] = new._replace(text=said[-1].text + new.text)
    else:
        said.append(new)


class _Value:
    """The value of a member that is taken out: strings decoded, ``null`` as nothing."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._held = ""
        self._kind = ""
        self._halves = Joiner()

    def feed(self, text: str) -> str:
        if not self._kind:
            self._kind = text[0]
            text = text[1:] if self._kind == '"' else text
        match self._kind:
            case '"':
                text = self._held + text
                whole = _WHOLE.match(text)
                assert whole is not None
                self._held = text[whole.end() :]
                return self._halves.feed(_decoded(f'"{whole[0]}"'))
            case "{" | "[":
                return text
        self._held += text
        return ""

    def close(self) -> str:
        if self._kind == '"':
            return self._halves.close()
        return "" if self._held == "null" else self._held


def _decoded(string: str) -> str:
    """The text of a JSON string; the text between its quotes if it has a false escape."""
    try:
        return str(json.loads(string, strict=False))
    except ValueError:
        return string[1:-1]


class _Place(Enum):
    """Where in the object a character stands. Two of one kind never touch, but by a fault."""

    OPENING = auto()
    GAP = auto()
    KEY = auto()
    COLON = auto()
    VALUE = auto()
    AFTER = auto()


class _Scanner:
    """Says of each run of characters where it stands; after a fault all is AFTER."""

    def __init__(self) -> None:
        self._state: Callable[[str], _Place] = self._opening
        self._in_string = False
        self._escaped = False
        self._depth = 0

    def feed(self, text: str) -> Iterator[tuple[_Place, str]]:
        start, run = 0, None
        for at, char in enumerate(text):
            place = self._state(char)
            if run not in (place, None):
                yield run, text[start:at]
                start = at
            run = place
        if run is not None:
            yield run, text[start:]

    def _opening(self, char: str) -> _Place:
        if char == "{":
            self._state = self._gap
        elif char not in _SPACE:
            return self._leave()
        return _Place.OPENING

    def _gap(self, char: str) -> _Place:
        if char == '"':
            self._state, self._in_string = self._key, True
            return _Place.KEY
        return _Place.GAP if char in _SPACE or char == "," else self._leave()

    def _key(self, char: str) -> _Place:
        if not self._string(char):
            self._state = self._colon
        return _Place.KEY

    def _colon(self, char: str) -> _Place:
        if char in _SPACE:
            return _Place.KEY
        if char != ":":
            return self._leave()
        self._state = self._value
        return _Place.COLON

    def _value(self, char: str) -> _Place:
        if char in _SPACE:
            return _Place.COLON
        if char in ",:}]":
            return self._leave()
        if char == '"' or char in "{[":
            self._state = self._compound
            return self._compound(char)
        self._state = self._scalar
        return _Place.VALUE

    def _scalar(self, char: str) -> _Place:
        if char in _SPACE or char in ",}":
            self._state = self._gap
            return self._gap(char)
        return _Place.VALUE

    def _compound(self, char: str) -> _Place:
        if self._in_string:
            self._string(char)
        elif char == '"':
            self._in_string = True
        elif char in "{[":
            self._depth += 1
        elif char in "}]":
            self._depth -= 1
        if not (self._in_string or self._depth):
            self._state = self._gap
        return _Place.VALUE

    def _after(self, _: str) -> _Place:
        return _Place.AFTER

    def _leave(self) -> _Place:
        """The closing brace, or something that cannot stand here."""
        self._state = self._after
        return _Place.AFTER

    def _string(self, char: str) -> bool:
        """Advance inside a string and return whether it goes on."""
        if self._escaped:
            self._escaped = False
        elif char == "\\":
            self._escaped = True
        elif char == '"':
            self._in_string = False
        return self._in_string
