from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mockserver.cassettes.cassette import Chunk, End, Origin, Response, Wire
from mockserver.dialects import find_dialect
from mockserver.recording.converting import InconvertibleError, convert
from mockserver.vocabulary import (
    AssistantTurn,
    ErrorClass,
    ErrorInfo,
    FinishReason,
    NeutralCall,
    ReasoningPart,
    Status,
    TextPart,
    Usage,
)

CALL = NeutralCall(model="m", messages=({"role": "user", "content": "hi"},))
TURN = AssistantTurn(
    response_id="r1",
    model="m",
    status=Status.COMPLETED,
    finish_reason=FinishReason.STOP,
    usage=Usage(input_tokens=1, output_tokens=2, total_tokens=3),
    parts=(TextPart(text="Hello."),),
)
SOURCE = Response(status=200, reason="OK", headers=(), body=b"")
CHAT, RESPONSES = find_dialect("openai-chat"), find_dialect("openai-responses")


def failed(kind: ErrorClass, status: int | None = None) -> AssistantTurn:
    error = ErrorInfo(error_class=kind, message="No.", retryable=False, status=status)
    return replace(TURN, status=Status.FAILED, finish_reason=None, error=error)


def test_a_turn_is_said_in_another_dialect() -> None:
    found = convert(CALL, TURN, SOURCE, RESPONSES)
    assert found.lost == ()
    request, response = found.interaction.request, found.interaction.response
    assert request.uri == "https://api.openai.com/v1/responses"
    assert RESPONSES.read_call(request).stream
    assert b"Hello." in response.body
    assert response.wire.origin is Origin.CONVERTED


def test_what_is_lost_is_named() -> None:
    turn = replace(
        TURN,
        parts=(
            ReasoningPart(text="Hm.", channel="summary", encrypted_content="abc"),
            TextPart(text="Hello.", phase="final_answer"),
        ),
    )
    assert convert(CALL, turn, SOURCE, CHAT).lost == (
        "the encrypted_content of part 0 (reasoning)",
        "the channel summary of part 0 (reasoning)",
        "the phase of part 1 (text)",
    )


def test_options_and_tools_that_are_not_said_are_named() -> None:
    tool = {"type": "function", "function": {"name": "f", "strict": True, "parameters": {}}}
    call = replace(CALL, options={"temperature": 1, "top_p": 0.5}, tools=(tool,))
    assert convert(call, TURN, SOURCE, find_dialect("codex")).lost == (
        "the option temperature",
        "the option top_p",
        "parts of the tools",
    )


def test_the_pace_is_about_that_of_the_source() -> None:
    chunks = (Chunk(100.0, 0), Chunk(200.0, 0), Chunk(700.0, 0))
    source = replace(SOURCE, wire=Wire(headers_ms=90.0, chunks=chunks, end_ms=701.0))
    wire = convert(CALL, TURN, source, CHAT).interaction.response.wire
    assert wire.chunks is not None
    times = [chunk.at_ms for chunk in wire.chunks]
    assert times[0] == 100.0
    assert times == sorted(times)
    assert times[-1] == pytest.approx(700.0, abs=len(times))


def test_without_times_all_is_due_at_once() -> None:
    source = replace(SOURCE, wire=Wire(headers_ms=40.0))
    wire = convert(CALL, TURN, source, CHAT).interaction.response.wire
    assert {chunk.at_ms for chunk in wire.chunks or ()} == {40.0}


def test_an_error_with_a_status_is_an_error_there() -> None:
    found = convert(CALL, failed(ErrorClass.RATE_LIMIT, 429), SOURCE, CHAT)
    response = found.interaction.response
    assert response.status == 429
    assert json.loads(response.body)["error"]["code"] == "rate_limit_exceeded"
    assert response.wire.origin is Origin.CONVERTED


def test_an_error_in_the_answer_stays_in_the_answer() -> None:
    response = convert(CALL, failed(ErrorClass.OVERLOADED), SOURCE, CHAT).interaction.response
    assert response.status == 200
    assert b"server_is_overloaded" in response.body


@pytest.mark.parametrize("end", [End.RESET, End.TRUNCATED, End.TIMEOUT, End.CLIENT_CLOSED])
def test_an_answer_that_did_not_end_cannot_be_said(end: End) -> None:
    source = replace(SOURCE, wire=Wire(end=end))
    with pytest.raises(InconvertibleError, match=f"did not end \\({end}\\)"):
        convert(CALL, TURN, source, CHAT)


@pytest.mark.parametrize(
    "kind",
    [
        ErrorClass.CONNECTION_LOST,
        ErrorClass.TRUNCATED_STREAM,
        ErrorClass.EMPTY_RESPONSE,
        ErrorClass.INVALID_TOOL_ARGUMENTS,
        ErrorClass.PROTOCOL,
        ErrorClass.CANCELLED,
    ],
)
def test_a_broken_answer_cannot_be_said(kind: ErrorClass) -> None:
    with pytest.raises(InconvertibleError, match=r"its answer is broken: No\."):
        convert(CALL, failed(kind), SOURCE, CHAT)


def test_what_the_dialect_cannot_say_is_an_error() -> None:
    with pytest.raises(InconvertibleError, match="in streams only"):
        convert(replace(CALL, stream=False), TURN, SOURCE, find_dialect("codex"))


def test_nothing_secret_gets_into_another_file() -> None:
    key = "sk-" + "proj1234" * 5
    call = replace(CALL, messages=({"role": "user", "content": f"my key is {key}"},))
    with pytest.raises(InconvertibleError, match="contains"):
        convert(call, TURN, SOURCE, CHAT)


def test_a_reason_without_a_word_does_not_become_a_success() -> None:
    refused = replace(TURN, finish_reason=FinishReason.CONTENT_FILTER)
    anthropic = find_dialect("anthropic")
    with pytest.raises(InconvertibleError, match="content_filter"):
        convert(CALL, refused, SOURCE, anthropic)


def test_options_and_schemas_that_are_said_otherwise_are_not_lost() -> None:
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    call = replace(CALL, options={"response_format": form, "max_completion_tokens": 5, "seed": 1})
    lost = convert(call, TURN, SOURCE, RESPONSES).lost
    assert [line for line in lost if "response_format" in line or "max" in line] == []
