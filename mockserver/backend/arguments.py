"""A value that a JSON schema allows. Pure.

The value is checked against the schema before it is used: what cannot be met is an error.
"""

from __future__ import annotations

import jsonschema

from mockserver.vocabulary.model import Json, JsonObject


class UnmetSchemaError(ValueError):
    """No value was found that a schema allows. ``keyword`` is the word that stands in the way."""

    def __init__(self, keyword: str, message: str) -> None:
        self.keyword = keyword
        super().__init__(message)


def instance(schema: JsonObject, text: str) -> Json:
    """Return a value that the schema allows; texts that may be anything are ``text``.

    Raises :class:`UnmetSchemaError`.
    """
    value = _value(schema, text)
    validator = jsonschema.Draft202012Validator(schema)
    for error in validator.iter_errors(value):
        raise UnmetSchemaError(
            str(error.validator), f"no value found for {error.json_path}: {error.message}"
        )
    return value


def _value(schema: Json, text: str) -> Json:
    if not isinstance(schema, dict):
        return text
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type")
    match kind[0] if isinstance(kind, list) and kind else kind:
        case "object":
            properties = schema.get("properties", {})
            return {name: _value(inner, text) for name, inner in properties.items()}
        case "array":
            return [_value(schema.get("items", {}), text)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "null":
            return None
    return text if kind else {}
