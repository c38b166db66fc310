"""Chunks in, events out: Gemini's state machine without a network."""

from __future__ import annotations

from typing import Any

import pytest

from harness.adapters.common.failures import failure
from harness.adapters.gemini.stream import GeminiStream
from mockserver.vocabulary import (
    AssistantTurn,
    ContentDelta,
    ErrorClass,
    Event,
    FinishReason,
    HostedToolEvent,
    HostedToolPart,
    ImagePart,
    MessageStart,
    MessageStop,
    Part,
    ReasoningDelta,
    ReasoningPart,
    ReasoningSignature,
    SendBack,
    Status,
    TextPart,
    ToolCallPart,
    Usage,
    UsageEvent,
    WarningEvent,
    fold,
)

LOST = failure(ErrorClass.CONNECTION_LOST, "gone")


def chunk(*parts: Any, finish: str | None = None, **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate | more.pop("candidate", {})], **more}


def events(*chunks: Any, **known: Any) -> list[Event]:
    stream = GeminiStream(**known)
    found = [event for value in chunks for event in stream.chunk(value)]
    return [*found, *stream.ended()]


def turn(*chunks: Any, **known: Any) -> AssistantTurn:
    return fold(events(*chunks, **known))


def parts(*chunks: Any) -> tuple[Part, ...]:
    return turn(*chunks, chunk(finish="STOP")).parts


def test_texts_thoughts_and_a_signature() -> None:
    assert events(
        chunk({"text": "Hm.", "thought": True}, responseId="r", modelVersion="g"),
        chunk({"text": "4"}, usageMetadata={"promptTokenCount": 7, "totalTokenCount": 7}),
        chunk({"text": "", "thoughtSignature": "s"}, finish="STOP"),
    ) == [
        MessageStart(response_id="r", model="g"),
        ReasoningDelta(delta="Hm.", channel="text", index=0),
        ContentDelta(delta="4", index=1),
        ReasoningSignature(signature="s", index=2),
        UsageEvent(usage=Usage(input_tokens=7, total_tokens=7)),
        MessageStop(finish_reason=FinishReason.STOP, raw_finish_reason="STOP"),
    ]


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ([{"text": "a"}, {"text": "b"}], [TextPart(text="ab")]),
        (
            [{"text": "a", "thoughtSignature": "s"}, {"text": "b"}],
            [TextPart(text="a", thought_signature="s"), TextPart(text="b")],
        ),
        (
            [{"text": "a"}, {"text": "b", "thoughtSignature": "s"}, {"text": "c"}],
            [TextPart(text="a"), TextPart(text="b", thought_signature="s"), TextPart(text="c")],
        ),
        (
            [
                {"text": "a", "thought": True},
                {"text": "", "thought": True, "thoughtSignature": "s"},
            ],
            [ReasoningPart(text="a", channel="text", signature="s")],
        ),
        (
            [{"text": "", "thought": True, "thoughtSignature": "s"}],
            [ReasoningPart(text="", channel="text", signature="s")],
        ),
        (
            [
                {"text": "a", "thought": True, "thoughtSignature": "s"},
                {"text": "b", "thought": True},
            ],
            [
                ReasoningPart(text="a", channel="text", signature="s"),
                ReasoningPart(text="b", channel="text"),
            ],
        ),
        ([{"text": ""}, {"text": "a", "thoughtSignature": ""}], [TextPart(text="a")]),
        ([{"text": "\ud83c"}, {"text": "\udf89"}], [TextPart(text="🎉")]),
        (
            [{"text": "\ud83c"}, {"text": "b", "thoughtSignature": "s"}],
            [TextPart(text="\ufffd"), TextPart(text="b", thought_signature="s")],
        ),
        ([{"text": "\ud83c"}], [TextPart(text="\ufffd")]),
        (
            [{"inlineData": {"mimeType": "image/png", "data": "AA=="}, "thoughtSignature": "s"}],
            [ImagePart(url="data:image/png;base64,AA==", thought_signature="s")],
        ),
        (
            [{"fileData": {"mimeType": "image/png", "fileUri": "https://x.test/a"}}],
            [ImagePart(url="https://x.test/a")],
        ),
    ],
)
def test_parts(given: list[Any], made: list[Part]) -> None:
    assert list(parts(*map(chunk, given))) == made
    assert list(parts(chunk(*given))) == made


