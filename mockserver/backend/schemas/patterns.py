"""Texts that a regular expression matches, and expressions that may take for ever. Pure.

Works on what the standard library's parser makes of an expression. Not every text fits: what looks
ahead or behind is not obeyed, so a text is tried before it is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from re import _constants as words  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from mockserver.backend.schemas.unmet import UnmetSchemaError

#: One part of a parsed expression: its word and what belongs to it.
_Node = tuple[Any, Any]
#: The longest text against which an expression with ambiguous repeats is tried.
_RISKY_LENGTH = 16
#: The longest text that is made, and the longest expression that is read, in characters.
_LONGEST = 10_000
#: Characters to choose from, the plain ones first.
_PLAIN = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ALL = _PLAIN + "-_. /:@+,;!?#%&*()[]{}<>='\"$^~|`\\\t\n" + "éß€😀"
_CLASSES: Mapping[Any, Callable[[str], bool]] = {
    words.CATEGORY_DIGIT: str.isdigit,
    words.CATEGORY_SPACE: str.isspace,
    words.CATEGORY_WORD: lambda c: c.isalnum() or c == "_",
    words.CATEGORY_NOT_DIGIT: lambda c: not c.isdigit(),
    words.CATEGORY_NOT_SPACE: lambda c: not c.isspace(),
    words.CATEGORY_NOT_WORD: lambda c: not (c.isalnum() or c == "_"),
}


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of a schema, which JavaScript's words may be in.

    Raises :class:`UnmetSchemaError` for one that Python cannot read.
    """
    if len(pattern) > _LONGEST:
        raise UnmetSchemaError("pattern", "it is too long")
    try:
        return re.compile(re.sub(r"\(\?<(?![=!])", "(?P<", pattern))
    except (re.error, RecursionError, OverflowError) as exc:
        raise UnmetSchemaError("pattern", f"{pattern!r:.80} cannot be read: {exc}") from None


def matches(pattern: str, text: str) -> bool:
    """Return whether a text matches; ``False`` if that may take for ever to find out."""
    expression = compiled(pattern)
    if len(text) > _RISKY_LENGTH and is_risky(pattern):
        return False
    return expression.search(text) is not None


@lru_cache(maxsize=512)
def is_risky(pattern: str) -> bool:
    """Return whether a repeat in a repeat can share a text in many ways."""
    return _risky(_parsed(pattern))


def texts(pattern: str, least: int = 0) -> Iterator[str]:
    """Yield texts that should match a pattern, the shortest first, some of at least that length.

    Raises :class:`UnmetSchemaError` if even the shortest is too long.
    """
    nodes = _parsed(pattern)
    found: set[str] = set()
    more = 0
    while more <= max(least, 1):
        for way in range(4):
            try:
                text = _Maker(more, way).made(nodes)
            except UnmetSchemaError:
                if not found:
                    raise
                return
            if text not in found:
                found.add(text)
                yield text
        more = max(1, more * 2)


def _parsed(pattern: str) -> Sequence[_Node]:
    return list(parser.parse(compiled(pattern).pattern))


class _Maker:
    """Makes one text: each repeat is taken ``more`` times beyond its least, ``way`` is a choice."""

    def __init__(self, more: int, way: int) -> None:
        self._more = more
        self._way = way
        self._groups: dict[int, str] = {}

    def made(self, nodes: Sequence[_Node]) -> str:
        return "".join(self._node(word, value) for word, value in nodes)

    def _node(self, word: Any, value: Any) -> str:
        match word:
            case words.LITERAL:
                return chr(value)
            case words.NOT_LITERAL:
                return next(c for c in _ALL if c != chr(value))
            case words.ANY:
                return self._chosen(_PLAIN)
            case words.IN:
                return self._chosen(_members(value))
            case words.BRANCH:
                branches = value[1]
                return self.made(branches[self._way % len(branches)])
            case words.SUBPATTERN:
                text = self.made(value[3])
                if value[0] is not None:
                    self._groups[value[0]] = text
                return text
            case words.GROUPREF:
                return self._groups.get(value, "")
            case words.MAX_REPEAT | words.MIN_REPEAT | words.POSSESSIVE_REPEAT:
                least, most, inside = value
                text = self.made(inside)
                times = min(int(least) + self._more, int(most))
                if len(text) * times > _LONGEST:
                    raise UnmetSchemaError("pattern", "its shortest text is too long")
                return text * times
            case words.ATOMIC_GROUP:
                return self.made(value)
        return ""

    def _chosen(self, characters: str) -> str:
        if not characters:
            raise UnmetSchemaError("pattern", "a set of characters has none that is known")
        return characters[self._way % len(characters)]


