"""Which properties an object has, and by which schemas. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass

from mockserver.backend.schemas import patterns
from mockserver.backend.schemas.merging import merged
from mockserver.backend.schemas.unmet import UnmetSchemaError
from mockserver.vocabulary.model import Json, JsonObject

#: The most properties that are added to those which have a name.
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Plan:
    """The schemas of the properties by name, and the names of those that must be there."""

    schemas: Mapping[str, Json]
    required: frozenset[str]


def plans(schema: JsonObject, names: Iterator[str], *, plenty: bool) -> Iterator[Plan]:
    """Yield plans: with all properties if there may be ``plenty``, and with the required ones.

    ``names`` are for properties that have none. Raises :class:`UnmetSchemaError`.
    """
    properties: JsonObject = schema.get("properties", {})
    least, most = schema.get("minProperties", 0), schema.get("maxProperties", _MOST)
    if least > _MOST:
        raise UnmetSchemaError("minProperties", f"objects have at most {_MOST} properties here")
    required = _needed(schema.get("required", ()), schema)
    if len(required) > most:
        raise UnmetSchemaError("maxProperties", f"{len(required)} properties are required")
    must = frozenset(required)
    optional = [n for n, s in properties.items() if n not in must and s is not False]
    ways = [required]
    if plenty and optional:
        every = _needed([*required, *optional[: max(int(most) - len(required), 0)]], schema)
        ways.insert(0, every if len(every) <= most else required)
    further = _Further(schema, names)
    for way in dict.fromkeys(map(tuple, ways)):
        chosen = dict.fromkeys(way)
        spare = iter([n for n in optional if n not in chosen])
        while len(chosen) < least:
            chosen[next(spare, None) or further.name(chosen)] = None
        ordered = [n for n in properties if n in chosen]
        ordered += [n for n in chosen if n not in properties]
        yield Plan({n: _schema_of(n, schema) for n in ordered}, must)


def _needed(names: Iterable[str], schema: JsonObject) -> list[str]:
    """Return the names with those that they need beside them."""
    needs: JsonObject = schema.get("dependentRequired", {})
    found: dict[str, None] = {}
    left = list(reversed(list(names)))
    while left:
        name = left.pop()
        if name not in found:
            found[name] = None
            left += reversed(needs.get(name, ()))
    return list(found)


class _Further:
    def __init__(self, schema: JsonObject, names: Iterator[str]) -> None:
        self._patterns = list(schema.get("patternProperties", {}))
        self._names = names if schema.get("additionalProperties") is not False else iter(())

    def name(self, chosen: Container[str]) -> str:
        """Return a name that is not among the chosen ones."""
        for pattern in self._patterns:
            for name in patterns.texts(pattern):
                if name not in chosen and patterns.matches(pattern, name):
                    return name
        found = next((name for name in self._names if name not in chosen), None)
        if found is None:
            raise UnmetSchemaError("minProperties", "there are not enough names")
        return found


def _schema_of(name: str, schema: JsonObject) -> Json:
    """Return what is said of a property."""
    properties: JsonObject = schema.get("properties", {})
    by_pattern: JsonObject = schema.get("patternProperties", {})
    said = [properties[name]] if name in properties else []
    said += [s for pattern, s in by_pattern.items() if patterns.matches(pattern, name)]
    if not said:
        said = [schema.get("additionalProperties", True)]
    found: Json = True
    for part in said:
        found = merged(found, part)
    return found
