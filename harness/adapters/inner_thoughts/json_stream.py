"""Extracts members of a JSON object while its text arrives, piece by piece. Pure.

No library does this. ijson (3.6) returns a string only when it is complete, and no positions;
jiter (0.19) parses the whole text again for every piece and returns values, not text;
json-stream (2.5) pulls its input. Here the remaining text must be returned at once and
unchanged, so that the pieces join to the object as it was written, without the members.

Only the structure is parsed. Text that is not a JSON object passes through unchanged; whether
it is valid is left to ``json.loads``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from enum import Enum, auto
from typing import NamedTuple

from harness.adapters.common.surrogates import SurrogateJoiner

_SPACE = frozenset(" \t\n\r")
_WHOLE = re.compile(r'(?:[^\\"]|\\u[0-9a-fA-F]{4}|\\[^u]|\\u(?=[0-9a-fA-F]{0,3}[^0-9a-fA-F]))*')


class Remaining(NamedTuple):
    """Text that remains in the object, as it was written."""

    text: str


class Extracted(NamedTuple):
    """A piece of an extracted value: decoded text, or JSON if it is not a string."""

    key: str
    text: str


class MemberExtractor:
    """Extracts the members named ``keys`` from one object; members of inner objects remain.

    A duplicate key is extracted twice. A comma waits until the next key is known, so the text
    returned so far is always a prefix of the remaining object.
    """

    def __init__(self, keys: Collection[str]) -> None:
        self.any_extracted = False
        self._keys = keys
        self._scan = _Scanner()
        self._any_passed_on = False
        self._opening = ""
        self._gap = ""
        self._key = ""
        self._value: _Value | None = None

    def feed(self, piece: str) -> list[Remaining | Extracted]:
        """Take the next text and return what is certain by now, in as few pieces as possible."""
        parts: list[Remaining | Extracted] = []
        for region, text in self._scan.feed(piece):
            if self._value and region in (_Region.GAP, _Region.AFTER):
                _append(parts, Extracted(self._value.key, self._value.close()))
                self._value = None
            if self._value and region is _Region.VALUE:
                _append(parts, Extracted(self._value.key, self._value.feed(text)))
            else:
                _append(parts, Remaining(self._pass_on(region, text)))
        return parts

    def _pass_on(self, region: _Region, text: str) -> str:
        """Take text outside of an extracted value; return the part that remains for certain."""
        match region:
            case _Region.OPENING:
                self._opening += text
            case _Region.GAP:
                leading = self.any_extracted and not self._any_passed_on
                self._gap += text.replace(",", "") if leading else text
            case _Region.KEY:
                self._key += text
            case _Region.COLON if self._key and (name := _decoded(self._key)) in self._keys:
                self.any_extracted = True
                self._value = _Value(name)
                self._gap = self._key = ""
            case _Region.COLON if self._value:
                pass
            case _:
                self._any_passed_on |= bool(self._key)
                text = self._opening + self._gap + self._key + text
                self._opening = self._gap = self._key = ""
                return text
        return ""


def _append(parts: list[Remaining | Extracted], new: Remaining | Extracted) -> None:
    if not new.text:
        return
    if parts and parts[-1][:-1] == new[:-1]:
        parts[-1] = new._replace(text=parts[-1].text + new.text)
    else:
        parts.append(new)


class _Value:
    """The value of an extracted member: strings are decoded, ``null`` is empty."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._pending = ""
        self._kind = ""
        self._surrogates = SurrogateJoiner()

    def feed(self, text: str) -> str:
        if not self._kind:
            self._kind = text[0]
            text = text[1:] if self._kind == '"' else text
        match self._kind:
            case '"':
                text = self._pending + text
                whole = _WHOLE.match(text)
                assert whole is not None
                self._pending = text[whole.end() :]
                return self._surrogates.feed(_decoded(f'"{whole[0]}"'))
            case "{" | "[":
                return text
        self._pending += text
        return ""

    def close(self) -> str:
        if self._kind == '"':
            return self._surrogates.close()
        return "" if self._pending == "null" else self._pending


def _decoded(string: str) -> str:
    """Decode a JSON string; one with an invalid escape is returned as it is between its quotes."""
    try:
        return str(json.loads(string, strict=False))
    except ValueError:
        return string[1:-1]


class _Region(Enum):
    """A region of the object's text. Two of one kind are never adjacent in valid JSON."""

    OPENING = auto()
    GAP = auto()
    KEY = auto()
    COLON = auto()
    VALUE = auto()
    AFTER = auto()


class _Scanner:
    """Splits text into regions; after a syntax error everything is AFTER."""

    def __init__(self) -> None:
        self._state: Callable[[str], _Region] = self._opening
        self._in_string = False
        self._escaped = False
        self._depth = 0

    def feed(self, text: str) -> Iterator[tuple[_Region, str]]:
        start, run = 0, None
        for at, char in enumerate(text):
            region = self._state(char)
            if run not in (region, None):
                yield run, text[start:at]
                start = at
            run = region
        if run is not None:
            yield run, text[start:]

    def _opening(self, char: str) -> _Region:
        if char == "{":
            self._state = self._gap
        elif char not in _SPACE:
            return self._end()
        return _Region.OPENING

    def _gap(self, char: str) -> _Region:
        if char == '"':
            self._state, self._in_string = self._key, True
            return _Region.KEY
        return _Region.GAP if char in _SPACE or char == "," else self._end()

    def _key(self, char: str) -> _Region:
        if not self._string(char):
            self._state = self._colon
        return _Region.KEY

    def _colon(self, char: str) -> _Region:
        if char in _SPACE:
            return _Region.KEY
        if char != ":":
            return self._end()
        self._state = self._value
        return _Region.COLON

    def _value(self, char: str) -> _Region:
        if char in _SPACE:
            return _Region.COLON
        if char in ",:}]":
            return self._end()
        if char == '"' or char in "{[":
            self._state = self._compound
            return self._compound(char)
        self._state = self._scalar
        return _Region.VALUE

    def _scalar(self, char: str) -> _Region:
        if char in _SPACE or char in ",}":
            self._state = self._gap
            return self._gap(char)
        return _Region.VALUE

    def _compound(self, char: str) -> _Region:
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
        return _Region.VALUE

    def _after(self, _: str) -> _Region:
        return _Region.AFTER

    def _end(self) -> _Region:
        """End at the closing brace, or at a character that is not valid here."""
        self._state = self._after
        return _Region.AFTER

    def _string(self, char: str) -> bool:
        """Advance inside a string and return whether it goes on."""
        if self._escaped:
            self._escaped = False
        elif char == "\\":
            self._escaped = True
        elif char == '"':
            self._in_string = False
        return self._in_string
