from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mockserver.backend.verdict import Level
from mockserver.cassettes.cassette import Request
from mockserver.library.outcome import Outcome
from tests.mockserver.backend.asking import tool, user
from tests.mockserver.backend.verdict.behaviours import KEY
from tests.mockserver.backend.verdict.story import Story, answer, failure, tried

WEATHER, TIME = tool("weather"), tool("time")
HISTORY = (user("Hi"), answer("Hello"), user("More"))


def moved(story: Story, uri: str) -> None:
    """Change the address of the last request."""
    seen = story.seen[-1]
    request: Request = replace(seen.request, uri=uri)
    story.seen[-1] = replace(seen, request=request)


@pytest.mark.parametrize(
    ("uri", "level", "where"),
    [
        (f"http://x/v1/chat/completions?key={KEY}", Level.NOTE, "in the query"),
        (f"http://x/{KEY}/v1/chat/completions", Level.FAIL, "in the path"),
    ],
)
def test_a_key_in_the_address_is_found(uri: str, level: Level, where: str) -> None:
    story = Story()
    story.ask(at=0)
    moved(story, uri)
    (finding,) = story.verdict(keys={"openai-chat": KEY}).findings
    assert (finding.check, finding.level) == ("key", level)
    assert where in finding.message
    assert KEY not in finding.message


def test_a_key_that_goes_to_another_provider_is_found() -> None:
    story = Story()
    story.ask(at=0, headers={"x-api-key": KEY})
    assert story.found(keys={"anthropic": KEY}) == {"key": Level.FAIL}
    assert story.found(keys={"openai-chat": KEY}) == {}


def test_what_is_no_address_of_a_dialect_has_no_conversation() -> None:
    story = Story()
    story.ask(at=0)
    story.seen[-1] = replace(story.seen[-1], found=None, outcome=Outcome.REFUSED)
    moved(story, "http://x/nowhere")
    assert story.found() == {}


def system(text: str) -> dict[str, str]:
    return {"role": "system", "content": text}


@pytest.mark.parametrize(
    ("first", "second", "options", "difference"),
    [
        ((system("Be kind"), user("Hi")), (system("Be brief"), *HISTORY), {}, "character 3"),
        ((user("Hi"),), (user("Ho"), *HISTORY[1:]), {}, None),
        (
            (user("Hi"), answer("Hello"), user("More")),
            (user("Hi"), answer("Hullo"), user("More"), answer("So"), user("Ok")),
            {},
            "message 1 differs",
        ),
    ],
)
def test_the_first_difference_of_a_conversation_is_named(
    first: Any, second: Any, options: Any, difference: str | None
) -> None:
    story = Story()
    story.ask(*first, at=0, **options)
    story.ask(*second, at=1, **options)
    found = [f.message for f in story.verdict().findings if f.check == "prompt-prefix"]
    assert [difference in message for message in found if difference] == [True] * len(found)
    assert bool(found) == bool(difference)


def test_another_number_of_tools_is_a_difference() -> None:
    story = Story()
    story.ask(at=0, tools=(WEATHER,), tool_choice="none")
    story.ask(*HISTORY, at=1, tools=(WEATHER, TIME), tool_choice="none")
    (finding,) = story.verdict().findings
    assert "1 tools become 2" in finding.message


def test_silence_without_a_stated_timeout_cannot_be_judged() -> None:
    story = Story()
    story.ask(at=0, broken="stall=2", until=30, outcome=Outcome.SERVER_CLOSED)
    assert story.found()["read-timeout"] is Level.UNKNOWN
    assert story.found(timeout=5.0)["read-timeout"] is Level.FAIL


def test_a_test_that_ends_before_the_timeout_says_nothing() -> None:
    story = Story()
    story.ask(at=0, broken="stall=2", until=3, outcome=Outcome.SERVER_CLOSED)
    assert story.found(timeout=5.0)["read-timeout"] is Level.UNKNOWN


def test_a_cancelled_call_that_ends_soon_or_was_over_is_fine() -> None:
    story = Story()
    story.ask(at=0, until=5.5)
    story.ask(user("Ho"), at=0, until=1)
    assert "cancel" not in story.found(cancelled=(5.0,))


def test_many_failures_of_one_request_are_a_note() -> None:
    story = Story()
    for at in range(6):
        story.ask(at=at * 10, fail=failure(500))
    assert story.found()["retry-layers"] is Level.NOTE


def test_a_retry_with_a_new_idempotency_key_fails() -> None:
    story = Story()
    story.ask(at=0, fail=failure(500), headers={**tried(0), "idempotency-key": "a"})
    story.ask(at=1, headers={**tried(1), "idempotency-key": "b"})
    assert story.found() == {"idempotency-key": Level.FAIL}


def test_a_verdict_is_json_too() -> None:
    story = Story()
    story.ask(at=0, fail=failure(429, 2), headers=tried(0))
    story.ask(at=0.4, headers=tried(1))
    data = json.loads(json.dumps(story.verdict().to_json()))
    assert data["failed"] is True
    assert data["findings"][0]["requests"] == [0, 1]
    assert data["counts"]["request"] == 2
