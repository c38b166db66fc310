"""What is written in Ollama's words is read back: by the facts, the client and the official SDK."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from ollama import ChatResponse

from harness.adapters.ollama.lines import LinesBody
from harness.adapters.ollama.stream import OllamaStream
from mockserver.cassettes.cassette import Response
from mockserver.dialects import Pace, find_dialect, fitted, written_answer, written_error
from mockserver.dialects.writing import text_of
from mockserver.vocabulary import (
    AssistantTurn,
    ErrorClass,
    ErrorInfo,
    FinishReason,
    NeutralCall,
    ReasoningPart,
    Status,
    TextPart,
    ToolCallPart,
    Usage,
    fold,
)
from mockserver.wire import from_response
from tests.mockserver.dialects import turns

DIALECT = find_dialect("ollama")
ASK = NeutralCall(model="m", messages=({"role": "user", "content": "hi"},))
PROMPT = replace(ASK, options={"endpoint": "generate"})
WHOLE = Pace(size=0)


def lines_of(answer: Response) -> list[Any]:
    return [json.loads(line) for line in answer.body.split(b"\n") if line]


def client_turn(answer: Response) -> AssistantTurn:
    body = LinesBody(OllamaStream())
    events = body.feed(answer.body)
    if not body.closed:
        events += body.end()
    return fold(events)


def as_read(turn: AssistantTurn) -> AssistantTurn:
    """Return a fitted turn as a client reads it: the sum of the counts is its own."""
    usage = turn.usage
    if usage is not None and usage.input_tokens and usage.output_tokens:
        usage = replace(usage, total_tokens=usage.input_tokens + usage.output_tokens)
    return replace(turn, usage=usage)


@given(turns.turns(), turns.paces)
def test_the_facts_are_those_of_the_turn(turn: AssistantTurn, pace: Pace) -> None:
    for call in (ASK, replace(ASK, stream=False)):
        said = fitted(DIALECT, turn).turn
        facts = DIALECT.read_facts([from_response(written_answer(DIALECT, turn, call, pace))])
        assert facts is not None
        assert (facts.text, facts.reasoning) == (said.content, said.reasoning)
        assert (facts.terminal, facts.done, facts.error) == (said.raw_finish_reason, True, None)
        assert facts.model == said.model
        assert facts.calls is not None
        assert [(c.id, c.name, c.arguments) for c in facts.calls] == [
            (c.id, c.name, (c.arguments,)) for c in said.tool_calls
        ]
        usage = said.usage or Usage()
        counts = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
        assert facts.usage == {name: count for name, count in counts.items() if count}


@given(turns.turns(), turns.paces)
def test_the_client_reads_the_turn(turn: AssistantTurn, pace: Pace) -> None:
    said = as_read(fitted(DIALECT, turn).turn)
    assert client_turn(written_answer(DIALECT, turn, ASK, pace)) == said
    whole = written_answer(DIALECT, turn, replace(ASK, stream=False), pace)
    assert client_turn(whole) == said


@settings(max_examples=15)
@given(turns.turns(), turns.paces)
def test_the_official_types_read_the_turn(turn: AssistantTurn, pace: Pace) -> None:
    said = fitted(DIALECT, turn).turn
    parts = [ChatResponse(**line) for line in lines_of(written_answer(DIALECT, turn, ASK, pace))]
    calls = [call.function for part in parts for call in part.message.tool_calls or ()]
    assert "".join(part.message.content or "" for part in parts) == said.content
    assert "".join(part.message.thinking or "" for part in parts) == said.reasoning
    assert [(c.name, c.arguments) for c in calls] == [
        (c.name, c.arguments) for c in said.tool_calls
    ]
    usage = said.usage or Usage()
    last = parts[-1]
    assert (last.done, last.done_reason) == (True, said.raw_finish_reason)
    assert (last.prompt_eval_count, last.eval_count) == (usage.input_tokens, usage.output_tokens)


@given(
    turns.calls(
        options=("temperature", "top_p", "max_completion_tokens", "stop", "reasoning_effort")
    )
)
def test_a_request_is_read_back(call: NeutralCall) -> None:
    if call.options.get("tool_choice") not in (None, "none"):
        call = replace(call, options={**call.options, "tool_choice": None})
    read = DIALECT.read_call(DIALECT.write_request(call))
    has_tools = call.options.get("tool_choice") != "none"
    assert (read.model, read.stream) == (call.model, call.stream)
    assert read.tools == (call.tools if has_tools else ())
    assert read.options == {k: v for k, v in call.options.items() if k != "tool_choice"}
    assert [m["role"] for m in read.messages] == [m["role"] for m in call.messages]
    assert [text_of(m["content"]) for m in read.messages if m["role"] != "assistant"] == [
        text_of(m["content"]) for m in call.messages if m["role"] != "assistant"
    ]
    assert DIALECT.read_call(DIALECT.write_request(read)) == read


TURN = AssistantTurn(
    model="m",
    status=Status.COMPLETED,
    finish_reason=FinishReason.TOOL_CALLS,
    usage=Usage(input_tokens=7, output_tokens=0),
    parts=(
        ReasoningPart(text="think", channel="text"),
        TextPart(text="<é&\u2028>"),
        ToolCallPart(id="c1", name="f", arguments={"a": "<"}, arguments_raw='{"a": "<"}'),
        ToolCallPart(id="x", name="g", arguments={}, arguments_raw="{}", id_synthesized=True),
    ),
)


def test_a_stream_is_lines_as_go_writes_them() -> None:
    answer = written_answer(DIALECT, TURN, ASK, Pace(size=0, first_ms=100, each_ms=20))
    assert answer.header("content-type") == "application/x-ndjson"
    assert answer.body.decode().split("\n")[1] == (
        '{"model":"m","created_at":"2026-01-02T03:04:05.798901Z",'
        '"message":{"role":"assistant","content":"\\u003cé\\u0026\\u2028\\u003e"},"done":false}'
    )
    first, _, one, two, last = lines_of(answer)
    assert first["message"] == {"role": "assistant", "content": "", "thinking": "think"}
    assert one["message"]["tool_calls"] == [
        {"id": "c1", "function": {"index": 0, "name": "f", "arguments": {"a": "<"}}}
    ]
    assert two["message"]["tool_calls"] == [
        {"function": {"index": 1, "name": "g", "arguments": {}}}
    ]
    assert (last["done"], last["done_reason"], last["prompt_eval_count"]) == (True, "stop", 7)
    # Go leaves a zero out.
    assert "eval_count" not in last
    assert [line["done"] for line in (first, one, two)] == [False] * 3
    assert answer.wire.chunks is not None
    assert [chunk.at_ms for chunk in answer.wire.chunks] == [100, 120, 140, 160, 180]


def test_an_answer_in_one_object() -> None:
    answer = written_answer(DIALECT, TURN, replace(ASK, stream=False), WHOLE)
    (whole,) = lines_of(answer)
    assert list(whole) == [
        *("model", "created_at", "message", "done", "done_reason", "total_duration"),
        *("load_duration", "prompt_eval_count", "prompt_eval_duration"),
    ]
    assert whole["message"]["thinking"] == "think"
    assert [c.get("id") for c in whole["message"]["tool_calls"]] == ["c1", None]
    assert b"\\u003c" in answer.body


def test_an_answer_of_the_other_endpoint() -> None:
    turn = replace(TURN, parts=TURN.parts[:2], finish_reason=FinishReason.STOP, model=None)
    for call in (PROMPT, replace(PROMPT, stream=False)):
        lines = lines_of(written_answer(DIALECT, turn, call, WHOLE))
        assert "".join(line["response"] for line in lines) == "<é&\u2028>"
        assert "".join(line.get("thinking", "") for line in lines) == "think"
        assert not any("message" in line for line in lines)
        assert lines[-1]["done"] is True


def failed(error: ErrorInfo | None, *parts: TextPart) -> AssistantTurn:
    return AssistantTurn(model="m", status=Status.FAILED, error=error, parts=parts)


def error(of: ErrorClass, message: str = "boom", **more: Any) -> ErrorInfo:
    return ErrorInfo(error_class=of, message=message, retryable=of.retryable, **more)


def test_a_failure_in_the_stream_is_its_last_line() -> None:
    turn = failed(error(ErrorClass.SERVER_ERROR), TextPart(text="a"))
    assert lines_of(written_answer(DIALECT, turn, ASK, WHOLE))[1:] == [{"error": "boom"}]
    cut = failed(None, TextPart(text="a"))
    assert [line["done"] for line in lines_of(written_answer(DIALECT, cut, ASK, WHOLE))] == [False]


@pytest.mark.parametrize("stream", [True, False])
def test_a_failure_before_the_first_line_has_a_status(stream: bool) -> None:
    parts = () if stream else (TextPart(text="a"),)
    turn = failed(error(ErrorClass.OVERLOADED), *parts)
    answer = written_answer(DIALECT, turn, replace(ASK, stream=stream), WHOLE)
    assert (answer.status, answer.body) == (503, b'{"error":"boom"}')


@pytest.mark.parametrize(
    ("of", "status", "text"),
    [
        (ErrorClass.AUTHENTICATION, 401, "boom"),
        (ErrorClass.MODEL_NOT_FOUND, 404, "model not found: boom"),
        (ErrorClass.CONTEXT_LENGTH, 400, "the input length exceeds the context length: boom"),
        (ErrorClass.RATE_LIMIT, 429, "boom"),
        (ErrorClass.CANCELLED, 499, "boom"),
        (ErrorClass.SERVER_ERROR, 500, "boom"),
        (ErrorClass.STREAM_ERROR, 500, "boom"),
    ],
)
def test_the_status_and_the_text_of_an_error(of: ErrorClass, status: int, text: str) -> None:
    answer = written_error(DIALECT, error(of), ASK)
    assert (answer.status, json.loads(answer.body)) == (status, {"error": text})


def test_an_error_keeps_what_it_says() -> None:
    known = "model 'x' not found, the model not found"
    kept = error(ErrorClass.MODEL_NOT_FOUND, known, status=410, retry_after=2.5, request_id="r1")
    answer = written_error(DIALECT, kept, ASK)
    assert (answer.status, json.loads(answer.body)) == (410, {"error": known})
    assert (answer.header("retry-after"), answer.header("x-request-id")) == ("2.5", "r1")
    empty = written_error(DIALECT, error(ErrorClass.MODEL_NOT_FOUND, ""), ASK)
    assert json.loads(empty.body) == {"error": "model not found"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"model": "m", "messages": [{"role": "user", "content": "hi"}]}, "for item in answer"),
        ({"model": "m", "prompt": "hi", "stream": False}, ".generate(model='m', prompt='hi'"),
        ({"model": "m", "messages": [{"role": "user", "content": "x" * 999}]}, "'content': 'any'"),
        ({"model": "m", "messages": [], "tools": [1], "options": {"seed": 1}}, "={'seed': 1}"),
    ],
)
def test_a_program_of_the_sdk(body: dict[str, Any], says: str) -> None:
    program = DIALECT.sdk_program("http://127.0.0.1:1", body, 0)
    assert program is not None
    compile(program, "program", "exec")
    assert says in program
    assert "tools" not in program
    assert ("for item" in program) is (body.get("stream") is not False)
