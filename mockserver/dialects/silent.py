"""Values in a request that say no more than the absence of their field.

``"stream": false`` is the same as no ``stream`` where a provider's default is not to stream. Each
dialect says which values these are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.vocabulary.model import Json

_ANY = "*"


class Silent:
    """The values of one dialect, by the place of their field: ``messages.*.refusal``."""

    def __init__(self, values: Mapping[str, tuple[Json, ...]]) -> None:
        found: dict[tuple[str, ...], dict[str, frozenset[str]]] = {}
        for place, some in values.items():
            *above, name = place.split(".")
            found.setdefault(tuple(above), {})[name] = frozenset(map(json.dumps, some))
        self._found = found

    def __bool__(self) -> bool:
        return bool(self._found)

    def leave_out(self, body: Any) -> None:
        """Remove such values from a body."""
        for above, names in self._found.items():
            for data in _below(body, above):
                # Only such short values are silent. 0 is no False, so their JSON is compared.
                for name in [n for n, v in data.items() if (not v or v is True) and n in names]:
                    if json.dumps(data[name]) in names[name]:
                        del data[name]


def _below(data: Any, steps: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Yield the objects to which the steps lead."""
    if not steps:
        if isinstance(data, dict):
            yield data
        return
    first, rest = steps[0], steps[1:]
    if first == _ANY and isinstance(data, list):
        for item in data:
            yield from _below(item, rest)
    elif isinstance(data, dict) and first in data:
        yield from _below(data[first], rest)
