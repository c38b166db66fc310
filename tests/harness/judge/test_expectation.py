from __future__ import annotations

from typing import Any

import pytest

from harness.judge.comparing import same_keys
from harness.judge.expectation import canonical, error_agrees, first_difference


def text(delta: str, **more: Any) -> dict[str, Any]:
    return {"type": "content_delta", "delta": delta, **more}


STOP = {"type": "message_stop", "finish_reason": "stop"}


@pytest.mark.parametrize(
    ("wanted", "seen", "same"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1}, {"b": 2}, False),
        ({"a": None}, {}, True),
        ({"a": None}, {"a": 0}, False),
        ({"a": {"b": [1]}}, {"a": {"b": [1], "c": 2}}, True),
        ([1, 2], [1, 2, 3], False),
        ([{"a": 1}], [{"a": 1, "b": 2}], True),
        (1, True, False),
        (0, False, False),
        ("a", "a", True),
        ({"class": "timeout"}, {"class": "timeout", "message": "m"}, True),
        ({"class": "timeout"}, None, False),
    ],
)
def test_values_agree_by_the_keys_given(wanted: Any, seen: Any, same: bool) -> None:
    assert same_keys(wanted, seen) is same


def test_an_error_message_is_compared_by_what_it_contains() -> None:
    seen = {"class": "rate_limit", "message": "Rate limit reached", "retryable": True}
    assert error_agrees({"class": "rate_limit", "message_contains": "LIMIT reached"}, seen)
    assert not error_agrees({"class": "rate_limit", "message_contains": "quota"}, seen)
    assert not error_agrees({"class": "rate_limit", "retryable": False}, seen)


def test_usage_stands_once_before_the_terminal_event() -> None:
    events = [
        text("a"),
        {"type": "usage", "usage": {"input_tokens": 1, "output_tokens": 1}},
        text("b", native=[1]),
        {"type": "usage", "usage": {"output_tokens": 2}},
        STOP,
    ]
    assert canonical(events) == [
        text("a"),
        text("b"),
        {"type": "usage", "usage": {"input_tokens": 1, "output_tokens": 2}},
        STOP,
    ]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"input_tokens": 2, "output_tokens": 3, "total_tokens": 5}, False),
        ({"input_tokens": 2, "output_tokens": 3, "total_tokens": 6}, True),
        ({"input_tokens": 2, "total_tokens": 2}, True),
        ({"input_tokens": "2", "output_tokens": 3, "total_tokens": 5}, True),
    ],
)
def test_a_total_that_is_the_sum_says_nothing(given: dict[str, Any], kept: bool) -> None:
    (usage,) = canonical([{"type": "usage", "usage": given}])
    assert ("total_tokens" in usage["usage"]) is kept
    assert "total_tokens" in given


@pytest.mark.parametrize(
    ("wanted", "seen", "at"),
    [
        ([text("a"), STOP], [text("a"), STOP], None),
        ([text("a"), STOP], [text("b"), STOP], 0),
        ([text("a"), STOP], [text("a")], 1),
        ([text("a")], [text("a"), STOP], 1),
        ([text("a")], [text("a", index=0)], 0),
        (
            [{"type": "tool_call_start", "tool_call_index": 0, "id_synthesized": True}],
            [
                {
                    "type": "tool_call_start",
                    "tool_call_index": 0,
                    "id_synthesized": True,
                    "tool_call_id": "x",
                }
            ],
            None,
        ),
        (
            [{"type": "tool_call_start", "tool_call_index": 0, "tool_call_id": "a"}],
            [{"type": "tool_call_start", "tool_call_index": 0, "tool_call_id": "b"}],
            0,
        ),
        (
            [{"type": "error", "error": {"class": "timeout"}}],
            [{"type": "error", "error": {"class": "timeout", "message": "m"}}],
            None,
        ),
    ],
)
def test_first_difference(
    wanted: list[dict[str, Any]], seen: list[dict[str, Any]], at: int | None
) -> None:
    assert first_difference(wanted, seen) == at
