"""Show text so that a reader sees every character of it."""

from __future__ import annotations

import json
import re
from itertools import takewhile

from mockserver.vocabulary import Json

#: Characters of a value in a message.
_SHOWN = 60
#: Characters of a long value that are shown before the place where it differs.
_BEFORE = 12
_TRAILING = re.compile(r" +(?=\\n|\\r|$)")


def visible(text: str) -> str:
    """Return a text with every character that cannot be seen as its escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def as_json(value: object) -> str:
    """Return a value as JSON in one line, with escapes for all that cannot be seen."""
    match value:
        case str():
            inner = visible(json.dumps(value, ensure_ascii=False)[1:-1])
            blanks = _TRAILING.sub(lambda found: r"\u0020" * len(found.group()), inner)
            return f'"{blanks}"'
        case dict():
            return f"{{{', '.join(f'{as_json(str(k))}: {as_json(v)}' for k, v in value.items())}}}"
        case list() | tuple():
            return f"[{', '.join(map(as_json, value))}]"
    return json.dumps(value, ensure_ascii=False, default=str)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def shown(value: Json) -> str:
    """Return a value as short JSON in which every invisible character is escaped."""
    return _short(as_json(value))


def both(wanted: Json, seen: Json) -> str:
    """Return two values as ``X expected, Y given``; long ones from where they differ."""
    one, other = ("none" if v is None else as_json(v) for v in (wanted, seen))
    if _short(one) == _short(other):
        start = max(_alike(one, other) - _BEFORE, 0)
        one, other = (f"…{text[start:]}" for text in (one, other))
    return f"{_short(one)} expected, {_short(other)} given"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _alike(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def how_it_differs(wanted: str, seen: str) -> str:
    """Return how a text differs from the wanted one."""
    if not seen:
        return f"lost: {shown(wanted)} expected, none given"
    if not wanted:
        return f"invented: none expected, {shown(seen)} given"
    if seen == wanted * 2:
        return f"doubled: {shown(wanted)} expected, given twice"
    alike = _alike(wanted, seen)
    if alike == len(seen):
        return f"cut: {alike} of {len(wanted)} characters given, {shown(wanted[alike:])} lost"
    if alike == len(wanted):
        return f"has more than the answer: {shown(seen[alike:])} invented behind its end"
    return (
        f"differs at character {alike + 1}: "
        f"{shown(wanted[alike:])} expected, {shown(seen[alike:])} given"
    )
