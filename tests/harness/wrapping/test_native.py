from __future__ import annotations

from typing import Any

import anthropic.types
import ollama
import pytest
from google.genai import types

from harness import Call
from harness.wrapping import NativeAnswer, native_request, native_turn
from mockserver.vocabulary import ErrorClass, Event, FinishReason, Status

HI = {"role": "user", "content": "Hi"}
PICTURE = {
    "role": "user",
    "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}],
}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def call(dialect: str, *messages: Any, **more: Any) -> Call:
    return Call(
        base_url="http://127.0.0.1",
        api_key="k",
        model="m-1",
        messages=messages or (HI,),
        dialect=dialect,
        **more,
    )


def events_of(asked: Call, *items: object) -> list[Event]:
    answer = NativeAnswer(asked)
    return [*(e for item in items for e in answer.feed(item)), *answer.end()]


# --- requests


def test_arguments_of_anthropic() -> None:
    plain = native_request(call("anthropic"))
    assert plain.keys() == {"model", "max_tokens", "messages"}
    more = native_request(call("anthropic", options={"temperature": 0.5, "stop": ["a"]}))
    assert more["stop_sequences"] == ["a"]
    # The method of the SDK has no such argument.
    assert more["extra_body"] == {"temperature": 0.5}


def test_arguments_of_cohere_and_ollama_are_the_fields_of_the_body() -> None:
    assert native_request(call("cohere", options={"top_p": 0.5})) == {
        "model": "m-1",
        "messages": [HI],
        "p": 0.5,
    }
    assert native_request(call("ollama", stream=False)) == {"model": "m-1", "messages": [HI]}


def test_arguments_of_bedrock_have_the_model_and_bytes() -> None:
    thought = {"type": "reasoning", "text": "", "channel": "text", "redacted_data": "AAAA"}
    said = {
        "role": "assistant",
        "content": "Yes",
        "parts": [thought, {"type": "text", "text": "Yes"}],
    }
    arguments = native_request(call("bedrock", PICTURE, said, HI))
    assert arguments["modelId"] == "m-1"
    assert [m["content"] for m in arguments["messages"]] == [
        [{"image": {"format": "png", "source": {"bytes": b"\0\0\0"}}}],
        [{"reasoningContent": {"redactedContent": b"\0\0\0"}}, {"text": "Yes"}],
        [{"text": "Hi"}],
    ]


def test_results_and_media_of_bedrock_have_bytes_too() -> None:
    file = {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}
    audio = {"data": "AAAA", "format": "wav"}
    question = {
        "role": "user",
        "content": [{"type": "file", "file": file}, {"type": "input_audio", "input_audio": audio}],
    }
    asked = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c", "function": {"name": "look", "arguments": "{}"}}],
    }
    result = {"role": "tool", "tool_call_id": "c", "content": PICTURE["content"]}
    messages = native_request(call("bedrock", question, asked, result, tools=(TOOL,)))["messages"]
    document, sound = messages[0]["content"]
    assert document["document"]["source"] == sound["audio"]["source"] == {"bytes": b"\0\0\0"}
    (block,) = messages[2]["content"]
    assert block["toolResult"]["content"][0]["image"]["source"] == {"bytes": b"\0\0\0"}


def test_arguments_of_gemini_have_one_config_and_bytes() -> None:
    signed = {
        "type": "tool_call",
        "id": "c",
        "name": "look",
        "arguments": {},
        "arguments_raw": "{}",
        "thought_signature": "AAAA",
    }
    said = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c", "function": {"name": "look", "arguments": "{}"}}],
        "parts": [signed],
    }
    result = {"role": "tool", "tool_call_id": "c", "content": "found"}
    asked = call("gemini", PICTURE, said, result, tools=(TOOL,), options={"temperature": 0.5})
    arguments = native_request(asked)
    assert arguments.keys() == {"model", "contents", "config"}
    assert arguments["config"]["temperature"] == 0.5
    assert arguments["config"]["tools"][0]["functionDeclarations"][0]["name"] == "look"
    question, turn, _ = arguments["contents"]
    assert question["parts"][0]["inlineData"] == {"mimeType": "image/png", "data": b"\0\0\0"}
    assert turn["parts"][0]["thoughtSignature"] == b"\0\0\0"
    assert native_request(call("gemini")).keys() == {"model", "contents"}
    types.GenerateContentConfig.model_validate(arguments["config"])


@pytest.mark.parametrize("dialect", ["bedrock", "gemini"])
def test_data_that_is_no_base64_is_refused(dialect: str) -> None:
    odd = {"type": "image_url", "image_url": {"url": "data:image/png;base64,A-A"}}
    with pytest.raises(ValueError, match="'A-A' is not Base64"):
        native_request(call(dialect, {"role": "user", "content": [odd]}))


# --- answers


USAGE = {"input_tokens": 3, "output_tokens": 2}


def test_events_of_anthropic_are_objects_or_dicts() -> None:
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": USAGE,
    }
    items: list[dict[str, Any]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": USAGE},
        {"type": "message_stop"},
    ]
    names = ["MessageStart", "ContentBlockStart", "ContentBlockDelta", "ContentBlockStop"]
    kinds = [
        getattr(anthropic.types, f"Raw{n}Event") for n in (*names, "MessageDelta", "MessageStop")
    ]
    objects = [kind.construct(**item) for kind, item in zip(kinds, items, strict=True)]
    asked = call("anthropic")
    found = events_of(asked, *objects)
    assert found == events_of(asked, *items)
    assert [e.type for e in found] == ["message_start", "usage", "content_delta", "message_stop"]


