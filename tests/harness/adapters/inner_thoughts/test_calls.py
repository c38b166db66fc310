from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.chat.stream import ChatStream
from harness.adapters.inner_thoughts.calls import CallArguments, CallRules
from mockserver.vocabulary.codec import to_json
from mockserver.vocabulary.fold import fold
from mockserver.vocabulary.model import (
    AssistantTurn,
    ContentDelta,
    Event,
    FinishReason,
    MessageStop,
    ReasoningDelta,
    Status,
    ToolCallDelta,
    ToolCallStart,
    WarningEvent,
)

THINK = CallRules(inner_thoughts_key="thinking")
SPEAK = CallRules(inner_thoughts_key="thinking", assistant_message_tool="send_message")


def call_delta(arguments: str | None, index: int = 0, **named: str) -> dict[str, Any]:
    function = {"arguments": arguments} | ({"name": named["name"]} if "name" in named else {})
    entry = {"index": index, "function": function}
    if "name" in named:
        entry |= {"id": f"call_{index}", "type": "function"}
    return entry


def rewritten(
    rules: CallRules, *deltas: dict[str, Any] | list[dict[str, Any]], finish: str = "tool_calls"
) -> list[Event]:
    """What becomes of chunks that each have one piece, or several, of tool calls."""
    stream, stage = ChatStream(), CallArguments(rules)

    def chunks() -> Iterable[Event]:
        for delta in deltas:
            calls = delta if isinstance(delta, list) else [delta]
            choice = {"index": 0, "delta": {"tool_calls": calls}}
            yield from stream.chunk({"id": "c1", "model": "m1", "choices": [choice]})
        yield from stream.chunk({"choices": [{"delta": {}, "finish_reason": finish}]})
        yield from stream.done()

    return [new for old in chunks() for new in stage.feed(old)][1:]


def one_call(rules: CallRules, *pieces: str, name: str = "search", finish: str = "tool_calls"):
    return rewritten(
        rules,
        call_delta("", name=name),
        *(call_delta(p) for p in pieces),
        finish=finish,
    )


def short(events: Iterable[Event]) -> list[Any]:
    """Events in a few words, for comparing sequences."""
    words: list[Any] = []
    for event in events:
        match event:
            case ToolCallStart():
                words.append(("start", event.tool_call_index, event.tool_name))
            case ToolCallDelta():
                words.append(("args", event.tool_call_index, event.arguments_delta))
            case ReasoningDelta():
                words.append(("thought", event.delta, event.index))
            case ContentDelta():
                words.append(("text", event.delta, event.index))
            case WarningEvent():
                words.append(event.code)
            case MessageStop():
                words.append(str(event.finish_reason))
            case _:
                fields = to_json(event)
                words.append((fields["type"], fields["tool_call_index"], fields["arguments_raw"]))
    return words


def test_thoughts_come_before_their_call() -> None:
    events = one_call(THINK, '{"thi', 'nking":"I se', "e\\", 'n","q":"x', '"}')
    assert short(events) == [
        ("thought", "I se", None),
        ("thought", "e", None),
        ("thought", "\n", None),
        ("start", 0, "search"),
        ("args", 0, '{"q":"x'),
        ("args", 0, '"}'),
        ("tool_call_end", 0, '{"q":"x"}'),
        "tool_calls",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            '{"q":1,"thinking":"t"}',
            [("args", 0, '{"q":1'), ("thought", "t", None), ("args", 0, "}")],
        ),
        ('{"q":"thinking"}', [("args", 0, '{"q":"thinking"}')]),
        ('{"q":{"thinking":"t"}}', [("args", 0, '{"q":{"thinking":"t"}}')]),
        ("{}", [("args", 0, "{}")]),
    ],
)
def test_name_and_arguments_in_one_chunk(arguments: str, words: list[Any]) -> None:
    events = rewritten(THINK, call_delta(arguments, name="search"))
    raw = "".join(w[2] for w in words if w[0] == "args")
    assert short(events) == [
        ("start", 0, "search"),
        *words,
        ("tool_call_end", 0, raw),
        "tool_calls",
    ]


@pytest.mark.parametrize("arguments", ["", "null"])
def test_a_call_without_arguments(arguments: str) -> None:
    turn = fold(rewritten(THINK, call_delta(arguments, name="now")))
    assert [(c.name, c.arguments, c.arguments_raw) for c in turn.tool_calls] == [("now", {}, "{}")]


def test_a_call_with_only_thoughts_has_empty_arguments() -> None:
    assert short(one_call(THINK, '{"thinking":', '"done"', "}", name="now")) == [
        ("thought", "done", None),
        ("start", 0, "now"),
        ("args", 0, "{}"),
        ("tool_call_end", 0, "{}"),
        "tool_calls",
    ]


def test_without_rules_nothing_is_delayed() -> None:
    assert short(
        one_call(CallRules(assistant_message_tool="send_message"), '{"', 'thinking":1}')
    ) == [
        ("start", 0, "search"),
        ("args", 0, '{"'),
        ("args", 0, 'thinking":1}'),
        ("tool_call_end", 0, '{"thinking":1}'),
        "tool_calls",
    ]


