from __future__ import annotations

from dataclasses import replace

import pytest

from mockserver.backend.reply import Given
from mockserver.backend.verdict import CHECKS, Level, Statements, judge
from mockserver.dialects.objection import objection
from mockserver.library.outcome import Outcome
from tests.mockserver.backend.asking import user
from tests.mockserver.backend.verdict.behaviours import PAIRS
from tests.mockserver.backend.verdict.story import Story, answer, failure, tried


def test_each_check_has_a_client_that_it_must_catch_and_one_that_it_must_pass() -> None:
    ids = {check for found in CHECKS.values() for check in found}
    assert ids == PAIRS.keys()


@pytest.mark.parametrize("check", PAIRS)
def test_a_mistake_is_found(check: str) -> None:
    pair, story = PAIRS[check], Story()
    pair.wrong(story)
    found = story.found(**pair.statements)
    assert found.get(check) is pair.level


@pytest.mark.parametrize("check", PAIRS)
def test_an_honest_client_passes(check: str) -> None:
    pair, story = PAIRS[check], Story()
    pair.right(story)
    assert check not in story.found(**pair.statements)


@pytest.mark.parametrize("check", PAIRS)
def test_no_honest_client_fails_at_anything(check: str) -> None:
    pair, story = PAIRS[check], Story()
    pair.right(story)
    assert Level.FAIL not in story.found(**pair.statements).values()


def test_equal_requests_alone_prove_no_retry() -> None:
    story = Story()
    story.ask(at=0, fail=failure(429, 2))
    story.ask(at=0.4)
    assert story.found() == {"retry-after": Level.UNKNOWN}


def test_a_mark_of_the_test_makes_it_a_proof() -> None:
    story = Story()
    story.ask(at=0, fail=failure(429, 2), call=1)
    story.ask(at=0.4, call=1)
    assert story.found()["retry-after"] is Level.FAIL


def test_a_retry_around_an_sdk_that_counts_from_0_is_one_in_a_marked_call() -> None:
    story = Story()
    story.ask(at=0, fail=failure(429, 2), headers=tried(0), call=1)
    story.ask(at=0.4, headers=tried(0), call=1)
    assert story.found()["retry-after"] is Level.FAIL
    story = Story()
    story.ask(at=0, fail=failure(429, 2), headers=tried(0), call=1)
    story.ask(at=2.2, headers=tried(0), call=1)
    assert "retry-after" not in story.found()


def test_a_text_that_is_too_short_to_know_again_is_said_to_be_so() -> None:
    story = Story()
    story.ask(at=0, broken="cut=2")
    finding = story.verdict(answers=("This",)).findings[0]
    assert finding.level is Level.UNKNOWN
    assert "too short" in finding.remedy


def test_how_to_see_it_again_names_the_interruption() -> None:
    story = Story()
    PAIRS["truncated-stream"].wrong(story)
    assert "llm.say(…).cut(6)" in story.verdict().text


def test_parallel_equal_calls_that_each_wait_as_asked_pass() -> None:
    story = Story()
    for number in range(4):
        story.ask(at=number * 0.3, fail=failure(429, 2), headers=tried(0), connection=number)
    # In another order than before: some pairings would wait too short.
    for place, number in enumerate((2, 0, 3, 1)):
        story.ask(at=2.1 + place * 0.3, headers=tried(1), connection=number)
    assert "retry-after" not in story.found()


def test_four_retries_fail_if_no_pairing_lets_all_of_them_wait() -> None:
    story = Story()
    for number in range(4):
        story.ask(at=number * 0.3, fail=failure(429, 2), headers=tried(0), connection=number)
    for number in range(4):
        story.ask(at=1.2 + number, headers=tried(1), connection=number)
    assert story.found()["retry-after"] is Level.FAIL


def test_a_wait_of_minutes_may_be_cut_short() -> None:
    story = Story()
    story.ask(at=0, fail=failure(429, 600), headers=tried(0))
    story.ask(at=1, headers=tried(1))
    assert story.found()["retry-after"] is Level.NOTE


def test_three_equal_requests_after_400_cannot_be_judged_apart_from_three_calls() -> None:
    story = Story()
    for at in range(3):
        story.ask(at=at, fail=failure(400))
    assert story.found() == {"retried-client-error": Level.UNKNOWN}


