from __future__ import annotations

import re
from typing import Any

import pytest

from mockserver.backend.schemas.instance import instance
from mockserver.backend.schemas.unmet import UnmetSchemaError

MARK = "wren-1"
NODE = {
    "type": "object",
    "properties": {
        "value": {"type": "integer"},
        "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
    },
    "required": ["value", "next"],
    "additionalProperties": False,
}
ADD = {
    "type": "object",
    "properties": {"left": {"$ref": "#/$defs/Term"}, "right": {"$ref": "#/$defs/Term"}},
    "required": ["left", "right"],
}
LITERAL = {"type": "object", "properties": {"n": {"const": 1}}, "required": ["n"]}


def obj(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (obj(city={"type": "string"}), {"city": MARK}),
        # What pydantic, zod and OpenAI's strict mode write.
        (
            {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "title": "Args",
                **obj(
                    unit={"enum": ["C", "F"], "title": "Unit", "type": "string"},
                    days={"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
                    tags={"type": ["array", "null"], "items": {"type": "string"}},
                ),
                "additionalProperties": False,
            },
            {"unit": "C", "days": 1, "tags": [MARK]},
        ),
        # What Gemini's older API takes.
        (
            {"type": "OBJECT", "properties": {"a": {"type": "STRING", "nullable": True}}},
            {"a": MARK},
        ),
        ({"type": "ARRAY", "items": {"type": "INTEGER"}, "minItems": "2"}, [1, 1]),
        ({"type": "string", "enum": ["a"], "nullable": True}, "a"),
        # Older drafts.
        ({"type": "integer", "minimum": 5, "exclusiveMinimum": True}, 6),
        ({"items": [{"type": "string"}, {"const": 2}], "additionalItems": False}, [MARK, 2]),
        ({**obj(a=True), "dependencies": {"a": ["b"]}}, {"a": MARK, "b": MARK}),
        ({"$ref": "#/definitions/A", "definitions": {"A": {"type": "boolean"}}}, True),
        # References, in themselves too.
        (
            {"$ref": "#/$defs/Node", "$defs": {"Node": NODE}},
            {"value": 1, "next": {"value": 1, "next": None}},
        ),
        (
            {
                "$ref": "#/$defs/Term",
                "$defs": {
                    "Term": {"anyOf": [{"$ref": "#/$defs/Add"}, {"$ref": "#/$defs/Literal"}]},
                    "Add": ADD,
                    "Literal": LITERAL,
                },
            },
            {"left": {"n": 1}, "right": {"n": 1}},
        ),
        ({"$ref": "#a", "$defs": {"x": {"$anchor": "a", "const": "x"}}}, "x"),
        ({"$ref": "#/$defs/a~1b%20c", "$defs": {"a/b c": {"const": 1}}}, 1),
        # Alternatives and conditions.
        (
            {"allOf": [obj(a={"minLength": 8, "type": "string"}), obj(a={"maxLength": 8})]},
            {"a": "wren-1.."},
        ),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, 1.5),
        ({"oneOf": [obj(kind={"const": "a"}), obj(kind={"const": "b"})]}, {"kind": "a"}),
        ({"anyOf": [False, {"const": 3}]}, 3),
        (
            {
                **obj(kind={"enum": ["x", "y"]}),
                "if": obj(kind={"const": "x"}),
                "then": {"required": ["n"]},
            },
            {"kind": "x", "n": MARK},
        ),
        (
            {
                **obj(kind={"const": "y"}),
                "if": obj(kind={"const": "x"}),
                "else": {"required": ["m"]},
            },
            {"kind": "y", "m": MARK},
        ),
        ({"type": "string", "not": {"const": MARK}}, f"{MARK}-2"),
        # The same choice twice: neither may hide the other.
        ({"anyOf": [{"const": 1}, {"const": 2}], "allOf": [{"anyOf": [{"const": 2}]}]}, 2),
        (
            {
                "allOf": [{"not": {"const": MARK}}, {"not": {"const": f"{MARK}-2"}}],
                "type": "string",
            },
            f"{MARK}-3",
        ),
        (
            {
                "if": {"type": "string"},
                "then": False,
                "allOf": [{"if": {"type": "object"}, "then": False}],
            },
            1,
        ),
        ({"not": {"type": "string"}}, {}),
        # Objects.
        (
            {"type": "object", "minProperties": 2, "additionalProperties": {"const": 1}},
            {"key1": 1, "key2": 1},
        ),
        (
            {
                "patternProperties": {"^x-[a-z]$": {"const": 1}},
                "additionalProperties": False,
                "minProperties": 1,
            },
            {"x-a": 1},
        ),
        (
            {"propertyNames": {"pattern": "^[A-Z]{2}$"}, "minProperties": 1, "type": "object"},
            {"AA": MARK},
        ),
        ({**obj(a=True), "dependentRequired": {"a": ["b"]}}, {"a": MARK, "b": MARK}),
        ({"type": "object", "properties": {"a": True, "b": True}, "maxProperties": 1}, {"a": MARK}),
        (
            {
                "allOf": [obj(a=True)],
                "properties": {"b": {"const": 1}},
                "unevaluatedProperties": False,
            },
            {"b": 1, "a": MARK},
        ),
        # Lists.
        ({"items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 3}, [1, 2, 3]),
        ({"items": {"type": "boolean"}, "uniqueItems": True, "minItems": 2}, [True, False]),
        ({"prefixItems": [{"type": "string"}], "items": False}, [MARK]),
        ({"contains": {"const": 9}, "minContains": 2, "items": {"type": "integer"}}, [9, 9]),
        # Numbers.
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.125),
        ({"type": "integer", "minimum": 10, "maximum": 20, "multipleOf": 7}, 14),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "number", "minimum": 2.5, "maximum": 2.6, "multipleOf": 0.01}, 2.5),
        # What the schema itself prefers.
        ({"type": "integer", "default": 7}, 7),
        ({"type": "string", "enum": ["a", "b"], "default": "b"}, "b"),
        ({"type": "string", "examples": ["Paris"], "default": "Rome"}, "Paris"),
        ({"type": "integer", "default": "seven"}, 1),
        ({"const": None}, None),
        (True, MARK),
    ],
)
def test_a_value_of_a_schema(schema: Any, value: Any) -> None:
    assert instance(schema, MARK) == value


