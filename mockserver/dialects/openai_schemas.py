"""What OpenAI demands of a JSON Schema that answers shall keep to strictly. Pure.

Source: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas and the errors
quoted in the issues named below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mockserver.dialects.objection import Objection
from mockserver.dialects.openai_objections import bad_name, invalid_type, missing, wrong
from mockserver.vocabulary.model import Json, JsonObject

_SOURCE = "vercel/ai/issues/6484"
_NAME = re.compile("[a-zA-Z0-9_-]+")
#: The code of a function whose schema is refused.
BAD_PARAMETERS = "invalid_function_parameters"
#: How many levels are looked at: the API allows ten.
_DEEPEST = 32


def of_function(
    function: JsonObject, param: str, longest: int | None = None
) -> Iterator[Objection]:
    """Yield what is wrong with a function that is offered; ``longest`` is for its name."""
    name, schema = function.get("name"), function.get("parameters")
    if name is None:
        yield missing(f"{param}.name")
        return
    if not isinstance(name, str):
        yield invalid_type(f"{param}.name", "a string", name)
        return
    if not _NAME.fullmatch(name):
        yield bad_name(f"{param}.name")
    elif longest is not None and len(name) > longest:
        yield bad_name(f"{param}.name", len(name))
    if schema is not None and not isinstance(schema, dict):
        yield invalid_type(f"{param}.parameters", "an object", schema)
        return
    check = strict if function.get("strict") is True and schema is not None else no_object
    yield from check(schema, f"function '{name}'", f"{param}.parameters", BAD_PARAMETERS)


def strict(schema: Json, named: str, param: str, code: str | None) -> Iterator[Objection]:
    """Yield the first rule that a schema breaks. ``named`` is like ``function 'look_up'``."""
    for problem in _problems(schema, (), root=True):
        message = f"Invalid schema for {named}: {problem}"
        yield wrong("schema", message, _SOURCE, param=param, code=code)
        return


def no_object(schema: Json, named: str, param: str, code: str | None) -> Iterator[Objection]:
    """Yield what is said to the parameters of a function that are no object."""
    if isinstance(schema, dict) and "type" in schema and schema["type"] != "object":
        problem = _no_object(schema["type"])
        message = f"Invalid schema for {named}: {problem}"
        yield wrong("schema", message, _SOURCE, param=param, code=code)


def _no_object(kind: Json) -> str:
    return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."


def _problems(schema: Json, at: tuple[str, ...], *, root: bool = False) -> Iterator[str]:
    if not isinstance(schema, dict) or len(at) > _DEEPEST:
        return
    if root and schema.get("type") != "object" and "$ref" not in schema:
        yield _no_object(schema.get("type"))
    if schema.get("type") == "object" or "properties" in schema:
        yield from _of_object(schema, at)
    items = schema.get("items")
    yield from _problems(items, (*at, "items"))
    for word in ("anyOf", "$defs", "definitions"):
        some = schema.get(word)
        named = some.items() if isinstance(some, dict) else enumerate(_list(some))
        for name, one in named:
            yield from _problems(one, (*at, word, str(name)))


def _of_object(schema: JsonObject, at: tuple[str, ...]) -> Iterator[str]:
    where = f"In context={at!r}"
    if schema.get("additionalProperties") is not False:
        yield f"{where}, 'additionalProperties' is required to be supplied and to be false."
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return
    required = _list(schema.get("required"))
    for name in properties:
        if name not in required:
            yield (
                f"{where}, 'required' is required to be supplied and to be an array including "
                f"every key in properties. Missing '{name}'."
            )
    for name, one in properties.items():
        yield from _problems(one, (*at, "properties", name))


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
