from __future__ import annotations

import json
from typing import Any

import pytest

from harness.adapters.cohere.stream import CohereAnswer
from harness.adapters.common.answer_body import AnswerBody
from mockserver.vocabulary import (
    AssistantTurn,
    Citation,
    ContentDelta,
    ErrorClass,
    ErrorEvent,
    Event,
    FinishReason,
    Json,
    JsonObject,
    MessageStart,
    MessageStop,
    ReasoningDelta,
    ReasoningPart,
    SendBack,
    SendBackPart,
    Status,
    TextPart,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageEvent,
    WarningEvent,
    fold,
)

START = {"id": "a1", "type": "message-start", "delta": {"message": {"content": []}}}


def event(kind: str, index: Json = None, **message: Json) -> JsonObject:
    return {"type": kind, "index": index, "delta": {"message": message}}


def text(piece: Json, index: Json = 0) -> JsonObject:
    return event("content-delta", index, content={"text": piece})


def think(piece: Json, index: Json = 0) -> JsonObject:
    return event("content-delta", index, content={"thinking": piece})


def plan(piece: Json) -> JsonObject:
    return event("tool-plan-delta", tool_plan=piece)


def call(index: Json, arguments: Json = "", **start: Json) -> JsonObject:
    function = {"arguments": arguments, **({"name": "f"} if start else {})}
    return event("tool-call-delta", index, tool_calls={**start, "function": function})


def end(word: Json = "COMPLETE", **more: Json) -> JsonObject:
    return {"type": "message-end", "id": "a1", "delta": {"finish_reason": word, **more}}


def events(*values: Json, **options: Any) -> list[Event]:
    answer = CohereAnswer(**options)
    found = [e for value in values for e in answer.chunk(value)]
    return [*found, *([] if answer.closed else answer.ended())]


def turn(*values: Json, **options: Any) -> AssistantTurn:
    return fold(events(*values, **options))


def error_class(*values: Json) -> ErrorClass:
    error = turn(*values).error
    assert error is not None
    return error.error_class


def test_a_text_is_handed_out_as_it_comes() -> None:
    answer = CohereAnswer()
    assert answer.chunk(START) == [MessageStart(response_id="a1")]
    assert answer.chunk(event("content-start", 0, content={"type": "text", "text": ""})) == []
    assert answer.chunk(text("a")) == [ContentDelta(delta="a", index=0)]
    assert answer.chunk({"type": "content-end", "index": 0}) == []
    usage = {"tokens": {"input_tokens": 3.0, "output_tokens": 4.0}, "cached_tokens": 2}
    assert answer.chunk(end(usage=usage)) == [
        UsageEvent(
            usage=Usage(input_tokens=3, output_tokens=4, total_tokens=7, cache_read_input_tokens=2)
        ),
        MessageStop(finish_reason=FinishReason.STOP, raw_finish_reason="COMPLETE"),
    ]
    assert answer.closed
    assert answer.chunk(text("b")) == answer.done() == answer.ended() == []


def test_a_stream_without_a_start_has_one() -> None:
    assert events(text("a"), end())[0] == MessageStart(response_id=None)
    assert events(end())[0] == MessageStart(response_id="a1")
    without_id = {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}
    assert events(without_id) == [
        MessageStart(),
        MessageStop(finish_reason=FinishReason.STOP, raw_finish_reason="COMPLETE"),
    ]


def test_thinking_the_plan_and_calls() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    found = events(
        START,
        think("Hm."),
        plan("Lo"),
        plan("ok."),
        call(0, "", id="c0"),
        call(0, '{"a":'),
        call(0, "1}"),
        end("TOOL_CALL"),
        tools=tools,
    )
    assert found == [
        MessageStart(response_id="a1"),
        ReasoningDelta(delta="Hm.", channel="text", index=0),
        ReasoningDelta(delta="Lo", channel="text"),
        ReasoningDelta(delta="ok.", channel="text"),
        ToolCallStart(tool_call_index=0, tool_call_id="c0", tool_name="f"),
        ToolCallDelta(tool_call_index=0, arguments_delta='{"a":'),
        ToolCallDelta(tool_call_index=0, arguments_delta="1}"),
        ToolCallEnd(tool_call_index=0, arguments={"a": 1}, arguments_raw='{"a":1}'),
        SendBack(fields={"tool_plan": "Look."}),
        MessageStop(finish_reason=FinishReason.TOOL_CALLS, raw_finish_reason="TOOL_CALL"),
    ]
    parts = fold(found).parts
    assert parts[0] == ReasoningPart(text="Hm.", channel="text")
    assert parts[1] == ReasoningPart(text="Look.", channel="text")
    assert parts[-1] == SendBackPart(fields={"tool_plan": "Look."})


