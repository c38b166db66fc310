"""The tool calls of a Converse answer."""

from __future__ import annotations

from typing import Any

import pytest

from harness.adapters.bedrock.calls import BlockCalls
from mockserver.vocabulary import (
    ErrorClass,
    ErrorInfo,
    Event,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)


def started(calls: BlockCalls, index: int, call_id: Any = "t1", name: Any = "f") -> list[Event]:
    return list(calls.start(index, {"toolUseId": call_id, "name": name}))


def closed(calls: BlockCalls, *, incomplete: bool = False) -> tuple[list[Event], ErrorInfo | None]:
    return calls.close(incomplete=incomplete)


def test_calls_end_together_in_their_order() -> None:
    calls = BlockCalls()
    assert not calls
    assert started(calls, 4, "b") == [
        ToolCallStart(tool_call_index=0, tool_call_id="b", tool_name="f")
    ]
    assert calls
    started(calls, 1, "a", "g")
    assert list(calls.add(4, '{"a"')) == [ToolCallDelta(tool_call_index=0, arguments_delta='{"a"')]
    assert list(calls.add(1, "{}")) == [ToolCallDelta(tool_call_index=1, arguments_delta="{}")]
    assert list(calls.add(4, "")) == []
    list(calls.add(4, ": 1}"))
    assert closed(calls) == (
        [
            ToolCallEnd(tool_call_index=0, arguments={"a": 1}, arguments_raw='{"a": 1}'),
            ToolCallEnd(tool_call_index=1, arguments={}, arguments_raw="{}"),
        ],
        None,
    )


@pytest.mark.parametrize("sent", [[], [""], [" "], ["null"]])
def test_no_arguments_are_an_empty_object_unless_the_model_was_stopped(sent: list[str]) -> None:
    for incomplete in (False, True):
        calls = BlockCalls()
        started(calls, 0)
        for piece in sent:
            list(calls.add(0, piece))
        events, error = closed(calls, incomplete=incomplete)
        end = ToolCallEnd(tool_call_index=0, arguments={}, arguments_raw="{}")
        assert events == ([] if incomplete else [end])
        assert error is None


def test_arguments_that_are_no_object_are_an_error_unless_the_model_was_stopped() -> None:
    for incomplete in (False, True):
        calls = BlockCalls()
        started(calls, 0)
        list(calls.add(0, '{"a"'))
        events, error = closed(calls, incomplete=incomplete)
        assert events == []
        assert (error is None) is incomplete
        if error is not None:
            assert error.error_class is ErrorClass.INVALID_TOOL_ARGUMENTS
            assert 'tool call 0 (f) are not one JSON object: {"a"' in error.message


def test_arguments_that_were_complete_when_the_model_was_stopped_are_kept() -> None:
    calls = BlockCalls()
    started(calls, 0)
    list(calls.add(0, "{}"))
    events, error = closed(calls, incomplete=True)
    assert [e.type for e in events] == ["tool_call_end"]
    assert error is None


@pytest.mark.parametrize("name", [None, "", 3])
def test_a_call_without_a_name_is_an_error(name: Any) -> None:
    calls = BlockCalls()
    assert started(calls, 0, name=name) == []
    assert calls
    list(calls.add(0, "{}"))
    events, error = closed(calls)
    assert events == []
    assert error is not None
    assert error.error_class is ErrorClass.PROTOCOL
    assert "no name" in error.message


def test_arguments_without_a_start_are_an_error_that_shows_them() -> None:
    calls = BlockCalls()
    assert list(calls.add(2, '{"a":1}')) == []
    list(calls.add(3, "later"))
    _, error = closed(calls, incomplete=True)
    assert error is not None
    assert error.error_class is ErrorClass.PROTOCOL
    assert 'block 2 has no start; its arguments: {"a":1}' in error.message


def test_the_first_error_is_reported() -> None:
    calls = BlockCalls()
    started(calls, 0)
    list(calls.add(0, "["))
    started(calls, 1, "t2", "g")
    list(calls.add(1, "]"))
    _, error = closed(calls)
    assert error is not None
    assert "tool call 0 (f)" in error.message


def test_a_second_start_of_a_block_is_another_call() -> None:
    calls = BlockCalls()
    started(calls, 0, "a")
    list(calls.add(0, '{"a":1}'))
    started(calls, 0, "b")
    list(calls.add(0, '{"b":1}'))
    events, error = closed(calls)
    assert error is None
    assert [(e.tool_call_index, e.arguments) for e in events if isinstance(e, ToolCallEnd)] == [
        (0, {"a": 1}),
        (1, {"b": 1}),
    ]


@pytest.mark.parametrize("call_id", [None, "", "  ", 3])
def test_ids_that_are_none_are_made(call_id: Any) -> None:
    (start,) = started(BlockCalls(["call_0"]), 0, call_id)
    assert isinstance(start, ToolCallStart)
    assert (start.tool_call_id, start.id_synthesized) == ("call_1", True)


def test_ids_and_names_have_no_half_characters() -> None:
    (start,) = started(BlockCalls(), 0, "t\ud83c", "f\ud83c")
    assert isinstance(start, ToolCallStart)
    assert (start.tool_call_id, start.tool_name) == ("t\ufffd", "f\ufffd")


def test_characters_that_two_pieces_share() -> None:
    calls = BlockCalls()
    started(calls, 0)
    assert list(calls.add(0, '{"a":"\ud83c')) == [
        ToolCallDelta(tool_call_index=0, arguments_delta='{"a":"')
    ]
    list(calls.add(0, '\udf89"}'))
    events, _ = closed(calls)
    assert [e.arguments for e in events if isinstance(e, ToolCallEnd)] == [{"a": "🎉"}]
    cut = BlockCalls()
    started(cut, 0)
    list(cut.add(0, "\ud83c"))
    events, error = closed(cut)
    assert events == [ToolCallDelta(tool_call_index=0, arguments_delta="\ufffd")]
    assert error is not None


@pytest.mark.parametrize(
    ("given", "raw"),
    [({"a": "ü"}, '{"a":"ü"}'), (None, "{}"), ('{"a": 1}', '{"a": 1}'), ({"a": "\ud83c"}, None)],
)
def test_whole_calls(given: Any, raw: str | None) -> None:
    calls = BlockCalls()
    events = list(calls.whole(0, {"toolUseId": "t", "name": "f", "input": given}))
    end = closed(calls)[0][0]
    assert [e.type for e in events] == ["tool_call_start", "tool_call_delta"]
    assert isinstance(end, ToolCallEnd)
    assert end.arguments_raw == (raw or '{"a":"\ufffd"}')
    odd = BlockCalls()
    list(odd.whole(0, {"toolUseId": "t", "name": "f", "input": [1]}))
    assert closed(odd)[1] is not None
