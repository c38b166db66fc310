from types import SimpleNamespace

import pytest

from harness.checks.conduct import request
from harness.scenario import RequestSpec
from harness.transcript import SeenRequest

KEY = "sk-tapecheck-0123"
POST = ("POST", "/v1/responses", "")
GET = ("GET", "/v1/responses/resp_1", "stream=true&starting_after=7")
SEQUENCE = ("POST /v1/responses", "GET /v1/responses/resp_1?stream=true&starting_after=7")


def seen(method, path, query, key=KEY):
    return SeenRequest(
        method=method,
        path=path,
        query=query,
        headers=(("Authorization", f"Bearer {key}"),),
        body=b"",
        exchange=0,
    )


def found(spec, *requests):
    reading = SimpleNamespace(
        spec=SimpleNamespace(request=spec, place=()),
        record=SimpleNamespace(requests=requests),
        transcript=SimpleNamespace(api_key=KEY),
    )
    return [finding.place for finding in request(reading)]


@pytest.mark.parametrize(
    ("requests", "places"),
    [
        ([seen(*POST), seen(*GET)], []),
        ([seen(*POST)], [("request", "sequence")]),
        ([seen(*GET), seen(*POST)], [("request", "sequence")]),
        (
            [seen(*POST), seen(GET[0], GET[1], "stream=true&starting_after=8")],
            [("request", "sequence")],
        ),
        ([seen(*POST), seen(*GET, key="another")], [("request", "headers", "authorization")]),
    ],
)
def test_a_sequence_names_every_request(requests, places):
    headers = {"authorization": "Bearer {api_key}"}
    assert found(RequestSpec(sequence=SEQUENCE, headers=headers), *requests) == places


def test_without_a_sequence_headers_are_those_of_the_first():
    spec = RequestSpec(count=2, headers={"authorization": "Bearer {api_key}"})
    assert found(spec, seen(*POST), seen(*GET, key="another")) == []
    assert found(spec, seen(*POST, key="another"), seen(*GET)) == [
        ("request", "headers", "authorization")
    ]
