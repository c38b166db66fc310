from __future__ import annotations

from typing import Any

import pytest

from harness.judge.channels import of_events, of_turn
from harness.judge.comparing import (
    Difference,
    compare,
    finish_reason,
    first_difference,
)
from harness.judge.terms import EXPOSABLE, Terms
from mockserver.dialects import find_dialect
from mockserver.vocabulary import FinishReason

Json = dict[str, Any]
ALL = Terms(exposes=frozenset(EXPOSABLE), errors="class")
REASONS = find_dialect("openai-chat").reasons
CALL: Json = {"id": "a", "name": "f", "arguments": {"x": 1}, "arguments_raw": '{"x":1}'}


def differences(wanted: Json, seen: Json, terms: Terms = ALL, **more: Any) -> list[Difference]:
    return list(compare(wanted, seen, terms, REASONS, **more))


def kinds(wanted: Json, seen: Json, terms: Terms = ALL, **more: Any) -> list[str]:
    return [one.kind for one in differences(wanted, seen, terms, **more)]


@pytest.mark.parametrize("channel", ["text", "refusal", "reasoning"])
@pytest.mark.parametrize(
    ("wanted", "seen", "says"),
    [
        ("Hello", "", 'lost: "Hello" expected, none given'),
        ("", "Hello", 'invented: none expected, "Hello" given'),
        ("Hello", "HelloHello", 'doubled: "Hello" expected, given twice'),
        ("Hello", "Hel", 'cut: 3 of 5 characters given, "lo" lost'),
        ("Hello", "Hello!", 'has more than the answer: "!" invented behind its end'),
        ("Hello", "Help", 'differs at character 4: "lo" expected, "p" given'),
    ],
)
def test_how_a_text_differs(channel: str, wanted: str, seen: str, says: str) -> None:
    (found,) = differences({channel: wanted}, {channel: seen})
    assert (found.kind, found.field) == (channel, channel)
    assert found.message == f"{channel} {says}"


def test_reasoning_is_compared_only_where_it_is_exposed() -> None:
    wanted = {"reasoning": "think"}
    assert kinds(wanted, {}, Terms()) == []
    assert kinds(wanted, {"reasoning": "thin"}, Terms()) == ["reasoning"]
    assert kinds(wanted, {}, Terms(features=frozenset({"reasoning"}))) == ["reasoning"]
    assert kinds(wanted, {"reasoning": "thin"}, Terms(exposes=frozenset())) == []


@pytest.mark.parametrize(
    ("seen", "kind", "message"),
    [
        ([], "tool-call", "1 tool call (f) expected, 0 tool calls given"),
        ([CALL, CALL], "tool-call", "1 tool call (f) expected, 2 tool calls (f, f) given"),
        ([{**CALL, "name": "g"}], "tool-call", 'name of tool_calls.0 (f): "f" expected, "g" given'),
        (
            [{**CALL, "arguments": {"x": True}}],
            "tool-call",
            'arguments of tool_calls.0 (f): {"x": 1} expected, {"x": true} given',
        ),
        (
            [{**CALL, "arguments": None}],
            "tool-call",
            'arguments of tool_calls.0 (f): {"x": 1} expected, none given',
        ),
        (
            [{**CALL, "id": "a__note"}],
            "made-up",
            'id of tool_calls.0 (f): "a" expected, "a__note" given',
        ),
        ([{**CALL, "id": "b"}], "call-id", 'id of tool_calls.0 (f): "a" expected, "b" given'),
        (
            [{**CALL, "id": "call_0", "id_synthesized": True}],
            "call-id-missing",
            'id of tool_calls.0 (f): "a" expected, "call_0" given',
        ),
        (
            [{**CALL, "arguments_raw": '{ "x": 1 }'}],
            "arguments-text",
            "argument text of tool_calls.0 (f) is spelled otherwise",
        ),
    ],
)
def test_how_a_call_differs(seen: list[Json], kind: str, message: str) -> None:
    (found,) = differences({"tool_calls": [CALL]}, {"tool_calls": seen})
    assert (found.kind, found.message) == (kind, message)


def test_another_id_loses_nothing_where_results_go_back_by_name() -> None:
    # Ollama's documents name the tool in its result, and no id.
    assert find_dialect("ollama").results_by_name
    assert not find_dialect("openai-chat").results_by_name
    other = {"tool_calls": [{**CALL, "id": "b"}]}
    assert kinds({"tool_calls": [CALL]}, other, by_name=True) == ["call-id-missing"]