@pytest.mark.parametrize(
    "unknown",
    [
        {},
        {"hologram": 1},
        {"text": 7},
        {"text": None},
        {"inlineData": {"mimeType": "audio/wav", "data": "AA=="}},
        {"inlineData": {"mimeType": "image/png"}},
        {"fileData": {"mimeType": "text/plain", "fileUri": "x"}},
        {"functionCall": 7},
        {"functionResponse": {"name": "f"}},
    ],
)
def test_what_is_unknown_is_skipped(unknown: Any) -> None:
    assert parts(chunk({"text": "a"}, unknown, {"text": "b"})) == (TextPart(text="ab"),)


def test_hosted_tools_keep_their_part() -> None:
    code = {"executableCode": {"code": "1"}, "thoughtSignature": "s"}
    result = {"codeExecutionResult": {"outcome": "OUTCOME_OK"}}
    found = events(chunk({"text": "a"}, code, result, {"text": "b"}, finish="STOP"))
    assert [e for e in found if isinstance(e, HostedToolEvent)] == [
        HostedToolEvent(kind="executableCode", native=(code,)),
        HostedToolEvent(kind="codeExecutionResult", status="OUTCOME_OK", native=(result,)),
    ]
    assert [e.index for e in found if isinstance(e, ContentDelta)] == [0, 1]
    assert parts(chunk({"toolCall": 7}, {"text": "a"}))[-1] == TextPart(text="a")


@pytest.mark.parametrize(
    ("word", "reason", "status"),
    [
        ("STOP", FinishReason.STOP, Status.COMPLETED),
        ("MAX_TOKENS", FinishReason.LENGTH, Status.INCOMPLETE),
        ("SAFETY", FinishReason.CONTENT_FILTER, Status.INCOMPLETE),
        ("ESCALATION", FinishReason.CONTENT_FILTER, Status.INCOMPLETE),
        ("CONTINUATION", FinishReason.PAUSE, Status.COMPLETED),
        ("LANGUAGE", FinishReason.UNKNOWN, Status.COMPLETED),
        ("stop", FinishReason.UNKNOWN, Status.COMPLETED),
    ],
)
def test_finish_words(word: str, reason: FinishReason, status: Status) -> None:
    seen = turn(chunk({"text": "a"}, finish=word))
    assert (seen.finish_reason, seen.raw_finish_reason, seen.status) == (reason, word, status)


@pytest.mark.parametrize(
    ("word", "error_class"),
    [
        ("MALFORMED_FUNCTION_CALL", ErrorClass.INVALID_TOOL_ARGUMENTS),
        ("MALFORMED_RESPONSE", ErrorClass.STREAM_ERROR),
        ("MISSING_THOUGHT_SIGNATURE", ErrorClass.INVALID_REQUEST),
        ("PUP_LIMITED_DISABLED", ErrorClass.PERMISSION),
    ],
)
def test_finish_words_that_are_failures(word: str, error_class: ErrorClass) -> None:
    seen = turn(chunk({"text": "a"}, finish=word))
    assert seen.error is not None
    assert (seen.error.error_class, seen.error.code, seen.content) == (error_class, word, "a")
    assert repr(word) in seen.error.message


def test_the_first_word_counts() -> None:
    seen = turn(chunk({"text": "a"}, finish="STOP"), chunk(finish="SAFETY"))
    assert seen.raw_finish_reason == "STOP"


def test_a_call_makes_a_stop_tool_calls() -> None:
    call = {"functionCall": {"name": "f", "args": {}}}
    assert turn(chunk(call, finish="STOP")).finish_reason is FinishReason.TOOL_CALLS
    assert turn(chunk(call, finish="MAX_TOKENS")).finish_reason is FinishReason.LENGTH
    assert turn(chunk(call, finish="OTHER")).finish_reason is FinishReason.UNKNOWN


