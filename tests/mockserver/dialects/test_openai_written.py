"""What the OpenAI dialects write is read back: by facts, by the bundled clients, by the SDK."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.adapters.chat.stream import ChatStream
from harness.adapters.common.answer import Answer
from harness.adapters.common.answer_body import AnswerBody
from harness.adapters.common.failures import from_http
from harness.adapters.responses.stream import ResponsesStream
from mockserver.cassettes.cassette import Response
from mockserver.dialects import (
    Pace,
    UnwritableError,
    find_dialect,
    fitted,
    written_answer,
    written_error,
    written_request,
)
from mockserver.dialects.facts import CallFacts
from mockserver.dialects.openai_responses.native import GRAMMAR, wire_events
from mockserver.vocabulary import (
    AssistantTurn,
    Citation,
    ErrorClass,
    ErrorInfo,
    FinishReason,
    HostedToolPart,
    ImagePart,
    NeutralCall,
    ReasoningPart,
    Status,
    TextPart,
    ToolCallPart,
    Usage,
    fold,
)
from mockserver.wire.schedule import from_response
from tests.mockserver.dialects.turns import OPTIONS, calls, paces, turns

ANSWERS: dict[str, Callable[[], Answer]] = {
    "openai-chat": ChatStream,
    "openai-responses": ResponsesStream,
    "codex": ResponsesStream,
    "background": ResponsesStream,
}
RESPONSES = ["openai-responses", "codex", "background"]
HI = NeutralCall(model="gpt-x", messages=({"role": "user", "content": "hi"},))
PACE = Pace(size=5)
some = settings(max_examples=25)


def read(name: str, response: Response) -> AssistantTurn:
    """Read an answer with the bundled reader of a dialect."""
    body = AnswerBody(ANSWERS[name](), content_type=response.header("content-type"))
    return fold([*body.feed(response.body), *body.end()])


def without_hosted(turn: AssistantTurn) -> AssistantTurn:
    """Leave out that a tool made the image: a neutral turn need not say it."""
    return replace(turn, parts=tuple(p for p in turn.parts if not isinstance(p, HostedToolPart)))


def says(call: NeutralCall, name: str) -> NeutralCall:
    """Return the call in the form in which a dialect says it: some only stream."""
    return call if name in ("openai-chat", "openai-responses") else replace(call, stream=True)


@pytest.mark.parametrize("name", ANSWERS)
@some
@given(turn=turns(), call=calls(), pace=paces)
def test_the_bundled_reader_reads_the_turn(
    name: str, turn: AssistantTurn, call: NeutralCall, pace: Pace
) -> None:
    dialect, call = find_dialect(name), says(call, name)
    wanted = fitted(dialect, turn).turn
    answer = written_answer(dialect, turn, call, pace)
    assert without_hosted(read(name, answer)) == wanted


@pytest.mark.parametrize("name", ANSWERS)
@some
@given(turn=turns(), call=calls(), pace=paces)
def test_the_facts_are_those_of_the_turn(
    name: str, turn: AssistantTurn, call: NeutralCall, pace: Pace
) -> None:
    dialect, call = find_dialect(name), says(call, name)
    wanted = fitted(dialect, turn).turn
    answer = written_answer(dialect, turn, call, pace)
    facts = dialect.read_facts([from_response(answer)])
    assert facts is not None
    assert (facts.terminal, facts.error, facts.broken) == (wanted.raw_finish_reason, None, False)
    assert (facts.text, facts.refusal) == (wanted.content, wanted.refusal)
    channels = {p.channel for p in wanted.parts if isinstance(p, ReasoningPart) and p.text}
    assert facts.reasoning == (wanted.reasoning if len(channels) < 2 else None)
    assert facts.calls == tuple(
        CallFacts(name=c.name, id=c.id, arguments=(c.arguments or {},), raw=c.arguments_raw)
        for c in wanted.tool_calls
    )
    assert (facts.response_id, facts.model) == (wanted.response_id, wanted.model)
    usage = wanted.usage or Usage()
    assert {n: c for n, c in facts.usage.items() if c is not None} == {
        n: getattr(usage, n) for n in dialect.capacity.usage if getattr(usage, n) is not None
    }
    texts = [p for p in wanted.parts if isinstance(p, TextPart)]
    assert set(facts.citations or ()) == {c for part in texts for c in part.citations}


@pytest.mark.parametrize("name", RESPONSES)
@some
@given(turn=turns(), pace=paces)
def test_the_events_obey_the_grammar(name: str, turn: AssistantTurn, pace: Pace) -> None:
    answer = written_answer(find_dialect(name), turn, HI, pace)
    found = [d.message for d in GRAMMAR.violations(wire_events(from_response(answer)))]
    if name == "codex":  # the backend does not repeat the items
        found = [m for m in found if "output differs from the done items" not in m]
    assert found == []


def plain(call: NeutralCall) -> NeutralCall:
    """Return a call without what no request can say, and with one word for system messages."""
    messages = tuple(
        {n: v for n, v in message.items() if n != "parts"}
        | ({"role": "developer"} if message["role"] == "system" else {})
        for message in call.messages
    )
    return replace(call, messages=messages, stream_usage=True)


@some
@given(calls(options=tuple(OPTIONS)), st.booleans())
def test_a_request_of_openai_chat_is_read_back(call: NeutralCall, stream_usage: bool) -> None:
    dialect = find_dialect("openai-chat")
    call = replace(call, stream_usage=stream_usage or not call.stream)
    assert dialect.read_call(written_request(dialect, call)) == call


@pytest.mark.parametrize("name", ["openai-responses", "background"])
@some
@given(calls(options=tuple(n for n in OPTIONS if n != "stop")))
def test_a_request_of_the_responses_api_is_read_back(name: str, call: NeutralCall) -> None:
    dialect = find_dialect(name)
    assert plain(dialect.read_call(written_request(dialect, call))) == plain(call)


@some
@given(calls(options=("response_format",)))
def test_a_request_of_codex_is_read_back(call: NeutralCall) -> None:
    dialect, call = find_dialect("codex"), replace(call, stream=True)
    request = written_request(dialect, call)
    assert dialect.matches(request)
    assert plain(dialect.read_call(request)) == plain(call)


SAID = {
    ErrorClass.AUTHENTICATION: 401,
    ErrorClass.PERMISSION: 403,
    ErrorClass.MODEL_NOT_FOUND: 404,
    ErrorClass.INVALID_REQUEST: 400,
    ErrorClass.CONTEXT_LENGTH: 400,
    ErrorClass.PAYLOAD_TOO_LARGE: 413,
    ErrorClass.CONTENT_FILTERED: 400,
    ErrorClass.QUOTA_EXHAUSTED: 429,
    ErrorClass.RATE_LIMIT: 429,
    ErrorClass.OVERLOADED: 503,
    ErrorClass.SERVER_ERROR: 500,
    ErrorClass.TIMEOUT: 504,
}


def error(kind: ErrorClass, **fields: object) -> ErrorInfo:
    base = ErrorInfo(error_class=kind, message="It went wrong.", retryable=kind.retryable)
    return replace(base, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize(("kind", "status"), SAID.items())
def test_errors_are_read_back(name: str, kind: ErrorClass, status: int) -> None:
    dialect = find_dialect(name)
    given_error = error(kind, retry_after=7.0, request_id="req_1")
    answer = written_error(dialect, given_error, HI)
    back = from_http(answer.status, dict(answer.headers), answer.body, now=0)
    assert replace(back, code=None) == replace(given_error, status=status)
    facts = dialect.read_facts([from_response(answer)])
    assert facts is not None
    assert facts.error is not None
    assert (facts.error.status, facts.error.message) == (status, "It went wrong.")


@pytest.mark.parametrize(
    ("kind", "given_status", "status"),
    [
        (ErrorClass.SERVER_ERROR, 502, 502),
        (ErrorClass.INVALID_REQUEST, 422, 422),
        (ErrorClass.OVERLOADED, 529, 503),
    ],
)
def test_a_status_of_the_same_kind_is_kept(
    kind: ErrorClass, given_status: int, status: int
) -> None:
    answer = written_error(find_dialect("openai-chat"), error(kind, status=given_status), HI)
    assert answer.status == status


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("kind", [k for k in SAID if k is not ErrorClass.PAYLOAD_TOO_LARGE])
def test_a_failure_in_the_middle_keeps_what_came_before(name: str, kind: ErrorClass) -> None:
    call = ToolCallPart(id="call_1", name="f", arguments=None, arguments_raw='{"a": ')
    turn = AssistantTurn(
        response_id="r1",
        model="m",
        status=Status.FAILED,
        error=error(kind),
        parts=(TextPart(text="Half an ans"), call),
    )
    back = read(name, written_answer(find_dialect(name), turn, HI, PACE))
    assert back.error is not None
    assert back.error.error_class is kind
    assert replace(back, error=turn.error) == turn


def test_a_failure_without_a_stream_is_said_alone_or_as_a_response() -> None:
    turn = AssistantTurn(
        status=Status.FAILED, error=error(ErrorClass.OVERLOADED), parts=(TextPart(text="a"),)
    )
    call = replace(HI, stream=False)
    assert written_answer(find_dialect("openai-chat"), turn, call, PACE).status == 503
    answer = written_answer(find_dialect("openai-responses"), turn, call, PACE)
    assert answer.status == 200
    back = read("openai-responses", answer)
    assert back.error is not None
    assert back.error.error_class is ErrorClass.OVERLOADED


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("kind", [k for k in ErrorClass if k not in SAID])
def test_what_a_client_finds_by_itself_is_said_by_no_server(name: str, kind: ErrorClass) -> None:
    dialect = find_dialect(name)
    if kind is ErrorClass.STREAM_ERROR:
        assert written_error(dialect, error(kind), HI).status == 500
        return
    with pytest.raises(UnwritableError, match=f"{kind} is what a client finds"):
        written_error(dialect, error(kind), HI)


def test_an_answer_tells_its_usage_only_if_the_request_asks() -> None:
    turn = AssistantTurn(
        status=Status.COMPLETED,
        finish_reason=FinishReason.STOP,
        usage=Usage(input_tokens=1, output_tokens=2),
        parts=(TextPart(text="a"),),
    )
    dialect = find_dialect("openai-chat")
    asked = written_answer(dialect, turn, HI, PACE)
    assert read("openai-chat", asked).usage == Usage(
        input_tokens=1, output_tokens=2, total_tokens=3
    )
    silent = written_answer(dialect, turn, replace(HI, stream_usage=False), PACE)
    assert b"usage" not in silent.body
    assert read("openai-chat", silent).usage is None


def test_parts_that_one_dialect_joins_keep_their_citations_in_place() -> None:
    cited = (Citation(url="https://example.com/a", start=0, end=1),)
    texts = (TextPart(text="Hello "), TextPart(text="you", citations=cited))
    turn = AssistantTurn(status=Status.COMPLETED, finish_reason=FinishReason.STOP, parts=texts)
    (joined,) = fitted(find_dialect("openai-chat"), turn).turn.parts
    assert isinstance(joined, TextPart)
    assert joined.text == "Hello you"
    assert joined.citations == (replace(cited[0], start=6, end=7),)
    kept = fitted(find_dialect("openai-responses"), turn).turn
    assert kept.parts == texts


def test_citations_without_a_url_are_named_as_lost() -> None:
    text = TextPart(text="Hello", citations=(Citation(title="A book"),))
    turn = AssistantTurn(status=Status.COMPLETED, finish_reason=FinishReason.STOP, parts=(text,))
    found = fitted(find_dialect("openai-chat"), turn)
    assert found.lost == ("the citations without a URL of part 0 (text)",)
    assert found.turn.parts == (TextPart(text="Hello"),)


def test_what_cannot_be_said() -> None:
    turn = AssistantTurn(
        status=Status.COMPLETED,
        finish_reason=FinishReason.STOP,
        parts=(ImagePart(url="https://example.com/a.png"),),
    )
    with pytest.raises(UnwritableError, match="not in a data: URL"):
        written_answer(find_dialect("openai-responses"), turn, HI, PACE)
    whole = replace(HI, stream=False)
    with pytest.raises(UnwritableError, match="takes several answers"):
        written_answer(find_dialect("background"), turn, whole, PACE)
    with pytest.raises(UnwritableError, match="in streams only"):
        written_request(find_dialect("codex"), whole)
    odd = replace(HI, messages=({"role": "narrator", "content": "a"},))
    for name in RESPONSES:
        with pytest.raises(UnwritableError, match="unknown message role"):
            written_request(find_dialect(name), odd)


def test_hidden_reasoning_is_an_empty_item() -> None:
    hidden = ReasoningPart(text="", channel="text", omitted=True)
    turn = AssistantTurn(
        status=Status.COMPLETED,
        finish_reason=FinishReason.STOP,
        parts=(hidden, TextPart(text="a")),
    )
    answer = written_answer(find_dialect("openai-responses"), turn, HI, PACE)
    assert read("openai-responses", answer).parts == turn.parts