@pytest.mark.parametrize("arguments", ["", "null", None, " "])
def test_no_arguments(arguments: Json) -> None:
    made = turn(call(0, arguments, id="c0"), end("TOOL_CALL")).tool_calls
    assert [(c.arguments, c.arguments_raw) for c in made] == [({}, "{}")]


def test_calls_belong_to_their_index() -> None:
    made = turn(
        call(2, '{"a":', id="c0"), call(7, "{", id="c1"), call(2, "1}"), call(7, "}"), end()
    )
    assert [(c.id, c.arguments) for c in made.tool_calls] == [("c0", {"a": 1}), ("c1", {})]
    assert made.finish_reason is FinishReason.TOOL_CALLS
    assert made.raw_finish_reason == "COMPLETE"


def test_a_call_without_an_id_gets_one_that_is_not_taken() -> None:
    nameless = event("tool-call-start", 0, tool_calls={"function": {"name": "f"}})
    made = turn(nameless, end("TOOL_CALL"), taken_ids={"call_0"}).tool_calls[0]
    assert (made.id, made.id_synthesized) == ("call_1", True)


def test_arguments_that_are_no_object_are_an_error() -> None:
    assert error_class(call(0, "[1]", id="c0"), end("TOOL_CALL")) is (
        ErrorClass.INVALID_TOOL_ARGUMENTS
    )


def test_a_call_that_the_limit_cut_is_not_complete() -> None:
    made = turn(call(0, '{"a', id="c0"), end("MAX_TOKENS"))
    assert made.status is Status.INCOMPLETE
    assert [c.arguments for c in made.tool_calls] == [None]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("COMPLETE", FinishReason.STOP),
        ("STOP_SEQUENCE", FinishReason.STOP),
        ("MAX_TOKENS", FinishReason.LENGTH),
        ("TOOL_CALL", FinishReason.STOP),
        ("complete", FinishReason.UNKNOWN),
        ("FUTURE", FinishReason.UNKNOWN),
    ],
)
def test_finish_words(word: str, reason: FinishReason) -> None:
    made = turn(text("a"), end(word))
    assert (made.finish_reason, made.raw_finish_reason) == (reason, word)


def test_a_call_that_is_not_there_is_a_pause() -> None:
    assert turn(START, end("TOOL_CALL")).finish_reason is FinishReason.PAUSE
    assert turn(think("a"), end("TOOL_CALL")).finish_reason is FinishReason.PAUSE


def test_an_unknown_word_after_calls_stays_unknown() -> None:
    assert turn(call(0, "{}", id="c"), end("FUTURE")).finish_reason is FinishReason.UNKNOWN


@pytest.mark.parametrize(
    ("word", "kind"), [("ERROR", ErrorClass.STREAM_ERROR), ("TIMEOUT", ErrorClass.TIMEOUT)]
)
def test_words_that_are_failures(word: str, kind: ErrorClass) -> None:
    silent = turn(START, text("a"), end(word))
    assert silent.error is not None
    assert (silent.error.error_class, silent.error.code) == (kind, word)
    assert silent.error.message == f"the provider stopped with finish_reason '{word}'"
    assert silent.content == "a"
    said = turn(text("a"), end(word, error="It broke, sk-12345.", usage={"tokens": {}}))
    assert said.error is not None
    assert (said.error.error_class, said.error.message) == (kind, "It broke, sk-12345.")
    full = turn(end(word, error="The service is overloaded"), secrets=("service",))
    assert full.error is not None
    assert full.error.error_class is ErrorClass.OVERLOADED
    assert full.error.message == "The [redacted] is overloaded"


