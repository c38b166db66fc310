"""The checks: pure functions from a transcript to findings.

Each looks at one turn of one case and yields findings. A check that has nothing to judge
yields none; the verdict lists the checks that ran.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from harness.judge import conduct, expectation, native, request, resplit, rules
from harness.judge.reading import Reading
from harness.judge.transcript import Blame, Finding, Outcome, Transcript, Verdict

Check = Callable[[Reading], Iterator[Finding]]

CHECKS: Mapping[str, Check] = {
    "cassette": conduct.cassette,
    "evidence": conduct.evidence,
    "hygiene": conduct.hygiene,
    "schema": conduct.schema,
    "terminal": rules.terminal,
    "fold": rules.folding,
    "completeness": rules.completeness,
    "usage": rules.usage,
    "tool-calls": rules.tool_calls,
    "finish-reason": rules.finish_reason,
    "content-kept": rules.content_kept,
    "in-band-error": rules.in_band_error,
    "secrets": rules.secrets,
    "resplit": resplit.resplit,
    "native": native.native,
    "native-turn": native.native_turn,
    "native-sequence": expectation.native_sequence,
    "sequence": expectation.sequence,
    "turn": expectation.turn,
    "error": expectation.error,
    "request": request.request,
    "fault": conduct.fault,
    "incremental": conduct.incremental,
}


def judge(
    transcript: Transcript,
    granularity: str = "exact",
    features: frozenset[str] = frozenset(),
    checks: Mapping[str, Check] = CHECKS,
) -> Verdict:
    """Run every check on every turn. A verdict without any check is an error."""
    findings: list[Finding] = []
    for number in range(len(transcript.turns)):
        reading = Reading(transcript, number, granularity, features)
        for check in checks.values():
            findings += check(reading)
    if not transcript.turns or not checks:
        findings.append(Finding(check="evidence", message="no check ran", blame=Blame.HARNESS))
    if not findings:
        outcome = Outcome.PASS
    elif all(f.blame is Blame.CLIENT for f in findings):
        outcome = Outcome.FAIL
    else:
        outcome = Outcome.ERROR
    return Verdict(outcome=outcome, findings=tuple(findings), checks=tuple(checks))
