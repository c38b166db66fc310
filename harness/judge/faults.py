"""Check what a client makes of a stream that breaks: its beginning, and one error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.judge import channels
from harness.judge.expectation import canonical, first_difference, same_event
from harness.judge.reading import Reading
from harness.judge.terms import families
from harness.judge.transcript import Finding
from harness.suite.scenario import Expectation
from mockserver.dialects import Facts, find_dialect
from mockserver.vocabulary import ErrorClass, JsonObject
from mockserver.wire import FaultKind

#: The errors that report a fault, by its kind.
_ALLOWED_ERRORS: Mapping[FaultKind, tuple[ErrorClass, ...]] = {
    FaultKind.CUT: (ErrorClass.TRUNCATED_STREAM, ErrorClass.EMPTY_RESPONSE),
    FaultKind.RESET: (ErrorClass.CONNECTION_LOST,),
    FaultKind.STALL: (ErrorClass.TIMEOUT,),
}


def fault(reading: Reading) -> Iterator[Finding]:
    """Check that a broken stream gives the beginning of the answer and one error, no success.

    After the terminal event the fault must not matter: the turn is complete, or fails with the
    error that was sent. A recording without a scenario is judged by the wire alone; that its
    content is kept and nothing invented is the rule ``content-kept``.
    """
    case, expect, record = reading.case, reading.expect, reading.record
    if case.fault is None or record.broke_off or not record.events:
        return
    seen = channels.of_events(reading.event_data)
    if expect is not None and expect.events is not None:
        yield from beginning(reading, "fault", channels.of_events(expect.events), seen)
        yield from _exact_beginning(reading, expect.events)
    elif expect is not None and expect.turn is not None and expect.is_whole:
        yield from beginning(reading, "fault", channels.of_turn(expect.turn), seen)
    facts = reading.facts
    if facts is None or seen["status"] is None:
        return
    if not facts.terminal_seen:
        yield from _unreported(reading, seen)
    elif seen["status"] == "failed" and not _may_fail(reading, facts, seen):
        yield from _needless(reading, expect, seen, facts)


def beginning(
    reading: Reading, check: str, whole: channels.Channels, seen: channels.Channels
) -> Iterator[Finding]:
    """Check that what came before the end is the beginning of the whole answer."""
    for name in ("text", "refusal", "reasoning"):
        if name == "reasoning" and not reading.terms.compares(name, seen[name]):
            continue
        # Half a character at the cut is the beginning of the whole one.
        before = seen[name].removesuffix("\ufffd")
        if not whole[name].startswith(before):
            yield Finding(
                check=check,
                kind=name,
                field=name,
                message=f"the {name} before the end is not the beginning of the answer's",
                expected=whole[name],
                observed=seen[name],
            )
    # A call without its end may have been cut; one with it must be what the wire said.
    ended = [c for c in seen["tool_calls"] if "arguments" in c]
    # A turn may leave open whether a call before its error is complete.
    calls = [c for c in whole["tool_calls"] if "arguments" in c or "pieces" not in c]
    if any(
        not any(
            one.get("name") == c.get("name")
            and c.get("arguments", one["arguments"]) == one["arguments"]
            for c in calls
        )
        for one in ended
    ):
        yield Finding(
            check=check,
            kind="tool-call",
            field="tool_calls",
            message="a tool call before the end is none of the answer's",
            expected=calls,
            observed=ended,
        )


def _exact_beginning(reading: Reading, expected: Sequence[JsonObject]) -> Iterator[Finding]:
    if reading.terms.granularity != "exact":
        return
    wanted, seen = _content(canonical(expected)), _content(canonical(reading.event_data))
    at = first_difference(wanted[: len(seen)], seen)
    if at is not None:
        yield Finding(
            check="fault",
            kind="event-sequence",
            field="events",
            message="the emitted events are not a prefix of the expected events",
            expected=wanted,
            observed=seen,
            event=at,
        )


def _unreported(reading: Reading, seen: channels.Channels) -> Iterator[Finding]:
    case, fault = reading.case, reading.case.fault
    assert fault is not None
    allowed = _ALLOWED_ERRORS[fault]
    wanted = " or ".join(sorted(allowed))
    at = f"{fault} after wire event {case.event}"
    if seen["status"] != "failed":
        said = seen["finish_reason"]
        yield Finding(
            check="fault",
            kind="false-success",
            field="ending",
            message=f"{at}: success instead of {wanted}",
            expected=wanted,
            observed=said,
        )
        return
    given = (seen["error"] or {}).get("class")
    if given in allowed or reading.terms.errors == "none":
        return
    near = any(not families(given or "").isdisjoint(families(one)) for one in allowed)
    if near and reading.terms.errors != "class":
        return
    yield Finding(
        check="fault",
        kind="error-detail" if near else "error-family",
        field="error.class",
        message=f"{at}: {given} instead of {wanted}",
        expected=wanted,
        observed=given,
    )


def _may_fail(reading: Reading, facts: Facts, seen: channels.Channels) -> bool:
    """Return whether the answer itself may be a failure, without the fault behind its end.

    A scenario says so, or an error on the wire. In a recording it may also be an end marker without
    a reason, calls whose arguments are wrong, a word of the provider for a failure, no content.
    After a reset the answer was whole, but its end was not: both outcomes are right.
    """
    if facts.error or facts.broken:
        return True
    if reading.expect is not None or facts.terminal is None:
        return reading.expect is None
    fault, given = reading.case.fault, (seen["error"] or {}).get("class")
    assert fault is not None
    if given == _ALLOWED_ERRORS[fault][0]:
        return fault is FaultKind.RESET
    plain_reason = facts.terminal in find_dialect(reading.case.scenario.dialect).reasons
    has_calls = facts.calls is None or bool(facts.calls)
    return not plain_reason or has_calls or not (facts.text or facts.refusal)


def _needless(
    reading: Reading, expect: Expectation | None, seen: channels.Channels, facts: Facts
) -> Iterator[Finding]:
    """Report a failure although the outcome was decided before the fault."""
    last = reading.event_data[-1]
    if expect is not None and expect.events is not None:
        whole = expect.events[-1]
        if whole["type"] == "error" and (
            same_event(whole, last) or reading.terms.errors != "class"
        ):
            return
    # A reader may wait for the end marker, or want a reason; a reset may overtake what was sent.
    ended = facts.done and facts.terminal is not None
    strict = not ended or reading.case.fault is FaultKind.RESET
    yield Finding(
        check="fault",
        kind="strict" if strict else "false-failure",
        field="ending",
        message=f"{reading.case.fault} after the terminal event must not fail the turn",
        expected="message_stop",
        observed=(seen["error"] or {}).get("class"),
    )


#: Events that depend on how the turn ends, not on what was streamed before.
_CLOSING = frozenset({"tool_call_end", "warning", "usage", "message_stop", "error"})


def _content(events: list[JsonObject]) -> list[JsonObject]:
    return [e for e in events if str(e.get("type")) not in _CLOSING]