def test_a_cut_stream_without_a_trace_cannot_be_judged() -> None:
    story = Story()
    story.ask(at=0, broken="cut=6")
    assert story.found() == {"truncated-stream": Level.UNKNOWN}


def test_cut_text_that_the_application_gives_out_is_proof() -> None:
    story = Story()
    whole = story.ask(at=0, broken="cut=9")
    shown = whole.content[:12]
    assert story.found(answers=(f"{shown} and more",))["truncated-stream"] is Level.UNKNOWN
    story = Story()
    story.ask(at=0, broken="cut=6")
    cut = "This is an answer that"
    assert story.found(answers=(f"Model: {cut}",))["truncated-stream"] is Level.FAIL


@pytest.mark.parametrize(
    "shown",
    [
        "This is an answer that tapecheck made …",
        "> This is an\n> answer that tapecheck made up; its mark is",
        'This\\nis an answer that\\ntapecheck made up"',
    ],
    ids=["shortened", "other lines", "JSON"],
)
def test_a_whole_answer_that_is_shown_in_another_form_is_none_that_was_cut(shown: str) -> None:
    story = Story()
    story.ask(at=0, broken="cut=6")
    story.ask(at=1)
    assert Level.FAIL not in story.found(answers=(shown,)).values()
    assert story.found(answers=("This is an answer that",))["truncated-stream"] is Level.FAIL


def test_a_whole_answer_without_words_excuses_no_cut_text() -> None:
    story = Story()
    story.ask(at=0, broken="cut=6")
    story.ask(user("say !!!"), at=1)
    assert story.found(answers=("This is an answer that",))["truncated-stream"] is Level.FAIL


def test_a_call_beside_the_one_that_was_cancelled_goes_on() -> None:
    story = Story()
    story.ask(user("One"), at=0, until=20)
    story.ask(user("Two"), at=1, until=5.1, outcome=Outcome.CLIENT_CLOSED)
    assert "cancel" not in story.found(cancelled=(5.0,))
    story = Story()
    story.ask(user("One"), at=0, until=20)
    story.ask(user("Two"), at=1, until=20)
    assert story.found(cancelled=(5.0,))["cancel"] is Level.FAIL


def test_a_call_that_was_cancelled_a_moment_ago_may_still_be_open() -> None:
    story = Story()
    story.ask(at=0, until=20)
    statements = Statements(cancelled=(5.0,))
    for now, level in ((5.2, Level.UNKNOWN), (6.5, Level.FAIL)):
        findings = judge(story.seen, statements, now=now).findings
        assert {f.check: f.level for f in findings} == {"cancel": level}


def test_requests_that_are_forgotten_are_counted() -> None:
    story = Story()
    story.ask(at=0)
    verdict = judge(story.seen, forgotten=1200)
    assert "1,200 earlier requests" in verdict.text
    assert verdict.to_json()["forgotten"] == 1200
    assert "forgotten" not in judge(story.seen).to_json()


def test_a_client_that_lets_the_model_go_on_with_a_cut_text_passes() -> None:
    story = Story()
    story.ask(at=0, broken="cut=6")
    story.ask(user("Hi"), answer("This is an answer that"), at=1)
    assert Level.FAIL not in story.found().values()


def test_an_excuse_keeps_the_verdict_green_and_is_shown() -> None:
    story = Story()
    PAIRS["changed-call"].wrong(story)
    assert story.verdict().failed
    verdict = story.verdict(excuses={"changed-call": "the gateway normalizes cities"})
    assert not verdict.failed
    assert "the gateway normalizes cities" in verdict.text


def test_the_text_names_requests_routes_and_what_to_do() -> None:
    story = Story()
    PAIRS["retry-after"].wrong(story)
    text = story.verdict().text
    assert "1 failure" in text
    assert "#0 -> #1" in text
    assert "POST /v1/chat/completions" in text
    assert "again: llm.fail(429, retry=2)" in text


def test_no_credential_of_a_client_is_shown() -> None:
    key = "sk-proj-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
    story = Story()
    story.ask(at=0)
    seen = story.seen[0]
    request = replace(seen.request, uri=f"/{key}/v1/chat/completions")
    assert isinstance(seen.found, Given)
    wrong = objection("tool-result", f"no call {key}", "the documents", proves=True)
    found = replace(seen.found, objections=(wrong,))
    verdict = judge([replace(seen, request=request, found=found)])
    assert verdict.failed
    assert key not in verdict.text
    assert key not in repr(verdict)
