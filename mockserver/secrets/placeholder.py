"""What stands in place of a value: its kind, its number, and the form that a client checks.

A placeholder is text such as ``key_REDACTED_1``. Where a client would reject that, it keeps the
form of the value: base64 stays base64 of a whole length (a thought signature is bytes in JSON), a
UUID stays a UUID, a JSON web token has three parts, a number is a number.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping

WORD = "REDACTED"

#: The word in digits, as on a telephone, for values that have only digits.
_DIGITS = "73322833"
#: Begins every UUID that is a placeholder.
_UUID_START = "7edac7ed"
#: ``{"alg":"none"}``
_JWT_HEAD = "eyJhbGciOiJub25lIn0"
#: The end of the year 2099: clients refresh a token that has expired.
_NEVER = 4102444799

#: The kinds whose number a UUID has in its second group.
_KINDS = ("key", "user", "metadata", "signature", "encrypted", "req", "org", "project")
#: Fields of these kinds have binary data.
_BINARY = frozenset({"signature", "encrypted"})

_PATTERNS = (
    rf"{re.escape(_JWT_HEAD)}\.[A-Za-z0-9_-]+\.{WORD}(?P<jwt>\d{{4,}})",
    rf"{_UUID_START}-(?P<group>[0-9a-f]{{4}})-4000-8000-(?P<uuid>\d{{12}})",
    rf"(?P<kind>[a-z]+)_{WORD}_(?P<number>\d+)",
    rf"(?P<host>[a-z]+)-{WORD.lower()}-(?P<host_number>\d+)",
    rf"(?P<binary>[a-z]+){WORD}(?P<binary_number>\d{{3,}})",
    rf"(?<!\d){_DIGITS}(?P<digits>\d{{2,}})(?!\d)",
)
_NUMBERED = re.compile("|".join(_PATTERNS))
#: Any placeholder in a text, also one without a number.
PATTERN = re.compile("|".join((*_PATTERNS, rf"(?:[a-z]+_)?{WORD}(?:_\d+)?")))

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_STANDARD_BASE64 = re.compile(r"(?=[^+/=]*[+/=])[A-Za-z0-9+/]{8,}={0,2}")


def make(kind: str, number: int, value: str = "") -> str:
    """Return the placeholder for ``value``, the text between the quotes in JSON."""
    if _UUID.fullmatch(value):
        group = _KINDS.index(kind) if kind in _KINDS else len(_KINDS)
        return f"{_UUID_START}-{group:04x}-4000-8000-{number:012}"
    if _JWT.fullmatch(value):
        claims = f'{{"redacted":{number},"exp":{_NEVER}}}'.encode()
        middle = base64.urlsafe_b64encode(claims).decode().rstrip("=")
        return f"{_JWT_HEAD}.{middle}.{WORD}{number:04}"
    if value.isascii() and value.isdigit():
        return f"{_DIGITS}{number:02}"
    if kind in _BINARY and _BASE64.fullmatch(value):
        return _base64(kind, number)
    if _STANDARD_BASE64.fullmatch(value) and len(value) % 4 == 0:
        return _base64(kind, number)
    return f"{kind}_{WORD}_{number}"


def host(kind: str, number: int, _value: str = "") -> str:
    """Return a placeholder for a part of a host name, which has no underscores."""
    return f"{kind}-{WORD.lower()}-{number}"


def is_placeholder(value: object) -> bool:
    """Return whether a value is a placeholder that scrubbing has written."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return isinstance(text, str) and _NUMBERED.fullmatch(text) is not None


def may_have(text: str) -> bool:
    """Return whether ``text`` may have a placeholder: a quick look."""
    return any(mark in text for mark in _MARKS)


_MARKS = (WORD, _UUID_START, _DIGITS, f"-{WORD.lower()}-")


def split(text: str) -> list[str]:
    """Return what stands between the placeholders of a text."""
    parts, end = [], 0
    for match in PATTERN.finditer(text):
        parts.append(text[end : match.start()])
        end = match.end()
    return [*parts, text[end:]]


def numbered(text: str) -> Iterator[tuple[str, int]]:
    """Yield kind and number of every placeholder in ``text``."""
    if not may_have(text):
        return
    for match in _NUMBERED.finditer(text):
        if match["kind"]:
            yield match["kind"], int(match["number"])
        elif match["host"]:
            yield match["host"], int(match["host_number"])
        elif match["binary"]:
            yield match["binary"], int(match["binary_number"])
        elif match["group"]:
            group = int(match["group"], 16)
            yield _KINDS[group] if group < len(_KINDS) else "value", int(match["uuid"])
        elif match["jwt"]:
            yield "key", int(match["jwt"])
        else:
            yield "number", int(match["digits"])


def all_in(text: str) -> list[str]:
    """Return every placeholder with a number in ``text``, in their order."""
    return [m.group() for m in _NUMBERED.finditer(text)] if may_have(text) else []


def renumbered(text: str, number: int) -> str:
    """Return a placeholder of the same kind and form with another number."""
    match = _NUMBERED.fullmatch(text)
    ((kind, _),) = numbered(text)
    assert match is not None
    if match["binary"]:
        return _base64(kind, number)
    if match["host"]:
        return host(kind, number)
    return make(kind, number, text)


def exchanged(text: str, new_of: Mapping[str, str]) -> str:
    """Return a text with other placeholders in place of those that are keys of ``new_of``."""
    return _NUMBERED.sub(lambda m: new_of.get(m.group(), m.group()), text)


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and stop of each placeholder with a number."""
    if may_have(text):
        yield from (m.span() for m in _NUMBERED.finditer(text))


def _base64(kind: str, number: int) -> str:
    # Letters and digits only, so that it is both standard base64 and the one for URLs.
    digits = str(number).rjust(3, "0")
    width = len(digits) + -(len(kind) + len(WORD) + len(digits)) % 4
    return f"{kind}{WORD}{digits.rjust(width, '0')}"
