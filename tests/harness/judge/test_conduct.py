from types import SimpleNamespace

import pytest

from harness.judge.conduct import evidence
from harness.judge.transcript import SeenRequest
from harness.suite.scenario import CaseKind, RequestSpec

POST = SeenRequest(
    method="POST", path="/v1/responses", query="", headers=(), body=b"{}", exchange=0
)


def found(count, *requests, unplayed=()):
    reading = SimpleNamespace(
        number=0,
        spec=SimpleNamespace(request=None if count is None else RequestSpec(count=count)),
        case=SimpleNamespace(kind=CaseKind.WIRE),
        record=SimpleNamespace(requests=requests, streamed=False, raised=None, turn={}, events=()),
        transcript=SimpleNamespace(turns=(1,), schedules=(1,), unplayed=unplayed),
    )
    return [finding.message for finding in evidence(reading)]


@pytest.mark.parametrize("count", [None, 1])
def test_no_request_is_no_evidence(count):
    assert found(count, unplayed=(1,)) == ["the client sent no request"]
    assert found(count, POST, unplayed=(1,)) == ["1 recorded answer(s) were never requested"]
    assert found(count, POST) == []


def test_no_request_may_be_what_is_asked_for():
    assert found(0, unplayed=(1,)) == []
