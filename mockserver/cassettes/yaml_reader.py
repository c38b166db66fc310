"""Reads YAML in one pass: the values, the line of each, and no duplicate key.

The parser of libyaml composes nodes, which know their lines; the values are made of these. Both
are PyYAML's, but the two steps that took most of its time are done here: finding the tag of a
plain scalar, and making mappings, lists and text.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

#: The way to a value: keys of mappings and numbers in lists.
KeyPath = tuple[str | int, ...]

#: How many characters the aliases of a file may add to it: a few lines can expand to gigabytes.
ALIAS_LIMIT = 10_000_000
#: How deep lists and mappings may be nested. Python's own limit differs between versions.
DEEPEST = 200
#: Longer scalars are not cached.
_SHORT = 40
#: Python reads no longer one in decimal.
_LONGEST_INT = 4300
_FIX = "fix the YAML at this line"
_TOO_DEEP = "nested too deeply", f"keep it below {DEEPEST} levels"
_STR, _SEQ, _MAP, _INT, _MERGE = (
    f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map", "int", "merge")
)

if TYPE_CHECKING or yaml.__with_libyaml__:
    _Base = yaml.CSafeLoader
else:
    _Base = yaml.SafeLoader
    warnings.warn(
        "this PyYAML was built without libyaml, so reading scenarios and cassettes takes ten times "
        "as long; to get one with it: pip install --force-reinstall --no-cache-dir pyyaml "
        "(where there is no wheel, install libyaml's headers first: libyaml-dev, libyaml-devel)",
        RuntimeWarning,
        stacklevel=2,
    )


class YamlError(ValueError):
    """A text that cannot be read: what is wrong, the line if it is known, and what to do."""

    def __init__(self, message: str, line: int | None = None, hint: str = _FIX) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.hint = hint


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A YAML text as its value, and the nodes from which it was made."""

    data: Any
    root: Node | None

    def line_of(self, path: Sequence[str | int]) -> int:
        """Return the 1-based line of the value at ``path``, or of its nearest ancestor."""
        node = self.root
        line = 1 if node is None else _line(node)
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            line, node = found
        return line


class Loader(_Base):
    """Makes a document. A subclass can add tags with ``add_constructor``."""

    def __init__(self, text: bytes | str) -> None:
        super().__init__(text)
        self._made: dict[Node, Any] = {}
        self._has_aliases = False
        self._depth = 0

    def document(self) -> YamlDocument:
        """Read the one document of the text. Raises :class:`YamlError` or ``yaml.YAMLError``."""
        root = self.get_single_node()
        data = None if root is None else self._value(root)
        if root is not None and self._has_aliases:
            _check_aliases(root)
        return YamlDocument(data, root)

    def resolve(self, kind: type[Node], value: str, implicit: tuple[bool, bool]) -> str:
        """Return the tag of a node that states none."""
        if kind is ScalarNode:
            if not implicit[0] or value[:1] not in self.yaml_implicit_resolvers:
                return _STR
            return _plain_tag(value) if len(value) < _SHORT else _find_plain_tag(value)
        return _MAP if kind is MappingNode else _SEQ

    def _value(self, node: Node) -> Any:
        tag = node.tag
        if type(node) is ScalarNode:
            value = node.value
            if tag == _STR:
                return value
            if tag == _INT and value.isdecimal() and value.isascii() and value[0] != "0":
                return int(value) if len(value) < _SHORT else self._special(node)
            return self._special(node)
        if node in self._made:
            return self._alias(node)
        self._depth += 1
        if self._depth > DEEPEST:
            raise YamlError(_TOO_DEEP[0], _line(node), _TOO_DEEP[1])
        if tag == _SEQ and type(node) is SequenceNode:
            self._made[node] = _UNFINISHED
            made: Any = [self._value(item) for item in node.value]
        elif tag == _MAP and type(node) is MappingNode:
            self._made[node] = _UNFINISHED
            made = self._mapping(node)
        else:
            made = self._special(node)
        self._depth -= 1
        self._made[node] = made
        return made

    def _mapping(self, node: MappingNode) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        merged = None
        for key_node, value_node in node.value:
            if key_node.tag == _STR:
                key = key_node.value
            elif key_node.tag == _MERGE:
                if merged is not None:
                    raise YamlError("duplicate key '<<'", _line(key_node), "remove one of them")
                merged = self._merged(value_node)
                continue
            else:
                key = self._value(key_node)
            try:
                is_duplicate = key in made
            except TypeError:
                raise YamlError("not valid YAML: found unhashable key", _line(key_node)) from None
            if is_duplicate:
                raise YamlError(f"duplicate key {key!r}", _line(key_node), "remove one of them")
            made[key] = self._value(value_node)
        return made if merged is None else merged | made

    def _merged(self, node: Node) -> dict[Any, Any]:
        """Return what ``<<`` brings in: of several mappings, the first has precedence."""
        value = self._value(node)
        merged: dict[Any, Any] = {}
        for mapping in reversed(value if isinstance(value, list) else [value]):
            if not isinstance(mapping, dict):
                raise YamlError(
                    "not valid YAML: '<<' needs a mapping or a list of mappings", _line(node)
                )
            merged |= mapping
        return merged

    def _special(self, node: Node) -> Any:
        """Let PyYAML make every value that is not a plain text, list or mapping."""
        if node.tag == _INT and len(node.value) > _LONGEST_INT:
            # Python's own refusal is about Python.
            raise YamlError("a number that is too long", _line(node), "quote the text")
        try:
            return self.construct_object(node, deep=True)
        except (ValueError, OverflowError) as exc:
            # PyYAML takes 2024-13-45 for a date.
            raise YamlError(f"not valid YAML: {exc}", _line(node), "quote the text") from None
        except (AttributeError, LookupError, TypeError):
            # It does not check what a tag such as !!bool or !!timestamp is put on.
            kind = node.tag.rpartition(":")[2]
            raise YamlError(
                f"not valid YAML: {node.value!r:.60} is no {kind}", _line(node), "fix the tag"
            ) from None

    def _alias(self, node: Node) -> Any:
        made = self._made[node]
        if made is _UNFINISHED:
            raise YamlError("an alias refers to a value that contains it", _line(node))
        self._has_aliases = True
        return made