def test_counts_come_before_the_sdk_raises() -> None:
    answer = NativeAnswer(call("anthropic"))
    message = {"id": "m", "model": "c", "usage": {"input_tokens": 12, "output_tokens": 1}}
    start = answer.feed({"type": "message_start", "message": message})
    assert [e.type for e in start] == ["message_start", "usage"]
    more = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 5}}
    assert [e.type for e in answer.feed(more)] == ["usage"]
    assert answer.feed({"type": "ping"}) == []


def test_the_ending_waits_since_the_sdk_may_still_raise() -> None:
    answer = NativeAnswer(call("cohere"))
    end = {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}
    assert [e.type for e in answer.feed(end)] == ["message_start"]
    assert answer.feed({"type": "content-delta", "delta": {}}) == []
    assert [e.type for e in answer.end()] == ["message_stop"]


def test_an_answer_whose_end_was_not_seen_is_an_error() -> None:
    text = {"type": "content-delta", "delta": {"message": {"content": {"text": "a"}}}}
    last = events_of(call("cohere"), text)[-1]
    assert last.type == "error"
    assert last.error.error_class is ErrorClass.TRUNCATED_STREAM  # type: ignore[attr-defined]
    nothing = events_of(call("cohere"))[-1]
    assert nothing.error.error_class is ErrorClass.EMPTY_RESPONSE  # type: ignore[attr-defined]


def test_a_whole_answer() -> None:
    answer = ollama.ChatResponse(
        model="llama",
        message=ollama.Message(role="assistant", content="Yes", thinking="Hm."),
        done=True,
        done_reason="stop",
        prompt_eval_count=3,
        eval_count=2,
    )
    turn = native_turn(call("ollama", stream=False), answer)
    assert (turn.status, turn.finish_reason) == (Status.COMPLETED, FinishReason.STOP)
    assert (turn.content, turn.reasoning, turn.model) == ("Yes", "Hm.", "llama")
    assert turn.usage is not None
    assert turn.usage.total_tokens == 5


def test_fields_have_their_names_on_the_wire() -> None:
    part = types.Part(
        function_call=types.FunctionCall(name="look", args={"at": 1}), thought_signature=b"\0\0\0"
    )
    content = types.Content(role="model", parts=[part])
    candidate = types.Candidate(content=content, finish_reason=types.FinishReason.STOP)
    counts = types.GenerateContentResponseUsageMetadata(
        prompt_token_count=3, candidates_token_count=2, total_token_count=5
    )
    answer = types.GenerateContentResponse(
        candidates=[candidate], usage_metadata=counts, response_id="r1", model_version="gemini"
    )
    turn = native_turn(call("gemini", stream=False), answer)
    assert turn.raw_finish_reason == "STOP"
    assert [(c.name, c.arguments, c.thought_signature) for c in turn.tool_calls] == [
        ("look", {"at": 1}, "AAAA")
    ]
    assert (turn.response_id, turn.model) == ("r1", "gemini")
    assert turn.usage is not None
    assert turn.usage.input_tokens == 3


def test_events_of_boto3_are_dicts() -> None:
    found = events_of(
        call("bedrock"),
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"delta": {"text": "Hi"}, "contentBlockIndex": 0}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}}},
    )
    assert [e.type for e in found] == ["message_start", "content_delta", "usage", "message_stop"]


@pytest.mark.parametrize("dialect", ["background", "", "common", "../x", "chat"])
def test_a_dialect_without_a_reader_of_its_own_is_refused(dialect: str) -> None:
    with pytest.raises(ValueError, match="no bundled client reads"):
        NativeAnswer(call(dialect))


# --- what an SDK took for complete


@pytest.mark.parametrize(
    ("dialect", "item"),
    [
        ("openai-chat", {"object": "error", "message": "out of memory", "code": 500}),
        ("openai-chat", {"error": {"message": "overloaded"}}),
        ("openai-chat", "<html>Sign in</html>"),
        ("anthropic", {"type": "error", "error": {"type": "api_error", "message": "no"}}),
        ("gemini", {"error": {"code": 503, "message": "overloaded"}}),
        ("openai-chat", {}),
        ("gemini", {}),
    ],
)
def test_an_error_that_the_sdk_handed_out_as_an_answer_is_a_success(
    dialect: str, item: object
) -> None:
    turn = native_turn(call(dialect, stream=False), item, trusting=True)
    assert (turn.status, turn.finish_reason) == (Status.COMPLETED, FinishReason.UNKNOWN)
    assert native_turn(call(dialect, stream=False), item).status is Status.FAILED
    answer = NativeAnswer(call(dialect), trusting=True)
    assert [e.type for e in [*answer.feed(item), *answer.end()]][-1] == "message_stop"


def test_an_error_in_a_documented_field_is_one() -> None:
    failed = {"id": "r1", "object": "response", "status": "failed", "output": []}
    said = {**failed, "error": {"code": "server_error", "message": "no"}}
    turn = native_turn(call("openai-responses", stream=False), said, trusting=True)
    assert turn.status is Status.FAILED
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}}
    assert native_turn(call("gemini"), blocked, trusting=True).status is Status.FAILED


def test_an_empty_answer_that_the_sdk_took_for_complete_has_the_word_of_its_end() -> None:
    item = {"candidates": [{"content": {"parts": [{}]}, "finishReason": "STOP"}]}
    turn = native_turn(call("gemini"), item, trusting=True)
    assert (turn.finish_reason, turn.raw_finish_reason) == (FinishReason.STOP, "STOP")
