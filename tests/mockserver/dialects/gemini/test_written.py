"""What the dialect writes is read back as it was: by its facts, its own reader and the client."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.gemini.body import GeminiBody
from harness.adapters.gemini.stream import GeminiStream
from mockserver.cassettes.cassette import Response
from mockserver.dialects import Facts, Pace, find_dialect, fitted
from mockserver.dialects.gemini.contents import model_parts
from mockserver.vocabulary import (
    AssistantTurn,
    ErrorClass,
    ErrorInfo,
    JsonObject,
    NeutralCall,
    Part,
    ReasoningPart,
    Status,
    TextPart,
    Usage,
    fold,
)
from mockserver.wire.schedule import from_response
from tests.mockserver.dialects import turns

DIALECT = find_dialect("gemini")
OPTIONS = tuple(turns.OPTIONS)
CALL = NeutralCall(model="gemini-tape-1", messages=({"role": "user", "content": "Hallå"},))


def read(response: Response) -> Facts:
    facts = DIALECT.read_facts([from_response(response)])
    assert facts is not None
    return facts


def read_by_client(response: Response) -> AssistantTurn:
    body = GeminiBody(GeminiStream())
    return fold([*body.feed(response.body), *body.end()])


@given(turns.turns(), turns.paces, st.booleans())
def test_the_facts_of_an_answer_are_its_turn(turn: AssistantTurn, pace: Pace, stream: bool) -> None:
    turn = fitted(DIALECT, turn).turn
    facts = read(DIALECT.write_answer(turn, replace(CALL, stream=stream), pace))
    assert (facts.error, facts.broken, facts.terminal) == (None, False, turn.raw_finish_reason)
    assert (facts.text, facts.reasoning) == (turn.content, turn.reasoning)
    assert (facts.response_id, facts.model) == (turn.response_id, turn.model)
    assert facts.signatures == tuple(dict.fromkeys(filter(None, map(signature_of, turn.parts))))
    assert facts.calls is not None
    for fact, call in zip(facts.calls, turn.tool_calls, strict=True):
        assert (fact.name, fact.id, fact.arguments) == (call.name, call.id, (call.arguments,))
        assert fact.signature == call.thought_signature
    for citation in facts.citations or ():
        assert citation in all_citations(turn)
    counts = turn.usage or Usage()
    assert facts.usage == {n: c for n in facts.usage if (c := getattr(counts, n)) is not None}
    assert facts.usage.get("output_tokens") == counts.output_tokens


@given(turns.turns(), turns.paces, st.booleans())
def test_the_client_reads_the_turn(turn: AssistantTurn, pace: Pace, stream: bool) -> None:
    turn = fitted(DIALECT, turn).turn
    seen = read_by_client(DIALECT.write_answer(turn, replace(CALL, stream=stream), pace))
    assert set(all_citations(seen)) == set(all_citations(turn))
    assert bare(seen) == bare(turn)


@given(turns.turns(), turns.paces)
def test_a_failed_turn_is_its_parts_and_the_error(turn: AssistantTurn, pace: Pace) -> None:
    error = ErrorInfo(error_class=ErrorClass.OVERLOADED, message="Too busy.", retryable=True)
    failed = replace(
        fitted(DIALECT, turn).turn,
        status=Status.FAILED,
        finish_reason=None,
        raw_finish_reason=None,
        error=error,
    )
    answer = DIALECT.write_answer(failed, CALL, pace)
    facts, seen = read(answer), read_by_client(answer)
    assert facts.error is not None
    assert facts.error.message == "Too busy."
    assert seen.error is not None
    assert (seen.error.error_class, seen.error.message) == (ErrorClass.OVERLOADED, "Too busy.")
    assert (seen.content, facts.text) == (failed.content, failed.content)
    whole = DIALECT.write_answer(failed, replace(CALL, stream=False), pace)
    assert (whole.status, json.loads(whole.body)["error"]["status"]) == (503, "UNAVAILABLE")


@given(turns.calls(options=OPTIONS))
def test_a_request_is_read_back(call: NeutralCall) -> None:
    seen = DIALECT.read_call(DIALECT.write_request(call))
    assert (seen.model, seen.tools, seen.stream) == (call.model, call.tools, call.stream)
    assert list(map(said, seen.messages)) == list(map(said, call.messages))
    options = dict(call.options)
    if "response_format" in options:
        schema = options["response_format"]["json_schema"]["schema"]
        inner = {"name": "response", "schema": schema}
        options["response_format"] = {"type": "json_schema", "json_schema": inner}
    assert seen.options == options


@given(turns.calls(options=OPTIONS))
def test_what_was_read_is_written_as_it_was(call: NeutralCall) -> None:
    request = DIALECT.write_request(call)
    again = DIALECT.write_request(DIALECT.read_call(request))
    assert (again.uri, again.headers) == (request.uri, request.headers)
    assert json.loads(again.body) == json.loads(request.body)


@given(turns.turns())
def test_an_earlier_turn_goes_back_with_its_parts(turn: AssistantTurn) -> None:
    turn = fitted(DIALECT, turn).turn
    whole = DIALECT.write_answer(turn, replace(CALL, stream=False), Pace())
    seen = read_by_client(whole)
    (candidate,) = json.loads(whole.body)["candidates"]
    assert list(model_parts(turns.assistant_message(seen))) == candidate["content"]["parts"]


def signature_of(part: Part) -> str | None:
    if isinstance(part, ReasoningPart):
        return part.signature
    return None if part.type == "tool_call" else getattr(part, "thought_signature", None)


def all_citations(turn: AssistantTurn) -> list[object]:
    return [c for part in turn.parts if isinstance(part, TextPart) for c in part.citations]


def bare(turn: AssistantTurn) -> AssistantTurn:
    """Return a turn without what has been compared before."""
    parts = (replace(p, citations=()) if isinstance(p, TextPart) else p for p in turn.parts)
    return replace(turn, parts=tuple(parts))


def said(message: JsonObject) -> JsonObject:
    """Return a message as both sides have it: without parts, arguments as values."""
    kept = {n: v for n, v in message.items() if n not in ("parts", "tool_calls")}
    functions = [(c["id"], c["function"]) for c in message.get("tool_calls", ())]
    return {**kept, "calls": [(i, f["name"], json.loads(f["arguments"])) for i, f in functions]}
