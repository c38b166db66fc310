"""How long a provider asks to wait: headers, body fields and messages, all in seconds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime

from mockserver.vocabulary import Json

_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)", re.I)
_WAIT_PHRASE = re.compile(
    r"(?:try|retry)(?: again)? (?:in|after) ((?:\d+(?:\.\d+)?\s*"
    r"(?:ms|milliseconds?|s|sec(?:ond)?s?|m|min(?:ute)?s?|h|hours?)(?![a-z])\s*)+)",
    re.I,
)


def from_headers(headers: Mapping[str, str], now: float) -> float | None:
    """Return seconds from ``retry-after-ms``, else ``retry-after`` as a number or an HTTP date.

    ``headers`` has lower-case names. ``now`` is the current time in epoch seconds, for a date.
    Source: RFC 9110, section 10.2.3; the milliseconds are Azure's and OpenAI's.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _number(value)
    if seconds is not None:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except ValueError:
        return None


def from_fields(fields: Mapping[str, Json], now: float | None) -> float | None:
    """Return seconds from the fields of an error body.

    Reads Gemini's ``RetryInfo.retryDelay`` (``"34.4s"``), and ``resets_in_seconds`` or
    ``resets_at`` (epoch seconds) of the Codex backend.
    """
    delay = fields.get("retryDelay")
    if isinstance(delay, str) and (seconds := _seconds(delay)) is not None:
        return seconds
    for key in ("retry_after", "resets_in_seconds"):
        if (seconds := _number(fields.get(key))) is not None:
            return seconds
    resets_at = _number(fields.get("resets_at"))
    return None if resets_at is None or now is None else max(0.0, resets_at - now)


def from_text(texts: Iterable[str]) -> float | None:
    """Return seconds from "try again in 11.054s", "28ms", "35 seconds", "1m30s" and the like."""
    for text in texts:
        if match := _WAIT_PHRASE.search(text):
            return _seconds(match[1])
    return None


def _seconds(text: str) -> float | None:
    durations = _DURATION.findall(
        text.lower().replace("milliseconds", "ms").replace("millisecond", "ms")
    )
    return sum(float(n) * _UNIT_SECONDS[unit] for n, unit in durations) if durations else None


def _number(value: Json) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number < float("inf") else None