FORMATS = {
    "date-time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "date": r"\d{4}-\d\d-\d\d",
    "time": r"\d\d:\d\d:\d\dZ",
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}",
    "email": r"wren-1@[a-z.]+",
    "uri": r"https://[a-z.]+/wren-1",
    "hostname": r"wren-1\.[a-z.]+",
    "ipv4": r"\d+\.\d+\.\d+\.\d+",
    "ipv6": r"[0-9a-f:]+",
    "duration": r"P\d+D",
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_text_of_a_format(name: str) -> None:
    value = instance({"type": "string", "format": name}, MARK)
    assert re.fullmatch(FORMATS[name], value)


@pytest.mark.parametrize(
    ("schema", "keyword"),
    [
        (False, "false"),
        ({"type": "objekt"}, "type"),
        ({"type": "object", "required": "a"}, "required"),
        ({"properties": [1]}, "properties"),
        ({"type": "integer", "minimum": 5, "maximum": 4}, "maximum"),
        ({"type": "string", "minLength": 3, "maxLength": 2}, "maxLength"),
        (
            {"type": "array", "items": {"enum": [1]}, "uniqueItems": True, "minItems": 2},
            "uniqueItems",
        ),
        ({"type": "array", "minItems": 10**9}, "minItems"),
        ({"type": "string", "minLength": 10**9}, "minLength"),
        ({"type": "object", "minProperties": 10**9}, "minProperties"),
        ({"type": "string", "pattern": "("}, "pattern"),
        ({"type": "string", "pattern": "(((a{999}){999}){999}){999}"}, "pattern"),
        ({"const": "a" * 40 + "!", "pattern": "^(a+)+$"}, "pattern"),
        ({"patternProperties": {"^(a+)+$": True}}, "patternProperties"),
        ({"$ref": "#"}, "$ref"),
        ({"$ref": "#/$defs/none"}, "$ref"),
        ({"$ref": "http://127.0.0.1:9/schema"}, "$ref"),
        ({"$ref": "#/$defs/A", "$defs": {"A": obj(a={"$ref": "#/$defs/A"})}}, "$ref"),
        ({"const": float("nan")}, "$schema"),
        ({"not": {}}, "not"),
        ({"enum": [1], "type": "string"}, "type"),
        (5, "$schema"),
    ],
)
def test_what_cannot_be_met_names_the_keyword(schema: Any, keyword: str) -> None:
    with pytest.raises(UnmetSchemaError) as caught:
        instance(schema, MARK)
    assert caught.value.keyword == keyword
    assert keyword in str(caught.value)


def nested(depth: int, **fields: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema, **fields}
    return schema


def doubling(word: str, end: Any) -> dict[str, Any]:
    """Return a schema of thirty steps, each of which refers to the next one twice."""
    steps: dict[str, Any] = {
        f"d{n}": {word: [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]}
        for n in range(30)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**steps, "d30": end}}


@pytest.mark.parametrize(
    "schema",
    [
        nested(5000),
        nested(6, minItems=30),
        doubling("allOf", {"type": "integer"}),
        doubling("anyOf", False),
        {"allOf": [{"type": "string"}] * 30_000},
    ],
    ids=["deep", "many values", "many checks", "many ways", "large"],
)
def test_a_schema_that_would_take_for_ever_is_refused(schema: Any) -> None:
    with pytest.raises(UnmetSchemaError):
        instance(schema, MARK)


@pytest.mark.parametrize(
    "schema",
    [
        {"not": {"$ref": "#"}},
        {"if": {"$ref": "#"}, "then": {"$ref": "#"}},
        obj(a={"not": {"$ref": "#/properties/a"}}),
    ],
    ids=["not", "if", "inside"],
)
def test_a_schema_that_is_checked_for_ever_is_refused_at_any_depth_of_the_stack(
    schema: Any,
) -> None:
    def deeper(frames: int) -> None:
        if frames:
            deeper(frames - 1)
            return
        with pytest.raises(UnmetSchemaError, match="too deep"):
            instance(schema, MARK)

    # Where Python's own limit is met, depends on the stack; in code of Rust that is a panic.
    for frames in range(40):
        deeper(frames)
