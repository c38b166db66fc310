"""Builds arguments from values at JSON paths, such as ``$.rooms[0].name``. Pure.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling, streaming
of arguments; ``PartialArg`` of google-genai 3.6.1. A text whose piece will continue grows by the
next piece of the same path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mockserver.vocabulary import Json, JsonObject

_STEP = re.compile(
    r"""\.(?P<name>[^.\[\]]+) | \[(?P<number>[0-9]{1,6})\]
    | \[(?P<quote>['"])(?P<quoted>(?:(?!(?P=quote)).)*)(?P=quote)\]""",
    re.X | re.S,
)
_DEEPEST = 64
_VALUES = ("stringValue", "numberValue", "boolValue")


class PathError(ValueError):
    """A path that leads nowhere. The message says which."""


class Paths:
    """The arguments of one call, by their paths."""

    def __init__(self) -> None:
        self.arguments: JsonObject = {}
        self._growing: set[str] = set()

    def add(self, piece: Mapping[str, Json]) -> None:
        """Take one piece. Raises :class:`PathError`."""
        path = piece.get("jsonPath")
        if not isinstance(path, str):
            raise PathError("a partial argument has no jsonPath")
        value = next((piece[name] for name in _VALUES if piece.get(name) is not None), None)
        if value is None and "nullValue" not in piece:
            value = "" if piece.get("willContinue") is True else _NOTHING
        steps = list(_steps(path))
        if value is not _NOTHING:
            self._put(path, steps, value)
        self._growing.discard(path)
        if piece.get("willContinue") is True:
            self._growing.add(path)

    def _put(self, path: str, steps: list[str | int], value: Json) -> None:
        target: Json = self.arguments
        for step, following in zip(steps, [*steps[1:], None], strict=True):
            old = _at(target, step, path)
            if following is not None:
                new: Json = old if old is not _NOTHING else ([] if _is_number(following) else {})
            elif path in self._growing and isinstance(old, str) and isinstance(value, str):
                new = old + value
            else:
                new = value
            if isinstance(target, list) and step == len(target):
                target.append(new)
            else:
                target[step] = new
            target = new


_NOTHING = object()


def _steps(path: str) -> Iterator[str | int]:
    at, count = 1, 0
    while at < len(path):
        match = _STEP.match(path, at)
        count += 1
        if match is None or count > _DEEPEST:
            break
        at = match.end()
        if match["number"] is not None:
            yield int(match["number"])
        else:
            yield match["name"] if match["name"] is not None else match["quoted"]
    if not path.startswith("$") or at < len(path) or not count:
        raise PathError(f"a partial argument has the path {path[:80]!r}")


def _at(target: Json, step: str | int, path: str) -> Json:
    """Return what is at a step; nothing if it is the next new one."""
    if isinstance(target, dict) and isinstance(step, str):
        return target.get(step, _NOTHING)
    if isinstance(target, list) and isinstance(step, int) and step <= len(target):
        return target[step] if step < len(target) else _NOTHING
    raise PathError(f"a partial argument has the path {path[:80]!r}, which leads nowhere")


def _is_number(step: str | int) -> bool:
    return isinstance(step, int)
