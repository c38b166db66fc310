"""What the dialect writes reads back: by its facts, by the bundled client, and by boto3."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.bedrock.frames import FrameBody
from harness.adapters.bedrock.stream import ConverseStream
from mockserver.dialects import Pace, facts_of, find_dialect, fitted, written_answer
from mockserver.dialects.registry import written_error, written_request
from mockserver.vocabulary import (
    AssistantTurn,
    Citation,
    ErrorClass,
    ErrorInfo,
    Event,
    NeutralCall,
    Part,
    ReasoningPart,
    Status,
    TextPart,
    ToolCallPart,
    Usage,
    fold,
)
from mockserver.wire import Schedule, from_response
from tests.mockserver.dialects.turns import assistant_message, calls, paces, turns

BEDROCK = find_dialect("bedrock")
ASKED = NeutralCall(model="amazon.nova-lite-v1:0", messages=({"role": "user", "content": "Hi"},))


def read_by_client(answer: Schedule) -> AssistantTurn:
    reader = ConverseStream()
    body = FrameBody(reader, content_type=answer.header("content-type"))
    events: list[Event] = []
    for send in answer.sends:
        events += body.feed(send.data)
    return fold([*events, *body.end()])


def plain(part: Part, *, streamed: bool) -> Part:
    """Leave out what is not on the wire: offsets of citations, and the form of a whole input."""
    match part:
        case TextPart():
            cited = (Citation(url=c.url, title=c.title) for c in part.citations)
            return replace(part, citations=tuple(cited))
        case ToolCallPart() if not streamed:
            return replace(part, arguments_raw="")
    return part


def plain_parts(parts: Sequence[Part], *, streamed: bool) -> list[Part]:
    return [plain(part, streamed=streamed) for part in parts]


@given(turns(), paces, st.booleans())
def test_facts_and_client_read_the_turn_that_was_written(
    turn: AssistantTurn, pace: Pace, streamed: bool
) -> None:
    turn = fitted(BEDROCK, turn).turn
    call = replace(ASKED, stream=streamed)
    answer = from_response(written_answer(BEDROCK, turn, call, pace))

    facts = facts_of("bedrock", answer)
    assert facts is not None
    assert (facts.text, facts.reasoning) == (turn.content, turn.reasoning)
    assert facts.terminal == turn.raw_finish_reason
    assert facts.error is None
    assert facts.calls is not None
    assert [(c.name, c.id, c.arguments) for c in facts.calls] == [
        (c.name, c.id, (c.arguments,)) for c in turn.tool_calls
    ]
    assert facts.signatures is not None
    assert sorted(facts.signatures) == sorted(
        {
            seal
            for part in turn.parts
            if isinstance(part, ReasoningPart) and (seal := part.signature or part.redacted_data)
        }
    )
    usage = turn.usage or Usage()
    for name, count in facts.usage.items():
        wanted = getattr(usage, name)
        assert facts.chosen_usage(name, count, wanted) == wanted

    read = read_by_client(answer)
    assert plain_parts(read.parts, streamed=streamed) == plain_parts(turn.parts, streamed=streamed)
    assert replace(read, parts=()) == replace(turn, parts=())


#: Failures of a stream, and by what class the client knows them.
FAILED = {
    ErrorClass.RATE_LIMIT: ErrorClass.RATE_LIMIT,
    ErrorClass.OVERLOADED: ErrorClass.OVERLOADED,
    ErrorClass.SERVER_ERROR: ErrorClass.SERVER_ERROR,
    ErrorClass.STREAM_ERROR: ErrorClass.STREAM_ERROR,
    ErrorClass.INVALID_REQUEST: ErrorClass.INVALID_REQUEST,
    ErrorClass.TRUNCATED_STREAM: ErrorClass.TRUNCATED_STREAM,
    ErrorClass.INVALID_TOOL_ARGUMENTS: ErrorClass.STREAM_ERROR,
}


def failed(kind: ErrorClass, code: str | None = None) -> AssistantTurn:
    error = ErrorInfo(error_class=kind, message="It failed.", retryable=False, code=code)
    return AssistantTurn(status=Status.FAILED, error=error, parts=(TextPart(text="So far"),))


@pytest.mark.parametrize(("kind", "known"), FAILED.items())
def test_a_failed_turn_is_its_parts_and_the_error_in_band(
    kind: ErrorClass, known: ErrorClass
) -> None:
    answer = from_response(written_answer(BEDROCK, failed(kind), ASKED, Pace()))
    read = read_by_client(answer)
    assert read.content == "So far"
    assert read.error is not None
    assert read.error.error_class is known


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("malformed_tool_use", ErrorClass.INVALID_TOOL_ARGUMENTS),
        ("malformed_model_output", ErrorClass.STREAM_ERROR),
    ],
)
def test_a_failure_that_is_a_stop_reason_is_written_as_that(word: str, kind: ErrorClass) -> None:
    answer = from_response(written_answer(BEDROCK, failed(kind, word), ASKED, Pace()))
    read = read_by_client(answer)
    assert read.error is not None
    assert (read.error.error_class, read.error.code) == (kind, word)


@pytest.mark.parametrize("kind", list(ErrorClass))
def test_every_error_has_a_body_a_type_and_a_request_id(kind: ErrorClass) -> None:
    error = ErrorInfo(error_class=kind, message="No.", retryable=False, retry_after=1.5)
    answer = written_error(BEDROCK, error, ASKED)
    assert answer.status >= 400
    assert json.loads(answer.body) == {"message": "No."}
    assert (answer.header("x-amzn-errortype") or "").partition(":")[0].endswith("Exception")
    assert answer.header("x-amzn-requestid")
    assert answer.header("retry-after") == "1.5"


def test_a_whole_answer_that_failed_is_the_error() -> None:
    call = replace(ASKED, stream=False)
    answer = written_answer(BEDROCK, failed(ErrorClass.RATE_LIMIT), call, Pace())
    assert answer.status == 429


OPTIONS = ("temperature", "top_p", "max_completion_tokens", "stop", "reasoning_effort")


@given(calls(options=OPTIONS))
def test_a_request_reads_back_as_the_call(call: NeutralCall) -> None:
    request = written_request(BEDROCK, call)
    assert BEDROCK.matches(request)
    once = BEDROCK.read_call(request)
    assert (once.model, once.stream) == (call.model, call.stream)
    again = written_request(BEDROCK, once)
    assert (again.uri, json.loads(again.body)) == (request.uri, json.loads(request.body))
    assert BEDROCK.read_call(again) == once
    chosen = {k: v for k, v in call.options.items() if (k, v) != ("tool_choice", "none")}
    assert once.options == chosen or not once.tools


@given(turns())
def test_an_earlier_turn_goes_back_with_all_that_is_sealed(turn: AssistantTurn) -> None:
    turn = fitted(BEDROCK, turn).turn
    messages = (*ASKED.messages, assistant_message(turn), {"role": "user", "content": "More"})
    back = BEDROCK.read_call(written_request(BEDROCK, replace(ASKED, messages=messages)))
    (given_back,) = [m for m in back.messages if m["role"] == "assistant"]
    sealed = [
        part
        for part in turn.parts
        if not isinstance(part, ReasoningPart) or part.signature or part.redacted_data
    ]
    assert [
        (p["type"], p.get("signature"), p.get("redacted_data")) for p in given_back["parts"]
    ] == [
        (p.type, getattr(p, "signature", None), getattr(p, "redacted_data", None)) for p in sealed
    ]
    assert [c["id"] for c in given_back.get("tool_calls", ())] == [c.id for c in turn.tool_calls]
