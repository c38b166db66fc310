"""The checks: pure functions from a transcript to findings.

Each looks at one turn of one case and yields findings. A check that has nothing to judge
yields none; the verdict lists the checks that ran.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from harness.judge import (
    conduct,
    delivery,
    expectation,
    faults,
    native,
    request,
    resplit,
    rules,
    wire_rules,
)
from harness.judge.coverage import Coverage, covered
from harness.judge.kinds import KINDS, Level
from harness.judge.reading import Reading
from harness.judge.terms import Terms
from harness.judge.transcript import Blame, Finding, Outcome, Transcript, Verdict
from harness.suite.scenario import Expectation, Scenario

Check = Callable[[Reading], Iterator[Finding]]

CHECKS: Mapping[str, Check] = {
    "cassette": conduct.cassette,
    "evidence": conduct.evidence,
    "hygiene": conduct.hygiene,
    "schema": conduct.schema,
    "terminal": rules.terminal,
    "fold": rules.folding,
    "completeness": wire_rules.completeness,
    "usage": wire_rules.usage,
    "tool-calls": rules.tool_calls,
    "calls-kept": wire_rules.calls_kept,
    "finish-reason": wire_rules.finish_reason,
    "content-kept": wire_rules.content_kept,
    "in-band-error": wire_rules.in_band_error,
    "error-kept": wire_rules.error_kept,
    "identity": wire_rules.identity,
    "secrets": rules.secrets,
    "resplit": resplit.resplit,
    "native": native.native,
    "native-turn": native.native_turn,
    "native-sequence": expectation.native_sequence,
    "sequence": expectation.sequence,
    "turn": expectation.turn,
    "error": expectation.error,
    "request": request.request,
    "fault": faults.fault,
    "cancel": delivery.cancel,
    "together": delivery.together,
    "incremental": delivery.incremental,
}


#: Which of several findings of one level leads: the one on which the others may depend.
_ORDER = {kind: number for number, kind in enumerate(KINDS)}
#: The checks of a call whose caller stopped reading: it has no end to be judged.
_OF_CANCELLED = ("cassette", "evidence", "hygiene", "schema", "secrets", "request", "cancel")
#: The checks that compare with what a scenario expects.
_EXPECTED = ("native-sequence", "sequence", "turn", "error")


def judge(transcript: Transcript, terms: Terms, checks: Mapping[str, Check] = CHECKS) -> Verdict:
    """Run every check on every turn. A verdict without any check is an error.

    Of several outcomes that a scenario accepts, the one counts that the client is nearest to.
    """
    findings: list[Finding] = []
    coverage = Coverage()
    for number in range(len(transcript.turns)):
        readings = [
            Reading(transcript, number, terms, expect)
            for expect in alternatives(transcript.case.scenario.turns[number].expect)
        ]
        reading = min(readings, key=_distance) if len(readings) > 1 else readings[0]
        for name, check in checks.items():
            if not reading.record.cancelled or name in _OF_CANCELLED:
                findings += (_seen_in_context(reading, f) for f in check(reading))
        coverage += covered(reading)
    if not transcript.turns or not checks:
        findings.append(
            Finding(check="evidence", kind="setup", message="no check ran", blame=Blame.HARNESS)
        )
    scenario = transcript.case.scenario
    ordered = [_weighed(f, scenario) for f in findings]
    ordered.sort(key=lambda f: (tuple(Level).index(f.level), _ORDER[f.kind]))
    counted = [f for f in ordered if f.blame is Blame.CLIENT and terms.level.includes(f.level)]
    if any(f.blame is not Blame.CLIENT for f in ordered):
        outcome = Outcome.ERROR
    else:
        outcome = Outcome.FAIL if counted else Outcome.PASS
    return Verdict(
        outcome=outcome,
        findings=tuple(ordered),
        checks=tuple(checks),
        judged=coverage.judged,
        unexposed=coverage.unexposed,
        given=coverage.given,
    )


#: What a client makes of the content of a wire, in distinction from what it says of its ending.
_CONTENT = frozenset(
    {
        "text",
        "refusal",
        "reasoning",
        "tool-call",
        "call-id",
        "citation",
        "image",
        "signature",
        "field",
        "finish-reason",
        "usage",
        "false-failure",
    }
)


def _weighed(finding: Finding, scenario: Scenario) -> Finding:
    """Return a finding with the weight that the scenario gives it.

    A standard's MUST makes more of it. On a wire that nothing promises, content may be lost.
    """
    if finding.kind in scenario.must:
        return replace(finding, weight=Level.MUST)
    if scenario.beyond is not None and finding.kind in _CONTENT:
        return replace(finding, weight=Level.SHOULD)
    return finding


def _seen_in_context(reading: Reading, finding: Finding) -> Finding:
    """Return a finding with the kind that it has for this call.

    A client may name the model that it was asked for in place of the one that answered.
    """
    call = reading.case.scenario.turns[0].call
    is_echo = call is not None and finding.observed == call.model
    if finding.kind == "field" and finding.field == "model" and is_echo:
        return replace(finding, kind="made-up")
    return finding


def alternatives(expect: Expectation | None) -> tuple[Expectation | None, ...]:
    """Return the outcomes that a scenario accepts."""
    return (expect,) if expect is None or not expect.any_of else expect.any_of


def _distance(reading: Reading) -> tuple[int, ...]:
    """Return how many findings of each level an outcome would give, must first."""
    found = [f.level for name in _EXPECTED for f in CHECKS[name](reading)]
    return tuple(found.count(level) for level in Level)
