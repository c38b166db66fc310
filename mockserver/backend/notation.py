"""The words for times, rates and failures: the same on the command line, in files and over HTTP.

=====================  ======================================================================
``300ms``, ``2s``, 2   a duration; a number alone is in seconds
``50/s``, ``20ms``     a pace: tokens in a second, or the time from one to the next
``10%``, 0.1           a share
``cut``, ``cut=3``     an interruption, after so many events
``429``, ``429:2s``    a failure with a status, and with a wait that it asks for
``429=10%``            a failure of one answer in ten, by chance
``cut@3=5%``           an interruption after three events of one answer in twenty
``429=2x``             the failure of two answers, then no more
=====================  ======================================================================

Every function raises ``ValueError`` that says what is wrong and what can be said.
"""

from __future__ import annotations

import re
from dataclasses import replace
from http import HTTPStatus

from mockserver.backend.failing import Failure
from mockserver.errors import did_you_mean
from mockserver.wire.faults import FaultKind
from mockserver.wire.variation import Break

#: Seconds of the units of a duration.
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER = r"(?:[0-9]{1,9}(?:\.[0-9]{1,9})?|\.[0-9]{1,9})"
_DURATION = re.compile(rf"(?P<number>{_NUMBER})\s*(?P<unit>ms|[smhd])?", re.ASCII)
_PER_SECOND = re.compile(rf"(?P<number>{_NUMBER})\s*/\s*s", re.ASCII)
_SHARE = re.compile(rf"(?P<number>{_NUMBER})\s*(?P<percent>%)?", re.ASCII)
_TIMES = re.compile(r"(?P<times>[0-9]{1,9})\s*x", re.ASCII)
_EVENTS = re.compile(r"[0-9]{1,9}", re.ASCII)
_RETRY = re.compile(r"(?:[:,]\s*(?:retry\s+)?|\s+retry\s+)", re.ASCII)
_FAULT = re.compile(r"(?P<kind>[A-Za-z]+)(?:\s*[=@: ]\s*(?P<events>.*))?", re.ASCII)


def parse_duration(value: str | float) -> float:
    """Read a duration such as ``300ms`` and return it in seconds."""
    match = _DURATION.fullmatch(_text(value))
    if match is None:
        raise ValueError(f"a duration is such as 300ms, 2s or 1.5 (seconds): not {value!r:.60}")
    # One operation on exact numbers: 300ms is 0.3, as somebody who writes 0.3 means it.
    number = float(match["number"])
    return number / 1000 if match["unit"] == "ms" else number * _UNITS[match["unit"] or "s"]


def parse_pace(value: str | float) -> float:
    """Read a pace and return the milliseconds from one token to the next.

    A number alone is tokens in a second.
    """
    text = _text(value)
    match = _PER_SECOND.fullmatch(text)
    if match is None and re.fullmatch(_NUMBER, text):
        match = _PER_SECOND.fullmatch(f"{text}/s")
    if match is not None and float(match["number"]) > 0:
        return 1000 / float(match["number"])
    if match is None and text.endswith(("ms", "s")) and _DURATION.fullmatch(text):
        return parse_duration(text) * 1000
    raise ValueError(f"a pace is such as 50/s (tokens in a second) or 20ms: not {value!r:.60}")


def parse_share(value: str | float) -> float:
    """Read a share such as ``10%`` or ``0.1`` and return it, 0 to 1."""
    match = _SHARE.fullmatch(_text(value))
    share = -1.0 if match is None else float(match["number"]) / (100 if match["percent"] else 1)
    if not 0 <= share <= 1:
        raise ValueError(f"a share is such as 10% or 0.1, at most 100%: not {value!r:.60}")
    return share


def parse_fault(value: str) -> Break:
    """Read an interruption such as ``cut`` or ``cut=3``; without a number, before any event."""
    match = _FAULT.fullmatch(_text(value))
    if match is None:
        raise ValueError(f"an interruption is such as cut=3: not {value!r:.60}; {_kinds()}")
    return Break(_kind(match["kind"]), _events(match["events"], value) or 0)


def parse_failure(value: str | int) -> Failure:
    """Read one failure such as ``429``, ``429, retry 2s``, ``503:1s=10%`` or ``cut@3=2x``."""
    what, _, often = _text(value).partition("=")
    failure = _failure(what.strip(), value)
    if not often:
        return failure
    if match := _TIMES.fullmatch(often.strip()):
        return replace(failure, times=int(match["times"]))
    try:
        return replace(failure, rate=_percent(often))
    except ValueError:
        raise ValueError(
            f"how many answers fail is such as {what}=10% or {what}=2x: not {often!r:.60}"
        ) from None


def parse_failures(value: str) -> tuple[Failure, ...]:
    """Read failures such as ``429=10%,cut=5%``. Their rates are at most 100% together."""
    found = tuple(parse_failure(item) for item in value.split(","))
    by_chance = sum(failure.rate for failure in found if failure.times is None)
    if by_chance > 1 and len(found) > 1:
        raise ValueError(f"{by_chance * 100:g}% of the answers cannot fail: {value!r:.60}")
    return found


def _failure(what: str, value: str | int) -> Failure:
    status, *wait = _RETRY.split(what, maxsplit=1)
    if re.fullmatch(r"[0-9]+", status, re.ASCII):
        retry = parse_duration(wait[0]) if wait else None
        return Failure(status=_status(status), retry=retry)
    match = _FAULT.fullmatch(what)
    if match is None:
        raise ValueError(
            f"a failure is a status such as 429 or 429:2s, or an interruption such as cut: not "
            f"{value!r:.60}"
        )
    try:
        kind = _kind(match["kind"])
    except ValueError as exc:
        raise ValueError(f"{exc}; or a status, such as 429") from None
    return Failure(kind=kind, events=_events(match["events"], value))


def _status(text: str) -> int:
    status = int(text) if len(text) == 3 else 0
    if not 400 <= status <= 599:
        known = f"{HTTPStatus.TOO_MANY_REQUESTS:d} or {HTTPStatus.SERVICE_UNAVAILABLE:d}"
        raise ValueError(f"a failure has a status of 400 to 599, such as {known}: not {text:.20}")
    return status


def _kind(word: str) -> FaultKind:
    if word not in set(FaultKind):
        raise ValueError(
            f"unknown interruption {word!r:.60}{did_you_mean(word, FaultKind)}; {_kinds()}"
        )
    return FaultKind(word)


def _events(text: str | None, value: str | int) -> int | None:
    if text is None:
        return None
    if not _EVENTS.fullmatch(text.strip()):
        raise ValueError(f"an interruption comes after a number of events: not {value!r:.60}")
    return int(text)


def _percent(text: str) -> float:
    # "429=2" could mean two answers or 200%, so the sign is needed.
    if not text.strip().endswith("%"):
        raise ValueError
    return parse_share(text)


def _kinds() -> str:
    return f"known are {', '.join(FaultKind)}"


def _text(value: object) -> str:
    """Return what was written; a truth value is a number for Python, and not for people."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()
