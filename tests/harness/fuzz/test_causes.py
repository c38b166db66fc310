from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.fuzz import cases
from harness.fuzz.causes import Cause, cause_of, is_refused, known_reason
from harness.judge.baseline import Baseline
from harness.judge.transcript import Finding, Outcome, SeenRequest, Transcript, TurnRecord, Verdict
from harness.plan.planning import held
from harness.plan.wires import schedules_for
from harness.reports.records import CaseResult
from tests.harness.fuzz.drawn import wire


def result(raised: str | None = None, accepted: str | None = None) -> CaseResult:
    """Return what came of a compressed answer."""
    name = f"fuzz/causes-{accepted}-{raised}".lower()
    one = wire("a", {"gzip": "yes"})
    path = Path(f"{name}.yaml")
    document = cases.document(one, name, name)
    case, cassette = cases.case_of(one, "client", document, path, path)
    with held(cassette):
        sent = schedules_for(case)
    headers = () if accepted is None else (("Accept-Encoding", accepted),)
    request = SeenRequest(method="POST", path="/", query="", headers=headers, body=b"", exchange=0)
    turn = TurnRecord(streamed=True, raised=raised, requests=(request,), schedules=sent)
    transcript = Transcript(case=case, api_key="k", base_url="", turns=(turn,), schedules=sent)
    return CaseResult(case=case, verdict=Verdict(outcome=Outcome.FAIL), transcript=transcript)


@pytest.mark.parametrize(
    ("accepted", "refused"),
    [
        (None, False),
        ("gzip, deflate", False),
        ("br, *", False),
        ("identity", True),
        ("", True),
        ("gzip;q=0, br", True),
        ("gzip; q=0.5", False),
    ],
)
def test_a_coding_that_the_request_refuses_proves_nothing(
    accepted: str | None, refused: bool
) -> None:
    assert is_refused(result(accepted=accepted).transcript) is refused


def test_a_plain_answer_is_never_refused() -> None:
    seen = result(accepted="identity")
    (turn,) = seen.transcript.turns
    plain = tuple(schedule.decoded() for schedule in turn.schedules)
    transcript = replace(seen.transcript, turns=(replace(turn, schedules=plain),))
    assert not is_refused(transcript)


def test_causes_are_told_apart_by_what_was_raised_and_not_by_numbers() -> None:
    crash = Finding(check="hygiene", kind="crash", message="raised")
    names = {cause_of(crash, result(f"{name}: 1")) for name in ("KeyError", "ValueError")}
    assert len(names) == 2
    calls = [
        Finding(check=check, kind="tool-call", field=f"tool_calls.{number}.name", message="")
        for number, check in enumerate(("turn", "calls-kept"))
    ]
    (cause,) = {cause_of(finding, result()) for finding in calls}
    assert cause == Cause("tool-call", "tool_calls.name")
    assert cause.slug == "tool-call"


def test_the_baseline_knows_a_cause_in_whatever_cases() -> None:
    entry = {"kind": "usage", "field": "usage.*", "cases": "sse/**", "reason": "it adds up"}
    baseline = Baseline.read(Path("client.yaml"), [entry])
    known = Finding(check="usage", kind="usage", field="usage.total_tokens", message="")
    assert known_reason(known, baseline) == "it adds up"
    assert known_reason(replace(known, kind="text"), baseline) is None
