"""The one form of a request that many clients write in many ways. Pure.

Names are in camel case. Contents of the model that follow one another are one, since the chats of
the official SDK send one for each chunk; what has no text and no signature is left out, and texts
without signatures are joined. Bytes are in the usual alphabet of Base64: the SDK for Python
writes them in that of URLs, and the API reads both.
"""

from __future__ import annotations

from typing import Any

from mockserver.dialects.gemini.spelling import folded
from mockserver.vocabulary.model import Json, JsonObject


def plain_request(body: JsonObject) -> JsonObject:
    """Return the request in its one form; what is not as expected is left as it is."""
    plain: JsonObject = _in_one_alphabet(folded(body))
    contents = plain.get("contents")
    if isinstance(contents, list) and all(isinstance(content, dict) for content in contents):
        plain["contents"] = _merged(contents)
    return plain


#: Fields that hold bytes.
_BYTES = frozenset({"data", "thoughtSignature"})
_OF_URLS = str.maketrans("-_", "+/")


def _in_one_alphabet(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {n: _in_one_alphabet(item, n) for n, item in value.items()}
    if isinstance(value, list):
        return [_in_one_alphabet(item) for item in value]
    return value.translate(_OF_URLS) if isinstance(value, str) and name in _BYTES else value


def _merged(contents: list[JsonObject]) -> list[JsonObject]:
    found: list[JsonObject] = []
    for content in contents:
        last = found[-1] if found else {}
        if not _is_made(content):
            found.append(content)
        elif _is_made(last):
            found[-1] = {**last, "parts": [*last["parts"], *content["parts"]]}
        else:
            found.append(content)
    return [{**c, "parts": _joined(c["parts"])} if _is_made(c) else c for c in found]


def _is_made(content: JsonObject) -> bool:
    """Return whether the model made a content."""
    return content.get("role") == "model" and isinstance(content.get("parts"), list)


def _joined(parts: list[Json]) -> list[Json]:
    found: list[Json] = []
    for part in parts:
        if part in ({}, {"text": ""}):
            continue
        if found and _is_text(part) and _is_text(found[-1]):
            found[-1] = {"text": found[-1]["text"] + part["text"]}
        else:
            found.append(part)
    return found


def _is_text(part: Json) -> bool:
    return isinstance(part, dict) and part.keys() == {"text"} and isinstance(part["text"], str)
