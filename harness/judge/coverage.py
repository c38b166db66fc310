"""Which facts of a case a client was judged on, so that silence can be seen."""

from __future__ import annotations

from dataclasses import dataclass

from harness.judge import channels
from harness.judge.comparing import TOTALS
from harness.judge.expectation import turn_views
from harness.judge.reading import Reading
from harness.judge.terms import EXPOSABLE
from harness.judge.wire_channels import of_facts
from mockserver.dialects import find_dialect
from mockserver.vocabulary import JsonObject

#: What every client is judged on.
_ALWAYS = ("text", "refusal", "tool_calls", "ending")
_EMPTY: tuple[object, ...] = (None, "", [], {}, ())


@dataclass(frozen=True, slots=True)
class Coverage:
    """Fields that are stated: those judged, those not exposed; and those that the client gave."""

    judged: frozenset[str] = frozenset()
    unexposed: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()

    def __add__(self, other: Coverage) -> Coverage:
        return Coverage(
            self.judged | other.judged,
            self.unexposed | other.unexposed,
            self.given | other.given,
        )


def covered(reading: Reading) -> Coverage:
    """Return what one turn was judged on."""
    seen = _seen(reading)
    given = frozenset(name for name in EXPOSABLE if seen.get(name) not in _EMPTY)
    stated = _stated(reading)
    judged = {
        name
        for name in stated
        if name in _ALWAYS
        or (
            reading.terms.compares(name, seen.get(name))
            and (name in given or reading.terms.misses(name))
        )
    }
    return Coverage(frozenset(judged), frozenset(stated - judged), given)


def _stated(reading: Reading) -> set[str]:
    """Return what the scenario and the wire say about the turn."""
    wanted: channels.Channels = {}
    if (expect := reading.expect) is not None:
        wanted |= channels.of_events(expect.events or ())
        wanted |= channels.of_turn(expect.turn or {})
        if expect.error is not None:
            wanted["error"] = expect.error
    stated = {name for name, value in _fields(wanted).items() if value not in _EMPTY}
    if reading.facts is not None:
        reasons = find_dialect(reading.case.scenario.dialect).reasons
        wire = _fields(of_facts(reading.facts, {}, reasons))
        stated |= {name for name, value in wire.items() if value not in _EMPTY}
    return {*stated, "ending"} if stated else stated


def _seen(reading: Reading) -> channels.Channels:
    seen = channels.of_events(reading.event_data)
    if reading.record.turn_given and reading.turn is not None:
        turn = _fields(channels.of_turn(turn_views(reading.turn)))
        seen |= {name: value for name, value in turn.items() if value not in _EMPTY}
    return _fields(seen) | {
        "tool_deltas": any(e.get("type") == "tool_call_delta" for e in reading.event_data) or None
    }


def _fields(found: channels.Channels) -> JsonObject:
    """Return the channels by the words that declarations use."""
    error = found.get("error") or {}
    usage = found.get("usage") or {}
    calls = found.get("tool_calls") or []
    totals = {k: v for k, v in usage.items() if k in TOTALS}
    return {
        **{k: v for k, v in found.items() if k not in ("error", "usage", "status", "cut")},
        "usage": totals,
        "usage_details": {k: v for k, v in usage.items() if k not in totals and k != "estimated"},
        "error_code": error.get("code"),
        "error_message": error.get("message_contains") or error.get("message"),
        "error_status": error.get("status"),
        "request_id": error.get("request_id"),
        "retry_after": error.get("retry_after"),
        "retryable": error.get("retryable"),
        "arguments_raw": [c["arguments_raw"] for c in calls if c.get("arguments_raw")],
        "signatures": [
            *(found.get("signatures") or []),
            *(c["thought_signature"] for c in calls if c.get("thought_signature")),
        ],
    }
