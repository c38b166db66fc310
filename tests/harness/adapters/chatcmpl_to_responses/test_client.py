from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.chatcmpl_to_responses import ChatcmplToResponses, ChatcmplToResponsesClient
from harness.clients.interface import ClientError
from harness.suite.schemas import definition
from mockserver.dialects.openai_responses.grammar import violations
from mockserver.dialects.openai_responses.parsed_turn import parse_turn
from mockserver.vocabulary.model import ErrorClass, ErrorInfo, Status
from tests.harness.official import complaints

Json = dict[str, Any]
LOST = ErrorInfo(
    error_class=ErrorClass.CONNECTION_LOST, message="connection broken", retryable=True
)
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": {}}}


def chunk(delta: Json | None = None, finish: str | None = None, **more: Any) -> Json:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "c1", "model": "m1", "choices": choices, **more}


def call(index: int, **fields: Any) -> Json:
    return chunk({"tool_calls": [{"index": index, **fields}]})


def translated(
    chunks: Iterable[Json], *, tools: Iterable[Json] = (), end: str = "done"
) -> list[Json]:
    translator = ChatcmplToResponses({"created_at": 5, "model": "asked"}, tools=tools)
    events = [event for c in chunks for event in translator.chunk(c)]
    match end:
        case "done":
            return events + translator.done()
        case "ended":
            return events + translator.ended()
    return events + translator.lost(LOST)


def assert_lawful(events: list[Json]) -> None:
    for event in events:
        schema = definition("responses_event", event["type"])
        assert schema is not None
        assert [problem.message for problem in schema.iter_errors(event)] == []
        assert complaints(event) == []
    assert [breach.message for breach in violations(events)] == []


def types(events: list[Json]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


# --- any turn, split anywhere

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
DELTAS = st.one_of(
    TEXT.map(lambda t: {"content": t}),
    TEXT.map(lambda t: {"refusal": t}),
    TEXT.map(lambda t: {"reasoning_content": t}),
    TEXT.map(lambda t: {"reasoning_details": [{"type": "reasoning.summary", "summary": t}]}),
    st.tuples(TEXT, st.sampled_from(["", "sig"])).map(
        lambda p: {"thinking_blocks": [{"type": "thinking", "thinking": p[0], "signature": p[1]}]}
    ),
    st.just({"thinking_blocks": [{"type": "redacted_thinking", "data": "opaque"}]}),
    st.just({"annotations": [{"type": "url_citation", "url_citation": {"url": "https://a.b"}}]}),
    st.just({"content": ""}),
)
ARGUMENTS = st.sampled_from(
    ["", "null", " ", "{}", '{"city":"Göteborg"}', ' {"a": [1, {"b": "\\u00e9"}]}']
)


@st.composite
def turns(draw: st.DrawFn) -> tuple[list[Json], list[Json], str | None]:
    """One turn as chunks, twice: cut in two ways, in the same order."""
    parts: list[Any] = draw(st.lists(st.one_of(DELTAS, ARGUMENTS), max_size=8))
    finish = draw(st.sampled_from(["stop", "length", "content_filter", "tool_calls", None]))
    whole, pieces, calls = [], [], 0
    for part in parts:
        if isinstance(part, str):
            head = {"id": f"call_{calls}x", "function": {"name": "get_weather", "arguments": ""}}
            whole += [call(calls, **head), call(calls, function={"arguments": part})]
            pieces.append(call(calls, **head))
            pieces += [call(calls, function={"arguments": p}) for p in part]
            calls += 1
            continue
        whole.append(chunk(part))
        (key, text), *_ = part.items()
        if isinstance(text, str):
            pieces += [chunk({key: p}) for p in text]
        else:
            pieces.append(chunk(part))
    last = [chunk({}, finish), chunk(usage={"prompt_tokens": 3, "completion_tokens": 4})]
    return whole + last, pieces + last, finish


@given(turns(), st.sampled_from(["done", "ended", "lost"]))
def test_any_turn_makes_a_valid_sequence(
    turn: tuple[list[Json], list[Json], str | None], end: str
) -> None:
    whole, pieces, _ = turn
    for chunks in (whole, pieces):
        assert_lawful(translated(chunks, tools=[WEATHER], end=end))


@given(turns())
def test_splits_of_text_and_arguments_do_not_change_the_turn(
    turn: tuple[list[Json], list[Json], str | None],
) -> None:
    whole, pieces, _ = turn
    one, other = translated(whole, tools=[WEATHER]), translated(pieces, tools=[WEATHER])
    assert parse_turn(one) == parse_turn(other)
    assert one[-1]["response"] == other[-1]["response"]


@given(turns(), st.data())
def test_an_interrupted_turn_fails_with_a_valid_sequence_or_is_complete(
    turn: tuple[list[Json], list[Json], str | None], data: st.DataObject
) -> None:
    _, pieces, finish = turn
    at = data.draw(st.integers(0, len(pieces)))
    events = translated(pieces[:at], tools=[WEATHER], end="ended")
    assert_lawful(events)
    decided = finish is not None and at >= len(pieces) - 1
    assert decided or events[-1]["type"] == "response.failed"


# --- the sequence


def test_nothing_empty_opens_an_item() -> None:
    events = translated(
        [
            chunk({"role": "assistant", "content": "", "refusal": ""}),
            chunk({"reasoning_content": "", "reasoning": None}),
            chunk({}, "stop"),
        ]
    )
    assert types(events) == ["created", "in_progress", "completed"]


@pytest.mark.parametrize(
    ("finish", "kind", "status", "details"),
    [
        ("stop", "completed", "completed", None),
        ("tool_calls", "completed", "completed", None),
        ("length", "incomplete", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", "incomplete", {"reason": "content_filter"}),
        ("brand_new_reason", "completed", "completed", None),
    ],
)
def test_a_finish_reason_becomes_a_status(
    finish: str, kind: str, status: str, details: Json | None
) -> None:
    last = translated([chunk({"content": "a"}), chunk({}, finish)])[-1]
    assert last["type"] == f"response.{kind}"
    assert last["response"]["status"] == status
    assert last["response"]["incomplete_details"] == details


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "rate_limit_exceeded"), (503, "server_is_overloaded"), (500, "server_error")],
)
def test_an_error_without_a_code_gets_that_of_the_api(status: int, code: str) -> None:
    events = asyncio.run(streamed(client(status, "", "text/html")))
    assert events[-1]["response"]["error"]["code"] == code


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ({"message": "too fast", "code": "slow_down"}, "slow_down", "too fast"),
        ({"message": "limit", "code": None, "type": "tokens"}, "tokens", "limit"),
        ({"message": "who knows"}, "stream_error", "who knows"),
    ],
)
def test_an_error_upstream_keeps_code_and_message(error: Json, code: str, message: str) -> None:
    events = translated([chunk({"content": "a"}), {"error": error}])
    assert types(events)[-2:] == ["output_item.done", "failed"]
    assert events[-1]["response"]["error"]["message"] == message
    assert events[-1]["response"]["error"]["code"] == code
    assert events[-1]["response"]["output"][0]["status"] == "incomplete"


