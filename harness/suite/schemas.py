"""The JSON Schemas as validators, each made once."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from harness.suite import bundled


@cache
def schema(name: str) -> dict[str, Any]:
    """Return the schema ``specs/schemas/<name>.schema.json`` as data."""
    data: dict[str, Any] = json.loads(
        (bundled.schemas() / f"{name}.schema.json").read_text(encoding="utf-8")
    )
    return data


@cache
def validator(name: str) -> Draft202012Validator:
    """Return a validator for a whole schema."""
    return Draft202012Validator(schema(name))


@cache
def definition(name: str, definition: str) -> Draft202012Validator | None:
    """Return a validator for one of a schema's ``$defs``, or ``None`` if it has no such one.

    To check an event by the schema of its own type is faster than a wide ``oneOf``, and the
    error says what is wrong with it, not why it is none of the others.
    """
    whole = schema(name)
    if definition not in whole["$defs"]:
        return None
    return Draft202012Validator({"$ref": f"#/$defs/{definition}", "$defs": whole["$defs"]})
