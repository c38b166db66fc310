"""Honest clients that look like others: in doubt the client is right."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mockserver.backend.verdict import Level
from mockserver.library.outcome import Outcome
from tests.mockserver.backend.asking import tool, user
from tests.mockserver.backend.verdict.behaviours import KEY, keeps_a_cut_text
from tests.mockserver.backend.verdict.story import Story, answer, failure, tried

TOOLS = (tool("weather"),)


def cut_text(story: Story) -> str:
    keeps_a_cut_text(story)
    (_, said, _) = story.seen.pop().asked.call.messages  # type: ignore[union-attr]
    return str(said["content"])


def cut_call(story: Story) -> str:
    story.ask(at=0, broken="cut=2", tools=TOOLS)
    (call,) = story.turns[0].tool_calls
    return call.id


def closed(id_: str, **result: object) -> tuple[dict[str, object], ...]:
    function = {"name": "weather", "arguments": "{}"}
    calls = [{"id": id_, "type": "function", "function": function}]
    return (
        user("Hi"),
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": id_, **result},
    )


def test_workers_that_share_a_connection_do_not_retry_for_one_another() -> None:
    story = Story()
    story.ask(at=0, fail=failure(429, 5))
    story.ask(at=1)
    story.ask(at=2)
    story.ask(at=5.2)
    assert story.found() == {"retry-after": Level.NOTE}


def test_workers_that_count_their_retries_are_known_to_wait() -> None:
    story = Story()
    story.ask(at=0, fail=failure(429, 5), headers=tried(0))
    story.ask(at=1, headers=tried(0))
    story.ask(at=2, headers=tried(0))
    story.ask(at=5.2, headers=tried(1))
    assert story.found() == {}


def test_a_test_that_shows_three_failures_has_not_retried() -> None:
    story = Story()
    for at in range(3):
        story.ask(at=at, fail=failure(429, 5))
    assert Level.FAIL not in story.found().values()


def test_a_person_who_stops_a_stream_may_keep_what_came() -> None:
    cut = cut_text(Story())
    story = Story()
    story.ask(at=0, outcome=Outcome.CLIENT_CLOSED)
    schedule = story.seen[0].schedule
    assert schedule is not None
    story.seen[0] = replace(story.seen[0], sent=schedule.plain.event_ends[5])
    story.ask(user("Hi"), answer(cut), user("More"), at=1)
    assert Level.FAIL not in story.found().values()


@pytest.mark.parametrize(
    "words", ["Continue.", "Your answer was cut off. Go on where you left off.", "[interrupted]"]
)
def test_a_client_that_asks_to_go_on_behind_a_cut_text_knows_of_the_cut(words: str) -> None:
    story = Story()
    cut = cut_text(story)
    story.ask(user("Hi"), answer(cut), user(words), at=1)
    assert story.found() == {"truncated-stream": Level.UNKNOWN}


@pytest.mark.parametrize(
    "result",
    [
        {"content": "Error: the stream was interrupted."},
        {"content": "Cancelled"},
        {"content": "The tool was not executed."},
        {"content": "No.", "is_error": True},
    ],
)
def test_a_result_that_closes_a_cut_call_is_no_execution(result: dict[str, object]) -> None:
    story = Story()
    id_ = cut_call(story)
    story.ask(*closed(id_, **result), at=1, tools=TOOLS)
    assert Level.FAIL not in story.found().values()


def test_any_other_result_is_one() -> None:
    story = Story()
    id_ = cut_call(story)
    story.ask(*closed(id_, content="21"), at=1, tools=TOOLS)
    assert story.found()["cut-call"] is Level.FAIL


def test_a_key_of_a_header_is_found_in_a_body_without_a_word_of_the_test() -> None:
    story = Story()
    story.ask(user(f"my key is {KEY}"), at=0, headers={"authorization": f"Bearer {KEY}"})
    assert story.found() == {"key": Level.FAIL}
    assert KEY not in story.verdict().text


def test_a_short_key_may_be_a_word_of_the_text() -> None:
    story = Story()
    story.ask(user("any tapecheck"), at=0, headers={"authorization": "Bearer tapecheck"})
    assert story.found() == {}


@pytest.mark.parametrize("words", ["{} [connection lost]", "Error: the stream ended behind '{}'"])
def test_an_application_may_show_a_cut_text_with_its_failure(words: str) -> None:
    story = Story()
    story.ask(at=0, broken="cut=6")
    cut = cut_text(Story())
    assert story.found(answers=(words.format(cut),)) == {"truncated-stream": Level.UNKNOWN}
    assert story.found(answers=(f"Model: {cut}",)) == {"truncated-stream": Level.FAIL}


def test_a_call_that_is_shortened_later_is_a_choice() -> None:
    story = Story()
    (call,) = story.ask(at=0, tools=TOOLS).tool_calls
    for at, arguments in ((1, call.arguments_raw), (2, "{}")):
        _, said, result = closed(call.id, content="21")
        said["tool_calls"][0]["function"]["arguments"] = arguments  # type: ignore[index]
        story.ask(user("Hi"), said, result, at=at, tools=TOOLS)
    assert story.found()["changed-call"] is Level.NOTE
