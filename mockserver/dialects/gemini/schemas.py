"""Turns the schemas of Gemini's older API, a part of OpenAPI, into JSON Schema. Pure.

Types are in upper case there, and ``nullable`` is a field of its own. Source: ``Schema`` of
https://ai.google.dev/api/caching#Schema.
"""

from __future__ import annotations

from mockserver.vocabulary.model import Json, JsonObject

#: Fields that hold schemas by name, one schema, or several.
_NAMED = frozenset({"properties", "defs", "$defs"})
_NESTED = frozenset({"items", "additionalProperties"})
_LISTED = frozenset({"anyOf", "prefixItems"})


def json_schema(schema: Json, *, depth: int = 32) -> Json:
    """Return a schema in the words of JSON Schema; one that is in them already is the same."""
    if not isinstance(schema, dict) or not depth:
        return schema
    found: JsonObject = {}
    for name, value in schema.items():
        match value:
            case str() if name == "type":
                found[name] = value.lower()
            case dict() if name in _NAMED:
                found[name] = {n: json_schema(v, depth=depth - 1) for n, v in value.items()}
            case dict() if name in _NESTED:
                found[name] = json_schema(value, depth=depth - 1)
            case list() if name in _LISTED:
                found[name] = [json_schema(item, depth=depth - 1) for item in value]
            case _ if name not in ("nullable", "propertyOrdering", "property_ordering"):
                found[name] = value
    if schema.get("nullable") is True and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    return found
