from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from harness import Call
from harness.wrapping import NativeAnswer, chat_request, native_turn
from mockserver.vocabulary import ErrorClass, Event, FinishReason, Status, to_json

TOOL = {"type": "function", "function": {"name": "look"}}
CALL = Call(
    base_url="http://127.0.0.1/v1",
    api_key="k",
    model="m",
    messages=(),
    tools=(TOOL,),
    dialect="openai-chat",
)


def chunk(delta: Any = None, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return {"id": "c1", "model": "gpt-x", "choices": [choice], **fields}


def call_delta(arguments: str = "", **fields: Any) -> dict[str, Any]:
    name = fields.pop("name", None)
    return {"tool_calls": [{**fields, "function": {"name": name, "arguments": arguments}}]}


def events_of(*chunks: object, call: Call = CALL) -> list[dict[str, Any]]:
    answer = NativeAnswer(call)
    events: list[Event] = [e for one in chunks for e in answer.feed(one)]
    found: list[dict[str, Any]] = [to_json(e) for e in [*events, *answer.end()]]
    return found


def test_a_text_answer() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "prompt_tokens_details": None}
    assert events_of(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Hi"}),
        chunk({}, "stop"),
        {"id": "c1", "choices": [], "usage": usage},
    ) == [
        {"type": "message_start", "response_id": "c1", "model": "gpt-x"},
        {"type": "content_delta", "delta": "Hi"},
        {"type": "usage", "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}},
        {"type": "message_stop", "finish_reason": "stop", "raw_finish_reason": "stop"},
    ]


def test_objects_of_the_sdk_are_read_as_dicts_are() -> None:
    chunks = [chunk({"content": "Hi", "refusal": "No"}), chunk({}, "stop", usage=None)]
    assert events_of(*(ChatCompletionChunk.construct(**c) for c in chunks)) == events_of(*chunks)


def test_calls_are_handed_on_at_once_and_closed_at_the_end() -> None:
    answer = NativeAnswer(CALL)
    assert [e.type for e in answer.feed(chunk(call_delta(index=0, id="a", name="look")))] == [
        "message_start",
        "tool_call_start",
    ]
    assert [e.type for e in answer.feed(chunk(call_delta('{"at":', index=0)))] == [
        "tool_call_delta"
    ]
    list(answer.feed(chunk(call_delta("1}", index=0))))
    list(answer.feed(chunk(call_delta("", index=1, id="b", name="look"), "stop")))
    first, second, stop = (to_json(e) for e in answer.end())
    assert first["arguments"] == {"at": 1}
    assert (second["tool_call_index"], second["arguments"]) == (1, {})
    assert stop["finish_reason"] == "tool_calls"
    assert stop["raw_finish_reason"] == "stop"


def test_arguments_that_are_no_object_are_an_error_that_keeps_the_text() -> None:
    *_, last = events_of(chunk(call_delta("[1]", index=0, id="a", name="look"), "tool_calls"))
    assert last["error"]["class"] == "invalid_tool_arguments"
    assert "[1]" in last["error"]["message"]


def test_half_a_call_is_not_closed_when_the_model_was_stopped() -> None:
    events = events_of(chunk(call_delta('{"a', index=0, id="a", name="look"), "length"))
    assert [e["type"] for e in events[-2:]] == ["tool_call_delta", "message_stop"]


def test_an_id_that_is_missing_is_made_and_not_one_of_an_earlier_turn() -> None:
    before = {"role": "assistant", "tool_calls": [{"id": "call_0"}]}
    call = replace(CALL, messages=(before,))
    events = events_of(chunk(call_delta("{}", index=0, name="look"), "tool_calls"), call=call)
    assert events[1]["tool_call_id"] == "call_1"
    assert events[1]["id_synthesized"] is True


def test_the_older_form_of_a_call() -> None:
    delta = {"function_call": {"name": "look", "arguments": "{}"}}
    assert events_of(chunk(delta, "function_call"))[-1]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([], ErrorClass.EMPTY_RESPONSE),
        ([chunk({"content": "Hi"})], ErrorClass.TRUNCATED_STREAM),
        ([chunk({"content": "Hi"}, "error")], ErrorClass.STREAM_ERROR),
        (["no object"], ErrorClass.PROTOCOL),
        ([chunk({"content": "Hi"}), [1], chunk({}, "stop")], ErrorClass.PROTOCOL),
    ],
)
def test_an_answer_that_is_not_whole_is_an_error(
    chunks: list[object], expected: ErrorClass
) -> None:
    assert events_of(*chunks)[-1]["error"]["class"] == expected


