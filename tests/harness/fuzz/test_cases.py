from __future__ import annotations

from dataclasses import replace

from harness.fuzz.cases import document
from mockserver.vocabulary import (
    AssistantTurn,
    Citation,
    ErrorClass,
    ErrorInfo,
    FinishReason,
    ReasoningPart,
    Status,
    TextPart,
    ToolCallPart,
)
from mockserver.wire import Break, FaultKind
from tests.harness.fuzz.drawn import wire

CALL = ToolCallPart(id="a", name="f", arguments={"x": 1}, arguments_raw='{"x": 1}')
CITED = TextPart(text="yes", citations=(Citation(url="https://example.com/a", start=0, end=3),))
TURN = AssistantTurn(
    status=Status.COMPLETED,
    finish_reason=FinishReason.TOOL_CALLS,
    parts=(ReasoningPart(text="hm", channel="text"), CITED, CALL),
)


def test_the_content_is_expected_and_not_how_it_is_divided() -> None:
    found = document(replace(wire("a"), turn=TURN), "fuzz/a", "A")
    assert found["requires"] == ["citations", "reasoning", "streaming", "tools"]
    assert found["expect"] == {
        "turn": {
            "status": "completed",
            "finish_reason": "tool_calls",
            "content": "yes",
            "reasoning": "hm",
            "tool_calls": [{"type": "tool_call", "id": "a", "name": "f", "arguments": {"x": 1}}],
        }
    }


def test_ids_that_are_not_on_the_wire_are_not_expected() -> None:
    call = replace(CALL, id="call_0", id_synthesized=True)
    found = document(replace(wire("a"), turn=replace(TURN, parts=(call,))), "fuzz/a", "A")
    assert found["expect"]["turn"]["tool_calls"] == [
        {"type": "tool_call", "name": "f", "arguments": {"x": 1}}
    ]


def test_a_broken_stream_needs_its_whole_content() -> None:
    broken = replace(wire("a", broken=Break(FaultKind.CUT, 1)), turn=TURN)
    parts = document(broken, "fuzz/a", "A")["expect"]["turn"]["parts"]
    assert [part["type"] for part in parts] == ["reasoning", "text", "tool_call"]


def test_a_failure_is_expected_as_such() -> None:
    error = ErrorInfo(error_class=ErrorClass.OVERLOADED, message="No.", retryable=True)
    failed = AssistantTurn(status=Status.FAILED, error=error, parts=())
    found = document(replace(wire("a"), turn=failed), "fuzz/a", "A")
    assert found["expect"] == {"turn": {"status": "failed"}}
