"""Put two values side by side: what is equal on one line, what differs marked."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile, zip_longest
from typing import Any

from harness.judge.visible import as_json

#: Equal lines that are shown before and after a difference.
CONTEXT = 2
#: A side without a value.
NOTHING = "(nothing)"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of each side. ``skipped`` counts equal lines that are left out in its place."""

    left: str = ""
    right: str = ""
    differs: bool = False
    skipped: int = 0


def aligned(expected: Any, observed: Any) -> Iterator[Row]:
    """Yield two values in aligned lines; long stretches of equal ones are left out."""
    left, right = listed(expected), listed(observed)
    opcodes = difflib.SequenceMatcher(a=left, b=right, autojunk=False).get_opcodes()
    for tag, a, b, c, d in opcodes:
        if tag != "equal":
            yield from _pairs(left[a:b], right[c:d], differs=True)
            continue
        head = CONTEXT if a else 0
        tail = CONTEXT if b < len(left) or d < len(right) else 0
        if b - a <= head + tail + 1:
            yield from _pairs(left[a:b], right[c:d])
            continue
        yield from _pairs(left[a : a + head], right[c : c + head])
        yield Row(skipped=b - a - head - tail)
        yield from _pairs(left[b - tail : b], right[d - tail : d])


def _pairs(left: Sequence[str], right: Sequence[str], *, differs: bool = False) -> Iterator[Row]:
    for one, other in zip_longest(left, right, fillvalue=""):
        yield Row(one, other, differs)


def listed(value: Any) -> list[str]:
    """Return the lines of a value: one for each item or field."""
    match value:
        case None:
            return []
        case list():
            return [one_line(item) for item in value]
        case dict():
            return [f"{k}={as_json(v)}" for k, v in value.items()]
    return [one_line(value)]


def one_line(value: Any) -> str:
    """Return a value in one line; an event as its type and its fields."""
    match value:
        case None:
            return NOTHING
        case {"type": str() as kind, **fields}:
            inner = fields.get(kind)
            # The usage of a usage event, the error of an error event.
            named = inner if len(fields) == 1 and isinstance(inner, dict) else fields
            return " ".join([kind, *(f"{k}={as_json(v)}" for k, v in named.items())])
    return as_json(value)


def around(expected: str, observed: str, room: int) -> tuple[str, str]:
    """Clip two texts to ``room`` characters, so that the first difference can be seen."""
    pairs = zip(expected, observed, strict=False)
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
    lead = room // 3
    if same + lead > room:
        expected, observed = (f"…{text[same - lead :]}" for text in (expected, observed))
    return _clip(expected, room), _clip(observed, room)


def _clip(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"
