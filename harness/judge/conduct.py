"""Checks of everything but the content: evidence, schema, hygiene."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.judge.reading import Reading
from harness.judge.transcript import UNPAIRED, Blame, Finding
from harness.suite.scenario import CaseKind
from mockserver.secrets import mask
from mockserver.vocabulary import JsonObject, Status


def evidence(reading: Reading) -> Iterator[Finding]:
    """Check that there is evidence: a request, an outcome, and no answer left unplayed.

    A scenario may require that no request is sent, by the count 0. Then no answer is played.
    """
    record, transcript = reading.record, reading.transcript
    if record.ended is not None:
        return  # What is missing was lost with the process.
    expects_no_request = reading.spec.request is not None and reading.spec.request.count == 0
    if not record.requests and not expects_no_request:
        yield Finding(
            check="evidence",
            kind="no-request",
            field="request",
            message="the client sent no request",
        )
        return
    for request in record.requests:
        if request.exchange is None:
            yield Finding(
                check="evidence",
                kind="wrong-request",
                field="request",
                message=f"{request.method} {request.path} is not in the cassette: {request.miss}",
                observed=f"{request.method} {request.path}",
            )
    gave_up = record.broke_off
    if record.streamed and not record.events and not gave_up:
        yield Finding(
            check="evidence",
            kind="no-answer",
            field="events",
            message="the client emitted no event",
        )
    malformed = any(e.problems for e in record.events)
    if record.turn is None and not (gave_up or malformed or record.cancelled):
        yield Finding(
            check="evidence",
            kind="no-answer",
            field="turn",
            message="the client emitted no turn",
        )
    # A conversation that broke off before its last turn has a finding for that.
    last = reading.number == len(reading.case.scenario.turns) - 1
    if (
        last
        and not gave_up
        and (reading.turn is None or reading.turn.status is not Status.FAILED)
        and transcript.unplayed
        and not expects_no_request
        and reading.case.kind is not CaseKind.FAULT
    ):
        yield Finding(
            check="evidence",
            kind="wrong-request",
            field="request",
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
                kind=_kind_of(event.data, problem),
                field=f"events.{event.data.get('type')!r:.40}",
                message=f"event {number + 1}, {problem}",
                observed=event.data,
                event=number,
            )
    if record.turn is not None:
        for problem in record.turn.problems:
            yield Finding(
                check="schema",
                kind=_kind(problem),
                field="turn",
                message=f"the turn: {problem}",
                observed=record.turn.data,
            )


def _kind_of(event: JsonObject, problem: str) -> str:
    if event.get("delta", event.get("arguments_delta")) == "":
        return "empty-event"
    if event.get("type") == "tool_call_start" and event.get("tool_name") in (None, ""):
        return "tool-call"  # its name is lost, or came too late for the client
    return _kind(problem)


def _kind(problem: str) -> str:
    return "surrogates" if problem.endswith(UNPAIRED) else "malformed"


def hygiene(reading: Reading) -> Iterator[Finding]:
    """Check that the client returns, raises nothing unexpected, and closes its connection."""
    if reading.record.hung:
        yield Finding(
            check="hygiene",
            kind="hang",
            field="ending",
            message="the client did not return before the deadline and was stopped",
        )
    if reading.record.ended is not None:
        yield Finding(
            check="hygiene",
            kind="process",
            field="ending",
            message=reading.record.ended,
            observed=mask(reading.record.printed) or None,
        )
    if reading.record.raised is not None:
        yield Finding(
            check="hygiene",
            kind="crash",
            field=re.sub(r"\W", "_", reading.record.raised.partition(":")[0], flags=re.ASCII)[:60],
            message="the client raised an exception that it does not document",
            observed=reading.record.raised,
        )
    if not reading.transcript.connection_closed:
        yield Finding(
            check="hygiene",
            kind="connection-open",
            field="connection",
            message="connection still open after the call returned",
        )


def cassette(reading: Reading) -> Iterator[Finding]:
    """Check that the cassette has an interaction to play."""
    if not reading.transcript.schedules:
        yield Finding(
            check="cassette",
            kind="setup",
            message="the cassette has no interaction",
            blame=Blame.CASSETTE,
        )
