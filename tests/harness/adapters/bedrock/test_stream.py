"""Events of ConverseStream, and whole answers, become normalized events."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.bedrock.stream import ConverseStream
from mockserver.vocabulary import (
    AssistantTurn,
    Citation,
    ContentDelta,
    ErrorClass,
    ErrorInfo,
    Event,
    FinishReason,
    HostedToolPart,
    ImagePart,
    MessageStart,
    MessageStop,
    ReasoningPart,
    Status,
    TextPart,
    ToolCallEnd,
    ToolCallPart,
    Usage,
    WarningEvent,
    fold,
    to_json,
)


def start(index: Any, value: Any) -> dict[str, Any]:
    return {"contentBlockStart": {"contentBlockIndex": index, "start": value}}


def delta(index: Any, value: Any) -> dict[str, Any]:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": value}}


def text(value: Any, index: Any = 0) -> dict[str, Any]:
    return delta(index, {"text": value})


def use(index: Any, call_id: Any = "t1", name: Any = "f", **more: Any) -> dict[str, Any]:
    return start(index, {"toolUse": {"toolUseId": call_id, "name": name, **more}})


def piece(index: Any, value: Any) -> dict[str, Any]:
    return delta(index, {"toolUse": {"input": value}})


def stop(word: Any = "end_turn") -> dict[str, Any]:
    return {"messageStop": {"stopReason": word}}


START = {"messageStart": {"role": "assistant"}}


def events(*values: Any, **known: Any) -> list[Event]:
    stream = ConverseStream(**known)
    found = [e for value in values for e in stream.chunk(value)]
    return found + stream.ended()


def turn(*values: Any, **known: Any) -> AssistantTurn:
    return fold(events(*values, **known))


def whole(*content: Any, reason: Any = "end_turn", **more: Any) -> AssistantTurn:
    stream = ConverseStream()
    answer = {"output": {"message": {"content": list(content)}}, "stopReason": reason, **more}
    return fold(stream.chunk(answer) + stream.done())


def test_events_come_as_they_are_known() -> None:
    stream = ConverseStream()
    assert stream.chunk(START) == [MessageStart()]
    assert stream.chunk(text("Hi")) == [ContentDelta(delta="Hi", index=0)]
    assert stream.chunk(text("")) == []
    assert stream.chunk(stop()) == []
    assert stream.ended() == [
        MessageStop(finish_reason=FinishReason.STOP, raw_finish_reason="end_turn")
    ]
    assert stream.closed
    assert stream.chunk(text("more")) == stream.ended() == stream.done() == []


def test_a_stream_without_a_start_has_one() -> None:
    assert events(text("Hi"), stop())[0] == MessageStart()


def test_blocks_are_parts_in_their_order() -> None:
    found = turn(
        START,
        delta(0, {"reasoningContent": {"text": "So"}}),
        delta(0, {"reasoningContent": {"signature": "c2ln"}}),
        delta(1, {"reasoningContent": {"redactedContent": "b3Bx"}}),
        text("Hi ", 2),
        text("you", 2),
        use(3),
        piece(3, '{"a":'),
        piece(3, "1}"),
        {"contentBlockStop": {"contentBlockIndex": 3}},
        text("!", 4),
        stop("tool_use"),
    )
    assert found.parts == (
        ReasoningPart(text="So", channel="text", signature="c2ln"),
        ReasoningPart(text="", channel="text", redacted_data="b3Bx"),
        TextPart(text="Hi you"),
        ToolCallPart(id="t1", name="f", arguments={"a": 1}, arguments_raw='{"a":1}'),
        TextPart(text="!"),
    )
    assert found.finish_reason is FinishReason.TOOL_CALLS


def test_a_whole_answer_is_the_same_turn() -> None:
    found = whole(
        {"reasoningContent": {"reasoningText": {"text": "So", "signature": "c2ln"}}},
        {"reasoningContent": {"redactedContent": "b3Bx"}},
        {"text": "Hi"},
        {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": "ü"}}},
        {"image": {"format": "webp", "source": {"bytes": "aWc="}}},
        reason="tool_use",
        usage={"inputTokens": 1, "outputTokens": 2, "totalTokens": 3},
    )
    assert found.parts == (
        ReasoningPart(text="So", channel="text", signature="c2ln"),
        ReasoningPart(text="", channel="text", redacted_data="b3Bx"),
        TextPart(text="Hi"),
        ToolCallPart(id="t1", name="f", arguments={"a": "ü"}, arguments_raw='{"a":"ü"}'),
        ImagePart(url="data:image/webp;base64,aWc="),
    )
    assert found.usage == Usage(input_tokens=1, output_tokens=2, total_tokens=3)
    assert found.raw_finish_reason == "tool_use"


def test_images_of_a_stream() -> None:
    image = {"image": {"source": {"bytes": "aWc="}}}
    found = turn(start(0, {"image": {"format": "jpeg"}}), delta(0, image), delta(1, image), stop())
    assert found.parts == (
        ImagePart(url="data:image/jpeg;base64,aWc="),
        ImagePart(url="data:image/png;base64,aWc="),
    )


def test_citations_belong_to_the_text_of_their_block() -> None:
    web = {"title": "T", "location": {"web": {"url": "https://a.b"}}}
    found = turn(text("Hi"), delta(0, {"citation": web}), text("Ho", 1), stop())
    assert found.parts == (
        TextPart(text="Hi", citations=(Citation(url="https://a.b", title="T"),)),
        TextPart(text="Ho"),
    )
    content = {"content": [{"text": "H"}, {"text": "i"}, {"text": 3}], "citations": [web, 3]}
    assert whole({"citationsContent": content}).parts == found.parts[:1]


def test_tools_of_the_provider() -> None:
    hosted = {"type": "server_tool_use", "toolUseId": "s1", "name": "code"}
    result = {"toolUseId": "s1", "type": "code_result", "status": "success"}
    found = turn(
        start(0, {"toolUse": hosted}),
        piece(0, '{"a":1}'),
        {"contentBlockStop": {"contentBlockIndex": 0}},
        start(1, {"toolResult": result}),
        delta(1, {"toolResult": [{"text": "2"}]}),
        text("Two", 2),
        stop(),
    )
    used = {"toolUse": {**hosted, "input": {"a": 1}}}
    given_back = {"toolResult": {**result, "content": [{"text": "2"}]}}
    assert [to_json(p) for p in found.parts if isinstance(p, HostedToolPart)] == [
        {"type": "hosted_tool", "kind": "code", "native": [used]},
        {
            "type": "hosted_tool",
            "kind": "code_result",
            "status": "success",
            "native": [given_back],
        },
    ]
    assert (found.content, found.finish_reason) == ("Two", FinishReason.STOP)
    same = whole(used, given_back, {"text": "Two"})
    assert [p for p in same.parts if isinstance(p, HostedToolPart)] == [
        p for p in found.parts if isinstance(p, HostedToolPart)
    ]


@pytest.mark.parametrize(
    ("word", "status", "reason"),
    [
        ("end_turn", Status.COMPLETED, FinishReason.STOP),
        ("stop_sequence", Status.COMPLETED, FinishReason.STOP),
        ("max_tokens", Status.INCOMPLETE, FinishReason.LENGTH),
        ("model_context_window_exceeded", Status.INCOMPLETE, FinishReason.LENGTH),
        ("guardrail_intervened", Status.INCOMPLETE, FinishReason.CONTENT_FILTER),
        ("content_filtered", Status.INCOMPLETE, FinishReason.CONTENT_FILTER),
        ("something_new", Status.COMPLETED, FinishReason.UNKNOWN),
        ("tool_use", Status.COMPLETED, FinishReason.STOP),
    ],
)
def test_finish_words_behind_a_text(word: str, status: Status, reason: FinishReason) -> None:
    found = turn(text("Hi"), stop(word))
    assert (found.status, found.finish_reason, found.raw_finish_reason) == (status, reason, word)


def test_finish_words_and_calls() -> None:
    called = turn(use(0), stop("end_turn"))
    assert (called.finish_reason, called.raw_finish_reason) == (
        FinishReason.TOOL_CALLS,
        "end_turn",
    )
    unknown = turn(use(0), stop("something_new"))
    assert unknown.finish_reason is FinishReason.UNKNOWN
    nothing = turn(START, stop("tool_use"))
    assert nothing.finish_reason is FinishReason.PAUSE


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("malformed_tool_use", ErrorClass.INVALID_TOOL_ARGUMENTS),
        ("malformed_model_output", ErrorClass.STREAM_ERROR),
    ],
)
def test_finish_words_that_are_failures(word: str, kind: ErrorClass) -> None:
    found = events(use(0), piece(0, "{}"), stop(word))
    failed = fold(found)
    assert failed.error is not None
    assert (failed.error.error_class, failed.error.code) == (kind, word)
    assert not [e for e in found if isinstance(e, ToolCallEnd)]


def test_the_first_stop_reason_counts() -> None:
    found = turn(text("Hi"), stop(None), stop(""), stop("max_tokens"), stop("end_turn"))
    assert found.raw_finish_reason == "max_tokens"


def test_the_end_without_a_stop_reason() -> None:
    cut = turn(text("Hi"))
    assert cut.error is not None
    assert cut.error.error_class is ErrorClass.TRUNCATED_STREAM
    empty = turn()
    assert empty.error is not None
    assert empty.error.error_class is ErrorClass.EMPTY_RESPONSE
    lost = ErrorInfo(error_class=ErrorClass.TIMEOUT, message="slow", retryable=True)
    stream = ConverseStream(request_id="r1")
    failed = fold(stream.chunk(text("Hi")) + stream.lost(lost))
    assert failed.error is not None
    assert (failed.error.error_class, failed.error.request_id) == (ErrorClass.TIMEOUT, "r1")
    stream = ConverseStream()
    assert fold(stream.chunk(text("Hi")) + stream.chunk(stop()) + stream.lost(lost)).error is None


def test_a_whole_answer_without_a_stop_reason() -> None:
    stream = ConverseStream()
    found = stream.chunk({"output": {"message": {"content": [{"text": "Hi"}]}}}) + stream.done()
    assert [e.code for e in found if isinstance(e, WarningEvent)] == ["finish_reason_missing"]
    assert fold(found).finish_reason is FinishReason.UNKNOWN
    empty = whole(reason=None)
    assert empty.error is not None
    assert empty.error.error_class is ErrorClass.EMPTY_RESPONSE
    assert whole().status is Status.COMPLETED


@pytest.mark.parametrize("count", [0, 900])
def test_usage_has_the_cached_input_once(count: int) -> None:
    usage = {
        "inputTokens": 5,
        "outputTokens": 7,
        "totalTokens": 12 + count,
        "cacheReadInputTokens": count,
    }
    found = turn(text("Hi"), stop(), {"metadata": {"usage": usage}}, {"metadata": {"metrics": {}}})
    assert found.usage == Usage(
        input_tokens=5 + count,
        output_tokens=7,
        total_tokens=12 + count,
        cache_read_input_tokens=count,
    )
    inside = {**usage, "inputTokens": 5 + count}
    assert turn(text("Hi"), stop(), {"metadata": {"usage": inside}}).usage == found.usage


def test_errors_in_band() -> None:
    stream = ConverseStream(secrets=["hush-hush"])
    said = {"__type": "throttlingException", "message": "hush-hush"}
    found = stream.chunk(text("Hi")) + stream.chunk(said)
    failed = fold(found)
    assert failed.content == "Hi"
    assert failed.error is not None
    assert (failed.error.error_class, failed.error.message) == (
        ErrorClass.RATE_LIMIT,
        "[redacted]",
    )
    assert stream.closed


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"message": "No"}, ErrorClass.STREAM_ERROR),
        ({"__type": "AccessDeniedException"}, ErrorClass.PERMISSION),
        ([], ErrorClass.EMPTY_RESPONSE),
        (None, ErrorClass.EMPTY_RESPONSE),
    ],
)
def test_values_that_are_errors(value: Any, kind: ErrorClass) -> None:
    found = turn(value)
    assert found.error is not None
    assert found.error.error_class is kind


def test_what_is_an_answer() -> None:
    stream = ConverseStream()
    for value in ({"output": {}}, {"message": "No"}, {"__type": "X"}):
        assert stream.is_answer(value)
    for value in ([], "output", None):
        assert not stream.is_answer(value)


@pytest.mark.parametrize("index", [None, -1, True, "0", 1.5])
def test_an_index_that_is_none_means_the_first_block(index: Any) -> None:
    assert turn(text("H", index), text("i"), stop()).parts == (TextPart(text="Hi"),)


def test_characters_that_two_deltas_share() -> None:
    assert turn(text("a\ud83c"), text("\udf89b"), stop()).content == "a🎉b"
    assert turn(text("a\ud83c"), stop()).content == "a\ufffd"
    thought = delta(0, {"reasoningContent": {"text": "a\ud83c"}})
    assert turn(thought, stop()).reasoning == "a\ufffd"
    assert turn(text("a\ud83c", 0), text("\udf89b", 1), stop()).content == "a\ufffd\ufffdb"
    assert turn(text("\ud83c", 0), text("b", 1), stop()).content == "\ufffdb"
    assert whole({"text": "\ud83c"}, {"text": "b"}).content == "\ufffdb"
    ended = {"contentBlockStop": {"contentBlockIndex": 0}}
    assert turn(text("\ud83c"), ended, text("\udf89"), stop()).content == "🎉"


def test_ids_of_earlier_turns_are_not_made_again() -> None:
    (call,) = turn(use(0, ""), stop("tool_use"), taken_ids=["call_0"]).tool_calls
    assert (call.id, call.id_synthesized) == ("call_1", True)


odd = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "contentBlockIndex",
                    "delta",
                    "start",
                    "text",
                    "toolUse",
                    "toolResult",
                    "input",
                    "reasoningContent",
                    "citation",
                    "location",
                    "web",
                    "url",
                    "image",
                    "source",
                    "bytes",
                    "usage",
                    "stopReason",
                    "message",
                    "content",
                    "type",
                    "name",
                    "toolUseId",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)
odd_events = st.dictionaries(
    st.sampled_from(
        [
            "messageStart",
            "contentBlockStart",
            "contentBlockDelta",
            "contentBlockStop",
            "messageStop",
            "metadata",
            "output",
            "usage",
            "stopReason",
            "other",
        ]
    ),
    odd,
    max_size=2,
)


@given(st.lists(odd_events | odd, max_size=5))
def test_any_values_end_in_one_event_that_is_last(values: list[Any]) -> None:
    found = events(*values)
    json.dumps([to_json(e) for e in found], ensure_ascii=False).encode()
    ends = [n for n, e in enumerate(found) if e.type in ("message_stop", "error")]
    assert ends == [len(found) - 1]


def test_many_blocks_take_linear_time() -> None:
    began = time.process_time()
    found = events(*(text("a", number) for number in range(8000)), stop())
    assert time.process_time() - began < 8
    assert fold(found).content == "a" * 8000
