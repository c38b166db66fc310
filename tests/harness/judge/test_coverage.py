from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from harness.judge.coverage import Coverage, covered
from harness.judge.reading import Reading
from harness.judge.terms import Terms
from mockserver.dialects import CallFacts, Facts, Failure
from mockserver.vocabulary import Citation


def coverage(facts: Facts, *events: dict[str, Any], exposes: set[str]) -> Coverage:
    scenario = SimpleNamespace(dialect="openai-chat")
    reading = SimpleNamespace(
        expect=None,
        facts=facts,
        case=SimpleNamespace(scenario=scenario),
        event_data=list(events),
        turn=None,
        record=SimpleNamespace(turn_given=False),
        terms=Terms(exposes=frozenset(exposes)),
    )
    return covered(cast("Reading", reading))


def test_a_recording_states_all_that_its_wire_says() -> None:
    facts = Facts(
        terminal="stop",
        text="a",
        reasoning="b",
        calls=(CallFacts(name="f", id="c", arguments=({},), signature="s"),),
        citations=(Citation(url="u"),),
        images=("data:x",),
        response_id="r",
        model="m",
        usage={"input_tokens": 1, "reasoning_tokens": 2, "output_tokens": None},
    )
    found = coverage(facts, exposes={"model", "usage"})
    assert found.judged == {"text", "tool_calls", "ending", "model", "usage"}
    assert found.unexposed == {
        "reasoning",
        "signatures",
        "citations",
        "images",
        "response_id",
        "usage_details",
        "raw_finish_reason",
        "finish_reason",
    }


def test_an_error_of_the_wire_is_stated() -> None:
    error = Failure(status=429, message="Wait.", codes=frozenset({"slow"}))
    found = coverage(Facts(error=error, text=None), exposes={"error_message"})
    assert found.judged == {"ending", "error_message"}
    assert found.unexposed == {"error_status", "error_code"}


def test_what_is_in_doubt_is_not_stated() -> None:
    found = coverage(Facts(terminal="odd", text=None, calls=None), exposes={"raw_finish_reason"})
    assert found.judged == {"ending", "raw_finish_reason"}
    assert found.unexposed == set()
