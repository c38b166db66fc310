from __future__ import annotations

import json

import pytest

from mockserver.cassettes.cassette import Request
from mockserver.library import nearest
from mockserver.library.matcher import differences
from mockserver.library.nearest import Near
from mockserver.library.refusal import RefusalError
from mockserver.serving.responses import refusal_response
from tests.mockserver.rawhttp import exchange, request

# The statuses that the SDKs of OpenAI, Anthropic, Google and Cohere retry.
RETRIED = {408, 409, 425, 429, *range(500, 600)}


def explain(got: Request, *near: Near) -> RefusalError:
    return nearest.explain(got, near, where="here", hint="HINT")


@pytest.mark.parametrize(
    ("recorded", "got", "hint"),
    [
        ("/v1/chat/completions", "/chat/completions", "Add '/v1' to the end"),
        ("/chat/completions", "/v1/chat/completions", "Remove '/v1' from the end"),
        ("/v1/chat/completions", "/v1/embeddings", "HINT"),
    ],
)
def test_a_wrong_base_url_gets_a_hint(recorded: str, got: str, hint: str) -> None:
    near = nearest.among(request(got), [exchange(path=recorded, method="POST")], "tape")
    assert hint in explain(request(got), *near).message


def test_the_client_gets_the_nearest_recording_and_what_differs() -> None:
    exchanges = [exchange(path="/other", method="POST"), exchange(path="/x", method="POST")]
    got = request("/x", b'{"a":1}')
    refusal = explain(got, *nearest.among(got, exchanges, "tape"))
    response = refusal_response(refusal)
    assert isinstance(response.body, bytes)
    error = json.loads(response.body)["error"]
    assert error["type"] == "tapecheck_miss"
    assert "nearest is tape, interaction 1" in error["message"]
    assert error["nearest"][0] == {
        "cassette": "tape",
        "interaction": 1,
        "differences": [{"at": "body", "expected": "nothing", "got": '{"a":1}'}],
        "more_differences": 0,
    }


def test_no_sdk_sends_a_missed_request_again() -> None:
    response = refusal_response(explain(request()))
    assert response.status not in RETRIED
    assert response.headers["x-should-retry"] == "false"


def test_a_request_that_was_already_played_is_reported_so() -> None:
    near = nearest.among(request("/x"), [exchange(path="/x", method="POST")], "tape")
    assert "was already played" in explain(request("/x"), *near).message


def test_many_differences_are_counted_not_listed() -> None:
    body = json.dumps({f"k{i:02}": i for i in range(20)}).encode()
    other = json.dumps({f"k{i:02}": -i - 1 for i in range(20)}).encode()
    found = differences(request("/x", body), request("/x", other))
    data = Near("tape", 0, found).to_json()
    assert (len(data["differences"]), data["more_differences"]) == (8, 12)
    assert "and 17 more" in explain(request("/x"), Near("tape", 0, found)).message
