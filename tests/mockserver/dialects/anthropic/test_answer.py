"""Answers and errors as the Messages API sends them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mockserver.cassettes.cassette import Response, header_value
from mockserver.dialects import Pace, find_dialect, fitted
from mockserver.vocabulary import (
    AssistantTurn,
    Citation,
    ErrorClass,
    ErrorInfo,
    FinishReason,
    Json,
    JsonObject,
    NeutralCall,
    Part,
    ReasoningPart,
    Status,
    TextPart,
    ToolCallPart,
    Usage,
)

DIALECT = find_dialect("anthropic")
CALL = NeutralCall(model="claude", messages=({"role": "user", "content": "Hej!"},))
SOURCE = Citation(url="https://a/", title="A")


def turn_of(*parts: Part, **fields: object) -> AssistantTurn:
    plain = AssistantTurn(
        response_id="msg_1",
        status=Status.COMPLETED,
        finish_reason=FinishReason.STOP,
        usage=Usage(input_tokens=9, output_tokens=4),
        parts=parts,
    )
    return fitted(DIALECT, replace(plain, **fields)).turn  # type: ignore[arg-type]


def answered(turn: AssistantTurn, *, stream: bool = True, size: int = 0) -> Response:
    return DIALECT.write_answer(turn, replace(CALL, stream=stream), Pace(size=size))


def events(turn: AssistantTurn, size: int = 0) -> list[JsonObject]:
    found = []
    for block in answered(turn, size=size).body.decode().removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        found.append(event)
    return found


def call(arguments: JsonObject | None, raw: str, **fields: object) -> ToolCallPart:
    plain = ToolCallPart(id="toolu_1", name="f", arguments=arguments, arguments_raw=raw)
    return replace(plain, **fields)  # type: ignore[arg-type]


#: What the usage of a message says beside its counts.
BESIDE = {"inference_geo": "not_available", "server_tool_use": None, "service_tier": "standard"}


def test_a_text_with_a_source() -> None:
    usage = Usage(input_tokens=9, output_tokens=4, cache_read_input_tokens=5, reasoning_tokens=1)
    found = events(turn_of(TextPart(text="Hej!", citations=(SOURCE,)), usage=usage), size=3)
    index = found[3]["delta"]["citation"].pop("encrypted_index")
    assert index.startswith("E")
    assert found == [
        {
            "type": "message_start",
            "message": {
                "model": "claude",
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "stop_details": None,
                "container": None,
                "usage": {
                    **BESIDE,
                    "input_tokens": 4,
                    "cache_read_input_tokens": 5,
                    "output_tokens": 1,
                },
            },
        },
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"citations": [], "type": "text", "text": ""},
        },
        {"type": "ping"},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {
                "type": "citations_delta",
                "citation": {
                    "type": "web_search_result_location",
                    "cited_text": "",
                    "url": "https://a/",
                    "title": "A",
                },
            },
        },
        *(
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": piece},
            }
            for piece in ("Hej", "!")
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {
                "stop_reason": "end_turn",
                "stop_sequence": None,
                "stop_details": None,
                "container": None,
            },
            "usage": {
                "input_tokens": 4,
                "cache_read_input_tokens": 5,
                "output_tokens": 4,
                "output_tokens_details": {"thinking_tokens": 1},
            },
        },
        {"type": "message_stop"},
    ]


def blocks(*parts: Part) -> list[Json]:
    kinds = ("content_block_start", "content_block_delta")
    return [
        event.get("content_block") or event["delta"]
        for event in events(turn_of(*parts))
        if event["type"] in kinds
    ]


def test_thinking_with_and_without_a_signature() -> None:
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    plain = ReasoningPart(text="Hm.", channel="text")
    delta = {"type": "thinking_delta", "thinking": "Hm."}
    assert blocks(plain) == [thinking, delta]
    signature = {"type": "signature_delta", "signature": "S"}
    assert blocks(replace(plain, signature="S")) == [thinking, delta, signature]
    assert blocks(replace(plain, text="", signature="S")) == [thinking, signature]
    hidden = ReasoningPart(text="", channel="text", redacted_data="R")
    assert blocks(hidden) == [{"type": "redacted_thinking", "data": "R"}]


def test_a_call_with_and_without_arguments() -> None:
    opened = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    empty = {"type": "input_json_delta", "partial_json": ""}
    assert blocks(call({}, "{}")) == [opened, empty]
    piece = {"type": "input_json_delta", "partial_json": '{"a":1}'}
    assert blocks(call({"a": 1}, '{"a": 1}')) == [opened, empty, piece]
    cut = {"type": "input_json_delta", "partial_json": '{"a": '}
    assert blocks(call(None, '{"a": ')) == [opened, empty, cut]
    made = blocks(call({}, "{}", id="call_0", id_synthesized=True))
    assert made[0]["id"].startswith("toolu_01")


def test_a_whole_message() -> None:
    parts = (TextPart(text="a", citations=(SOURCE,)), call({"a": 1}, "{}"), call(None, "{"))
    turn = turn_of(*parts, finish_reason=FinishReason.TOOL_CALLS)
    answer = answered(turn, stream=False)
    message = json.loads(answer.body)
    assert message["content"][0]["citations"][0]["url"] == "https://a/"
    assert message["content"][1] == {
        "type": "tool_use",
        "id": "toolu_1",
        "name": "f",
        "input": {"a": 1},
        "caller": {"type": "direct"},
    }
    assert len(message["content"]) == 2
    assert message["stop_reason"] == "tool_use"
    assert message["usage"] == {**BESIDE, "input_tokens": 9, "output_tokens": 4}
    assert message["container"] is message["stop_details"] is None
    assert str(header_value(answer.headers, "request-id")).startswith("req_011C")


def test_what_a_turn_leaves_open_is_made_from_it() -> None:
    one, other = (turn_of(TextPart(text=text), response_id=None, usage=None) for text in "ab")
    first = events(one)[0]["message"]
    assert first["id"].startswith("msg_01")
    assert len(first["id"]) == 26
    assert first["usage"] == {**BESIDE, "input_tokens": 0, "output_tokens": 0}
    assert events(one)[0] == events(one)[0]
    assert events(other)[0]["message"]["id"] != first["id"]
    assert events(turn_of(model="other"))[0]["message"]["model"] == "other"


def test_more_cached_than_counted_is_no_negative_count() -> None:
    usage = Usage(input_tokens=1, output_tokens=0, cache_creation_input_tokens=5)
    message = events(turn_of(TextPart(text="a"), usage=usage))[0]["message"]
    assert message["usage"] == {
        **BESIDE,
        "input_tokens": 0,
        "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 5},
        "cache_creation_input_tokens": 5,
        "output_tokens": 0,
    }


OVERLOADED = ErrorInfo(error_class=ErrorClass.OVERLOADED, message="Full", retryable=True)


def failed(*parts: Part, **fields: object) -> AssistantTurn:
    broken = {"status": Status.FAILED, "finish_reason": None, "error": OVERLOADED}
    return turn_of(*parts, **{**broken, **fields})


def test_a_failed_turn_is_its_parts_and_an_error() -> None:
    found = events(failed(TextPart(text="a"), TextPart(text="b")))
    assert [event["type"] for event in found] == [
        "message_start",
        *("content_block_start", "ping", "content_block_delta", "content_block_stop"),
        *("content_block_start", "content_block_delta"),
        "error",
    ]
    assert found[-1]["error"] == {"type": "overloaded_error", "message": "Full"}
    assert found[-1]["request_id"].startswith("req_011C")


def test_an_error_alone_is_the_first_event() -> None:
    assert [event["type"] for event in events(failed(usage=None))] == ["error"]
    assert [event["type"] for event in events(failed())] == ["message_start", "error"]


def test_a_failed_turn_that_is_not_streamed_is_an_error_with_a_status() -> None:
    answer = answered(failed(TextPart(text="a")), stream=False)
    assert answer.status == 529
    assert json.loads(answer.body)["error"]["message"] == "Full"


@pytest.mark.parametrize(
    ("error_class", "status", "kind"),
    [
        (ErrorClass.AUTHENTICATION, 401, "authentication_error"),
        (ErrorClass.PERMISSION, 403, "permission_error"),
        (ErrorClass.MODEL_NOT_FOUND, 404, "not_found_error"),
        (ErrorClass.INVALID_REQUEST, 400, "invalid_request_error"),
        (ErrorClass.CONTEXT_LENGTH, 400, "invalid_request_error"),
        (ErrorClass.PAYLOAD_TOO_LARGE, 413, "request_too_large"),
        (ErrorClass.CONTENT_FILTERED, 400, "invalid_request_error"),
        (ErrorClass.QUOTA_EXHAUSTED, 402, "billing_error"),
        (ErrorClass.RATE_LIMIT, 429, "rate_limit_error"),
        (ErrorClass.OVERLOADED, 529, "overloaded_error"),
        (ErrorClass.SERVER_ERROR, 500, "api_error"),
        (ErrorClass.TIMEOUT, 504, "timeout_error"),
        (ErrorClass.PROTOCOL, 500, "api_error"),
    ],
)
def test_each_class_has_a_status_and_a_type(
    error_class: ErrorClass, status: int, kind: str
) -> None:
    answer = DIALECT.write_error(
        ErrorInfo(error_class=error_class, message="", retryable=error_class.retryable), CALL
    )
    body = json.loads(answer.body)
    assert (answer.status, body["type"], body["error"]["type"]) == (status, "error", kind)
    assert body["error"]["message"]
    assert "{model}" not in body["error"]["message"]
    assert body["request_id"] == header_value(answer.headers, "request-id")
    retry = "true" if error_class.retryable else "false"
    assert header_value(answer.headers, "x-should-retry") == retry


def test_what_an_error_states_is_kept() -> None:
    error = replace(
        OVERLOADED, status=503, code="api_error", request_id="req_1", retry_after=1.5, message="m"
    )
    answer = DIALECT.write_error(error, CALL)
    assert answer.status == 503
    assert header_value(answer.headers, "retry-after") == "1.5"
    assert json.loads(answer.body) == {
        "type": "error",
        "error": {"type": "api_error", "message": "m"},
        "request_id": "req_1",
    }
    unknown = DIALECT.write_error(replace(error, code="engine_overloaded"), CALL)
    assert json.loads(unknown.body)["error"]["type"] == "overloaded_error"


def test_a_model_that_is_not_found_is_named() -> None:
    error = ErrorInfo(error_class=ErrorClass.MODEL_NOT_FOUND, message="", retryable=False)
    body = json.loads(DIALECT.write_error(error, CALL).body)
    assert body["error"]["message"] == "model: claude"


@pytest.mark.parametrize(
    ("message", "written"),
    [
        ("5 tokens", "prompt is too long: 5 tokens"),
        ("Prompt is too long: 5 tokens", "Prompt is too long: 5 tokens"),
    ],
)
def test_a_message_that_alone_tells_the_cause_begins_with_it(message: str, written: str) -> None:
    error = ErrorInfo(error_class=ErrorClass.CONTEXT_LENGTH, message=message, retryable=False)
    assert json.loads(DIALECT.write_error(error, CALL).body)["error"]["message"] == written
