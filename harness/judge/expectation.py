"""Compare with what the scenario expects: the events, the turn, the error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

from harness.judge import channels, comparing, wire_channels
from harness.judge.comparing import TOTALS, Difference, compare, error_differences, same_keys
from harness.judge.reading import Reading
from harness.judge.transcript import Finding
from harness.judge.visible import both
from harness.suite.scenario import CaseKind
from mockserver.cassettes import KeyPath
from mockserver.dialects import find_dialect
from mockserver.vocabulary import AssistantTurn, Json, JsonObject, TextPart, to_json


def sequence(reading: Reading) -> Iterator[Finding]:
    """Check that the events say what the expected ones say.

    For a client that declares to be exact, they must be the same events, too.
    """
    expect = reading.expect
    if reading.case.kind is CaseKind.FAULT or expect is None or expect.events is None:
        return
    if not reading.record.streamed or reading.record.broke_off:
        return
    key_path = (*reading.spec.key_path, "expect", "events")
    wanted, seen = channels.of_events(expect.events), channels.of_events(reading.event_data)
    seen["streamed"] = True
    different = False
    for difference in _compared(reading, wanted, seen, whole=True):
        different = True
        yield _finding("sequence", difference, key_path)
    if different or reading.terms.granularity != "exact":
        return
    ordered, given = canonical(expect.events), canonical(reading.event_data)
    at = first_difference(ordered, given)
    if at is not None:
        yield Finding(
            check="sequence",
            kind="event-sequence",
            field=f"events.{_type_at(ordered, given, at)}",
            message=f"event {at + 1}: {_event_difference(ordered, given, at, exact=True)}",
            key_path=(*key_path, min(at, len(expect.events) - 1)),
            expected=ordered,
            observed=given,
            event=at,
        )


def native_sequence(reading: Reading) -> Iterator[Finding]:
    """Check the native events, each by the keys that the scenario gives."""
    expect = reading.expect
    if reading.case.kind is CaseKind.FAULT or expect is None or expect.native is None:
        return
    seen = list(reading.native)
    pairs = enumerate(zip_longest(expect.native, seen))
    at = next((n for n, (one, other) in pairs if one is None or not same_keys(one, other)), None)
    if at is not None:
        yield Finding(
            check="native-sequence",
            kind="native-order",
            field="native",
            message=f"native event {at + 1}: {_event_difference(expect.native, seen, at)}",
            key_path=(*reading.spec.key_path, "expect", "native", min(at, len(expect.native) - 1)),
            expected=list(expect.native),
            observed=seen,
        )


def turn(reading: Reading) -> Iterator[Finding]:
    """Check the turn, by the keys that the scenario gives."""
    expect = reading.expect
    if reading.case.kind is CaseKind.FAULT or expect is None or expect.turn is None:
        return
    if reading.turn is None or reading.record.broke_off:
        return
    key_path = (*reading.spec.key_path, "expect", "turn")
    views = turn_views(reading.turn)
    different = False
    seen = channels.of_turn(views) | {"streamed": reading.record.streamed}
    for difference in _compared(reading, channels.of_turn(expect.turn), seen):
        different = True
        yield _finding("turn", difference, key_path)
    parts = expect.turn.get("parts")
    if different or parts is None or reading.terms.granularity != "exact":
        return
    if not same_keys(parts, views["parts"]):
        yield Finding(
            check="turn",
            kind="parts",
            field="parts",
            message="the same content in other parts",
            key_path=(*key_path, "parts"),
            expected=parts,
            observed=views["parts"],
        )


def error(reading: Reading) -> Iterator[Finding]:
    """Check that the turn failed with the expected error."""
    expect = reading.expect
    if reading.case.kind is CaseKind.FAULT or expect is None or expect.error is None:
        return
    if reading.turn is None or reading.record.broke_off:
        return
    key_path = (*reading.spec.key_path, "expect", "error")
    if reading.turn.error is None:
        seen: channels.Channels = {"status": str(reading.turn.status)}
        seen["finish_reason"] = reading.turn.finish_reason
        for difference in _compared(reading, {"error": expect.error}, seen):
            yield _finding("error", difference, key_path)
        return
    for difference in error_differences(expect.error, to_json(reading.turn.error), reading.terms):
        yield _finding("error", difference, key_path)


def _compared(
    reading: Reading, wanted: channels.Channels, seen: channels.Channels, *, whole: bool = False
) -> Iterator[Difference]:
    dialect = find_dialect(reading.case.scenario.dialect)
    if reading.facts is not None and wanted.get("usage"):
        chosen = wire_channels.chosen_usage(wanted["usage"], seen, reading.facts)
        wanted = {**wanted, "usage": chosen}
    by_name = dialect.results_by_name
    found = compare(wanted, seen, reading.terms, dialect.reasons, whole=whole, by_name=by_name)
    for difference in found:
        if difference.kind == "false-failure" and _reported_truly(reading):
            yield replace(difference, kind="no-retry", field="retry")
        elif difference.kind == "false-failure" and not _assembled(reading, difference):
            continue
        elif difference.kind == "false-failure" and _has_no_reason(reading):
            yield replace(difference, kind="strict")
        else:
            yield difference


def _assembled(reading: Reading, difference: Difference) -> bool:
    """Return whether the client answers for how it put its answer together."""
    arguments = difference.observed == "invalid_tool_arguments"
    return reading.terms.assembles or not (reading.record.streamed and arguments)


def _has_no_reason(reading: Reading) -> bool:
    """Return whether the wire ends with its marker alone, which a client may find too little."""
    facts = reading.facts
    return facts is not None and facts.terminal is None and facts.done


def _reported_truly(reading: Reading) -> bool:
    """Return whether the last answer that the client got was a failure, and another was ready.

    The server would have answered a retry; a client that reports what it got does not lie.
    """
    facts = reading.facts
    return facts is not None and facts.error is not None and bool(reading.transcript.unplayed)


def _finding(check: str, difference: Difference, key_path: KeyPath) -> Finding:
    return Finding(
        check=check,
        kind=difference.kind,
        field=difference.field,
        message=difference.message,
        key_path=key_path,
        expected=difference.expected,
        observed=difference.observed,
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


def canonical(events: Sequence[JsonObject]) -> list[JsonObject]:
    """Return a sequence in the form in which two of them are compared, event by event.

    ``native`` is removed, and so are messages of warnings, which are for people. Usage, whose
    last values count, becomes one event before the terminal one; a total that is the sum of the
    two counts is left out, since it is right whoever adds it.
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
        out.append(plain)
    counts = [usage.get(name) for name in TOTALS[:2]]
    known = [count for count in counts if isinstance(count, int)]
    if len(known) == len(counts) and usage.get("total_tokens") == sum(known):
        del usage["total_tokens"]
    if usage:
        at = len(out)
        if out and out[-1].get("type") in ("message_stop", "error"):
            at -= 1
        out.insert(at, {"type": "usage", "usage": usage})
    return out


def error_agrees(wanted: JsonObject, seen: Json) -> bool:
    """Return whether an error has the wanted fields; ``message_contains`` ignores case."""
    if not isinstance(seen, Mapping):
        return False
    text = wanted.get("message_contains", "").lower()
    return text in str(seen.get("message", "")).lower() and all(
        seen.get(k) == v for k, v in wanted.items() if k != "message_contains"
    )


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


def _event_difference(
    wanted: Sequence[JsonObject], seen: Sequence[Json], at: int, *, exact: bool = False
) -> str:
    one, other = (events[at] if at < len(events) else None for events in (wanted, seen))
    kind = one.get("type") if isinstance(one, Mapping) else None
    if kind is None or not isinstance(other, Mapping) or other.get("type") != kind:
        return f"{_event_text(wanted, at)} expected, {_event_text(seen, at)} given"
    path, value, given = comparing.first_difference(one, other, exact=exact)
    return f"{path} of {kind}: {both(value, given)}"


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


def _type_at(wanted: Sequence[JsonObject], seen: Sequence[JsonObject], at: int) -> str:
    events = wanted if at < len(wanted) else seen
    return str(events[at].get("type"))
