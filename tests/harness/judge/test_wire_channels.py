from __future__ import annotations

from typing import Any

import pytest

from harness.judge.wire_channels import keeps_message, of_facts
from mockserver.dialects import CallFacts, Facts, Failure
from mockserver.vocabulary import Citation, FinishReason

REASONS = {"stop": FinishReason.STOP, "tool_calls": FinishReason.TOOL_CALLS}
DONE: dict[str, Any] = {"status": "completed"}
FAILED: dict[str, Any] = {"status": "failed"}
CALL = CallFacts(name="f", id="a", arguments=({"q": 1},))


def channels(facts: Facts, seen: dict[str, Any] = DONE) -> dict[str, Any]:
    return of_facts(facts, seen, REASONS)


def test_what_is_in_doubt_has_no_key() -> None:
    found = channels(Facts(terminal="stop", text=None, calls=None, usage={"input_tokens": None}))
    assert found.keys().isdisjoint({"text", "tool_calls", "reasoning", "model", "citations"})
    assert found["usage"] == {}
    call = CallFacts(arguments=None)
    assert channels(Facts(terminal="stop", calls=(call,)))["tool_calls"] == [{}]


@pytest.mark.parametrize(
    ("given", "wanted"), [({"q": 2}, {"q": 2}), ({"q": 3}, {"q": 1}), ({}, {"q": 1})]
)
def test_the_clients_own_reading_stands_if_it_is_one(given: Any, wanted: Any) -> None:
    call = CallFacts(name="f", arguments=({"q": 1}, {"q": 2}))
    seen = {**DONE, "tool_calls": [{"arguments": given}]}
    assert channels(Facts(terminal="stop", calls=(call,)), seen)["tool_calls"] == [
        {"name": "f", "arguments": wanted}
    ]


def test_a_call_that_was_cut_has_no_arguments() -> None:
    facts = Facts(terminal="length", calls=(CallFacts(name="f", arguments=()),))
    seen = {**DONE, "tool_calls": [{"arguments": {}}]}
    assert channels(facts, seen)["tool_calls"] == [{"name": "f", "arguments": None}]


def test_spaces_between_parts_of_reasoning_do_not_count() -> None:
    facts = Facts(terminal="stop", reasoning="a\n b")
    assert channels(facts, {**DONE, "reasoning": "a b"})["reasoning"] == "a b"
    assert channels(facts, {**DONE, "reasoning": "ab"})["reasoning"] == "a\n b"


WIRE = (Citation(url="u", title="t", start=0), Citation(url="v"), Citation(title="file"))


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ([{"url": "u", "title": "t", "start": 0}, {"url": "v"}], True),
        ([{"url": "v"}, {"url": "u"}], True),
        ([{"url": "u"}, {"url": "v"}, {"title": "file"}], True),
        ([{"url": "u"}], False),
        ([{"url": "u", "title": "x"}, {"url": "v"}], False),
        ([{"url": "u"}, {"url": "v"}, {"url": "w"}], False),
    ],
)
def test_a_client_may_leave_out_titles_but_no_source(given: Any, same: bool) -> None:
    found = channels(Facts(terminal="stop", citations=WIRE), {**DONE, "citations": given})
    assert (found["citations"] == given) is same


@pytest.mark.parametrize(
    ("url", "given", "same"),
    [
        ("data:image/png;base64,AAAA", "data:image/png;base64,AAAA", True),
        ("AAAA", "data:image/png;base64,AAAA", True),
        ("data:image/png;base64,AAAA", "AAAA", True),
        ("AAAA", "data:image/png;base64,BBBB", False),
    ],
)
def test_an_image_may_be_a_url_or_its_data(url: str, given: str, same: bool) -> None:
    images = [{"url": given}]
    found = channels(Facts(terminal="stop", images=(url,)), {**DONE, "images": images})
    assert (found["images"] == images) is same


def test_a_signature_may_be_kept_in_any_place() -> None:
    facts = Facts(terminal="stop", signatures=("s",))
    assert channels(facts, {**DONE, "opaque": frozenset({"s"})})["signatures"] == []
    assert channels(facts)["signatures"] == ["s"]


@pytest.mark.parametrize(
    ("facts", "seen", "status"),
    [
        (Facts(terminal="stop"), FAILED, "completed"),
        (Facts(terminal="stop", may_fail=True), FAILED, None),
        (Facts(terminal="new_word"), FAILED, None),
        (Facts(done=True), DONE, None),
        (Facts(error=Failure()), DONE, "failed"),
        (Facts(broken=True), DONE, "failed"),
        (Facts(), DONE, "failed"),
    ],
)
def test_success_and_failure(facts: Facts, seen: dict[str, Any], status: str | None) -> None:
    assert channels(facts, seen).get("status") == status


@pytest.mark.parametrize(
    ("facts", "given", "wanted"),
    [
        (Facts(terminal="stop"), "length", "stop"),
        (Facts(terminal="stop", calls=(CALL,)), "stop", "tool_calls"),
        (Facts(terminal="stop", calls=None), "stop", None),
        # Without a call there is nothing to run: a client may say so in its own word.
        (Facts(terminal="tool_calls"), "stop", None),
        (Facts(terminal="stop", other_terminals=("tool_calls",), calls=(CALL,)), "stop",
         "tool_calls"),
        (Facts(terminal="other", calls=(CALL,)), "unknown", None),
    ],
)  # fmt: skip
def test_what_a_finish_word_means(facts: Facts, given: str, wanted: str | None) -> None:
    assert channels(facts, {**DONE, "finish_reason": given}).get("finish_reason") == wanted


def test_any_of_two_finish_words_may_be_kept() -> None:
    facts = Facts(terminal="stop", other_terminals=("tool_calls",))
    for given, wanted in (("stop", "stop"), ("tool_calls", "tool_calls"), ("x", "stop")):
        seen = {**DONE, "raw_finish_reason": given}
        assert channels(facts, seen)["raw_finish_reason"] == wanted


def test_an_error_is_told_in_the_clients_words_where_they_are_right() -> None:
    failure = Failure(
        status=429, codes=frozenset({"slow"}), message="Wait.", families=frozenset({"rate"})
    )
    given = {"class": "quota_exhausted", "code": "slow", "message": "HTTP 429: wait"}
    facts = Facts(error=failure)
    assert channels(facts, {**FAILED, "error": given})["error"] == {
        "class": "quota_exhausted",
        "status": 429,
        "code": "slow",
    }
    wrong = {"class": "server_error", "message": "failed"}
    assert channels(facts, {**FAILED, "error": wrong})["error"] == {
        "class": "rate_limit",
        "status": 429,
        "code": "slow",
        "message_contains": "Wait.",
    }


@pytest.mark.parametrize(
    ("message", "given", "kept"),
    [
        ("The model is busy.", "HTTP 503: the model is busy", True),
        ('It\'s "so"', "Error code: 400 - {'message': 'It\\'s \"so\"'}", True),
        ("a\nb é", 'error: {"message": "a\\nb \\u00e9"}', True),
        ("x" * 500, "x" * 120 + "…", True),
        ("x" * 500, "x" * 50, False),
        ("Incorrect key: sk-abc", "Incorrect key: [redacted]", True),
        ("The model is busy.", "server error", False),
        ("The model is busy.", None, False),
    ],
)
def test_a_message_may_be_framed_escaped_and_shortened(
    message: str, given: object, kept: bool
) -> None:
    assert keeps_message(message, given) is kept