def test_an_id_that_the_wire_lacks_may_be_another_made_up_one() -> None:
    wanted = {"tool_calls": [{**CALL, "id_synthesized": True}]}
    assert kinds(wanted, {"tool_calls": [{**CALL, "id": "b"}]}) == ["made-up"]


def test_a_signature_in_a_field_to_be_sent_back_is_not_lost() -> None:
    wanted = of_events([{"type": "reasoning_signature", "signature": "s"}])
    fields = {"provider_specific_fields": {"thought_signatures": ["s"]}}
    kept = {"type": "send_back", "fields": fields}
    terms = Terms(exposes=frozenset({"signatures"}))
    assert kinds(wanted, of_events([kept]), terms) == []
    assert kinds({"signatures": ["s"]}, of_turn({"parts": [kept]}), terms) == []
    assert kinds({"signatures": ["s", "t"]}, of_events([kept]), terms) == ["signature"]


def test_the_signature_of_a_call_must_be_given_where_signatures_are_exposed() -> None:
    wanted = {"tool_calls": [{**CALL, "thought_signature": "s"}]}
    lost, changed = {"tool_calls": [CALL]}, {"tool_calls": [{**CALL, "thought_signature": "t"}]}
    assert kinds(wanted, lost, Terms()) == []
    assert kinds(wanted, changed, Terms()) == ["signature"]
    assert [d.message for d in differences(wanted, lost)] == [
        "signature of tool_calls.0 (f) lost",
    ]


def test_a_failed_turn_need_not_have_what_was_not_finished() -> None:
    wanted = {"tool_calls": [CALL], "status": "failed", "error": {"class": "timeout"}}
    failed = {"status": "failed", "error": {"class": "timeout"}}
    assert kinds(wanted, {"tool_calls": [], **failed}) == []
    assert kinds(wanted, {"tool_calls": [CALL, CALL], **failed}) == ["tool-call"]


@pytest.mark.parametrize(
    ("channel", "kind"),
    [("signatures", "signature"), ("citations", "citation"), ("images", "image")],
)
def test_lists_are_compared_item_by_item(channel: str, kind: str) -> None:
    one, other = {"url": "u"}, {"url": "v"}
    assert kinds({channel: [one]}, {channel: [{**one, "title": "t"}]}) == []
    assert [d.message for d in differences({channel: [one]}, {channel: []})] == [
        f"{channel}: 1 expected, 0 given"
    ]
    (found,) = differences({channel: [one]}, {channel: [other]})
    assert found.kind == kind
    assert found.message == f'{channel}: {{"url": "u"}} expected, {{"url": "v"}} given'


@pytest.mark.parametrize(
    ("channel", "kind"), [("hosted_tools", "hosted-tool"), ("warnings", "warning")]
)
def test_what_is_a_convention_is_compared_where_it_is_exposed(channel: str, kind: str) -> None:
    assert kinds({channel: ["a"]}, {channel: ["b"]}) == [kind]
    assert kinds({channel: ["a"]}, {channel: []}, Terms()) == []


def test_a_field_is_wrong_missing_or_made_up() -> None:
    assert kinds({"model": "m"}, {"model": "n"}) == ["field"]
    assert kinds({"model": "m"}, {}) == ["field-missing"]
    assert kinds({"model": None}, {"model": "n"}) == ["made-up"]
    assert kinds({"model": "m"}, {}, Terms()) == []
    assert kinds({"model": "m"}, {"model": "n"}, Terms(exposes=frozenset())) == []
    assert [d.message for d in differences({"model": "m"}, {"model": "n"})] == [
        'model "m" expected, "n" given'
    ]


USAGE = {"input_tokens": 3, "output_tokens": 4}


def test_usage_is_compared_count_by_count() -> None:
    assert kinds({"usage": USAGE}, {"usage": USAGE}) == []
    found = differences({"usage": USAGE}, {"usage": {"input_tokens": 3, "output_tokens": 8}})
    assert [(d.kind, d.field, d.message) for d in found] == [
        ("usage", "usage.output_tokens", "output_tokens 4 expected, 8 given")
    ]
    assert kinds({"usage": USAGE}, {"usage": {}}) == ["usage-missing", "usage-missing"]


