from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.clients import door
from harness.judge.transcript import Blame, Outcome, SeenRequest, Transcript, TurnRecord, Verdict
from harness.reports.records import CaseResult
from harness.run.again import environment_failed, lacks_evidence
from harness.suite.scenario import Case, RequestSpec, Scenario, TurnSpec

SENT = SeenRequest(method="POST", path="/", query="", headers=(), body=b"{}", exchange=0)


def error(kind: str) -> Any:
    given = {"class": kind, "message": "m", "retryable": True}
    return door.event({"type": "error", "error": given})


def transcript(count: int | None = None, **record: Any) -> Transcript:
    spec = TurnSpec(key_path=(), call=None, request=RequestSpec(count=count))
    scenario = Scenario(
        id="a/b",
        title="t",
        dialect="openai-chat",
        requires=frozenset(),
        source=(),
        priority="P0",
        file=Path("a.yaml"),
        cassette=Path("b.yaml"),
        turns=(spec,),
    )
    return Transcript(
        case=Case(scenario=scenario, adapter="x"),
        api_key="k",
        base_url="",
        turns=(TurnRecord(streamed=True, **record),),
        schedules=(),
    )


TEXT = door.event({"type": "content_delta", "delta": "made up"})


@pytest.mark.parametrize(
    ("record", "lacking"),
    [
        ({"hung": True}, True),
        ({"hung": True, "requests": (SENT,)}, False),
        ({"events": (error("timeout"),)}, True),
        ({"events": (error("connection_lost"),)}, True),
        ({"events": (error("timeout"),), "requests": (SENT,)}, False),
        ({"events": (error("invalid_request"),)}, False),
        ({"raised": "APITimeoutError: Request timed out."}, True),
        ({"raised": "ConnectError: all attempts failed"}, True),
        ({"raised": "KeyError: 'choices'"}, False),
        ({"events": (TEXT,)}, False),
        ({"ended": "the client ended its process (exit code 0)"}, False),
        ({}, False),
    ],
)
def test_only_a_client_that_was_kept_from_the_server_lacks_evidence(
    record: dict[str, Any], lacking: bool
) -> None:
    assert lacks_evidence(transcript(**record)) is lacking


def test_no_request_may_be_what_is_asked_for() -> None:
    assert not lacks_evidence(transcript(count=0, events=(error("timeout"),)))


def test_what_the_environment_did_is_an_error_of_nobody() -> None:
    evidence = transcript(hung=True)
    failed = CaseResult(
        case=evidence.case,
        verdict=Verdict(outcome=Outcome.FAIL),
        transcript=evidence,
        known="a reason",
    )
    result = environment_failed(failed)
    assert (result.verdict.outcome, result.known) == (Outcome.ERROR, None)
    assert [f.blame for f in result.verdict.findings] == [Blame.HARNESS]