def test_nothing_is_handed_on_after_an_error() -> None:
    events = events_of(chunk({"content": "Hi"}), "no object", chunk({"content": "!"}, "stop"))
    assert [e["type"] for e in events] == ["message_start", "content_delta", "error"]


def test_an_error_beside_the_choice_is_the_providers() -> None:
    failed = chunk({}, "error")
    failed["choices"][0]["error"] = {"code": 429, "message": "Rate limited upstream"}
    error = events_of(failed)[-1]["error"]
    assert error["class"] == "rate_limit"
    assert error["message"] == "Rate limited upstream"


def test_fields_of_other_providers_are_handed_on() -> None:
    delta = {"content": ["Hi", {"text": "!"}], "reasoning_content": "Hm"}
    kinds = [(e["type"], e.get("delta")) for e in events_of(chunk(delta, "stop"))[1:-1]]
    assert kinds == [("reasoning_delta", "Hm"), ("content_delta", "Hi"), ("content_delta", "!")]


def test_the_last_counts_are_kept_and_not_added_up() -> None:
    counts = [{"prompt_tokens": 3}, {"prompt_tokens": 3, "completion_tokens": 4}]
    events = events_of(*(chunk({"content": "a"}, usage=c) for c in counts), chunk({}, "stop"))
    assert events[-2]["usage"] == {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}


def test_other_choices_and_odd_values_are_left_out() -> None:
    other = {"choices": [{"index": 1, "delta": {"content": "no"}}]}
    odd = {"choices": [None, {"index": 0, "delta": None}, {"delta": {"tool_calls": [None]}}]}
    events = events_of(None, {"choices": None}, other, odd, chunk({}, "stop"))
    kinds = [e["type"] for e in events if e["type"] != "warning"]
    assert kinds == ["message_start", "message_stop"]


def test_a_pair_of_surrogates_in_two_pieces_is_one_character() -> None:
    events = events_of(chunk({"content": "a\ud83c"}), chunk({"content": "\udf89"}, "stop"))
    assert [e["delta"] for e in events if e["type"] == "content_delta"] == ["a", "🎉"]
    assert events_of(chunk({"refusal": "\ud83c"}, "stop"))[1]["delta"] == "\ufffd"


def whole(message: Any, finish: str = "stop") -> ChatCompletion:
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return ChatCompletion.construct(id="c1", model="gpt-x", choices=[choice])


def test_a_whole_answer_is_a_turn() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}}
    message = {"content": "Hi", "tool_calls": [call, {**call, "id": "b"}]}
    turn = native_turn(CALL, whole(message, "tool_calls"))
    assert (turn.response_id, turn.model, turn.content) == ("c1", "gpt-x", "Hi")
    assert turn.finish_reason is FinishReason.TOOL_CALLS
    assert [(c.id, c.arguments) for c in turn.tool_calls] == [("a", {"a": 1}), ("b", {"a": 1})]


def test_a_whole_answer_in_the_older_form() -> None:
    message = {"content": None, "function_call": {"name": "look", "arguments": "{}"}}
    assert len(native_turn(CALL, whole(message)).tool_calls) == 1


@pytest.mark.parametrize("completion", [None, "text", {"choices": None}, {"error": "no"}])
def test_a_whole_answer_without_choices_failed(completion: object) -> None:
    assert native_turn(CALL, completion).status is Status.FAILED


def test_a_choice_without_a_message_has_its_reason() -> None:
    assert native_turn(CALL, whole(None)).status is Status.COMPLETED


def test_the_request_has_what_providers_know() -> None:
    parts = [{"type": "tool_call", "id": "a", "thought_signature": "sig"}]
    calls = [{"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}}]
    answer = {"role": "assistant", "content": None, "tool_calls": calls, "parts": parts}
    call = Call(base_url="", api_key="", model="m", messages=(answer,), options={"seed": 1})
    request = chat_request(call)
    (sent,) = request.pop("messages")
    assert request == {"model": "m", "extra_body": {"seed": 1}}
    assert "parts" not in sent
    signature = {"google": {"thought_signature": "sig"}}
    assert sent["tool_calls"][0]["extra_content"] == signature
    assert chat_request(CALL) == {"model": "m", "messages": [], "tools": [TOOL]}
