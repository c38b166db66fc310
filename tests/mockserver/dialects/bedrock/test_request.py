"""Calls become Converse requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.dialects import UnwritableError
from mockserver.dialects.bedrock.request import tool_use_id, write_request
from mockserver.dialects.bedrock.sdk import program
from mockserver.vocabulary import NeutralCall

HI = {"role": "user", "content": "Hi"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
SPEC = {"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}


def body(*messages: Any, tools: Any = (), **options: Any) -> dict[str, Any]:
    call = NeutralCall(model="m", messages=messages or (HI,), tools=tools, options=options)
    found: dict[str, Any] = json.loads(write_request(call).body)
    return found


def written(*messages: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body(*messages)["messages"]
    return found


def test_the_path_and_the_headers() -> None:
    streamed = write_request(NeutralCall(model="arn:aws:a/b", messages=(HI,)))
    assert streamed.url.path == "/model/arn%3Aaws%3Aa%2Fb/converse-stream"
    assert streamed.url.hostname == "bedrock-runtime.us-east-1.amazonaws.com"
    assert dict(streamed.headers) == {
        "content-type": "application/json",
        "accept": "application/vnd.amazon.eventstream",
    }
    whole = write_request(NeutralCall(model="m", messages=(HI,), stream=False))
    assert whole.url.path == "/model/m/converse"
    assert dict(whole.headers)["accept"] == "application/json"
    assert json.loads(whole.body) == {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}


def test_system_messages_are_taken_out() -> None:
    late = {"role": "developer", "content": [{"type": "text", "text": "B"}]}
    found = body({"role": "system", "content": "A"}, HI, late)
    assert found["system"] == [{"text": "A"}, {"text": "B"}]
    assert found["messages"] == [{"role": "user", "content": [{"text": "Hi"}]}]


def test_messages_of_one_role_are_one() -> None:
    call = {"id": "t1", "function": {"name": "f", "arguments": ""}}
    asked = {"role": "assistant", "content": None, "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": "t1", "content": "1", "status": "error"}
    assert written(HI, HI, asked, result, {**result, "content": []}, HI) == [
        {"role": "user", "content": [{"text": "Hi"}, {"text": "Hi"}]},
        {
            "role": "assistant",
            "content": [{"toolUse": {"toolUseId": "t1", "name": "f", "input": {}}}],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "t1", "content": [{"text": "1"}], "status": "error"}},
                {"toolResult": {"toolUseId": "t1", "content": [], "status": "error"}},
                {"text": "Hi"},
            ],
        },
    ]


def test_content_of_every_kind() -> None:
    content = [
        {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,aWc="}},
        {"type": "image_url", "image_url": "data:image/png;base64,aWc="},
        {"type": "file", "file": {"file_data": "aWc=", "filename": "a_b.c.PDF"}},
        {
            "type": "file",
            "file": {"file_data": "data:application/pdf;base64,aWc=", "filename": "x.pdf"},
        },
        {"type": "input_audio", "input_audio": {"data": "aWc=", "format": "wav"}},
        {"type": "cachePoint", "cachePoint": {"type": "default"}},
    ]
    (message,) = written({"role": "user", "content": content})
    source = {"source": {"bytes": "aWc="}}
    assert message["content"] == [
        {"image": {"format": "jpeg", **source}},
        {"image": {"format": "png", **source}},
        {"document": {"format": "pdf", "name": "a b c", **source}},
        {"document": {"format": "pdf", "name": "x", **source}},
        {"audio": {"format": "wav", **source}},
        {"cachePoint": {"type": "default"}},
    ]


def test_an_earlier_turn_goes_back_part_by_part() -> None:
    hosted = {"toolUse": {"toolUseId": "s", "name": "x", "input": {}, "type": "server_tool_use"}}
    others = ["odd", {"a": 1, "b": 2}, {"executableCode": {"code": "1"}}]
    parts = [
        {"type": "reasoning", "text": "So", "channel": "text", "signature": "c2ln"},
        {"type": "reasoning", "text": "", "channel": "text", "redacted_data": "b3Bx"},
        {"type": "reasoning", "text": "unsigned", "channel": "text"},
        {"type": "text", "text": " \n"},
        {"type": "text", "text": "Hi"},
        {"type": "refusal", "refusal": "No."},
        {"type": "hosted_tool", "kind": "x", "native": [hosted, *others]},
        {"type": "hosted_tool", "kind": "y"},
        {"type": "tool_call", "id": "t", "name": "f", "arguments": None, "arguments_raw": "{"},
        {"type": "tool_call", "id": "t", "name": "f", "arguments": {}, "arguments_raw": "{}"},
        {"type": "image", "url": "data:image/png;base64,aWc="},
        {"type": "image", "url": "https://example.com/a.png"},
        {"type": "send_back", "fields": {"a": 1}},
    ]
    _, message = written(HI, {"role": "assistant", "content": "ignored", "parts": parts})
    assert message["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "So", "signature": "c2ln"}}},
        {"reasoningContent": {"redactedContent": "b3Bx"}},
        {"text": "Hi"},
        {"text": "No."},
        hosted,
        {"toolUse": {"toolUseId": "t", "name": "f", "input": {}}},
        {"image": {"format": "png", "source": {"bytes": "aWc="}}},
    ]


def test_an_earlier_turn_without_parts() -> None:
    assert written({"role": "assistant", "content": "Hi"})[0]["content"] == [{"text": "Hi"}]
    refused = {"role": "assistant", "content": None, "refusal": "No."}
    assert written(refused)[0]["content"] == [{"text": "No."}]
    assert written(HI, {"role": "assistant", "content": " "}) == [
        {"role": "user", "content": [{"text": "Hi"}]}
    ]


def test_ids_that_bedrock_refuses_are_made_fit_and_stay_apart() -> None:
    assert tool_use_id("functions.get_x:0") == "functions.get_x:0"
    assert tool_use_id("a" * 64) == "a" * 64
    long, other = tool_use_id("a" * 65), tool_use_id("a" * 66)
    assert long != other
    assert len(long) == len(other) == 64
    odd = tool_use_id("call|ü")
    assert odd.startswith("call___")
    assert tool_use_id("") != ""
    call = {"id": "call|ü", "function": {"name": "f", "arguments": "{}"}}
    _, asked, result = written(
        HI,
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call|ü", "content": "1"},
    )
    assert asked["content"][0]["toolUse"]["toolUseId"] == odd
    assert result["content"][0]["toolResult"]["toolUseId"] == odd


def test_options_find_their_places() -> None:
    found = body(
        max_completion_tokens=5,
        temperature=0.5,
        top_p=0.9,
        stop="x",
        reasoning_effort="low",
        serviceTier={"type": "flex"},
        metadata=None,
        inferenceConfig={"new": 1, "topP": 0.1},
    )
    assert found["inferenceConfig"] == {
        "maxTokens": 5,
        "temperature": 0.5,
        "topP": 0.9,
        "stopSequences": ["x"],
        "new": 1,
    }
    assert found["outputConfig"] == {"effort": "low"}
    assert found["serviceTier"] == {"type": "flex"}
    assert "metadata" not in found
    assert body(max_tokens=7)["inferenceConfig"] == {"maxTokens": 7}
    assert body(stop=["a", "b"])["inferenceConfig"] == {"stopSequences": ["a", "b"]}


def test_a_schema_is_sent_as_text() -> None:
    form = {"name": "n", "description": "d", "strict": True, "schema": {"type": "object"}}
    found = body(response_format={"type": "json_schema", "json_schema": form})
    definition = {"schema": '{"type":"object"}', "name": "n", "description": "d"}
    assert found["outputConfig"] == {
        "textFormat": {"type": "json_schema", "structure": {"jsonSchema": definition}}
    }
    assert "outputConfig" not in body(response_format={"type": "text"})


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ("auto", {"tools": [SPEC]}),
        ("required", {"tools": [SPEC], "toolChoice": {"any": {}}}),
        (
            {"type": "function", "function": {"name": "f"}},
            {"tools": [SPEC], "toolChoice": {"tool": {"name": "f"}}},
        ),
        ("none", None),
    ],
)
def test_tools_and_their_choice(choice: Any, wanted: Any) -> None:
    assert body(tools=(TOOL,), tool_choice=choice).get("toolConfig") == wanted


def test_tools_stay_where_the_history_has_some() -> None:
    result = {"role": "tool", "tool_call_id": "t", "content": "1"}
    found = body(HI, result, tools=(TOOL,), tool_choice="none")
    assert found["toolConfig"] == {"tools": [SPEC]}
    assert "toolConfig" not in body(tool_choice="required")


def test_tools_of_every_kind() -> None:
    tools = (
        {"type": "function", "function": {"name": "g", "description": "", "strict": True}},
        {"type": "systemTool", "systemTool": {"name": "x"}},
        {"function": {"name": "h", "description": "d"}},
    )
    empty = {"json": {"type": "object", "properties": {}}}
    assert body(tools=tools)["toolConfig"]["tools"] == [
        {"toolSpec": {"name": "g", "strict": True, "inputSchema": empty}},
        {"systemTool": {"name": "x"}},
        {"toolSpec": {"name": "h", "description": "d", "inputSchema": empty}},
    ]


def user(part: Any) -> dict[str, Any]:
    return {"role": "user", "content": [part]}


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"role": "critic", "content": "Hi"}, "unknown message role 'critic'"),
        (user({"type": "image_url", "image_url": {"url": "https://x/a.png"}}), "data URLs"),
        (user({"type": "image_url", "image_url": {"url": "data:image/bmp;base64,aa"}}), "bmp"),
        (user({"type": "file", "file": {"file_data": "aa"}}), "a name with its format"),
        (user({"type": "file", "file": {"file_data": "aa", "filename": ".pdf"}}), "'.pdf'"),
        (user({"type": "what"}), "type 'what'"),
        (user("Hi"), "with a type, not 'Hi'"),
        (
            {
                "role": "assistant",
                "tool_calls": [{"id": "t", "function": {"name": "f", "arguments": "["}}],
            },
            "arguments of call 't'",
        ),
    ],
)
def test_messages_that_cannot_be_sent_are_named(message: Any, why: str) -> None:
    with pytest.raises(UnwritableError, match=why):
        body(message)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"response_format": {"type": "json_object"}}, "json_schema only"),
        ({"tools": ({"type": "web"},)}, "type 'web'"),
        ({"tools": ({"type": "function"},)}, "has no function"),
    ],
)
def test_options_that_cannot_be_sent_are_named(given: Any, why: str) -> None:
    with pytest.raises(UnwritableError, match=why):
        body(**given)


def test_a_program_with_the_sdk() -> None:
    found = program("http://x", body(temperature=0.5), 2, "/model/a%3Ab/converse-stream")
    assert found is not None
    assert 'endpoint_url="http://x"' in found
    assert '"total_max_attempts": 3' in found
    assert "client.converse_stream(modelId='a:b', messages=[{" in found
    assert "inferenceConfig={'temperature': 0.5}" in found
    compile(found, "program", "exec")
    whole = program("http://x", {}, 0, "/model/a/converse")
    assert whole is not None
    assert "client.converse(modelId='a', messages=[{'role': 'user'" in whole
    assert whole.endswith("print(answer)")
    assert program("http://x", {}, 0, "/model/a/invoke") is None


def test_a_program_has_no_long_or_binary_arguments() -> None:
    image = {"image": {"format": "png", "source": {"bytes": "aWc="}}}
    found = program(
        "http://x",
        {
            "messages": [{"role": "user", "content": [image]}],
            "additionalModelRequestFields": {"a": "b" * 300},
        },
        0,
        "/model/a/converse",
    )
    assert found is not None
    assert "bytes" not in found
    assert "bbb" not in found