@pytest.mark.parametrize(
    "value",
    [
        {"id": "x", "message": "boom"},
        {"message": "boom", "type": []},
        {"error": {"message": "boom"}},
        {"type": "error", "message": "boom"},
    ],
)
def test_errors_in_the_stream(value: Json) -> None:
    made = turn(START, text("a"), value, end())
    assert made.error is not None
    assert (made.error.error_class, made.error.message) == (ErrorClass.STREAM_ERROR, "boom")
    assert made.content == "a"


def test_an_event_named_error_is_one() -> None:
    found = CohereAnswer().chunk("boom", is_named_error=True)
    assert isinstance(found[-1], ErrorEvent)
    assert found[-1].error.message == "boom"


@pytest.mark.parametrize("value", [3, "a", [1], True])
def test_an_event_is_an_object(value: Json) -> None:
    assert error_class(START, value, end()) is ErrorClass.PROTOCOL


def test_what_is_unknown_is_skipped() -> None:
    odd: list[Json] = [
        None,
        {"type": "debug", "prompt": "a"},
        {"type": "future", "delta": {"message": {"content": {"text": "no"}}}},
        event("content-delta", 0, content={"type": "audio", "text": "no"}),
        event("content-delta", 0, content=[3, {"text": 3}]),
        event("tool-call-start", 0, tool_calls=3),
        event("citation-start", 0, citations="no"),
        {"type": "content-delta", "delta": 3},
        {"type": "content-delta", "delta": {"message": 3}},
        {"type": "message-end", "delta": {"finish_reason": 3, "usage": 3}},
        {"type": "message-end", "delta": {"finish_reason": "", "usage": {"tokens": 3}}},
    ]
    made = turn(START, text("a"), *odd, text("b"), end())
    assert (made.content, made.usage, made.error) == ("ab", None, None)


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"tokens": {"input_tokens": 1}, "billed_units": {"output_tokens": 2}}, (1, None, None)),
        ({"tokens": {}, "billed_units": {"input_tokens": 1, "output_tokens": 2}}, (1, 2, 3)),
        ({"tokens": None, "billed_units": {"input_tokens": 1, "output_tokens": 2}}, (1, 2, 3)),
        (
            {
                "tokens": {"input_tokens": 5, "output_tokens": 6},
                "billed_units": {"input_tokens": 1, "output_tokens": 2},
            },
            (5, 6, 11),
        ),
    ],
)
def test_the_pairs_of_counts_are_not_mixed(usage: Json, counts: tuple[int | None, ...]) -> None:
    made = turn(text("a"), end(usage=usage)).usage
    assert made is not None
    assert (made.input_tokens, made.output_tokens, made.total_tokens) == counts


def test_usage_comes_with_a_failure() -> None:
    made = turn(text("a"), end("ERROR", usage={"tokens": {"input_tokens": 3}}))
    assert made.usage == Usage(input_tokens=3)


def test_citations_belong_to_the_text_that_they_name() -> None:
    def cite(**fields: Json) -> JsonObject:
        return event("citation-start", 0, citations=fields)

    made = turn(
        think("x", 0),
        text("a", 1),
        text("b", 2),
        cite(start=0, end=1, content_index=1),
        cite(start=0, end=1),
        cite(start=0, end=2, content_index=0),
        end(),
    )
    one, two = Citation(start=0, end=1), Citation(start=0, end=2)
    assert made.parts[1:] == (
        TextPart(text="a", citations=(one,)),
        TextPart(text="b", citations=(one, two)),
    )
    alone = turn(cite(start=0, end=1), end()).parts
    assert alone == (TextPart(text="", citations=(one,)),)


def test_characters_that_came_in_halves() -> None:
    made = events(text("a\ud83c"), think("\ud83c", 1), text("\udf89b"), plan("\ud83c"), end())
    assert ContentDelta(delta="🎉b", index=0) in made
    assert fold(made).reasoning == "\ufffd\ufffd"
    assert turn(text("\ud83c", 0), text("\udf89", 1), end()).content == "\ufffd\ufffd"


