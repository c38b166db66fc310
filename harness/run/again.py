"""Which cases are played again before their failure counts, and whose fault it is then.

A machine can be so busy that a client times out before its request arrives. That is no evidence
about the client.
"""

from __future__ import annotations

import re
from dataclasses import replace

from harness.judge.transcript import Blame, Finding, Outcome, Transcript, TurnRecord, Verdict
from harness.reports.records import CaseResult
from harness.suite.scenario import Case, TurnSpec
from mockserver.vocabulary import ErrorClass, ErrorEvent
from mockserver.wire import FaultKind

#: Failures by which a client reports that it did not reach the server in time.
_NOT_REACHED = frozenset({ErrorClass.TIMEOUT, ErrorClass.CONNECTION_LOST})
#: The same in the text of an exception, whose class may be any SDK's.
_SAYS_NOT_REACHED = re.compile("time.?out|timed.out|connect", re.IGNORECASE)


def waits(case: Case) -> bool:
    """Return whether the client must time out, which it may also do for want of a processor."""
    return case.fault is FaultKind.STALL or any(
        turn.call is not None and turn.call.timeout is not None for turn in case.scenario.turns
    )


def lacks_evidence(transcript: Transcript) -> bool:
    """Return whether the last call sent no request, and the client did not say that it had none.

    A client that returns an answer, or raises what has nothing to do with time, failed by itself.
    """
    if not transcript.turns:
        return False
    number = len(transcript.turns) - 1
    record, spec = transcript.turns[number], transcript.case.scenario.turns[number]
    if record.requests or record.ended is not None or _expects_no_request(spec):
        return False
    return record.hung or _reports_not_reached(record)


def _expects_no_request(spec: TurnSpec) -> bool:
    return spec.request is not None and spec.request.count == 0


def _reports_not_reached(record: TurnRecord) -> bool:
    if record.raised is not None:
        return _SAYS_NOT_REACHED.search(record.raised) is not None
    last = record.events[-1].value if record.events else None
    turn = record.turn.value if record.turn is not None else None
    error = last.error if isinstance(last, ErrorEvent) else turn.error if turn is not None else None
    return error is not None and error.error_class in _NOT_REACHED


def environment_failed(result: CaseResult) -> CaseResult:
    """Return the result of a case that lacked evidence twice, as the environment's failure."""
    finding = Finding(
        check="evidence",
        kind="setup",
        message="no request arrived, nor when the case was played again alone, though this client "
        "sent requests in other cases: something on this machine keeps it from the server",
        blame=Blame.HARNESS,
    )
    verdict = Verdict(outcome=Outcome.ERROR, findings=(finding,), checks=result.verdict.checks)
    return replace(result, verdict=verdict, known=None)
