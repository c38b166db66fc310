"""Checks of everything but the content: evidence, schema, faults, hygiene."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.judge.expectation import canonical, first_difference, same_event
from harness.judge.reading import Reading
from harness.judge.transcript import Blame, Finding
from harness.suite.scenario import CaseKind
from mockserver.vocabulary import ErrorClass, ErrorEvent, JsonObject, MessageStop
from mockserver.wire import FaultKind


def evidence(reading: Reading) -> Iterator[Finding]:
    """Check that there is evidence: a request, an outcome, and no answer left unplayed.

    A scenario may require that no request is sent, by the count 0. Then no answer is played.
    """
    record, transcript = reading.record, reading.transcript
    expects_no_request = reading.spec.request is not None and reading.spec.request.count == 0
    if not record.requests and not expects_no_request:
        yield Finding(check="evidence", message="the client sent no request")
        return
    for request in record.requests:
        if request.exchange is None:
            yield Finding(
                check="evidence",
                message=f"{request.method} {request.path} is not in the cassette: {request.miss}",
                observed=f"{request.method} {request.path}",
            )
    if record.streamed and not record.events and record.raised is None:
        yield Finding(check="evidence", message="the client emitted no event")
    if record.turn is None and record.raised is None:
        yield Finding(check="evidence", message="the client emitted no turn")
    last = reading.number == len(transcript.turns) - 1
    if (
        last
        and transcript.unplayed
        and not expects_no_request
        and reading.case.kind is not CaseKind.FAULT
    ):
        yield Finding(
            check="evidence",
            message=f"{len(transcript.unplayed)} recorded answer(s) were never requested",
            expected=len(transcript.schedules),
            observed=len(transcript.schedules) - len(transcript.unplayed),
        )


def schema(reading: Reading) -> Iterator[Finding]:
    """Check every event and the turn against the schemas."""
    record = reading.record
    for number, event in enumerate(record.events):
        for problem in event.problems:
            yield Finding(
                check="schema",
                message=f"event {number + 1}, {problem}",
                observed=event.data,
                event=number,
            )
    if record.turn is not None:
        for problem in record.turn.problems:
            yield Finding(check="schema", message=f"the turn: {problem}", observed=record.turn.data)


#: The errors that report a fault, by its kind.
_ALLOWED_ERRORS: Mapping[FaultKind, frozenset[ErrorClass]] = {
    FaultKind.CUT: frozenset({ErrorClass.TRUNCATED_STREAM, ErrorClass.EMPTY_RESPONSE}),
    FaultKind.RESET: frozenset({ErrorClass.CONNECTION_LOST}),
    FaultKind.STALL: frozenset({ErrorClass.TIMEOUT}),
}
#: Events that depend on how the turn ends, not on what was streamed before.
_CLOSING = frozenset({"tool_call_end", "warning", "usage", "message_stop", "error"})


def fault(reading: Reading) -> Iterator[Finding]:
    """Check that a broken stream gives a prefix of the events and one error, never a success.

    After the terminal event the fault must not matter: the turn is complete, or fails with the
    error that was sent.
    """
    case, expect, events = reading.case, reading.spec.expect, reading.events
    if case.fault is None or expect is None or expect.events is None or not events:
        return
    coalesced = reading.granularity == "coalesced"
    wanted = _content(canonical(expect.events, coalesced=coalesced))
    seen = _content(canonical(reading.event_data, coalesced=coalesced))
    at = first_difference(wanted[: len(seen)], seen)
    if at is not None and not (coalesced and _is_beginning_of_delta(wanted, seen, at)):
        yield Finding(
            check="fault",
            message="the emitted events are not a prefix of the expected events",
            expected=wanted,
            observed=seen,
            event=at,
        )
    facts, last = reading.facts, events[-1]
    if facts is None or not isinstance(last, MessageStop | ErrorEvent):
        return
    if not facts.terminal_seen:
        allowed = _ALLOWED_ERRORS[case.fault]
        error = last.error.error_class if isinstance(last, ErrorEvent) else None
        if error not in allowed:
            wanted_errors = " or ".join(sorted(allowed))
            yield Finding(
                check="fault",
                message=f"{case.fault} after wire event {case.event}: "
                f"{'success' if error is None else error} instead of {wanted_errors}",
                expected=wanted_errors,
                observed=to_text(last),
            )
    elif isinstance(last, ErrorEvent) and not (facts.error or facts.broken):
        whole = expect.events[-1]
        if whole["type"] != "error" or not same_event(whole, reading.event_data[-1]):
            yield Finding(
                check="fault",
                message=f"{case.fault} after the terminal event must not fail the turn",
                expected="message_stop",
                observed=to_text(last),
            )


def to_text(event: MessageStop | ErrorEvent) -> str:
    """Return a terminal event in one word."""
    return str(event.finish_reason if isinstance(event, MessageStop) else event.error.error_class)


def _content(events: list[JsonObject]) -> list[JsonObject]:
    return [e for e in events if e.get("type") not in _CLOSING]


def _is_beginning_of_delta(wanted: list[JsonObject], seen: list[JsonObject], at: int) -> bool:
    """Return whether the only difference is a joined delta that the fault cut short."""
    if at != len(seen) - 1 or at >= len(wanted) or wanted[at]["type"] != seen[at]["type"]:
        return False
    key = "arguments_delta" if "arguments_delta" in wanted[at] else "delta"
    return str(wanted[at].get(key)).startswith(str(seen[at].get(key)))


def incremental(reading: Reading) -> Iterator[Finding]:
    """Check that the client emits events before the server has sent the rest."""
    gate = reading.case.gate
    if gate is not None and reading.transcript.gate_timed_out:
        yield Finding(
            check="incremental",
            message=f"the client did not emit event {gate.seen} once wire event {gate.after} "
            "was sent; it waited for more of the stream",
            key_path=("incremental",),
        )


def hygiene(reading: Reading) -> Iterator[Finding]:
    """Check that the client returns, raises nothing unexpected, and closes its connection."""
    if reading.record.hung:
        yield Finding(
            check="hygiene", message="the client did not return before the deadline and was stopped"
        )
    if reading.record.raised is not None:
        yield Finding(
            check="hygiene",
            message="the client raised an exception other than ClientError",
            observed=reading.record.raised,
        )
    if not reading.transcript.connection_closed:
        yield Finding(check="hygiene", message="connection still open after the call returned")


def cassette(reading: Reading) -> Iterator[Finding]:
    """Check that the cassette has an interaction to play."""
    if not reading.transcript.schedules:
        yield Finding(
            check="cassette", message="the cassette has no interaction", blame=Blame.CASSETTE
        )