def test_a_call_of_an_answer() -> None:
    call = {"functionCall": {"name": "f", "args": {"a": "\ud800"}}, "thoughtSignature": "s"}
    (part,) = parts(chunk(call))
    assert part == ToolCallPart(
        id="call_0",
        name="f",
        arguments={"a": "\ufffd"},
        arguments_raw='{"a":"\ufffd"}',
        thought_signature="s",
        id_synthesized=True,
    )


def test_ids_of_earlier_turns_are_not_made_again() -> None:
    call = {"functionCall": {"name": "f"}}
    seen = turn(chunk(call, finish="STOP"), taken_ids={"call_0"})
    assert [c.id for c in seen.tool_calls] == ["call_1"]


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk({}, finish="STOP")],
        [chunk(finish="STOP", candidate={"content": {}})],
        [chunk({"text": "", "thoughtSignature": "s"}, finish="STOP")],
        [],
    ],
)
def test_nothing_is_an_empty_response(chunks: list[Any]) -> None:
    error = turn(*chunks).error
    assert error is not None
    assert (error.error_class, error.retryable) == (ErrorClass.EMPTY_RESPONSE, True)


def test_a_limit_without_text_is_no_failure() -> None:
    seen = turn(chunk(finish="MAX_TOKENS"))
    assert (seen.error, seen.finish_reason) == (None, FinishReason.LENGTH)


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("SAFETY", "the prompt was blocked: safety settings (SAFETY)"),
        ("NEW_WORD", "the prompt was blocked: NEW_WORD"),
    ],
)
def test_a_blocked_prompt(reason: str, message: str) -> None:
    value = {"promptFeedback": {"blockReason": reason}, "responseId": "r"}
    found = events(value)
    assert found[0] == MessageStart(response_id="r")
    error = fold(found).error
    assert error is not None
    assert (error.error_class, error.code, error.message) == (
        ErrorClass.CONTENT_FILTERED,
        reason,
        message,
    )
    stream = GeminiStream()
    stream.chunk(value)
    lost = fold(stream.lost(LOST)).error
    assert lost is not None
    assert lost.error_class is ErrorClass.CONTENT_FILTERED


def test_feedback_beside_an_answer_is_no_failure() -> None:
    value = chunk({"text": "a"}, finish="STOP", promptFeedback={"blockReason": "SAFETY"})
    assert turn(value).error is None
    assert turn(chunk({"text": "a"}, finish="STOP", promptFeedback=7)).error is None


def test_without_a_finish_word_the_stream_is_cut() -> None:
    seen = turn(chunk({"text": "a"}))
    assert seen.error is not None
    assert (seen.error.error_class, seen.content) == (ErrorClass.TRUNCATED_STREAM, "a")
    assert seen.error.message == "the stream ended without a finishReason"


def test_a_lost_connection() -> None:
    stream = GeminiStream()
    found = [*stream.chunk(chunk({"text": "a"})), *stream.lost(LOST)]
    assert fold(found).error == LOST
    stream = GeminiStream()
    found = [*stream.chunk(chunk({"text": "a"}, finish="STOP")), *stream.lost(LOST)]
    assert fold(found).error is None
    assert (stream.closed, stream.lost(LOST), stream.done(), stream.chunk(chunk())) == (
        True,
        [],
        [],
        [],
    )


def test_a_whole_answer_without_a_finish_word_has_a_warning() -> None:
    stream = GeminiStream()
    found = [*stream.chunk(chunk({"text": "a"})), *stream.done()]
    assert fold(found).finish_reason is FinishReason.STOP
    assert [e.code for e in found if isinstance(e, WarningEvent)] == ["finish_reason_missing"]
    stream = GeminiStream()
    empty = fold([*stream.chunk({"usageMetadata": {}}), *stream.done()]).error
    assert empty is not None
    assert empty.error_class is ErrorClass.EMPTY_RESPONSE


