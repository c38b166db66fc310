"""The reader of content blocks."""

from __future__ import annotations

import time

import pytest

from harness.adapters.anthropic.stream import MessagesStream
from mockserver.vocabulary import (
    Citation,
    ContentDelta,
    ErrorClass,
    ErrorEvent,
    FinishReason,
    HostedToolEvent,
    JsonObject,
    ReasoningDelta,
    ReasoningSignature,
    SendBack,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    WarningEvent,
)
from tests.harness.adapters.messages_events import (
    START,
    STOP,
    delta,
    ending,
    error_of,
    fed,
    kinds,
    partial,
    read,
    reason,
    start,
    stop,
    text,
    tool,
)


def test_thinking_and_what_must_go_back() -> None:
    assert read(
        start(0, "thinking", thinking="", signature=""),
        delta(0, "thinking_delta", thinking="Hm."),
        delta(0, "signature_delta", signature="a"),
        delta(0, "signature_delta", signature="b"),
        stop(0),
        start(1, "redacted_thinking", data="R"),
        stop(1),
        start(2, "redacted_thinking", data=None),
        stop(2),
        start(3, "thinking", thinking="x"),
        stop(3),
    ) == [
        ReasoningDelta(delta="Hm.", channel="text", index=0),
        ReasoningSignature(signature="ab", index=0),
        ReasoningSignature(redacted_data="R", index=1),
        ReasoningDelta(delta="x", channel="text", index=3),
    ]


def test_a_call_in_pieces() -> None:
    assert read(tool(), partial(""), partial('{"a"'), partial(": 1}"), stop()) == [
        ToolCallStart(tool_call_index=0, tool_call_id="t0", tool_name="f"),
        ToolCallDelta(tool_call_index=0, arguments_delta='{"a"'),
        ToolCallDelta(tool_call_index=0, arguments_delta=": 1}"),
        ToolCallEnd(tool_call_index=0, arguments={"a": 1}, arguments_raw='{"a": 1}'),
    ]


def test_the_input_of_a_start_counts_without_pieces_only() -> None:
    given = {"b": "ü"}
    assert read(tool(input=given), partial(""), stop())[1:] == [
        ToolCallDelta(tool_call_index=0, arguments_delta='{"b":"ü"}'),
        ToolCallEnd(tool_call_index=0, arguments=given, arguments_raw='{"b":"ü"}'),
    ]
    end = read(tool(input=given), partial("{}"), stop())[-1]
    assert end == ToolCallEnd(tool_call_index=0, arguments={}, arguments_raw="{}")


def test_a_call_without_input_ends_with_the_answer() -> None:
    end = ToolCallEnd(tool_call_index=0, arguments={}, arguments_raw="{}")
    assert end not in read(tool(), stop())
    assert end in read(tool(), stop(), reason("tool_use"), STOP)
    assert end in read(tool(), reason("tool_use"), STOP)
    assert end in read(tool(), stop(), text("a", 1), reason("max_tokens"), STOP)
    assert end not in read(tool(), stop(), reason("max_tokens"), STOP)


def test_what_goes_back_with_a_call() -> None:
    caller = {"type": "code_execution_20260120", "tool_id": "s1"}
    end = read(tool(caller=caller, toolset_name=None, other=1), partial("{}"), stop())[-1]
    assert isinstance(end, ToolCallEnd)
    assert end.send_back == {"caller": caller}


def test_a_call_without_an_id_gets_one() -> None:
    events = fed(START, tool(id=None), stream=MessagesStream(taken_ids={"call_0"}))
    assert events[-1] == ToolCallStart(
        tool_call_index=0, tool_call_id="call_1", tool_name="f", id_synthesized=True
    )


@pytest.mark.parametrize("word", ["end_turn", "tool_use"])
def test_a_call_whose_input_is_no_object_fails(word: str) -> None:
    found = read(tool(), partial('{"a": Dave}'), stop(), reason(word), STOP)
    assert error_of(found) is ErrorClass.INVALID_TOOL_ARGUMENTS
    assert isinstance(found[-1], ErrorEvent)
    assert found[-1].error.message == (
        'the arguments of tool call 0 (f) are not one JSON object: {"a": Dave}'
    )


def test_a_call_that_was_cut_is_not_ended() -> None:
    found = read(tool(), partial('{"a": '), stop(), reason("max_tokens"), STOP)
    assert "tool_call_end" not in kinds(found)
    assert ending(found) == (FinishReason.LENGTH, "max_tokens")


def test_a_call_without_a_name_fails() -> None:
    assert error_of(read(tool(name=""), partial("{}"), reason("tool_use"), STOP)) is (
        ErrorClass.PROTOCOL
    )


