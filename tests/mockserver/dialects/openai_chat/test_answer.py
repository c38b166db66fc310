"""The wire of a written answer, after recordings of api.openai.com."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mockserver.cassettes.cassette import Origin, Response
from mockserver.dialects import Pace, find_dialect, written_answer
from mockserver.vocabulary import (
    AssistantTurn,
    Citation,
    FinishReason,
    NeutralCall,
    ReasoningPart,
    RefusalPart,
    Status,
    TextPart,
    ToolCallPart,
    Usage,
)

CALL = NeutralCall(model="gpt-x", messages=({"role": "user", "content": "hi"},))
HEAD = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1763712000,
    "model": "gpt-x-1",
    "service_tier": "default",
    "system_fingerprint": "fp_9901f72e78",
}
SOURCE = Citation(url="https://example.com/a", title="A", start=0, end=2)
CITED = {
    "type": "url_citation",
    "url_citation": {
        "end_index": 2,
        "start_index": 0,
        "title": "A",
        "url": "https://example.com/a",
    },
}
TURN = AssistantTurn(
    response_id="chatcmpl-1",
    model="gpt-x-1",
    status=Status.COMPLETED,
    finish_reason=FinishReason.TOOL_CALLS,
    usage=Usage(
        input_tokens=5,
        output_tokens=7,
        total_tokens=12,
        cache_read_input_tokens=1,
        cache_creation_input_tokens=2,
        reasoning_tokens=3,
    ),
    parts=(
        ReasoningPart(text="Hmm", channel="text"),
        TextPart(text="Ålborg", citations=(SOURCE,)),
        ToolCallPart(id="call_1", name="f", arguments={"a": 1}, arguments_raw='{"a": 1}'),
        ToolCallPart(id="call_2", name="g", arguments={}, arguments_raw="{}"),
    ),
)
USAGE = {
    "prompt_tokens": 5,
    "prompt_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 2},
    "completion_tokens": 7,
    "completion_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 12,
}


def write(turn: AssistantTurn = TURN, call: NeutralCall = CALL, size: int = 4) -> Response:
    return written_answer(find_dialect("openai-chat"), turn, call, Pace(size=size))


def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    return {**HEAD, "choices": [choice], "usage": None}


def opened(index: int, call_id: str, name: str) -> dict[str, Any]:
    function = {"name": name, "arguments": ""}
    call = {"index": index, "id": call_id, "type": "function", "function": function}
    return chunk({"tool_calls": [call]})


def argued(index: int, piece: str) -> dict[str, Any]:
    return chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})


def chunks(response: Response) -> list[Any]:
    *events, done, end = response.body.decode().split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events]


def test_the_chunks_of_a_stream() -> None:
    assert chunks(write()) == [
        chunk({"role": "assistant", "content": "", "refusal": None}),
        chunk({"reasoning_content": "Hmm"}),
        chunk({"content": "Ålbo"}),
        chunk({"content": "rg"}),
        chunk({"annotations": [CITED]}),
        opened(0, "call_1", "f"),
        argued(0, '{"a"'),
        argued(0, ": 1}"),
        opened(1, "call_2", "g"),
        argued(1, "{}"),
        chunk({}, "tool_calls"),
        {**HEAD, "choices": [], "usage": USAGE},
    ]


def test_each_event_is_a_chunk_and_characters_are_sent_as_they_are() -> None:
    response = write()
    assert response.header("content-type") == "text/event-stream; charset=utf-8"
    assert response.header("openai-version") == "2020-10-01"
    assert (response.header("x-request-id") or "").startswith("req_")
    assert response.wire.chunks is not None
    assert len(response.wire.chunks) == response.body.count(b"\n\n")
    assert response.wire.origin is Origin.AUTHORED
    assert "Ålbo".encode() in response.body


def test_a_refusal_and_no_text() -> None:
    turn = replace(
        TURN, finish_reason=FinishReason.STOP, parts=(RefusalPart(refusal="No."),), usage=None
    )
    assert chunks(write(turn)) == [
        chunk({"role": "assistant", "content": None, "refusal": None}),
        chunk({"refusal": "No."}),
        chunk({}, "stop"),
    ]


def test_a_whole_answer() -> None:
    response = write(call=replace(CALL, stream=False))
    assert response.header("content-type") == "application/json"
    assert json.loads(response.body) == {
        **HEAD,
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Ålborg",
                    "refusal": None,
                    "annotations": [CITED],
                    "reasoning_content": "Hmm",
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "f", "arguments": '{"a": 1}'},
                        },
                        {
                            "id": "call_2",
                            "type": "function",
                            "function": {"name": "g", "arguments": "{}"},
                        },
                    ],
                },
                "logprobs": None,
                "finish_reason": "tool_calls",
            }
        ],
        "usage": USAGE,
    }


def test_a_whole_refusal_has_no_text_and_no_calls() -> None:
    turn = replace(
        TURN, finish_reason=FinishReason.STOP, parts=(RefusalPart(refusal="No."),), usage=None
    )
    body = json.loads(write(turn, replace(CALL, stream=False)).body)
    assert body["choices"][0]["message"] == {
        "role": "assistant",
        "content": None,
        "refusal": "No.",
        "annotations": [],
    }
    assert "usage" not in body


def test_what_a_turn_leaves_open_is_made_from_it() -> None:
    turn = replace(TURN, response_id=None, model=None)
    first, again = (chunks(write(turn))[0] for _ in range(2))
    assert first == again
    assert (first["id"][:9], len(first["id"])) == ("chatcmpl-", 38)
    assert first["model"] == "gpt-x"
    other = replace(turn, parts=(TextPart(text="Other"),), finish_reason=FinishReason.STOP)
    assert chunks(write(other))[0]["id"] != first["id"]


FUNCTIONS = replace(CALL, options={"functions": [{"name": "f", "parameters": {}}]})


def test_a_function_that_is_offered_in_the_older_way_is_called_so() -> None:
    deltas = [event["choices"][0] for event in chunks(write(call=FUNCTIONS)) if event["choices"]]
    called = [c["delta"]["function_call"] for c in deltas if "function_call" in c["delta"]]
    assert called[0] == {"name": "f", "arguments": ""}
    assert deltas[-1]["finish_reason"] == "function_call"
    whole = json.loads(write(call=replace(FUNCTIONS, stream=False)).body)["choices"][0]
    assert whole["message"]["function_call"] == {"name": "f", "arguments": '{"a": 1}'}
    assert "tool_calls" not in whole["message"]
    assert whole["finish_reason"] == "function_call"


def test_several_choices_say_the_same_and_are_counted() -> None:
    several = replace(CALL, options={"n": 3})
    whole = json.loads(write(call=replace(several, stream=False)).body)
    one, *others = [{**choice, "index": 0} for choice in whole["choices"]]
    assert [choice["index"] for choice in whole["choices"]] == [0, 1, 2]
    assert others == [one, one]
    assert (whole["usage"]["completion_tokens"], whole["usage"]["total_tokens"]) == (21, 26)
    ends = [
        choice["index"]
        for event in chunks(write(call=several))
        for choice in event["choices"]
        if choice["finish_reason"]
    ]
    assert ends == [0, 1, 2]


@pytest.mark.parametrize("n", [0, -1, 129, "2", None, {}])
def test_a_number_of_choices_that_is_none_is_one(n: object) -> None:
    whole = json.loads(write(call=replace(CALL, stream=False, options={"n": n})).body)
    assert len(whole["choices"]) == 1
