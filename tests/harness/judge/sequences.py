"""Ways to damage a sequence of native events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]


def at(events: list[Json], kind: str, nth: int = 0) -> int:
    return [n for n, e in enumerate(events) if e["type"] == f"response.{kind}"][nth]


def renumbered(events: list[Json]) -> list[Json]:
    return [{**event, "sequence_number": n} for n, event in enumerate(events)]


def without(kind: str, nth: int = 0) -> Callable[[list[Json]], list[Json]]:
    def drop(events: list[Json]) -> list[Json]:
        place = at(events, kind, nth)
        return renumbered(events[:place] + events[place + 1 :])

    return drop


def twice(kind: str, nth: int = 0) -> Callable[[list[Json]], list[Json]]:
    def repeat(events: list[Json]) -> list[Json]:
        place = at(events, kind, nth)
        return renumbered([*events[: place + 1], *events[place:]])

    return repeat


def changed(kind: str, nth: int = 0, **fields: Any) -> Callable[[list[Json]], list[Json]]:
    def change(events: list[Json]) -> list[Json]:
        place = at(events, kind, nth)
        events[place] = merged(events[place], fields)
        return events

    return change


def merged(value: Json, fields: Json) -> Json:
    out = dict(value)
    for key, field in fields.items():
        out[key] = merged(out[key], field) if isinstance(field, dict) else field
    return out
