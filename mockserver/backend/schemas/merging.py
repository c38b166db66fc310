"""Two schemas as one that says both. Pure.

Where the words of one schema cannot say both, those of the second are kept: a value that is made
for the result is checked against the schemas themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mockserver.vocabulary.model import Json

#: Words that an object of schemas by name belongs to.
_NAMED = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"})
_NESTED = frozenset({"items", "additionalProperties", "propertyNames", "contains"})
_LARGER = frozenset(
    {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"}
)
_SMALLER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
#: Words that several schemas can be listed below, each of which counts.
_BRANCHES = frozenset({"anyOf", "oneOf", "if"})
#: Words that belong to the ``if`` beside them.
_CONDITION = ("if", "then", "else")


def merged(one: Json, other: Json) -> Json:
    """Return a schema that says what both say, as far as one schema can."""
    if not isinstance(one, dict):
        return other if one is not False else False
    if not isinstance(other, dict):
        return one if other is not False else False
    found = dict(one)
    further: list[Json] = []
    for name, value in other.items():
        if name not in found or found[name] == value:
            found[name] = value
        elif name in _BRANCHES:
            further.append(
                {n: other[n] for n in _CONDITION if n in other} if name == "if" else {name: value}
            )
        elif name not in _CONDITION:
            found[name] = _joined(name, found[name], value)
    if further:
        found["allOf"] = [*_list(found.get("allOf")), *further]
    return found


def _joined(name: str, one: Json, other: Json) -> Json:
    if name in _NAMED and isinstance(one, dict) and isinstance(other, dict):
        return one | {n: merged(one[n], v) if n in one else v for n, v in other.items()}
    if name in _NESTED:
        return merged(one, other)
    join = _JOINS.get(name)
    if join is not None:
        return join(one, other)
    if name in _LARGER | _SMALLER and _is_number(one) and _is_number(other):
        return max(one, other) if name in _LARGER else min(one, other)
    return other


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _union(one: Json, other: Json) -> Json:
    return list(dict.fromkeys([*_list(one), *_list(other)]))


def _both(one: Json, other: Json) -> Json:
    return [*_list(one), *_list(other)]


def _common(one: Json, other: Json) -> Json:
    """Return what is in both lists; an integer is a number."""
    kept = [
        value
        for value in _list(one)
        if value in _list(other) or (value == "integer" and "number" in _list(other))
    ]
    if "number" in _list(one) and "integer" in _list(other) and "integer" not in kept:
        kept.append("integer")
    return kept


def _lists(one: Json, other: Json) -> Json:
    """Join the schemas of the same place."""
    one, other = _list(one), _list(other)
    pairs = [merged(a, b) for a, b in zip(one, other, strict=False)]
    return [*pairs, *one[len(pairs) :], *other[len(pairs) :]]


_JOINS: Mapping[str, Callable[[Json, Json], Json]] = {
    "required": _union,
    "allOf": _both,
    "enum": _common,
    "type": _common,
    "prefixItems": _lists,
    "not": lambda one, other: {"anyOf": [one, other]},
    "dependentRequired": lambda one, other: {**one, **other},
}
