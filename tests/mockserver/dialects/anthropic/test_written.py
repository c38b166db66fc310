"""What the dialect writes is read back as it was: by its facts, its own reader and the client."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.anthropic.stream import MessagesStream
from harness.adapters.common.answer_body import AnswerBody
from mockserver.cassettes.cassette import Response
from mockserver.dialects import Facts, Pace, find_dialect, fitted
from mockserver.dialects.anthropic.conversation import conversation
from mockserver.vocabulary import (
    AssistantTurn,
    JsonObject,
    NeutralCall,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    Usage,
    fold,
)
from mockserver.wire.schedule import from_response
from tests.mockserver.dialects import turns

DIALECT = find_dialect("anthropic")
OPTIONS = tuple(turns.OPTIONS)
CALL = NeutralCall(model="claude-tape-1", messages=({"role": "user", "content": "Hallå"},))


def read(response: Response) -> Facts:
    facts = DIALECT.read_facts([from_response(response)])
    assert facts is not None
    return facts


def read_by_client(response: Response) -> AssistantTurn:
    body = AnswerBody(MessagesStream())
    return fold([*body.feed(response.body), *body.end()])


def counted(usage: Usage | None) -> Usage:
    """Return the counts that a wire has: those that the API always sends are 0 without others."""
    usage = usage or Usage(input_tokens=0, output_tokens=0)
    assert usage.input_tokens is not None
    assert usage.output_tokens is not None
    return replace(usage, total_tokens=usage.input_tokens + usage.output_tokens)


@given(turns.turns(), turns.paces, st.booleans())
def test_the_facts_of_an_answer_are_its_turn(turn: AssistantTurn, pace: Pace, stream: bool) -> None:
    turn = fitted(DIALECT, turn).turn
    facts = read(DIALECT.write_answer(turn, replace(CALL, stream=stream), pace))
    assert facts.error is None
    assert not facts.broken
    assert facts.done
    assert facts.terminal == turn.raw_finish_reason
    assert (facts.text, facts.reasoning) == (turn.content, turn.reasoning)
    assert (facts.response_id, facts.model) == (turn.response_id, turn.model)
    thoughts = [part for part in turn.parts if isinstance(part, ReasoningPart)]
    seals = [part.signature or part.redacted_data for part in thoughts]
    assert facts.signatures == tuple(dict.fromkeys(seal for seal in seals if seal))
    assert facts.calls is not None
    for fact, call in zip(facts.calls, turn.tool_calls, strict=True):
        assert (fact.name, fact.id, fact.arguments) == (call.name, call.id, (call.arguments,))
        if stream and call.arguments:
            assert fact.raw == call.arguments_raw
    urls = [c.url for p in turn.parts if isinstance(p, TextPart) for c in p.citations]
    assert facts.citations is not None
    assert {citation.url for citation in facts.citations} == set(urls)
    if turn.usage is not None:
        wanted = {n: c for n in facts.usage if (c := getattr(turn.usage, n)) is not None}
        assert facts.usage == wanted


@given(turns.turns(), turns.paces, st.booleans())
def test_the_client_reads_the_turn(turn: AssistantTurn, pace: Pace, stream: bool) -> None:
    turn = fitted(DIALECT, turn).turn
    seen = read_by_client(DIALECT.write_answer(turn, replace(CALL, stream=stream), pace))
    assert (seen.response_id, seen.model) == (turn.response_id, turn.model)
    assert seen.finish_reason == turn.finish_reason
    assert seen.raw_finish_reason == turn.raw_finish_reason
    assert seen.usage == counted(turn.usage)
    parts = [part for part in seen.parts if part.type != "send_back"]
    assert [plain(part, stream=stream) for part in parts] == [
        plain(part, stream=stream) for part in turn.parts
    ]


def plain(part: object, *, stream: bool) -> object:
    """Return a part as both have it: without offsets, and what whole calls have of their own."""
    if isinstance(part, ToolCallPart) and (not stream or not part.arguments):
        return replace(part, arguments_raw="", send_back=None)
    if isinstance(part, TextPart):
        return replace(
            part, citations=tuple(replace(c, start=None, end=None) for c in part.citations)
        )
    return part


@given(turns.calls(options=OPTIONS))
def test_a_request_is_read_back(call: NeutralCall) -> None:
    seen = DIALECT.read_call(DIALECT.write_request(call))
    assert (seen.model, seen.tools, seen.stream) == (call.model, call.tools, call.stream)
    assert [bare(message) for message in seen.messages] == [bare(m) for m in call.messages]
    assert seen.options == expected_options(call)


@given(turns.calls(options=OPTIONS))
def test_what_was_read_is_written_as_it_was(call: NeutralCall) -> None:
    request = DIALECT.write_request(call)
    assert DIALECT.write_request(DIALECT.read_call(request)) == request


@given(turns.turns())
def test_an_earlier_turn_goes_back_with_its_parts(turn: AssistantTurn) -> None:
    answer = DIALECT.write_answer(fitted(DIALECT, turn).turn, CALL, Pace())
    seen = read_by_client(answer)
    messages = [{"role": "user", "content": "a"}, turns.assistant_message(seen)]
    _, written = conversation(messages)
    whole = DIALECT.write_answer(fitted(DIALECT, turn).turn, replace(CALL, stream=False), Pace())
    # Thinking without a signature cannot go back.
    blocks = [
        {n: v for n, v in block.items() if v != [] and n != "caller"}
        for block in json.loads(whole.body)["content"]
        if block["type"] != "thinking" or block["signature"]
    ]
    assert written[1:] == ([{"role": "assistant", "content": blocks}] if blocks else [])


def bare(message: JsonObject) -> JsonObject:
    """Return a message as both sides have it: without parts, arguments as values."""
    kept = {n: v for n, v in message.items() if n not in ("parts", "tool_calls")}
    calls = message.get("tool_calls", ())
    values = [(c["id"], c["function"]["name"], c["function"]["arguments"]) for c in calls]
    return {**kept, "calls": [(i, n, json.loads(arguments)) for i, n, arguments in values]}


def expected_options(call: NeutralCall) -> JsonObject:
    """Return options as the API has them: always a limit, no name of a schema."""
    options = dict(call.options)
    options["max_tokens"] = options.pop("max_completion_tokens", 4096)
    if "response_format" in options:
        schema = options["response_format"]["json_schema"]["schema"]
        options["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "output", "schema": schema},
        }
    return options
