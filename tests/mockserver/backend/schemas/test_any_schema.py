"""For any schema: a value that it allows, or a refusal."""

from __future__ import annotations

from typing import Any

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from mockserver.backend.schemas.instance import instance
from mockserver.backend.schemas.unmet import UnmetSchemaError

NAMES = st.sampled_from(["a", "b", "c", "x-y"])
SMALL = st.integers(0, 4)
VALUES = st.one_of(st.none(), st.booleans(), st.integers(-3, 9), st.sampled_from(["", "a", "x-1"]))
PATTERNS = st.sampled_from(
    ["^a+$", "[0-9]{2,3}", "^(x|y)-\\d+$", "^[^a-c]{3}$", "^(?!a)[a-z]+$", "^(ab)*c?$", "\\bw"]
)
FORMATS = st.sampled_from(["date", "email", "uuid", "ipv4", "date-time", "uri", "unknown"])
NUMBERS = st.one_of(st.integers(-9, 9), st.sampled_from([0.5, -0.25, 2.75]))


def some(**words: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=words)


def extended(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    named = st.dictionaries(NAMES, inner, max_size=3)
    objects = some(
        type=st.just("object"),
        properties=named,
        required=st.lists(NAMES, unique=True, max_size=3),
        additionalProperties=inner,
        patternProperties=st.dictionaries(PATTERNS, inner, max_size=1),
        minProperties=SMALL,
        maxProperties=SMALL,
        propertyNames=some(pattern=PATTERNS, maxLength=SMALL),
        dependentRequired=st.dictionaries(NAMES, st.lists(NAMES, unique=True), max_size=2),
    )
    lists = some(
        type=st.just("array"),
        items=inner,
        prefixItems=several,
        minItems=SMALL,
        maxItems=SMALL,
        uniqueItems=st.booleans(),
        contains=inner,
        minContains=SMALL,
        maxContains=SMALL,
    )
    ways = some(anyOf=several, oneOf=several, allOf=several, **{"not": inner})
    conditions = some(**{"if": inner, "then": inner, "else": inner})
    kinds = st.one_of(objects, lists, ways, conditions)
    return st.one_of(kinds, st.builds(lambda one, other: one | other, kinds, kinds))


SCALARS = st.one_of(
    st.booleans(),
    some(
        type=st.sampled_from(["string", ["string", "null"]]),
        minLength=SMALL,
        maxLength=SMALL,
        pattern=PATTERNS,
        format=FORMATS,
    ),
    some(
        type=st.sampled_from(["integer", "number"]),
        minimum=NUMBERS,
        maximum=NUMBERS,
        exclusiveMinimum=NUMBERS,
        exclusiveMaximum=NUMBERS,
        multipleOf=st.sampled_from([1, 2, 3, 0.5]),
    ),
    some(enum=st.lists(VALUES, min_size=1, max_size=3), default=VALUES),
    some(const=VALUES),
    st.just({"$ref": "#/$defs/A"}),
)
SCHEMAS = st.recursive(SCALARS, extended, max_leaves=8)


@given(
    st.one_of(SCHEMAS, st.builds(lambda s, a: {"allOf": [s], "$defs": {"A": a}}, SCHEMAS, SCHEMAS))
)
def test_a_value_is_allowed_or_refused(schema: Any) -> None:
    try:
        value = instance(schema, "wren-1")
    except UnmetSchemaError:
        return
    jsonschema.Draft202012Validator(schema).validate(value)


WORDS = st.sampled_from(
    [
        "type",
        "properties",
        "items",
        "$ref",
        "enum",
        "anyOf",
        "allOf",
        "required",
        "pattern",
        "minimum",
        "minItems",
        "if",
        "not",
        "const",
        "default",
        "examples",
        "format",
        "$defs",
        "nullable",
        "dependencies",
        "exclusiveMinimum",
        "additionalItems",
        "prefixItems",
    ]
)
JSON = st.recursive(
    st.one_of(VALUES, st.floats()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=12,
)


@given(JSON)
def test_whatever_a_client_sends_is_met_or_refused(schema: Any) -> None:
    try:
        instance(schema, "wren-1")
    except UnmetSchemaError:
        return