# --- whole answers


WHOLE = {
    "id": "a1",
    "message": {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "x"}, {"type": "text", "text": "a"}],
        "tool_plan": "y",
        "tool_calls": [
            {"id": "c", "function": {"name": "f", "arguments": "{}"}},
            {"id": "c", "function": {"name": "g", "arguments": "null"}},
        ],
        "citations": [{"start": 0, "end": 1}],
    },
    "finish_reason": "TOOL_CALL",
    "usage": {"billed_units": {"input_tokens": 1, "output_tokens": 2}},
}


def test_a_whole_answer() -> None:
    made = turn(WHOLE)
    assert (made.response_id, made.content, made.reasoning) == ("a1", "a", "xy")
    assert [(c.id, c.name, c.id_synthesized) for c in made.tool_calls] == [
        ("c", "f", False),
        ("call_1", "g", True),
    ]
    assert made.usage == Usage(input_tokens=1, output_tokens=2, total_tokens=3)
    assert made.finish_reason is FinishReason.TOOL_CALLS
    assert made.parts[1] == TextPart(text="a", citations=(Citation(start=0, end=1),))
    assert turn({"message": {"content": "a"}, "finish_reason": "COMPLETE"}).content == "a"


def body(text: str) -> AssistantTurn:
    reader = AnswerBody(CohereAnswer(), content_type="application/json")
    return fold([*reader.feed(text.encode()), *reader.end()])


def test_a_body_that_is_one_answer() -> None:
    assert body(json.dumps(WHOLE)).content == "a"
    cut = body(json.dumps(WHOLE)[:-9])
    assert cut.error is not None
    assert cut.error.error_class is ErrorClass.TRUNCATED_STREAM
    for odd in ("{}", "[1]", '{"a":1}', "<html>"):
        made = body(odd)
        assert made.error is not None
        assert made.error.error_class is ErrorClass.PROTOCOL
    flat = body('{"message":"boom"}')
    assert flat.error is not None
    assert flat.error.error_class is ErrorClass.STREAM_ERROR
    named = body('{"error":{"message":"boom"}}')
    assert named.error is not None
    assert named.error.error_class is ErrorClass.INVALID_REQUEST


@pytest.mark.parametrize(
    ("value", "known"),
    [
        (START, True),
        ({"message": {}}, True),
        ({"error": "x"}, True),
        ({"type": ["x"]}, False),
        ({"type": "future"}, False),
        ([], False),
        ("a", False),
    ],
)
def test_what_belongs_to_an_answer(value: Json, known: bool) -> None:
    assert CohereAnswer().is_answer(value) is known


# --- ends


def test_the_end_of_the_body_is_none_of_the_answer() -> None:
    assert error_class() is ErrorClass.EMPTY_RESPONSE
    assert error_class(START) is ErrorClass.TRUNCATED_STREAM
    made = turn(START, text("a"))
    assert made.error is not None
    assert made.error.message == "the stream ended without a message-end"
    assert made.content == "a"


def test_an_end_marker_alone_is_accepted_with_a_warning() -> None:
    answer = CohereAnswer()
    answer.chunk(START)
    answer.chunk(text("a"))
    warning, stop = answer.done()
    assert isinstance(warning, WarningEvent)
    assert warning.code == "finish_reason_missing"
    assert stop == MessageStop(finish_reason=FinishReason.UNKNOWN, raw_finish_reason=None)
    answer = CohereAnswer()
    answer.chunk(call(0, "{}", id="c"))
    assert answer.done()[-1] == MessageStop(finish_reason=FinishReason.TOOL_CALLS)


def test_an_end_marker_after_nothing_is_an_empty_answer() -> None:
    answer = CohereAnswer(request_id="r1")
    answer.chunk(START)
    failed = answer.done()[-1]
    assert isinstance(failed, ErrorEvent)
    assert failed.error.error_class is ErrorClass.EMPTY_RESPONSE
    assert failed.error.request_id == "r1"