@pytest.mark.parametrize(
    "value",
    [
        {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}},
        [{"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}],
    ],
)
def test_an_error_keeps_the_text_before(value: Any) -> None:
    stream = GeminiStream(secrets=("busy",), request_id="q")
    found = [*stream.chunk(chunk({"text": "a\ud83c"})), *stream.chunk(value)]
    seen = fold(found)
    assert seen.error is not None
    assert (seen.error.error_class, seen.error.request_id) == (ErrorClass.OVERLOADED, "q")
    assert (seen.error.message, seen.content) == ("[redacted]", "a\ufffd")
    assert stream.closed


@pytest.mark.parametrize("value", [7, "x", [], [7], [[]]])
def test_what_is_no_chunk(value: Any) -> None:
    error = turn(chunk({"text": "a"}), value).error
    assert error is not None
    assert error.error_class is ErrorClass.PROTOCOL


def test_null_is_skipped() -> None:
    assert turn(None, chunk({"text": "a"}, finish="STOP"), None).content == "a"


@pytest.mark.parametrize(
    ("value", "is_answer"),
    [
        ({"candidates": []}, True),
        ({"promptFeedback": {}}, True),
        ([{"usageMetadata": {}}, {"error": {"message": "x"}}], True),
        ({"error": {"message": "x"}}, True),
        ({}, False),
        ([], False),
        ([{"candidates": []}, 7], False),
        ("x", False),
    ],
)
def test_what_belongs_to_an_answer(value: Any, is_answer: bool) -> None:
    assert GeminiStream().is_answer(value) is is_answer


def test_only_the_first_candidate_is_used() -> None:
    second = {"content": {"parts": [{"text": "b"}]}, "index": 1}
    value = chunk({"text": "a"}, finish="STOP")
    value["candidates"] = [*value["candidates"], second, 7]
    found = events(value)
    assert fold(found).content == "a"
    assert [e.code for e in found if isinstance(e, WarningEvent)] == ["extra_choices"]


def test_the_token_of_a_pause_is_kept() -> None:
    found = events(
        chunk({"text": "a"}, finish="CONTINUATION", candidate={"continuationToken": "t"})
    )
    assert SendBack(fields={"continuationToken": "t"}) in found


@pytest.mark.parametrize(
    "odd",
    [
        {"candidates": 7},
        {"candidates": [{"content": 7}]},
        {"candidates": [{"content": {"parts": 7}}]},
        {"candidates": [{"content": {"parts": [7, None]}}]},
        {"candidates": [{"finishReason": 7, "groundingMetadata": 7, "citationMetadata": []}]},
        {"usageMetadata": 7, "responseId": 7, "modelVersion": []},
        {"candidates": [{"groundingMetadata": {"groundingChunks": 7, "groundingSupports": [7]}}]},
    ],
)
def test_odd_chunks_change_nothing(odd: Any) -> None:
    seen = turn(odd, chunk({"text": "a"}, finish="STOP"))
    assert (seen.content, seen.error, seen.usage) == ("a", None, None)


@pytest.mark.parametrize(
    "part",
    [
        {"inlineData": {"mimeType": "audio/wav", "data": "AA=="}},
        {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://a"}},
        {"functionResponse": {"name": "f", "response": {}}},
        {"brandNew": {"a": 1}},
    ],
)
def test_a_signed_part_that_is_not_shown_is_kept(part: dict[str, Any]) -> None:
    signed = {"thoughtSignature": "s", **part}
    (kind,) = part
    assert parts(chunk({"text": "a"}, signed, finish="STOP")) == (
        TextPart(text="a"),
        HostedToolPart(kind=kind, native=(signed,)),
    )


def test_a_signature_alone_is_that_of_an_empty_text() -> None:
    empty = parts(chunk({"text": "a"}, {"text": "", "thoughtSignature": "s"}, finish="STOP"))
    assert parts(chunk({"text": "a"}, {"thoughtSignature": "s"}, finish="STOP")) == empty
    assert ReasoningPart(text="", channel="text", signature="s") in empty
