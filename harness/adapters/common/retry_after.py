"""How long a provider asks to wait: headers, body fields and messages, all in seconds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime

from mockserver.vocabulary import Json

_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
# In seconds 2001 and the year 5138. As delays they are 31 years and more.
_EPOCH = 1e9
_EPOCH_MILLISECONDS = 1e11
# The digits are bounded, so that a long number takes linear time.
_DURATION = re.compile(r"(\d{1,20}(?:\.\d{1,20})?)\s{0,5}(ms|s|m|h)", re.I)
_WAIT_PHRASE = re.compile(
    r"(?:try|retry)(?: again)? (?:in|after) ((?:\d{1,20}(?:\.\d{1,20})?\s*"
    r"(?:ms|milliseconds?|s|sec(?:ond)?s?|m|min(?:ute)?s?|h|hours?)(?![a-z])\s*)+)",
    re.I,
)


def from_headers(headers: Mapping[str, str], now: float) -> float | None:
    """Return seconds from ``retry-after-ms``, else ``retry-after`` as a number or an HTTP date.

    ``headers`` has lower-case names. ``now`` is the current time in epoch seconds, for a date.
    Some servers send the time since 1970 in place of a delay (openclaw/clawhub#407).
    Source: RFC 9110, section 10.2.3; the milliseconds are Azure's and OpenAI's.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _wait(milliseconds / 1000, now)
    value = headers.get("retry-after", "")
    seconds = _number(value)
    if seconds is not None:
        return _wait(seconds, now)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except ValueError:
        return None


def from_fields(fields: Mapping[str, Json], now: float | None) -> float | None:
    """Return seconds from the fields of an error body.

    Reads Gemini's ``RetryInfo.retryDelay`` (``"34.4s"``), and ``resets_in_seconds`` or
    ``resets_at`` (the time since 1970) of the Codex backend. ``now`` is ``None`` where the time
    is not known: then a time tells no wait.
    """
    delay = fields.get("retryDelay")
    if isinstance(delay, str) and (seconds := _seconds(delay)) is not None:
        return seconds
    for key in ("retry_after", "resets_in_seconds"):
        if (seconds := _number(fields.get(key))) is not None:
            return _wait(seconds, now)
    resets_at = _number(fields.get("resets_at"))
    return None if resets_at is None or now is None else max(0.0, _epoch_seconds(resets_at) - now)


def from_text(texts: Iterable[str]) -> float | None:
    """Return seconds from "try again in 11.054s", "28ms", "35 seconds", "1m30s" and the like."""
    for text in texts:
        if match := _WAIT_PHRASE.search(text):
            return _seconds(match[1])
    return None


def _wait(seconds: float, now: float | None) -> float | None:
    """Return a delay. A number so large that it must be the time since 1970 becomes one."""
    if seconds < _EPOCH:
        return seconds
    return None if now is None else max(0.0, _epoch_seconds(seconds) - now)


def _epoch_seconds(epoch: float) -> float:
    return epoch / 1000 if epoch >= _EPOCH_MILLISECONDS else epoch


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
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < float("inf") else None