def test_details_of_usage_are_exposed_by_a_word_of_their_own() -> None:
    wanted = {"usage": {"reasoning_tokens": 2}}
    assert kinds(wanted, {"usage": {}}, Terms()) == []
    assert kinds(wanted, {"usage": {}}, Terms(exposes=frozenset({"usage"}))) == []
    assert kinds(wanted, {"usage": {}}, Terms(exposes=frozenset({"usage_details"}))) == [
        "usage-missing"
    ]


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        ({**USAGE, "total_tokens": 7}, []),  # the sum, whoever adds it
        ({**USAGE, "total_tokens": 8}, ["usage-invented"]),
        ({**USAGE, "reasoning_tokens": 1}, ["usage-invented"]),
        ({**USAGE, "reasoning_tokens": 0}, ["zero-for-absent"]),
        ({**USAGE, "total_tokens": 9, "estimated": True}, []),
    ],
)
def test_a_count_that_the_wire_lacks(seen: Json, found: list[str]) -> None:
    assert kinds({"usage": USAGE}, {"usage": seen}, whole=True) == found
    assert kinds({"usage": USAGE}, {"usage": seen}) == []


@pytest.mark.parametrize(
    ("wanted", "seen", "plain", "kind"),
    [
        ("stop", "stop", FinishReason.STOP, None),
        ("tool_calls", "stop", FinishReason.TOOL_CALLS, "stop-with-call"),
        ("stop", "tool_calls", FinishReason.STOP, "stop-with-call"),
        ("length", "stop", None, "finish-mapping"),
        ("length", "stop", FinishReason.STOP, "finish-mapping"),
        ("length", None, FinishReason.LENGTH, "field-missing"),
        ("length", "unknown", FinishReason.LENGTH, "field-missing"),
        ("length", "stop", FinishReason.LENGTH, "finish-reason"),
        ("refusal", "content_filter", FinishReason.REFUSAL, "finish-mapping"),
        ("refusal", "stop", FinishReason.REFUSAL, "finish-reason"),
        ("pause", "length", FinishReason.PAUSE, "finish-mapping"),
        ("pause", "content_filter", FinishReason.PAUSE, "finish-reason"),
    ],
)
def test_a_finish_reason(
    wanted: str, seen: str | None, plain: FinishReason | None, kind: str | None
) -> None:
    assert [d.kind for d in finish_reason(wanted, seen, plain)] == ([kind] if kind else [])


def test_the_providers_finish_word_is_compared_where_it_is_exposed() -> None:
    wanted = {"finish_reason": "length", "raw_finish_reason": "length"}
    assert kinds(wanted, {"finish_reason": "length", "raw_finish_reason": "cut"}) == ["finish-word"]
    assert kinds(wanted, {"finish_reason": "length"}, Terms()) == []
    assert kinds(wanted, {"finish_reason": "stop"}, Terms()) == ["finish-reason"]


def test_the_status_of_a_turn_without_a_known_reason_is_not_counted_again() -> None:
    wanted = {"cut": True, "finish_reason": "length"}
    # The word is not known here, so that its level is that of a vendor's own.
    assert kinds(wanted, {"cut": False, "finish_reason": "unknown"}) == ["finish-mapping"]


def test_a_turn_that_its_limit_cut_is_not_complete() -> None:
    (found,) = differences(
        {"cut": True, "finish_reason": "length"}, {"cut": False, "finish_reason": "length"}
    )
    assert found.kind == "finish-reason"
    assert found.message == "status incomplete expected, completed given"


ERROR: Json = {"class": "rate_limit", "message_contains": "Slow down", "retry_after": 7}


def failed(**error: Any) -> Json:
    return {"status": "failed", "error": {"message": "slow down, please", **error}}


@pytest.mark.parametrize(
    ("errors", "given", "found"),
    [
        ("class", "overloaded", ["error-detail"]),
        ("family", "overloaded", []),
        ("none", "overloaded", []),
        ("class", "authentication", ["error-family"]),
        ("family", "authentication", ["error-family"]),
        ("none", "authentication", []),
    ],
)
def test_an_error_is_compared_as_finely_as_the_client_tells_them_apart(
    errors: str, given: str, found: list[str]
) -> None:
    assert (
        kinds({"error": {"class": "rate_limit"}}, failed(**{"class": given}), Terms(errors=errors))
        == found
    )


