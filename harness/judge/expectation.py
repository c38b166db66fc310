"""Compare with what the scenario expects: the event sequence, the turn, the error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from harness.judge.reading import Reading
from harness.judge.transcript import Finding
from harness.suite.scenario import CaseKind
from mockserver.vocabulary import AssistantTurn, Json, JsonObject, TextPart, to_json


def sequence(reading: Reading) -> Iterator[Finding]:
    """Check that the events are the expected ones, in order."""
    expect = reading.spec.expect
    if reading.case.kind is CaseKind.FAULT or expect is None or expect.events is None:
        return
    if not reading.record.streamed:
        return
    coalesced = reading.granularity == "coalesced"
    wanted = canonical(expect.events, coalesced=coalesced)
    seen = canonical(reading.event_data, coalesced=coalesced)
    at = first_difference(wanted, seen)
    if at is not None:
        yield Finding(
            check="sequence",
            message=f"event {at + 1} differs: "
            f"{_event_text(wanted, at)} expected, {_event_text(seen, at)} seen",
            key_path=(*reading.spec.key_path, "expect", "events", min(at, len(expect.events) - 1)),
            expected=wanted,
            observed=seen,
            event=at,
        )


def native_sequence(reading: Reading) -> Iterator[Finding]:
    """Check the native events, each by the keys that the scenario gives."""
    expect = reading.spec.expect
    if reading.case.kind is CaseKind.FAULT or expect is None or expect.native is None:
        return
    seen = list(reading.native)
    pairs = enumerate(zip_longest(expect.native, seen))
    at = next((n for n, (one, other) in pairs if one is None or not agrees(one, other)), None)
    if at is not None:
        yield Finding(
            check="native-sequence",
            message=f"native event {at + 1} differs: "
            f"{_event_text(expect.native, at)} expected, {_event_text(seen, at)} seen",
            key_path=(*reading.spec.key_path, "expect", "native", min(at, len(expect.native) - 1)),
            expected=list(expect.native),
            observed=seen,
        )


def turn(reading: Reading) -> Iterator[Finding]:
    """Check the turn, by the keys that the scenario gives."""
    expect = reading.spec.expect
    if reading.case.kind is CaseKind.FAULT or expect is None or expect.turn is None:
        return
    if reading.turn is None:
        return
    views = turn_views(reading.turn)
    for key, wanted in expect.turn.items():
        seen = views.get(key)
        if not agrees(wanted, seen):
            yield Finding(
                check="turn",
                message=f"{key} of the turn differs",
                key_path=(*reading.spec.key_path, "expect", "turn", key),
                expected=wanted,
                observed=seen,
            )


def error(reading: Reading) -> Iterator[Finding]:
    """Check that the turn failed with the expected error."""
    expect = reading.spec.expect
    if reading.case.kind is CaseKind.FAULT or expect is None or expect.error is None:
        return
    if reading.turn is None:
        return
    seen = None if reading.turn.error is None else to_json(reading.turn.error)
    if not error_agrees(expect.error, seen):
        yield Finding(
            check="error",
            message=f"{expect.error['class']} expected, "
            f"{'no error' if seen is None else seen['class']} seen",
            key_path=(*reading.spec.key_path, "expect", "error"),
            expected=expect.error,
            observed=seen,
        )


def turn_views(turn: AssistantTurn) -> JsonObject:
    """Return a turn as JSON with its views beside its fields."""
    views: JsonObject = to_json(turn)
    views |= {
        "content": turn.content,
        "reasoning": turn.reasoning,
        "refusal": turn.refusal,
        "tool_calls": to_json(turn.tool_calls),
        "citations": [
            to_json(c) for p in turn.parts if isinstance(p, TextPart) for c in p.citations
        ],
    }
    return views


def agrees(wanted: Any, seen: Any) -> bool:
    """Return whether ``seen`` is as ``wanted``: mappings by the keys given, lists by item."""
    match wanted:
        case {"class": _}:
            return error_agrees(wanted, seen)
        case dict():
            return isinstance(seen, Mapping) and all(
                agrees(v, seen.get(k)) for k, v in wanted.items()
            )
        case list() | tuple():
            return (
                isinstance(seen, Sequence)
                and len(seen) == len(wanted)
                and all(agrees(w, s) for w, s in zip(wanted, seen, strict=True))
            )
    return bool(wanted == seen) and isinstance(wanted, bool) is isinstance(seen, bool)


def error_agrees(wanted: JsonObject, seen: Json) -> bool:
    """Return whether an error has the wanted fields; ``message_contains`` ignores case."""
    if not isinstance(seen, Mapping):
        return False
    text = wanted.get("message_contains", "").lower()
    return text in str(seen.get("message", "")).lower() and all(
        seen.get(k) == v for k, v in wanted.items() if k != "message_contains"
    )


def canonical(events: Sequence[JsonObject], *, coalesced: bool) -> list[JsonObject]:
    """Return a sequence in the form in which two of them are compared.

    ``native`` is removed, and so are messages of warnings, which are for people. Usage, whose
    last values count, becomes one event before the terminal one. ``coalesced`` joins adjacent
    deltas of one kind.
    """
    usage: JsonObject = {}
    out: list[JsonObject] = []
    for event in events:
        plain = {k: v for k, v in event.items() if k != "native"}
        match plain.get("type"):
            case "usage" if isinstance(plain.get("usage"), dict):
                usage |= plain["usage"]
                continue
            case "warning":
                plain.pop("message", None)
        if coalesced and out and _joins(out[-1], plain):
            key = _DELTAS[plain["type"]]
            out[-1] = {**out[-1], key: out[-1][key] + plain[key]}
        else:
            out.append(plain)
    if usage:
        at = len(out)
        if out and out[-1].get("type") in ("message_stop", "error"):
            at -= 1
        out.insert(at, {"type": "usage", "usage": usage})
    return out


_DELTAS = {
    "content_delta": "delta",
    "reasoning_delta": "delta",
    "refusal_delta": "delta",
    "tool_call_delta": "arguments_delta",
}


def _joins(before: JsonObject, after: JsonObject) -> bool:
    key = next((k for kind, k in _DELTAS.items() if kind == after.get("type")), None)
    if key is None or before.get("type") != after["type"]:
        return False
    if not isinstance(before.get(key), str) or not isinstance(after.get(key), str):
        return False
    return all(before.get(k) == after.get(k) for k in {*before, *after} - {key})


def same_event(wanted: JsonObject, seen: JsonObject) -> bool:
    """Return whether an event is the expected one.

    An error is compared by the keys that are expected. The id of a tool call that the client
    made up, and the argument text, are compared only where the scenario states them.
    """
    if wanted["type"] == "error" == seen.get("type"):
        return error_agrees(wanted["error"], seen.get("error"))
    free = {"tool_call_start": "tool_call_id", "tool_call_end": "arguments_raw"}
    key = free.get(wanted["type"])
    if key is not None and key not in wanted:
        seen = {k: v for k, v in seen.items() if k != key}
    return wanted == seen


def first_difference(wanted: Sequence[JsonObject], seen: Sequence[JsonObject]) -> int | None:
    """Return the number of the first event that differs, from 0; ``None`` if none does."""
    for number, (one, other) in enumerate(zip(wanted, seen, strict=False)):
        if not same_event(one, other):
            return number
    return None if len(wanted) == len(seen) else min(len(wanted), len(seen))


def _event_text(events: Sequence[Json], at: int) -> str:
    if at >= len(events):
        return "the end"
    event = events[at]
    if not isinstance(event, Mapping):
        return f"{event!r:.60}"
    error = event.get("error")
    detail = error.get("class") if isinstance(error, Mapping) else None
    for key in ("delta", "arguments_delta", "tool_name", "finish_reason", "code"):
        detail = detail or event.get(key)
    return f"{event.get('type')}{'' if detail is None else f' {detail!r}'[:60]}"
