"""Answers have the form that Bedrock sends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.cassettes.cassette import Response
from mockserver.dialects import Pace, find_dialect, fitted, written_answer
from mockserver.dialects.bedrock.answer import error, event, exception
from mockserver.vocabulary import (
    AssistantTurn,
    Citation,
    ErrorClass,
    ErrorInfo,
    FinishReason,
    NeutralCall,
    Part,
    ReasoningPart,
    Status,
    TextPart,
    ToolCallPart,
    Usage,
)
from mockserver.wire.eventstream import frames

BEDROCK = find_dialect("bedrock")
CITED = TextPart(text="Oslo", citations=(Citation(url="https://a.b/c", title="T"), Citation()))
CALL = ToolCallPart(id="t1", name="f", arguments={"a": 1}, arguments_raw='{"a": 1}')


def answered(*parts: Part, stream: bool = True, pace: Pace | None = None, **known: Any) -> Response:
    made: dict[str, Any] = {"status": Status.COMPLETED, "finish_reason": FinishReason.STOP} | known
    turn = fitted(BEDROCK, AssistantTurn(parts=parts, **made)).turn
    call = NeutralCall(model="m", messages=(), stream=stream)
    return written_answer(BEDROCK, turn, call, pace or Pace())


def events(answer: Response) -> list[tuple[str, Any]]:
    found = []
    for frame in frames(answer.body):
        assert frame.problem is None
        payload = json.loads(frame.payload)
        assert list(payload) == sorted(payload)
        assert payload.pop("p").startswith("a")
        found.append((frame.text(":event-type"), payload))
    return found


def test_a_frame_has_its_headers_in_the_order_of_aws() -> None:
    (frame,) = frames(event("messageStart", {"role": "assistant"}))
    assert [(h.name, h.value) for h in frame.headers] == [
        (":event-type", "messageStart"),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ]
    (bad,) = frames(exception("throttlingException", {"message": "No"}))
    assert [h.name for h in bad.headers] == [":exception-type", ":content-type", ":message-type"]
    assert bad.payload == b'{"message":"No"}'
    (other,) = frames(error("InternalError", "No"))
    assert [h.name for h in other.headers] == [":message-type", ":error-code", ":error-message"]
    assert other.payload == b""


def test_the_pad_makes_the_frames_of_short_texts_differ_in_length() -> None:
    lengths = {len(event("x", {"delta": {"text": letter}})) for letter in "abcdefgh"}
    assert len(lengths) > 3


def test_a_stream_is_what_bedrock_sends() -> None:
    thought = ReasoningPart(text="So", channel="text", signature="c2ln")
    hidden = ReasoningPart(text="", channel="text", redacted_data="b3Bx")
    usage = Usage(
        input_tokens=1005,
        output_tokens=7,
        total_tokens=1012,
        cache_read_input_tokens=900,
        cache_creation_input_tokens=100,
    )
    answer = answered(
        thought,
        hidden,
        CITED,
        CALL,
        pace=Pace(size=0),
        finish_reason=FinishReason.TOOL_CALLS,
        usage=usage,
    )

    def delta(index: int, value: Any) -> tuple[str, Any]:
        return "contentBlockDelta", {"contentBlockIndex": index, "delta": value}

    def stop(index: int) -> tuple[str, Any]:
        return "contentBlockStop", {"contentBlockIndex": index}

    use = {"toolUse": {"name": "f", "toolUseId": "t1"}}
    assert events(answer) == [
        ("messageStart", {"role": "assistant"}),
        delta(0, {"reasoningContent": {"text": "So"}}),
        delta(0, {"reasoningContent": {"signature": "c2ln"}}),
        stop(0),
        delta(1, {"reasoningContent": {"redactedContent": "b3Bx"}}),
        stop(1),
        delta(2, {"text": "Oslo"}),
        delta(2, {"citation": {"location": {"web": {"url": "https://a.b/c"}}, "title": "T"}}),
        delta(2, {"citation": {}}),
        stop(2),
        ("contentBlockStart", {"contentBlockIndex": 3, "start": use}),
        delta(3, {"toolUse": {"input": '{"a": 1}'}}),
        stop(3),
        ("messageStop", {"stopReason": "tool_use"}),
        (
            "metadata",
            {
                "metrics": {"latencyMs": 304},
                "usage": {
                    "cacheReadInputTokens": 900,
                    "cacheWriteInputTokens": 100,
                    "inputTokens": 5,
                    "outputTokens": 7,
                    "totalTokens": 1012,
                },
            },
        ),
    ]


def test_the_head_of_an_answer() -> None:
    answer, same = answered(TextPart(text="Hi")), answered(TextPart(text="Hi"))
    assert answer.header("content-type") == "application/vnd.amazon.eventstream"
    assert answer.header("x-amzn-requestid") == same.header("x-amzn-requestid")
    other = answered(TextPart(text="Ho"))
    assert answer.header("x-amzn-requestid") != other.header("x-amzn-requestid")
    whole = answered(TextPart(text="Hi"), stream=False)
    assert whole.header("content-type") == "application/json"
    assert whole.header("x-amzn-requestid")


def test_a_chunk_is_a_frame_and_comes_in_time() -> None:
    answer = answered(TextPart(text="abcd"), pace=Pace(size=2, first_ms=10, each_ms=5))
    assert answer.wire.chunks is not None
    ends = [frame.span[1] - frame.span[0] for frame in frames(answer.body)]
    assert [chunk.length for chunk in answer.wire.chunks] == ends
    assert [chunk.at_ms for chunk in answer.wire.chunks] == [10 + 5 * n for n in range(len(ends))]


def test_a_whole_answer_nests_its_reasoning() -> None:
    parts = (
        ReasoningPart(text="So", channel="text", signature="c2ln"),
        ReasoningPart(text="So", channel="text"),
        ReasoningPart(text="", channel="text", redacted_data="b3Bx"),
        CITED,
        TextPart(text="Hi"),
        CALL,
    )
    answer = answered(*parts, stream=False, usage=Usage(output_tokens=3))
    cited = [{"location": {"web": {"url": "https://a.b/c"}}, "title": "T"}, {}]
    assert json.loads(answer.body) == {
        "metrics": {"latencyMs": 306},
        "output": {
            "message": {
                "content": [
                    {"reasoningContent": {"reasoningText": {"signature": "c2ln", "text": "So"}}},
                    {"reasoningContent": {"reasoningText": {"text": "So"}}},
                    {"reasoningContent": {"redactedContent": "b3Bx"}},
                    {"citationsContent": {"citations": cited, "content": [{"text": "Oslo"}]}},
                    {"text": "Hi"},
                    {"toolUse": {"input": {"a": 1}, "name": "f", "toolUseId": "t1"}},
                ],
                "role": "assistant",
            }
        },
        "stopReason": "end_turn",
        "usage": {"outputTokens": 3},
    }


def test_no_usage_is_no_usage() -> None:
    assert "usage" not in json.loads(answered(TextPart(text="Hi"), stream=False).body)
    assert events(answered(TextPart(text="Hi")))[-1][1] == {"metrics": {"latencyMs": 302}}


def test_input_without_its_cached_part_is_written_as_it_is() -> None:
    usage = Usage(input_tokens=5, cache_read_input_tokens=900)
    answer = answered(TextPart(text="Hi"), stream=False, usage=usage)
    assert json.loads(answer.body)["usage"] == {"cacheReadInputTokens": 900, "inputTokens": 5}


@pytest.mark.parametrize(
    ("kind", "last"),
    [
        (ErrorClass.RATE_LIMIT, "throttlingException"),
        (ErrorClass.OVERLOADED, "serviceUnavailableException"),
        (ErrorClass.SERVER_ERROR, "internalServerException"),
        (ErrorClass.CONTEXT_LENGTH, "validationException"),
        (ErrorClass.PROTOCOL, "modelStreamErrorException"),
        (ErrorClass.CONNECTION_LOST, ""),
    ],
)
def test_a_failure_is_the_last_frame(kind: ErrorClass, last: str) -> None:
    failure = ErrorInfo(error_class=kind, message="No", retryable=False)
    answer = answered(TextPart(text="Hi"), status=Status.FAILED, finish_reason=None, error=failure)
    found = frames(answer.body)
    assert found[-1].text(":exception-type") == last
    assert [f.text(":event-type") for f in found][:3] == [
        "messageStart",
        "contentBlockDelta",
        "contentBlockStop",
    ]