def test_a_broken_call_fails_the_response_and_the_valid_one_stays_complete() -> None:
    events = translated(
        [
            call(0, id="a", function={"name": "get_weather", "arguments": '{"x":1}'}),
            call(1, id="b", function={"name": "get_weather", "arguments": '{"x":1}{"y":2}'}),
            chunk({}, "tool_calls"),
        ],
        tools=[WEATHER],
    )
    assert_lawful(events)
    done = {
        e["item"]["call_id"]: e["item"]["status"] for e in events if "output_item.done" in e["type"]
    }
    assert done == {"a": "completed", "b": "incomplete"}
    assert [e["arguments"] for e in events if e["type"].endswith("arguments.done")] == ['{"x":1}']
    assert events[-1]["response"]["error"]["code"] == "invalid_tool_arguments"


def test_a_late_signature_is_an_item_of_its_own() -> None:
    block = {"type": "thinking", "thinking": "", "signature": "s1"}
    events = translated(
        [
            chunk({"reasoning_content": "why"}),
            chunk({"content": "so"}),
            chunk({"thinking_blocks": [block]}),
            chunk({}, "stop"),
        ]
    )
    assert_lawful(events)
    output = events[-1]["response"]["output"]
    assert [(i["type"], i.get("encrypted_content")) for i in output] == [
        ("reasoning", None),
        ("message", None),
        ("reasoning", "s1"),
    ]


def test_a_citation_is_an_annotation_in_every_later_event() -> None:
    source = {"url": "https://a.b/ö", "title": "Ö", "start_index": 0, "end_index": 4}
    annotations = [{"type": "url_citation", "url_citation": source}]
    events = translated(
        [chunk({"content": "text"}), chunk({"annotations": annotations}), chunk({}, "stop")]
    )
    assert_lawful(events)
    wanted = {"type": "url_citation", **source}
    assert [e["annotation"] for e in events if "annotation" in e] == [wanted]
    assert events[-1]["response"]["output"][0]["content"][0]["annotations"] == [wanted]


def test_log_probabilities_of_a_split_character_have_no_surrogates() -> None:
    half = {"token": "\ud83d", "logprob": -0.5, "bytes": None, "top_logprobs": []}
    measured = chunk({"content": "a"}, "stop")
    measured["choices"][0]["logprobs"] = {"content": [half, {"logprob": -1.0}, None]}
    events = translated([measured])
    assert_lawful(events)
    (part,) = events[-1]["response"]["output"][0]["content"]
    assert [token["token"] for token in part["logprobs"]] == ["\ufffd"]
    json.dumps(events, ensure_ascii=False).encode()


