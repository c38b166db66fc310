from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mockserver.backend import tokens
from mockserver.backend.ending import Ending, ended
from mockserver.vocabulary import FinishReason, Part, ReasoningPart, TextPart, ToolCallPart
from tests.mockserver.backend.asking import asked

TEXT = TextPart(text="One two three four.")
THOUGHT = ReasoningPart(text="First think.", channel="text", signature="S")
CALL = ToolCallPart(id="c", name="f", arguments={"a": "b c"}, arguments_raw='{"a":"b c"}')


def end(*parts: Part, **options: Any) -> Ending:
    return ended(asked(**options), parts)


def test_without_limits_everything_is_left() -> None:
    assert end(THOUGHT, TEXT) == Ending((THOUGHT, TEXT), FinishReason.STOP)
    assert end(TEXT, CALL).reason is FinishReason.TOOL_CALLS


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_limit_counts_all_parts(name: str) -> None:
    ending = end(THOUGHT, TEXT, **{name: 4})
    assert ending.parts == (THOUGHT, TextPart(text="One two"))
    assert ending.reason is FinishReason.LENGTH
    assert sum(map(tokens.of_part, ending.parts)) == 4


def test_reasoning_that_is_cut_has_no_proof() -> None:
    (part,) = end(THOUGHT, TEXT, max_tokens=1).parts
    assert part == ReasoningPart(text="First", channel="text")


def test_reasoning_that_is_not_shown_counts_too() -> None:
    hidden = ReasoningPart(text="", channel="text", omitted=True)
    assert end(hidden, TEXT, max_tokens=tokens.HIDDEN - 1).parts == ()
    assert end(hidden, TEXT, max_tokens=tokens.HIDDEN + 1).parts == (hidden, TextPart(text="One"))


def test_a_call_that_is_cut_is_not_complete() -> None:
    (part,) = end(CALL, max_tokens=1).parts
    assert part == ToolCallPart(id="c", name="f", arguments=None, arguments_raw='{"a":"b')


@pytest.mark.parametrize("limit", [-1, -2, None, True])
def test_what_is_no_limit(limit: Any) -> None:
    assert end(TEXT, max_tokens=limit).parts == (TEXT,)


@pytest.mark.parametrize("stop", ["three", ["four", "thr"], ["", "three"]])
def test_the_text_ends_before_a_stop_sequence(stop: Any) -> None:
    ending = end(TEXT, CALL, stop=stop)
    assert ending == Ending((TextPart(text="One two "),), FinishReason.STOP, stopped=True)


def test_a_stop_sequence_behind_the_limit_is_not_met() -> None:
    assert end(TEXT, stop=["four"], max_tokens=2).reason is FinishReason.LENGTH


@pytest.mark.parametrize("stop", [None, [], "", [5], {"a": 1}, "five"])
def test_what_stops_nothing(stop: Any) -> None:
    request = asked()
    call = replace(request.call, options={"stop": stop})
    assert ended(replace(request, call=call), [TEXT]).parts == (TEXT,)