#: Stands in for a value that is not complete yet.
_UNFINISHED = object()


def read(text: bytes | str, loader: type[Loader] = Loader) -> YamlDocument:
    """Read a YAML text of one document. Raises :class:`YamlError`."""
    try:
        if isinstance(text, bytes):
            text.decode()
    except UnicodeDecodeError as exc:
        raise YamlError(
            "not UTF-8",
            exc.object.count(b"\n", 0, exc.start) + 1,
            "store bytes that are not text as !!binary",
        ) from None
    try:
        # libyaml takes bytes as they are, and of a text a copy.
        return loader(text).document()
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        problem = exc.problem or exc.context
        raise YamlError(f"not valid YAML: {problem}", mark.line + 1 if mark else None) from None
    except yaml.reader.ReaderError as exc:
        data = text if isinstance(text, bytes) else text.encode()
        line = data.count(b"\n", 0, exc.position) + 1
        problem = str(exc).partition("\n")[0]
        raise YamlError(
            f"not valid YAML: {problem}", line, "quote the text and escape it"
        ) from None
    except RecursionError:
        raise YamlError(_TOO_DEEP[0], hint=_TOO_DEEP[1]) from None


def line_of(text: bytes | str, path: Sequence[str | int]) -> int:
    """Return the 1-based line of the value at ``path`` in a text that was already read.

    Composes the text again, for errors that are found long after the file was read. A text that
    is JSON, but no YAML, has its errors on line 1.
    """
    try:
        root = Loader(text).get_single_node()
    except yaml.YAMLError:
        return 1
    return YamlDocument(None, root).line_of(path)


def _find_plain_tag(value: str) -> str:
    for tag, pattern in Loader.yaml_implicit_resolvers[value[:1]]:
        if pattern.match(value):
            return str(tag)
    return _STR


_plain_tag = lru_cache(maxsize=4096)(_find_plain_tag)


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _child(node: Node | None, step: Hashable) -> tuple[int, Node] | None:
    """Return the line and the node of a value in a mapping or a list."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                # The key's own line, not the value's: that is where an editor should jump.
                return _line(key), value
    elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return _line(node.value[step]), node.value[step]
    return None


def _check_aliases(root: Node) -> None:
    """Raise :class:`YamlError` where aliases make a value larger than the limit allows."""
    sizes: dict[Node, int] = {}
    own = 0

    def measure(node: Node) -> int:
        nonlocal own
        known = sizes.get(node)
        if known is not None:
            return known
        if isinstance(node, ScalarNode):
            size = 1 + len(node.value)
            own += size
        else:
            own += 1
            size = 1
            for item in node.value:
                size += sum(map(measure, item)) if isinstance(item, tuple) else measure(item)
        if size - own > ALIAS_LIMIT:
            raise YamlError(
                f"aliases add more than {ALIAS_LIMIT:,} characters to the file",
                _line(node),
                "write the values out, or nest fewer aliases",
            )
        sizes[node] = size
        return size

    measure(root)
