"""What Go's ``encoding/json`` says of a text that is no JSON, as servers written in Go do. Pure.

Source: https://go.dev/src/encoding/json/scanner.go.
"""

from __future__ import annotations

import json

from mockserver.vocabulary.model import Json

_PLACES = {
    "Expecting value": "looking for beginning of value",
    "Expecting property name enclosed in double quotes": "looking for beginning of object key "
    "string",
    "Expecting ':' delimiter": "after object key",
    "Expecting ',' delimiter": "after object key:value pair",
    "Extra data": "after top-level value",
}


def mistake(body: bytes, end: str = "unexpected EOF") -> str:
    """Say where a body ends to be JSON; ``end`` is what is said of one that is cut off."""
    text = body.decode("utf-8", "replace")
    try:
        json.loads(text)
    except json.JSONDecodeError as exc:
        if exc.pos >= len(text.rstrip()):
            return end
        place = _PLACES.get(exc.msg, "looking for beginning of value")
        return f"invalid character {_quoted(text[exc.pos])} {place}"
    except (ValueError, RecursionError):
        pass
    return "exceeded max depth"


def kind_of(value: Json) -> str:
    """Return what Go calls the type of a JSON value."""
    match value:
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"
    return "null"


def _quoted(character: str) -> str:
    return r"'\''" if character == "'" else f"'{character}'"