def test_thoughts_truncated_by_the_token_limit() -> None:
    events = one_call(THINK, '{"thinking":"I was', finish="length")
    assert short(events) == [("thought", "I was", None), ("start", 0, "search"), "length"]
    turn = fold(events)
    assert turn.status is Status.INCOMPLETE
    assert [(c.arguments, c.arguments_raw) for c in turn.tool_calls] == [(None, "")]


def test_broken_arguments_fail_the_turn_and_keep_the_thoughts() -> None:
    turn = fold(one_call(THINK, '{"thinking":"hm","q":', "}"))
    assert turn.error is not None
    assert turn.error.error_class == "invalid_tool_arguments"
    assert turn.reasoning == "hm"
    assert '{"thinking":"hm","q":}' in turn.error.message


def test_parallel_calls_in_one_chunk_and_in_turns() -> None:
    events = rewritten(
        THINK,
        [
            call_delta('{"thinking":"a', 0, name="f"),
            call_delta('{"thinking":"b', 1, name="g"),
        ],
        [call_delta("A", 0), call_delta('B","x":1}', 1)],
        call_delta('","x":0}', 0),
    )
    assert short(events) == [
        ("thought", "a", None),
        ("thought", "b", 1),
        ("thought", "A", None),
        ("thought", "B", 1),
        ("start", 0, "f"),  # opened first, so announced first
        ("start", 1, "g"),
        ("args", 1, '{"x":1}'),
        ("args", 0, '{"x":0}'),
        ("tool_call_end", 0, '{"x":0}'),
        ("tool_call_end", 1, '{"x":1}'),
        "tool_calls",
    ]
    texts = [p.text for p in fold(events).parts if p.type == "reasoning"]
    assert texts == ["aA", "bB"]


def test_the_message_tool_is_text() -> None:
    events = one_call(
        SPEAK,
        '{"thinking":"greet","mess',
        'age":"Hi \\',
        "n\\u00",
        'e9 \\"x\\""}',
        name="send_message",
    )
    assert short(events) == [
        ("thought", "greet", None),
        ("text", "Hi ", None),
        ("text", "\n", None),
        ("text", 'é "x"', None),
        "stop",
    ]
    assert fold(events).raw_finish_reason == "tool_calls"


def test_messages_between_calls_leave_no_gap_in_the_indexes() -> None:
    events = rewritten(
        SPEAK,
        call_delta('{"message":"one"}', 0, name="send_message"),
        call_delta('{"q":1}', 1, name="search"),
        call_delta('{"message":"two"}', 2, name="send_message"),
    )
    assert short(events) == [
        ("text", "one", None),
        ("start", 0, "search"),
        ("args", 0, '{"q":1}'),
        ("text", "two", 1),
        ("tool_call_end", 0, '{"q":1}'),
        "tool_calls",
    ]
    assert [p.type for p in fold(events).parts] == ["text", "tool_call", "text"]


@pytest.mark.parametrize(
    ("arguments", "text", "warnings"),
    [
        ("{}", "", ["message_missing"]),
        ('{"message":null}', "", ["message_missing"]),
        ('{"message":""}', "", []),
        ('{"message":7}', "7", []),
        ('{"message":{"text":"a"}}', '{"text":"a"}', []),
        ('{"to":"b","message":"a"}', "a", ["message_arguments_dropped"]),
    ],
)
def test_unusual_messages(arguments: str, text: str, warnings: list[str]) -> None:
    events = one_call(SPEAK, arguments, name="send_message")
    turn = fold(events)
    assert (turn.content, turn.finish_reason) == (text, FinishReason.STOP)
    assert turn.tool_calls == ()
    assert [e.code for e in events if isinstance(e, WarningEvent)] == warnings


def test_other_texts_are_parts_of_their_own() -> None:
    stage = CallArguments(SPEAK)
    start = ToolCallStart(tool_call_index=0, tool_call_id="c", tool_name="send_message")
    events = [
        new
        for old in (
            ContentDelta(delta="a"),
            start,
            ToolCallDelta(tool_call_index=0, arguments_delta='{"message":"b"}'),
            ContentDelta(delta="c"),
            ContentDelta(delta="d", index=4),
        )
        for new in stage.feed(old)
    ]
    assert short(events) == [
        ("text", "a", None),
        ("text", "b", 1),
        ("text", "c", None),
        ("text", "d", 4),
    ]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(
    members=st.dictionaries(st.sampled_from(["thinking", "q", "r", "é"]), VALUES, max_size=4),
    ascii_only=st.booleans(),
    data=st.data(),
)
def test_any_arguments_in_any_pieces(members: Any, ascii_only: bool, data: Any) -> None:
    text = json.dumps(members, ensure_ascii=ascii_only)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text)), max_size=4)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    events = one_call(THINK, *pieces)
    turn: AssistantTurn = fold(events)

    (call,) = turn.tool_calls
    assert call.arguments == {k: v for k, v in members.items() if k != "thinking"}
    assert json.loads(call.arguments_raw) == call.arguments
    streamed = "".join(e.arguments_delta for e in events if isinstance(e, ToolCallDelta))
    assert streamed == call.arguments_raw
    if isinstance(thought := members.get("thinking"), str):
        assert turn.reasoning == thought