def test_an_index_that_is_used_again_is_another_block() -> None:
    found = read(start(0, "text"), text("a"), stop(), start(0, "text"), text("b"))
    assert [e.index for e in found if isinstance(e, ContentDelta)] == [0, 1]
    odd = read(start(None, "text"), text("a", None), start("x", "text"), text("b", None))
    assert [e.index for e in odd if isinstance(e, ContentDelta)] == [0, 1]


def test_pieces_of_a_character_are_joined() -> None:
    found = read(start(0, "text"), text("\ud83c"), text("\udf89"), text("\ud83c"), stop())
    assert [e.delta for e in found if isinstance(e, ContentDelta)] == ["🎉", "\ufffd"]
    thoughts = [delta(0, "thinking_delta", thinking=piece) for piece in ("a\ud83c", "")]
    assert [e.type for e in read(start(0, "thinking"), *thoughts, stop())] == (
        ["reasoning_delta", "reasoning_delta"]
    )
    call = read(tool(), partial('{"a": "\ud83c'), partial('\udf89"}'), stop())
    assert ToolCallDelta(tool_call_index=0, arguments_delta='🎉"}') in call


SOURCE = {"type": "web_search_result_location", "url": "https://a/", "title": "A", "x": 1}


def test_sources_and_what_goes_back_of_them() -> None:
    document = {"type": "char_location", "document_title": "B", "start_char_index": 3}
    result = {"type": "search_result_location", "source": "https://c/", "title": None}
    found = read(
        start(0, "text"),
        text("a"),
        stop(0),
        start(1, "text", citations=[SOURCE]),
        delta(1, "citations_delta", citation=document),
        delta(1, "citations_delta", citation=result),
        delta(1, "citations_delta", citation=None),
        stop(1),
    )
    assert found[1:] == [
        Citation(url="https://a/", title="A", index=1, native=(SOURCE,)),
        Citation(title="B", index=1, native=(document,)),
        Citation(url="https://c/", index=1, native=(result,)),
        SendBack(fields={"citations": {"1": [SOURCE, document, result]}}),
    ]
    assert read(tool(), delta(0, "citations_delta", citation=SOURCE))[1:] == []


def test_tools_of_the_provider_are_kept_as_they_go_back() -> None:
    search = {"type": "server_tool_use", "id": "s", "name": "web_search"}
    found = read(start(0, **_kind(search), input={}), partial('{"q": 1}'), stop())
    native = {**search, "input": {"q": 1}}
    assert found == [HostedToolEvent(kind="server_tool_use", native=(native,))]
    result = {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}
    assert read(start(0, **_kind(result)), stop()) == [
        HostedToolEvent(kind="web_search_tool_result", native=(result,))
    ]
    shortened = {"type": "compaction", "content": "c", "encrypted_content": None}
    opened = start(0, "compaction", content=None, encrypted_content=None)
    piece = delta(0, "compaction_delta", content="c", encrypted_content=None)
    assert read(opened, piece, stop()) == [HostedToolEvent(kind="compaction", native=(shortened,))]


def _kind(block: JsonObject) -> JsonObject:
    return {("kind" if name == "type" else name): value for name, value in block.items()}


@pytest.mark.parametrize(
    "events",
    [
        [start(0, "hologram"), delta(0, "hologram_delta"), stop()],
        [start(0, "server_tool_use", input={}), partial('{"q": '), stop()],
        [start(0, "server_tool_use", input=1), stop()],
    ],
)
def test_a_block_that_did_not_come_whole_is_a_warning(events: list[JsonObject]) -> None:
    assert [e.code for e in read(*events) if isinstance(e, WarningEvent)] == ["block_incomplete"]


def test_many_blocks_take_linear_time() -> None:
    numbers = range(8000)
    began = time.process_time()
    found = read(*(e for n in numbers for e in (start(n, "text"), text("a", n), stop(n))))
    assert time.process_time() - began < 8
    assert found == [ContentDelta(delta="a", index=n) for n in numbers]


@pytest.mark.parametrize("index", [0, None])
def test_what_belongs_to_a_block_without_a_type_is_skipped(index: int | None) -> None:
    begin: JsonObject = {"type": "content_block_start", "index": index, "content_block": {}}
    pieces = [delta(0, "signature_delta", signature="a"), partial("{}")]
    found = read(begin, *({**piece, "index": index} for piece in pieces), stop(0), text("a", 1))
    assert [e for e in found if not isinstance(e, WarningEvent)] == [
        ContentDelta(delta="a", index=1)
    ]
