"""Schemas in one form: JSON Schema, draft 2020-12. Pure.

Providers take older drafts and the form of OpenAPI too: types in upper case, ``nullable``, limits
that a boolean makes exclusive, a list of ``items``, ``dependencies``. Sources:
https://json-schema.org/draft/2020-12/release-notes, https://ai.google.dev/api/caching#Schema.
"""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.backend.schemas.unmet import UnmetSchemaError
from mockserver.vocabulary.model import Json, JsonObject

#: How deep and how large a schema may be; those of real tools have some hundred parts.
_DEPTH, _SIZE = 64, 5_000
_NAMED = frozenset(
    {"properties", "patternProperties", "$defs", "definitions", "defs", "dependentSchemas"}
)
_LISTED = frozenset({"anyOf", "allOf", "oneOf", "prefixItems"})
_SINGLE = frozenset(
    {"items", "additionalProperties", "propertyNames", "contains", "not", "if", "then", "else"}
    | {"unevaluatedProperties", "unevaluatedItems"}
)
_LIMITS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}


def plain(schema: Json) -> Json:
    """Return the schema as draft 2020-12 says it.

    Raises :class:`UnmetSchemaError` for one that is too large or too deep.
    """
    return _Plain().schema(schema, 0)


def inner(schema: JsonObject) -> Iterator[Json]:
    """Yield the schemas directly inside a plain one."""
    for name, value in schema.items():
        if name in _NAMED and isinstance(value, dict):
            yield from value.values()
        elif name in _LISTED and isinstance(value, list):
            yield from value
        elif name in _SINGLE:
            yield value


class _Plain:
    def __init__(self) -> None:
        self._left = _SIZE

    def schema(self, schema: Json, depth: int) -> Json:
        self._left -= 1
        if depth > _DEPTH or self._left < 0:
            raise UnmetSchemaError("$schema", "it is too deep or too large")
        if not isinstance(schema, dict):
            return schema
        found: JsonObject = {}
        for name, value in schema.items():
            if name in _NAMED and isinstance(value, dict):
                found[name] = {n: self.schema(v, depth + 1) for n, v in value.items()}
            elif (name in _LISTED or name == "items") and isinstance(value, list):
                found[name] = [self.schema(item, depth + 1) for item in value]
            elif name in _SINGLE:
                found[name] = self.schema(value, depth + 1)
            else:
                found[name] = value
        return _without_old_words(found)


def _without_old_words(schema: JsonObject) -> JsonObject:
    kind = schema.get("type")
    if isinstance(kind, str):
        schema["type"] = kind = kind.lower()
    elif isinstance(kind, list):
        schema["type"] = kind = [k.lower() if isinstance(k, str) else k for k in kind]
    if schema.pop("nullable", None) is True:
        schema = _nullable(schema)
    for exclusive, limit in _LIMITS.items():
        strict = schema.get(exclusive)
        if isinstance(strict, bool):
            del schema[exclusive]
            if strict and limit in schema:
                schema[exclusive] = schema.pop(limit)
    if isinstance(schema.get("items"), list):
        schema["prefixItems"] = schema.pop("items")
        if "additionalItems" in schema:
            schema["items"] = schema.pop("additionalItems")
    needed = schema.pop("dependencies", None)
    for name, value in needed.items() if isinstance(needed, dict) else ():
        word = "dependentRequired" if isinstance(value, list) else "dependentSchemas"
        schema[word] = {**schema.get(word, {}), name: value}
    # Google's API sends the numbers of limits as text.
    for name in (
        "minItems",
        "maxItems",
        "minLength",
        "maxLength",
        "minProperties",
        "maxProperties",
    ):
        value = schema.get(name)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
            schema[name] = int(value)
    return schema


def _nullable(schema: JsonObject) -> JsonObject:
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    return schema
