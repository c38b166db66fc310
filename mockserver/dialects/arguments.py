"""What the argument text of a tool call may mean, in the eyes of careful clients. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from mockserver.dialects.facts import repaired
from mockserver.vocabulary.model import Json, JsonObject

_NOT_JSON = object()


def readings(pieces: Sequence[str], *, complete: bool = True) -> tuple[JsonObject, ...] | None:
    """Return the objects that argument text, joined from ``pieces``, may mean.

    One for valid JSON; several for text that was sent twice, cumulatively or with something behind
    it; none for text that is cut short, since nobody can know the rest; ``None`` if even that is
    unclear. No text means no arguments, unless the answer is not ``complete``.
    """
    text = repaired("".join(pieces))
    if text.strip() in ("", "null"):
        return ({},) if complete else None
    value = _parsed(text)
    if isinstance(value, str):
        value = _parsed(value)  # encoded twice
        return (value,) if isinstance(value, dict) else None
    if isinstance(value, dict):
        return None if _has_lone_surrogate(value) else (value,)
    if value is not _NOT_JSON:
        return None
    found: list[JsonObject] = []
    for one in _objects_in(text, pieces):
        if one not in found:
            found.append(one)
    if found:
        return tuple(found)
    return () if _is_cut_short(text) else None


def is_one_object(text: str) -> bool:
    """Return whether the text is exactly one JSON object."""
    return isinstance(_parsed(text), dict)


def _objects_in(text: str, pieces: Sequence[str]) -> Iterator[JsonObject]:
    try:
        first, _ = json.JSONDecoder(parse_constant=_reject).raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        first = None
    for value in (first, *map(_parsed, pieces)):
        if isinstance(value, dict):
            yield value


def _is_cut_short(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError as exc:
        tail = text[exc.pos :]
        return (
            not tail.strip()
            or exc.msg.startswith(("Unterminated string", "Invalid \\u"))
            or any(word.startswith(tail) for word in ("true", "false", "null"))
        )
    except (ValueError, RecursionError):
        # Too many digits, or too deep.
        pass
    return False


def _parsed(text: str) -> Json:
    try:
        return json.loads(text, parse_constant=_reject)
    except (ValueError, RecursionError):
        return _NOT_JSON


def _has_lone_surrogate(value: Json) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return True
    return False


def _reject(constant: str) -> Json:
    raise ValueError(f"{constant} is not JSON")
