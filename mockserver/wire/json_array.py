"""Splits one JSON array into its elements as its bytes arrive. Sans IO.

Gemini answers a stream like that unless it is asked for an event stream: the elements are printed
over many lines, with a comma and line ends between them. An element ends with its last byte, not
with the comma behind it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: What changes the state outside of a string: a quote, a bracket, a comma, or something else.
_OUTSIDE = re.compile(rb'["\[\]{},]|[^\s"\[\]{},]+')
#: What ends a string or escapes the byte behind it.
_INSIDE = re.compile(rb'["\\]')


@dataclass(frozen=True, slots=True)
class Element:
    """The bytes of one element; ``end`` is the offset in the body behind it."""

    data: bytes
    end: int


class Elements:
    """Reads one array; feed it with bytes, cut anywhere.

    ``closed``: the array has ended, and what follows is left out. ``broken``: the body is no
    array, or has a bracket in a wrong place; nothing more is read. ``pending`` are the bytes of
    the element that has begun.
    """

    def __init__(self) -> None:
        self.closed = False
        self.broken = False
        self.pending = bytearray()
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._offset = 0

    def feed(self, data: bytes) -> list[Element]:
        """Take the next bytes and return the elements that they complete."""
        found: list[Element] = []
        at = 0
        while at < len(data) and not (self.closed or self.broken):
            at = self._string(data, at) if self._in_string else self._token(data, at, found)
        self._offset += len(data)
        return found

    def _string(self, data: bytes, at: int) -> int:
        """Read on in a string, and return where to read on."""
        start = at
        if self._escaped:
            self._escaped, at = False, at + 1
        while (match := _INSIDE.search(data, at)) is not None:
            at = match.end()
            if match[0] == b'"':
                self._in_string = False
                break
            self._escaped = at == len(data)
            at += 1
        else:
            at = len(data)
        self.pending += data[start:at]
        return min(at, len(data))

    def _token(self, data: bytes, at: int, found: list[Element]) -> int:
        """Read on to the end of the next token outside of strings, and return where that is."""
        match = _OUTSIDE.search(data, at)
        if match is None:  # white space
            self.pending += data[at:] if self.pending else b""
            return len(data)
        token = match[0]
        if not self._depth:
            self._depth, self.broken = 1, token != b"["
            return match.end()
        if self._depth == 1 and token in (b",", b"]"):
            self._finish(self._offset + match.start(), found)
            self.closed = token == b"]"
            return match.end()
        self.pending += data[at if self.pending else match.start() : match.end()]
        self._in_string = token == b'"'
        if token in (b"{", b"["):
            self._depth += 1
        elif token in (b"}", b"]"):
            self._depth -= 1
            self.broken = not self._depth
            if self._depth == 1:
                self._finish(self._offset + match.end(), found)
        return match.end()

    def _finish(self, end: int, found: list[Element]) -> None:
        if self.pending:
            found.append(Element(bytes(self.pending), end))
            self.pending.clear()


def element_ends(body: bytes) -> list[int]:
    """Return the offset behind each element; the end of the array belongs to the last one."""
    reader = Elements()
    ends = [element.end for element in reader.feed(body)]
    if ends and reader.closed:
        ends[-1] = len(body)
    return ends
