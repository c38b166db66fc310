"""Where in a YAML text a value stands, for errors that name the line."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

Path = Sequence[str | int]


class DuplicateKeyError(ValueError):
    """A mapping names the same key twice; YAML would silently keep the last."""

    def __init__(self, key: str, line: int) -> None:
        super().__init__(f"key {key!r} stands twice")
        self.line = line


def line_of(text: str | bytes, path: Path) -> int:
    """Return the 1-based line of the value at ``path``, or of its nearest ancestor.

    Composes the whole text again, so it is meant for the moment an error is reported.
    """
    node = yaml.compose(text, Loader=yaml.CSafeLoader)
    if node is None:
        return 1
    line: int = node.start_mark.line + 1
    for step in path:
        node = _child(node, step)
        if node is None:
            break
        line = node.start_mark.line + 1
    return line


def reject_duplicate_keys(text: str | bytes) -> None:
    """Raise :class:`DuplicateKeyError` if any mapping in ``text`` names a key twice."""
    stack = [yaml.compose(text, Loader=yaml.CSafeLoader)]
    while stack:
        node = stack.pop()
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if key.value in seen:
                    raise DuplicateKeyError(key.value, key.start_mark.line + 1)
                seen.add(key.value)
                stack.append(value)
        elif isinstance(node, yaml.SequenceNode):
            stack.extend(node.value)


def _child(node: yaml.Node, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                # The key's own line, not the value's: that is where an editor should jump.
                value.start_mark = key.start_mark
                return value  # type: ignore[no-any-return]
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step]  # type: ignore[no-any-return]
    return None
