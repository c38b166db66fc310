"""Texts that a schema of type ``string`` may allow, the most plausible first. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from mockserver.backend.schemas import patterns
from mockserver.backend.schemas.unmet import UnmetSchemaError
from mockserver.vocabulary.model import JsonObject

#: The longest text that is made.
_LONGEST = 100_000
#: Texts of each format; ``{}`` stands for the mark. Source:
#: https://json-schema.org/draft/2020-12/json-schema-validation#name-defined-formats, and the
#: formats of OpenAPI.
_FORMATS = {
    "date-time": "2026-01-02T03:04:05Z",
    "date": "2026-01-02",
    "time": "03:04:05Z",
    "duration": "P1D",
    "email": "{}@example.com",
    "idn-email": "{}@example.com",
    "hostname": "{}.example.com",
    "idn-hostname": "{}.example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/{}",
    "url": "https://example.com/{}",
    "iri": "https://example.com/{}",
    "uri-reference": "/{}",
    "iri-reference": "/{}",
    "uri-template": "/{}",
    "json-pointer": "/{}",
    "relative-json-pointer": "0/{}",
    "uuid": "00000000-0000-4000-8000-{:0>12.12}",
    "regex": "^{}$",
    "byte": "dGFwZWNoZWNr",
    "base64": "dGFwZWNoZWNr",
    "int32": "1",
    "int64": "1",
    "decimal": "1.5",
}


def texts(schema: JsonObject, mark: str) -> Iterator[str]:
    """Yield different texts without an end, unless the format or the pattern has one.

    Raises :class:`UnmetSchemaError` for a length that is too large and for a pattern that cannot be
    read.
    """
    least, most = _length(schema, "minLength", 0), _length(schema, "maxLength", _LONGEST)
    if least > _LONGEST:
        raise UnmetSchemaError("minLength", f"texts have at most {_LONGEST} characters here")
    if least > most:
        raise UnmetSchemaError("maxLength", f"{most} is below minLength")
    pattern, form = schema.get("pattern"), schema.get("format")
    if isinstance(form, str) and form in _FORMATS:
        yield _FORMATS[form].format(_hex(mark) if form == "uuid" else mark)
        for number in count(2):
            if "{" not in _FORMATS[form] or number > _TRIES:
                break
            other = f"{mark}-{number}"
            yield _FORMATS[form].format(_hex(other) if form == "uuid" else other)
    if isinstance(pattern, str):
        if least <= len(mark) <= most and patterns.matches(pattern, mark):
            yield mark
        yield from patterns.texts(pattern, least)
        return
    for number in count(1):
        text = mark if number == 1 else f"{mark}-{number}"
        yield _fitting(text, number, least, most)


#: How many texts of a format are tried.
_TRIES = 50


def _fitting(text: str, number: int, least: int, most: int) -> str:
    """Return the text, longer or shorter; a short one keeps its number."""
    if len(text) > most:
        digits = "" if number == 1 else str(number)
        text = text[: max(most - len(digits), 0)] + digits
        return text[:most]
    return text + "." * (least - len(text))


def _length(schema: JsonObject, name: str, otherwise: int) -> int:
    value = schema.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value:
        return int(min(max(value, 0), 10**9))
    return otherwise


def _hex(text: str) -> str:
    return text.encode().hex()[-12:]