def test_the_shell_and_the_provider_name_the_response() -> None:
    events = translated([chunk({"content": "a"}, "stop")])
    for event in (events[0], events[-1]):
        head = {k: event["response"][k] for k in ("id", "created_at", "model", "object")}
        assert head == {"id": "c1", "created_at": 5, "model": "m1", "object": "response"}
    nameless = ChatcmplToResponses({"created_at": 5, "model": "asked"}).done()
    assert nameless[0]["response"]["id"] == "__fake_id__"
    assert nameless[0]["response"]["model"] == "asked"


def test_item_ids_are_unique_beyond_the_response() -> None:
    chunks = [chunk({"content": "a"}), call(0, id="x", function={"name": "f", "arguments": "{}"})]
    first = translated([*chunks, chunk({}, "stop")])
    second = translated([{**c, "id": "c2"} for c in (*chunks, chunk({}, "stop"))])
    ids = [e["item"]["id"] for e in first + second if e["type"].endswith("item.added")]
    assert len(set(ids)) == 4


def test_usage_nobody_gave_is_null_and_a_missing_detail_is_zero() -> None:
    assert translated([chunk({"content": "a"}, "stop")])[-1]["response"]["usage"] is None
    events = translated(
        [chunk({"content": "a"}, "stop", usage={"prompt_tokens": 7, "completion_tokens": 2})]
    )
    assert events[-1]["response"]["usage"] == {
        "input_tokens": 7,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 9,
    }


# --- the client


def client(status: int, body: str, kind: str = "text/event-stream") -> ChatcmplToResponsesClient:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/chat/completions"
        return httpx.Response(status, headers={"content-type": kind}, content=body.encode())

    return ChatcmplToResponsesClient(
        "http://provider.test/v1", "k", transport=httpx.MockTransport(answer), now=lambda: 99.5
    )


ASKED: Json = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


async def streamed(asking: ChatcmplToResponsesClient) -> list[Json]:
    async with asking:
        return [event async for event in asking.stream(**ASKED)]


def test_the_client_streams_responses_events() -> None:
    body = "".join(f"data: {json.dumps(c)}\n\n" for c in [chunk({"content": "Hé"}, "stop")])
    events = asyncio.run(streamed(client(200, body + "data: [DONE]\n\n")))
    assert_lawful(events)
    assert events[-1]["response"]["created_at"] == 99
    parsed = parse_turn(events)
    assert parsed is not None
    assert (parsed.status, parsed.texts["text"]) == (Status.COMPLETED, "Hé")


def test_the_client_streams_a_failure_instead_of_raising() -> None:
    body = json.dumps({"error": {"message": "no such model", "code": "model_not_found"}})
    events = asyncio.run(streamed(client(404, body, "application/json")))
    assert types(events) == ["created", "in_progress", "failed"]
    assert_lawful(events)
    assert events[-1]["response"]["error"] == {
        "code": "model_not_found",
        "message": "no such model",
    }


def test_create_returns_the_response_and_raises_a_failure() -> None:
    async def created(status: int, body: Json) -> Json:
        async with client(status, json.dumps(body), "application/json") as asking:
            return await asking.create(**ASKED)

    message = {"role": "assistant", "content": "Hé"}
    answer = {"id": "c9", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    response = asyncio.run(created(200, answer))
    assert (response["id"], response["status"]) == ("c9", "completed")
    assert response["output"][0]["content"][0]["text"] == "Hé"
    with pytest.raises(ClientError) as caught:
        asyncio.run(created(500, {"error": {"message": "down"}}))
    assert caught.value.error.error_class is ErrorClass.SERVER_ERROR


def test_images_and_what_must_be_sent_back():
    fields = {"extra_content": {"vertex": {"thought_signature": "s"}}}
    events = translated(
        [
            chunk({"content": "a", "images": [{"image_url": {"url": "data:image/png;base64,iV"}}]}),
            chunk({"images": [{"image_url": "https://example.org/a.png"}]}),
            chunk({**fields}),
            call(0, id="x", function={"name": "get_weather", "arguments": "{}"}, **fields),
            chunk({}, "tool_calls"),
        ],
        tools=[WEATHER],
    )
    assert_lawful(events)
    message, inline, linked, called = events[-1]["response"]["output"]
    assert message["provider_specific_fields"] == fields
    google = {"google": {"thought_signature": "s"}}
    assert called["provider_specific_fields"] == {**fields, **google}
    assert (inline["type"], inline["result"]) == ("image_generation_call", "iV")
    assert linked["provider_specific_fields"] == {"image_url": "https://example.org/a.png"}


def test_the_connections_are_closed_with_the_client() -> None:
    class Closing(httpx.MockTransport):
        closed = False

        async def aclose(self) -> None:
            self.closed = True

    transport = Closing(lambda request: httpx.Response(500))

    async def run() -> None:
        async with ChatcmplToResponsesClient("http://models.test/v1", transport=transport):
            assert not transport.closed

    asyncio.run(run())
    assert transport.closed
