"""An index over all requests of a library: hashes and locations. It stores a body only if
something was replaced in it.

In files of the usual layout, only the request part of each interaction is parsed. That takes
a small part of the time of a whole file.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mockserver.cassettes import cassette, har
from mockserver.cassettes.cassette import Request
from mockserver.errors import CassetteError
from mockserver.library.matcher import (
    Signature,
    accepts,
    fixed_fields,
    has_placeholder,
    rank,
    signature,
)
from mockserver.library.rule import EXACT, Part, Rule

# What vcrpy and the cassette writer produce: the sequence is not indented, and ``request``
# comes first. Any other layout is read as a whole.
_ITEM = re.compile(rb"^- ", re.MULTILINE)
_PARTS = re.compile(rb"^- (?=request:)|^  (?=response:)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Location:
    """Where an interaction is: the name of its cassette, and its number from 0."""

    name: str
    number: int


@dataclass(slots=True)
class Index:
    """Signature and location of every request, in the order of names and numbers.

    By name, ``stamps`` identifies the content that was read, and ``problems`` says why a file
    could not be read.
    """

    locations: list[Location] = field(default_factory=list)
    signatures: list[Signature] = field(default_factory=list)
    problems: dict[str, CassetteError] = field(default_factory=dict)
    stamps: dict[str, tuple[int, int]] = field(default_factory=dict)
    rule: Rule = EXACT
    _keys: dict[Hashable, list[int]] = field(default_factory=dict)
    #: By position: the requests with placeholders, and their fields that have none.
    _open: dict[int, tuple[Request, frozenset[int]]] = field(default_factory=dict)

    @classmethod
    def build(cls, paths: Mapping[str, Path], rule: Rule = EXACT) -> Index:
        """Read every file; those that cannot be read are listed in ``problems``.

        Requests are compared by ``rule``.
        """
        index = cls(rule=rule)
        for name, path in paths.items():
            try:
                index.stamps[name] = stamp_of(path)
                found = list(requests(path))
            except CassetteError as exc:
                index.problems[name] = exc
                continue
            for number, request in enumerate(found):
                if has_placeholder(request):
                    index._open[len(index.locations)] = request, fixed_fields(request, rule)
                known = signature(request, rule)
                index._keys.setdefault(known.key(rule.parts), []).append(len(index.locations))
                index.locations.append(Location(name, number))
                index.signatures.append(known)
        return index

    def matches(self, got: Request) -> list[int]:
        """Return the positions of the requests that ``got`` equals by the rule.

        If there are none, return those with placeholders that it fits.
        """
        rule = self.rule
        equal = self._keys.get(signature(got, rule, ranked=False).key(rule.parts))
        if equal is not None or not self._open:
            return equal or []
        fields = set(signature(got, rule).fields)
        return [
            position
            for position, (request, fixed) in self._open.items()
            if (Part.BODY not in rule.parts or fixed <= fields) and accepts(request, got, rule)
        ]

    def nearest(self, wanted: Signature, count: int) -> list[Location]:
        """Return the locations of the requests most similar to ``wanted``, nearest first."""
        return [self.locations[i] for i in rank(wanted, self.signatures)[:count]]


def stamp_of(path: Path) -> tuple[int, int]:
    """Return what changes with the content of a file: its time in ns, and its size."""
    try:
        status = path.stat()
    except OSError as exc:
        raise CassetteError(path, f"cannot be read: {exc.strerror}") from None
    return status.st_mtime_ns, status.st_size


def requests(path: Path) -> Iterator[Request]:
    """Yield the requests of one file. Raises :class:`CassetteError`."""
    try:
        text = path.read_bytes()
    except OSError as exc:
        raise CassetteError(path, f"cannot be read: {exc.strerror}") from None
    if path.suffix.lower() == ".har":
        loaded = har.parse(text, path)
    else:
        sliced = _requests_only(text)
        try:
            loaded = cassette.parse(text if sliced is None else sliced, path)
        except CassetteError:
            # Either the layout only looked usual, or the whole file is needed for the line number.
            loaded = cassette.parse(text, path)
    for interaction in loaded.interactions:
        yield interaction.request


def _requests_only(text: bytes) -> bytes | None:
    """Return the file with an empty response in each interaction, if its layout is usual."""
    boundaries = [match.start() for match in _PARTS.finditer(text)]
    starts, ends = boundaries[::2], boundaries[1::2]
    usual = (
        len(starts) == len(ends) == len(_ITEM.findall(text))
        and all(text.startswith(b"-", start) for start in starts)
        and not any(text.startswith(b"-", end) for end in ends)
    )
    if not usual or not starts:
        return None
    parts = [b"interactions:\n"]
    for start, end in zip(starts, ends, strict=True):
        parts += (text[start:end], b"  response: {status: 200}\n")
    return b"".join(parts)
