"""Recorded Converse requests become calls in the words of Chat Completions."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.cassettes.cassette import Request
from mockserver.dialects import UnreadableRequestError
from mockserver.dialects.bedrock.call import read_call
from mockserver.dialects.registry import of_request

HI = {"role": "user", "content": [{"text": "Hi"}]}


def request(body: Any, path: str = "/model/m/converse-stream") -> Request:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(method="POST", uri=f"https://bedrock-runtime.aws{path}", body=text)


def options(**body: Any) -> dict[str, Any]:
    return dict(read_call(request({"messages": [HI], **body})).options)


def test_model_and_operation_stand_in_the_path() -> None:
    call = read_call(request({"messages": [HI]}, "/s/1/model/arn%3Aaws%3Ax%2Fy-v1%3A0/converse"))
    assert (call.model, call.stream) == ("arn:aws:x/y-v1:0", False)
    assert read_call(request({"messages": [HI]})).stream
    assert call.messages == ({"role": "user", "content": "Hi"},)
    assert (call.tools, call.options) == ((), {})


@pytest.mark.parametrize("operation", ["invoke", "invoke-with-response-stream"])
def test_invoke_is_known_and_not_read(operation: str) -> None:
    asked = request({"inputText": "Hi"}, f"/model/m/{operation}")
    found = of_request(asked)
    assert found is not None
    assert found.name == "bedrock"
    with pytest.raises(
        UnreadableRequestError, match=f"{operation} carries .* use the Converse API"
    ):
        read_call(asked)


def test_system_blocks_are_the_first_message() -> None:
    body = {"system": [{"text": "Be brief."}], "messages": [HI]}
    assert read_call(request(body)).messages[0] == {"role": "system", "content": "Be brief."}
    body["system"] = [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}]
    assert read_call(request(body)).messages[0]["content"] == [
        {"type": "text", "text": "Be brief."},
        {"type": "cachePoint", "cachePoint": {"type": "default"}},
    ]


def test_options_have_the_names_of_chat_completions() -> None:
    inference = {"maxTokens": 5, "temperature": 0.5, "topP": 0.9, "stopSequences": ["x"]}
    assert options(inferenceConfig={**inference, "new": 1}) == {
        "max_completion_tokens": 5,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["x"],
        "inferenceConfig": {"new": 1},
    }
    assert options(inferenceConfig={"maxTokens": None}) == {}
    assert options(inferenceConfig=3) == {"inferenceConfig": 3}
    assert options(serviceTier={"type": "flex"}, guardrailConfig=None) == {
        "serviceTier": {"type": "flex"}
    }


def test_a_schema_is_no_text_any_more() -> None:
    schema = {"type": "object"}
    form = {"schema": json.dumps(schema), "name": "n", "description": "d"}
    text = {"type": "json_schema", "structure": {"jsonSchema": form}}
    assert options(outputConfig={"textFormat": text, "effort": "low"}) == {
        "reasoning_effort": "low",
        "response_format": {
            "type": "json_schema",
            "json_schema": {"schema": schema, "name": "n", "description": "d"},
        },
    }
    other = {"textFormat": {"type": "xml"}}
    assert options(outputConfig=other) == {"outputConfig": other}
    form["schema"] = "{"
    with pytest.raises(UnreadableRequestError, match="schema of textFormat is not JSON"):
        options(outputConfig={"textFormat": text})


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ({"auto": {}}, {}),
        ({"any": {}}, {"tool_choice": "required"}),
        (
            {"tool": {"name": "f"}},
            {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        ),
        (None, {}),
    ],
)
def test_the_choice_of_a_tool(choice: Any, wanted: dict[str, Any]) -> None:
    assert options(toolConfig={"tools": [], "toolChoice": choice}) == wanted


def test_tools_are_nested_and_those_of_bedrock_keep_their_name() -> None:
    spec = {"name": "f", "description": "d", "inputSchema": {"json": {"type": "object"}}}
    tools = [
        {"toolSpec": {**spec, "strict": True}},
        {"toolSpec": {"name": "g"}},
        {"systemTool": {"name": "nova_grounding"}},
        {"cachePoint": {"type": "default"}},
    ]
    call = read_call(request({"messages": [HI], "toolConfig": {"tools": tools}}))
    function = {"name": "f", "description": "d", "strict": True, "parameters": {"type": "object"}}
    assert call.tools == (
        {"type": "function", "function": function},
        {"type": "function", "function": {"name": "g"}},
        {"type": "systemTool", "systemTool": {"name": "nova_grounding"}},
        {"type": "cachePoint", "cachePoint": {"type": "default"}},
    )


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        ([], "not a JSON object"),
        ({}, "no messages"),
        ({"messages": [HI], "toolConfig": []}, "toolConfig"),
        ({"messages": [HI], "toolConfig": {"tools": {}}}, "tools"),
        ({"messages": [HI], "toolConfig": {"tools": [{"a": 1, "b": 2}]}}, "a tool"),
        ({"messages": [HI], "system": "Hi"}, "system"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "no object"),
        ({"messages": [{"role": "user", "content": "Hi"}]}, "content"),
        ({"messages": [{"role": "user", "content": [{}]}]}, "a content block"),
    ],
)
def test_what_cannot_be_read_is_named(body: Any, why: str) -> None:
    with pytest.raises(UnreadableRequestError, match=why):
        read_call(request(body))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "messages",
                    "role",
                    "content",
                    "text",
                    "toolUse",
                    "toolResult",
                    "toolConfig",
                    "tools",
                    "system",
                    "toolSpec",
                    "reasoningContent",
                    "toolUseId",
                    "input",
                    "outputConfig",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=20,
)


@given(json_values)
def test_any_body_is_read_or_refused(body: Any) -> None:
    with contextlib.suppress(UnreadableRequestError):
        read_call(request({"messages": [HI], **body} if isinstance(body, dict) else body))