def test_the_details_of_an_error() -> None:
    wanted = {"error": ERROR}
    assert kinds(wanted, failed(**{"class": "rate_limit", "retry_after": 7})) == []
    (found,) = differences(wanted, failed(**{"class": "rate_limit"}))
    assert found.kind == "error-detail"
    assert found.message == "rate_limit: retry_after 7 expected, none given"
    assert kinds(wanted, failed(**{"class": "rate_limit"}), Terms()) == []
    (found,) = differences(wanted, failed(**{"class": "rate_limit", "message": "429"}), Terms())
    assert found.kind == "error-message"
    assert '"Slow down" is not in "429"' in found.message


def test_a_false_success_hides_what_follows_from_it() -> None:
    wanted = {"text": "Hel", "error": ERROR, "status": "failed", "usage": {}}
    seen = {"text": "Hel", "status": "completed", "finish_reason": "stop", "usage": USAGE}
    (found,) = differences(wanted, seen, whole=True)
    assert found.kind == "false-success"
    assert found.message == "rate_limit expected, success given (stop)"
    assert kinds(wanted, {**seen, "text": "Other"}, whole=True) == ["false-success", "text"]


def test_a_false_failure_hides_what_follows_from_it() -> None:
    wanted = {"text": "Hello", "status": "completed", "usage": USAGE, "tool_calls": [CALL]}
    seen = {"text": "Hel", **failed(**{"class": "timeout"}), "usage": {}, "tool_calls": []}
    (found,) = differences(wanted, seen)
    assert found.kind == "false-failure"
    assert found.message == 'a complete answer expected, timeout given: "slow down, please"'


def test_what_is_not_stated_is_not_compared() -> None:
    assert kinds({}, {"text": "a", "status": "completed", "usage": USAGE, "model": "m"}) == []


# --- messages


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        ({"tool_calls": [CALL]}, {"tool_calls": [{**CALL, "arguments": {"x": "y" * 99 + "1"}}]}),
        ({"model": "m" * 99 + "1"}, {"model": "m" * 99 + "2"}),
        ({"model": "m "}, {"model": "m"}),
        ({"error": {"class": "rate_limit"}}, failed(**{"class": "timeout"})),
        ({"error": ERROR}, failed(**{"class": "rate_limit", "retry_after": "7"})),
        ({"warnings": ["w" * 99 + "1"]}, {"warnings": ["w" * 99 + "2"]}),
        ({"citations": [{"url": "u" * 99 + "1"}]}, {"citations": [{"url": "u" * 99 + "2"}]}),
    ],
)
def test_no_message_shows_the_same_on_both_sides(wanted: Json, seen: Json) -> None:
    found = differences(wanted, seen)
    assert found
    for one in found:
        before, _, given = one.message.rpartition(" expected, ")
        assert not before.endswith(given.removesuffix(" given"))


def test_the_first_place_that_differs() -> None:
    wanted = {"a": [{"b": 1}, {"b": 2}]}
    assert first_difference(wanted, {"a": [{"b": 1}, {"b": 3}], "c": 1}) == ("a.1.b", 2, 3)
    assert first_difference({"a": 1}, {"a": 1, "c": 1}, exact=True) == ("c", None, 1)
    assert first_difference([1], [1, 2]) == ("", [1], [1, 2])


# --- hostile clients

ODD: list[Any] = [None, True, 1.5, "odd", [], [[]], {}, {"class": []}, [None], [{"id": []}]]
WHOLE: Json = {
    "text": "a",
    "reasoning": "b",
    "tool_calls": [CALL],
    "citations": [{"url": "u"}],
    "warnings": ["w"],
    "usage": USAGE,
    "model": "m",
    "finish_reason": "stop",
    "raw_finish_reason": "stop",
    "status": "completed",
}


@pytest.mark.parametrize("error", ["odd", [], {}, None, 7])
def test_an_error_of_any_form_can_be_compared(error: Any) -> None:
    seen = {"status": "failed", "error": {"class": error, "message": error, "retry_after": error}}
    assert kinds({"error": ERROR}, seen)


@pytest.mark.parametrize("channel", ["finish_reason", "raw_finish_reason", "model", "warnings"])
@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_value_of_any_form_can_be_compared(channel: str, odd: Any) -> None:
    assert kinds(WHOLE, {**WHOLE, channel: odd})
