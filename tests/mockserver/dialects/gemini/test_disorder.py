"""Chunks of odd forms: nothing raises, and facts and client agree on what is clear."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.gemini.body import GeminiBody
from harness.adapters.gemini.stream import GeminiStream
from mockserver.cassettes.cassette import Request, Response
from mockserver.dialects import (
    Facts,
    Pace,
    UnreadableRequestError,
    UnwritableError,
    find_dialect,
    texts_in,
)
from mockserver.dialects.writing import streamed, whole
from mockserver.vocabulary import (
    AssistantTurn,
    Json,
    JsonObject,
    NeutralCall,
    event_from_json,
    fold,
    to_json,
)
from mockserver.wire.schedule import from_response
from tests.mockserver.dialects.disorder import mostly, odd

DIALECT = find_dialect("gemini")


def fields(**optional: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return mostly(st.fixed_dictionaries({}, optional=optional))


pieces = mostly(st.sampled_from(["a", "b ", "", "🎉", "\ud83c", "\udf89"]))
values = mostly(st.sampled_from([{}, {"a": 1}, {"a": "\ud83c"}, '{"a": 1}']))
signatures = mostly(st.sampled_from(["s1", "s2", ""]))
paths = mostly(st.sampled_from(["$.a", "$.a[0]", "$.b.c", "$", "$.a[9]"]))
partial = fields(jsonPath=paths, stringValue=pieces, numberValue=odd, willContinue=odd)
signed = {"thoughtSignature": signatures, "thought": mostly(st.booleans())}
calls = fields(
    name=mostly(st.sampled_from(["f", "g"])),
    args=values,
    id=mostly(st.sampled_from(["k1", "k2"])),
)
growing = fields(
    name=pieces,
    willContinue=mostly(st.booleans()),
    partialArgs=mostly(st.lists(partial, max_size=2)),
)
files = fields(mimeType=mostly(st.sampled_from(["image/png", "a/b"])), data=pieces, fileUri=pieces)
parts = st.one_of(
    *[fields(text=pieces, **signed)] * 4,
    *[fields(functionCall=calls, thoughtSignature=signatures)] * 2,
    fields(functionCall=growing, thoughtSignature=signatures),
    fields(inlineData=files, **signed),
    fields(fileData=files, **signed),
    fields(executableCode=values, **signed),
    fields(hologram=values, text=pieces),
)
words = mostly(st.sampled_from(["STOP", "STOP", "MAX_TOKENS", "SAFETY", "OTHER", "NEW", None]))
segments = fields(startIndex=odd, endIndex=odd, partIndex=odd, text=pieces)
grounding = fields(
    groundingChunks=mostly(st.lists(fields(web=fields(uri=pieces, title=pieces)), max_size=2)),
    groundingSupports=mostly(
        st.lists(
            fields(segment=segments, groundingChunkIndices=mostly(st.lists(odd, max_size=2))),
            max_size=2,
        )
    ),
)
candidates = fields(
    content=fields(parts=mostly(st.lists(parts, max_size=3)), role=st.just("model")),
    finishReason=words,
    index=mostly(st.just(0)),
    groundingMetadata=grounding,
    citationMetadata=fields(citations=mostly(st.lists(segments, max_size=1))),
)
COUNTS = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount")
chunks = fields(
    candidates=mostly(st.lists(candidates, max_size=2)),
    usageMetadata=fields(**{name: mostly(st.integers(0, 9)) for name in COUNTS}),
    promptFeedback=fields(blockReason=words),
    responseId=mostly(st.just("r1")),
    modelVersion=pieces,
)


def read_by_client(response: Response) -> AssistantTurn:
    stream = GeminiStream()
    reader = GeminiBody(stream)
    found = [*reader.feed(response.body), *reader.end()]
    assert reader.closed
    for event in found:
        event_from_json(to_json(event))
        json.dumps(to_json(event), ensure_ascii=False).encode()
    return fold(found)


def assert_agreement(response: Response) -> None:
    facts = DIALECT.read_facts([from_response(response)])
    turn = read_by_client(response)
    assert facts is not None
    if turn.error is not None:
        clear = facts.terminal in DIALECT.reasons and not facts.may_fail
        assert facts.error or facts.broken or not clear, turn.error
        return
    assert facts.error is None
    assert not facts.broken
    assert facts.text in (None, turn.content)
    assert facts.reasoning in (None, turn.reasoning)
    seen = frozenset(texts_in(to_json(turn.parts)))
    assert seen >= set(facts.signatures or ())
    assert_calls(facts, turn)
    usage: JsonObject = {} if turn.usage is None else to_json(turn.usage)
    for name, count in facts.usage.items():
        assert count is None or usage[name] == count


def assert_calls(facts: Facts, turn: AssistantTurn) -> None:
    if facts.calls is None:
        return
    for fact, call in zip(facts.calls, turn.tool_calls, strict=True):
        assert fact.name in (None, call.name)
        assert fact.id in (None, call.id)
        assert fact.arguments is None or call.arguments in (*fact.arguments, None)


@given(st.lists(chunks, max_size=6))
def test_facts_and_client_agree_on_any_stream(stream: list[JsonObject]) -> None:
    assert_agreement(
        streamed((b"data: %s\r\n\r\n" % json.dumps(e).encode() for e in stream), Pace())
    )


@given(chunks)
def test_facts_and_client_agree_on_any_whole_answer(answer: JsonObject) -> None:
    assert_agreement(whole(answer))


@given(st.lists(chunks, min_size=1, max_size=3))
def test_facts_and_client_agree_on_any_array(answer: list[JsonObject]) -> None:
    assert_agreement(whole(answer))


contents = mostly(
    st.fixed_dictionaries(
        {"role": mostly(st.sampled_from(["user", "model", "function"]))},
        optional={
            "parts": mostly(
                st.lists(
                    parts
                    | fields(functionResponse=fields(name=pieces, id=pieces, response=values)),
                    max_size=3,
                )
            )
        },
    )
)
tools = fields(functionDeclarations=mostly(st.lists(fields(name=pieces, parameters=values))))
REST = ("systemInstruction", "generationConfig", "safetySettings", "labels")


@given(
    st.fixed_dictionaries(
        {"contents": mostly(st.lists(contents, max_size=4))},
        optional={
            "tools": mostly(st.lists(tools, max_size=2)),
            "toolConfig": fields(
                functionCallingConfig=fields(mode=pieces, allowedFunctionNames=odd)
            ),
            **dict.fromkeys(REST, odd | values),
        },
    )
)
def test_an_odd_request_is_read_or_refused(body: JsonObject) -> None:
    uri = "https://a/v1beta/models/g:generateContent"
    sent = Request(method="POST", uri=uri, body=json.dumps(body).encode())
    DIALECT.plain_request(body)
    with suppress(UnreadableRequestError, UnwritableError):
        DIALECT.write_request(DIALECT.read_call(sent))


messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system", "tool", "none"])},
    optional={
        "content": st.one_of(pieces, st.lists(fields(type=pieces, text=pieces), max_size=2)),
        "tool_calls": st.lists(
            st.fixed_dictionaries(
                {"id": pieces, "function": st.just({"name": "f", "arguments": "{}"})}
            ),
            max_size=1,
        ),
        "tool_call_id": pieces,
    },
)


@given(
    st.lists(messages, max_size=3),
    st.dictionaries(
        st.sampled_from(["tool_choice", "response_format", "reasoning_effort", "stop"]),
        odd | values,
        max_size=3,
    ),
)
def test_an_odd_call_is_written_or_refused(given_messages: list[Json], options: Json) -> None:
    call = NeutralCall(model="m", messages=tuple(given_messages), options=options)
    with suppress(UnwritableError):
        DIALECT.write_request(call)
