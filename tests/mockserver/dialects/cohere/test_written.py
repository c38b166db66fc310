"""What the dialect writes is read back as it was: by its own reader, the client and the SDK."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.adapters.cohere.stream import CohereAnswer
from harness.adapters.common.answer_body import AnswerBody
from mockserver import MockServer
from mockserver.cassettes.cassette import Response
from mockserver.dialects import Facts, Pace, facts_of, find_dialect, fitted, written_answer
from mockserver.dialects.registry import written_error, written_request
from mockserver.library.session import Exchange
from mockserver.vocabulary import (
    AssistantTurn,
    Citation,
    ErrorClass,
    ErrorInfo,
    FinishReason,
    JsonObject,
    NeutralCall,
    ReasoningPart,
    Status,
    TextPart,
    ToolCallPart,
    Usage,
    fold,
)
from mockserver.wire import from_response
from tests.mockserver.dialects import turns as made
from tests.second_opinion.playing import played

COHERE = find_dialect("cohere")
ASK = ({"role": "user", "content": "Hi"},)
OPTIONS = ("temperature", "top_p", "max_completion_tokens", "stop", "response_format")


def call(*, stream: bool = True) -> NeutralCall:
    return NeutralCall(model="command-a", messages=ASK, stream=stream)


def facts_in(response: Response) -> Facts:
    facts = facts_of("cohere", from_response(response))
    assert facts is not None
    return facts


def turn_in(response: Response) -> AssistantTurn:
    body = AnswerBody(CohereAnswer(), content_type=response.header("content-type"))
    return fold([*body.feed(response.body), *body.end()])


def as_read(turn: AssistantTurn) -> AssistantTurn:
    """Add the total, which the client makes from the two counts."""
    usage = turn.usage
    if usage is None or None in (usage.input_tokens, usage.output_tokens):
        return turn
    assert usage.input_tokens is not None
    assert usage.output_tokens is not None
    total = usage.input_tokens + usage.output_tokens
    return replace(turn, usage=replace(usage, total_tokens=total))


@given(made.turns(), made.paces, st.booleans())
def test_the_facts_of_an_answer_are_those_of_the_turn(
    turn: AssistantTurn, pace: Pace, stream: bool
) -> None:
    turn = fitted(COHERE, turn).turn
    facts = facts_in(written_answer(COHERE, turn, call(stream=stream), pace))
    assert (facts.error, facts.broken) == (None, False)
    assert facts.terminal == turn.raw_finish_reason
    assert (facts.text, facts.reasoning) == (turn.content, turn.reasoning)
    assert facts.response_id == turn.response_id
    assert facts.calls is not None
    assert [(c.id, c.name, c.arguments, c.raw) for c in facts.calls] == [
        (c.id, c.name, (c.arguments,), c.arguments_raw) for c in turn.tool_calls
    ]
    cited = [c for p in turn.parts if isinstance(p, TextPart) for c in p.citations]
    assert facts.citations == tuple(cited)
    for name in ("input_tokens", "output_tokens", "cache_read_input_tokens"):
        assert facts.usage.get(name) == (getattr(turn.usage, name) if turn.usage else None)


@given(made.turns(), made.paces, st.booleans())
def test_the_client_reads_the_turn(turn: AssistantTurn, pace: Pace, stream: bool) -> None:
    turn = fitted(COHERE, turn).turn
    response = written_answer(COHERE, turn, call(stream=stream), pace)
    assert turn_in(response) == as_read(turn)


@pytest.fixture(scope="module")
def server() -> Any:
    with MockServer() as running:
        yield running


@settings(max_examples=5, deadline=None)
@given(made.turns(), made.paces, st.booleans())
def test_the_sdk_reads_the_turn(
    server: MockServer, turn: AssistantTurn, pace: Pace, stream: bool
) -> None:
    turn = fitted(COHERE, turn).turn
    asked = call(stream=stream)
    schedule = from_response(written_answer(COHERE, turn, asked, replace(pace, first_ms=0)))
    seen = played(server, "cohere", asked, [Exchange(written_request(COHERE, asked), schedule)])
    assert seen.error is None
    assert (seen.text, seen.finish) == (turn.content, turn.raw_finish_reason)
    assert seen.calls == [(c.id, c.name, c.arguments) for c in turn.tool_calls]
    if turn.usage is not None:
        assert seen.usage == (turn.usage.input_tokens, turn.usage.output_tokens, None)


def without_names(asked: NeutralCall) -> NeutralCall:
    """Return a call as the API can say it.

    A schema has no name, tools are strict together, only one tool is offered if it must be called,
    and the text beside tool calls is a plan.
    """
    options = dict(asked.options)
    if "response_format" in options:
        schema = options["response_format"]["json_schema"]["schema"]
        options["response_format"] = {"type": "json_schema", "json_schema": {"schema": schema}}
    if "max_completion_tokens" in options:
        options["max_tokens"] = options.pop("max_completion_tokens")
    tools = asked.tools
    if isinstance(choice := options.get("tool_choice"), dict):
        tools = tuple(t for t in tools if t["function"]["name"] == choice["function"]["name"])
        options["tool_choice"] = "required"
    return replace(
        asked, tools=tools, options=options, messages=tuple(map(planned, asked.messages))
    )


def planned(message: JsonObject) -> JsonObject:
    calls = message.get("tool_calls") or ()
    if not calls or not message["content"]:
        return message
    return {
        **message,
        "content": None,
        "parts": [
            {"type": "reasoning", "text": message["content"], "channel": "text"},
            {"type": "send_back", "fields": {"tool_plan": message["content"]}},
            *(
                {
                    "type": "tool_call",
                    "id": call["id"],
                    "name": call["function"]["name"],
                    "arguments": json.loads(call["function"]["arguments"]),
                    "arguments_raw": call["function"]["arguments"],
                }
                for call in calls
            ),
        ],
    }


@given(made.calls(options=OPTIONS))
def test_a_request_is_read_back(asked: NeutralCall) -> None:
    read = COHERE.read_call(written_request(COHERE, asked))
    assert read == without_names(asked)
    assert COHERE.read_call(written_request(COHERE, read)) == read


@given(made.turns())
def test_an_earlier_turn_is_read_back(turn: AssistantTurn) -> None:
    turn = fitted(COHERE, turn).turn
    asked = replace(call(), messages=(*ASK, made.assistant_message(turn), *ASK))
    read = COHERE.read_call(written_request(COHERE, asked)).messages[1]
    assert read.get("tool_calls", []) == made.assistant_message(turn).get("tool_calls", [])
    parts = [p for p in read.get("parts", ()) if p["type"] == "reasoning"]
    thoughts = turn.reasoning
    if turn.tool_calls:
        assert read["content"] is None
        thoughts += turn.content
    else:
        assert read["content"] == turn.content
    assert "".join(p["text"] for p in parts) == thoughts


# --- failures


@pytest.mark.parametrize("error_class", list(ErrorClass))
def test_an_http_error_is_read_back(error_class: ErrorClass) -> None:
    error = ErrorInfo(error_class=error_class, message="No luck.", retryable=False, retry_after=1.5)
    response = written_error(COHERE, error, call())
    facts = facts_in(response)
    assert facts.error is not None
    assert facts.error.status == response.status >= 400
    assert facts.error.message is not None
    assert facts.error.message.endswith("No luck.")
    assert response.header("retry-after") == "1.5"
    assert json.loads(response.body).keys() == {"id", "message"}
    assert response.header("x-debug-trace-id")


@pytest.mark.parametrize("message", ["", "too many tokens: 9 of 8"])
def test_an_error_message_is_that_of_cohere(message: str) -> None:
    error = ErrorInfo(error_class=ErrorClass.CONTEXT_LENGTH, message=message, retryable=False)
    body = json.loads(written_error(COHERE, error, call()).body)
    assert body["message"] == (message or "too many tokens")
    missing = replace(error, error_class=ErrorClass.MODEL_NOT_FOUND, message="")
    body = json.loads(written_error(COHERE, missing, call()).body)
    assert body["message"].startswith("model 'command-a' not found")


@pytest.mark.parametrize(
    ("error_class", "word"), [(ErrorClass.TIMEOUT, "TIMEOUT"), (ErrorClass.SERVER_ERROR, "ERROR")]
)
def test_a_failed_turn_is_its_text_and_an_error(error_class: ErrorClass, word: str) -> None:
    error = ErrorInfo(error_class=error_class, message="No luck.", retryable=True)
    turn = AssistantTurn(
        response_id="a", status=Status.FAILED, error=error, parts=(TextPart(text="So far"),)
    )
    response = written_answer(COHERE, turn, call(), Pace())
    facts = facts_in(response)
    assert (facts.text, facts.terminal) == ("So far", None)
    assert facts.error is not None
    assert word in facts.error.codes
    assert facts.error.message == "No luck."
    read = turn_in(response)
    assert read.status is Status.FAILED
    assert read.content == "So far"
    assert written_answer(COHERE, turn, call(stream=False), Pace()).status >= 400


# --- the form


WHOLE = AssistantTurn(
    response_id="c0",
    status=Status.COMPLETED,
    finish_reason=FinishReason.TOOL_CALLS,
    usage=Usage(input_tokens=3, output_tokens=4, cache_read_input_tokens=2),
    parts=(
        ReasoningPart(text="Hm.", channel="text"),
        TextPart(text="Yes", citations=(Citation(url="https://a.example", start=0, end=3),)),
        ToolCallPart(id="f_1", name="f", arguments={}, arguments_raw="{}"),
    ),
)


def test_the_events_are_those_of_cohere() -> None:
    response = written_answer(COHERE, WHOLE, call(), Pace(size=2))
    assert response.header("content-type") == "text/event-stream"
    lines = response.body.decode().split("\n\n")[:-1]
    assert len(response.wire.chunks) == len(lines)
    events = [json.loads(line.partition("\ndata: ")[2]) for line in lines]
    assert [line.partition("\n")[0] for line in lines] == [f"event: {e['type']}" for e in events]
    assert [(e["type"], e.get("index")) for e in events] == [
        ("message-start", None),
        ("content-start", 0),
        ("content-delta", 0),
        ("content-delta", 0),
        ("content-end", 0),
        ("content-start", 1),
        ("content-delta", 1),
        ("content-delta", 1),
        ("content-end", 1),
        ("tool-call-start", 0),
        ("tool-call-delta", 0),
        ("tool-call-end", 0),
        ("citation-start", 0),
        ("citation-end", 0),
        ("message-end", None),
    ]
    assert events[0]["delta"]["message"]["tool_calls"] == []
    assert events[1]["delta"]["message"]["content"] == {"type": "thinking", "thinking": ""}
    assert events[2]["delta"]["message"]["content"] == {"thinking": "Hm"}
    start = {"id": "f_1", "type": "function", "function": {"name": "f", "arguments": ""}}
    assert events[9]["delta"]["message"]["tool_calls"] == start
    assert events[12]["delta"]["message"]["citations"] == {
        "start": 0,
        "end": 3,
        "text": "Yes",
        "sources": [
            {
                "type": "document",
                "id": "doc:0",
                "document": {"id": "doc:0", "url": "https://a.example"},
            }
        ],
        "content_index": 1,
        "type": "TEXT_CONTENT",
    }
    pair = {"input_tokens": 3, "output_tokens": 4}
    assert events[-1]["delta"] == {
        "finish_reason": "TOOL_CALL",
        "usage": {"billed_units": pair, "tokens": pair, "cached_tokens": 2},
    }


def test_an_answer_without_an_id_gets_one_made_of_the_turn() -> None:
    turn = replace(WHOLE, response_id=None)
    bodies = [
        json.loads(written_answer(COHERE, one, call(stream=False), Pace()).body)
        for one in (turn, turn, replace(turn, usage=None))
    ]
    assert bodies[0] == bodies[1]
    assert bodies[0]["id"] != bodies[2]["id"]
    assert "usage" not in bodies[2]


def test_a_call_that_was_cut_has_no_end() -> None:
    cut = ToolCallPart(id="f_1", name="f", arguments=None, arguments_raw='{"a": "b')
    turn = replace(WHOLE, parts=(cut,), finish_reason=FinishReason.LENGTH, status=Status.INCOMPLETE)
    response = written_answer(COHERE, turn, call(), Pace())
    assert b"tool-call-end" not in response.body
    assert turn_in(response).parts == (cut,)