@lru_cache(maxsize=512)
def _members_of(items: tuple[_Node, ...]) -> str:
    negated = bool(items) and items[0][0] is words.NEGATE
    found = [c for c in _ALL if any(_has(item, c) for item in items) is not negated]
    if not found and not negated:
        # A set of characters that are none of the usual ones.
        found = [chr(value if w is words.LITERAL else value[0]) for w, value in items]
    return "".join(found)


def _members(items: Sequence[_Node]) -> str:
    return _members_of(tuple(items))


def _has(item: _Node, character: str) -> bool:
    word, value = item
    if word is words.LITERAL:
        return bool(ord(character) == value)
    if word is words.RANGE:
        return bool(value[0] <= ord(character) <= value[1])
    test = _CLASSES.get(value) if word is words.CATEGORY else None
    return test is not None and test(character)


def _risky(nodes: Sequence[_Node]) -> bool:
    return any(_is_ambiguous(node) or any(map(_risky, _inside(node))) for node in nodes)


def _is_ambiguous(node: _Node) -> bool:
    """Return whether a repeat has a repeat inside and nothing that keeps their rounds apart."""
    if not _is_long(node):
        return False
    body = list(_flat(node[1][2]))
    inner = {c for repeat in _repeats(node[1][2]) for c in _characters(repeat[1][2])}
    if not inner:
        return any(part[0] is words.BRANCH for part in body)
    separators = [part for part in body if part[0] in (words.LITERAL, words.IN)]
    return not any(inner.isdisjoint(_characters([part])) for part in separators)


def _is_long(node: _Node) -> bool:
    return node[0] in (words.MAX_REPEAT, words.MIN_REPEAT) and int(node[1][1]) > 8


def _flat(nodes: Sequence[_Node]) -> Iterator[_Node]:
    """Yield the parts that every round has; those of groups too."""
    for node in nodes:
        if node[0] is words.SUBPATTERN:
            yield from _flat(list(node[1][3]))
        else:
            yield node


def _repeats(nodes: Sequence[_Node]) -> Iterator[_Node]:
    for node in nodes:
        if _is_long(node):
            yield node
        for inside in _inside(node):
            yield from _repeats(inside)


def _characters(nodes: Sequence[_Node]) -> Iterator[str]:
    for node in nodes:
        match node[0]:
            case words.LITERAL:
                yield chr(node[1])
            case words.IN:
                yield from _members(node[1])
            case words.ANY | words.NOT_LITERAL:
                yield from _ALL
            case _:
                for inside in _inside(node):
                    yield from _characters(inside)


def _inside(node: _Node) -> Iterator[Sequence[_Node]]:
    match node[0]:
        case words.SUBPATTERN:
            yield list(node[1][3])
        case words.BRANCH:
            yield from (list(branch) for branch in node[1][1])
        case words.MAX_REPEAT | words.MIN_REPEAT | words.POSSESSIVE_REPEAT:
            yield list(node[1][2])
        case words.ATOMIC_GROUP:
            yield list(node[1])
        case words.ASSERT | words.ASSERT_NOT:
            yield list(node[1][1])
