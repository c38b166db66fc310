from __future__ import annotations

from pathlib import Path

import pytest

from harness.judge.baseline import Baseline, Entry
from harness.judge.transcript import Finding, Outcome, Verdict
from harness.suite.scenario import Case
from tests.harness.plan.test_expand import SCENARIO

CASE = Case(scenario=SCENARIO, adapter="mine")
ENTRY = Entry(cases="openai-chat/x", signature="sequence+usage", reason="issue 7")
BASELINE = Baseline(Path("mine.yaml"), (ENTRY,))


def verdict(*checks: str, outcome: Outcome = Outcome.FAIL) -> Verdict:
    return Verdict(outcome=outcome, findings=tuple(Finding(check=c, message="m") for c in checks))


def test_a_known_failure_is_known() -> None:
    judged, reason = BASELINE.apply(CASE, verdict("usage", "sequence", "usage"))
    assert (judged.outcome, reason) == (Outcome.KNOWN, "issue 7")


@pytest.mark.parametrize(
    ("before", "says"),
    [
        (verdict(outcome=Outcome.PASS), "but it passes"),
        (verdict("usage"), "but it fails by usage"),
    ],
)
def test_an_entry_that_is_wrong_is_stale(before: Verdict, says: str) -> None:
    judged, _ = BASELINE.apply(CASE, before)
    assert judged.outcome is Outcome.STALE
    assert says in judged.findings[0].message


def test_an_error_of_the_harness_stays_one() -> None:
    judged, _ = BASELINE.apply(CASE, verdict("sequence", "usage", outcome=Outcome.ERROR))
    assert judged.outcome is Outcome.ERROR


def test_without_an_entry_nothing_changes() -> None:
    empty = Baseline.empty(Path("mine.yaml"))
    assert empty.apply(CASE, verdict("usage")) == (verdict("usage"), None)


def test_an_entry_that_names_no_case() -> None:
    lost = Entry(cases="http/*", signature="usage", reason="r")
    assert Baseline(Path("m.yaml"), (ENTRY, lost)).unmatched([CASE]) == (lost,)
