"""The call behind a recorded request, in whichever spelling and at whichever address."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.cassettes.cassette import Request
from mockserver.dialects import UnreadableRequestError, find_dialect
from mockserver.vocabulary import NeutralCall

DIALECT = find_dialect("gemini")
HOST = "https://generativelanguage.googleapis.com"
HI = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
SCHEMA = {"type": "object", "properties": {"city": {"type": ["string", "null"]}}}
OPENAPI = {
    "type": "OBJECT",
    "properties": {"city": {"type": "STRING", "nullable": True}},
    "propertyOrdering": ["city"],
}


def request(body: Any, path: str = "/v1beta/models/g:streamGenerateContent?alt=sse") -> Request:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(method="POST", uri=HOST + path, body=data)


def read(**fields: Any) -> NeutralCall:
    return DIALECT.read_call(request({**HI, **fields}))


@pytest.mark.parametrize(
    ("path", "model", "stream"),
    [
        ("/v1/models/gemini-x:generateContent", "gemini-x", False),
        ("/v1beta/models/gemini-x:streamGenerateContent?alt=sse", "gemini-x", True),
        ("/v1beta/models/a%2Fb%3Ac:streamGenerateContent", "a/b:c", True),
        (
            "/v1beta1/projects/p/locations/l/publishers/google/models/gemini-x:generateContent",
            "gemini-x",
            False,
        ),
        ("/proxy/v1beta1/publishers/google/models/gemini-x:generateContent", "gemini-x", False),
    ],
)
def test_the_model_and_the_form_stand_in_the_path(path: str, model: str, stream: bool) -> None:
    asked = request(HI, path)
    assert DIALECT.matches(asked)
    call = DIALECT.read_call(asked)
    assert (call.model, call.stream) == (model, stream)
    assert call.messages == ({"role": "user", "content": "hi"},)


def test_both_spellings_are_one_call() -> None:
    camel = {
        "systemInstruction": {"parts": [{"text": "short"}], "role": "user"},
        "generationConfig": {"topP": 0.5, "maxOutputTokens": 9, "stopSequences": ["x_y"]},
        "tools": [
            {"functionDeclarations": [{"name": "f_g", "parametersJsonSchema": {"a_b": 1}}]},
            {"googleSearch": {}},
        ],
    }
    snake = {
        "system_instruction": {"parts": [{"text": "short"}]},
        "generation_config": {"top_p": 0.5, "max_output_tokens": 9, "stop_sequences": ["x_y"]},
        "tools": [
            {"function_declarations": [{"name": "f_g", "parameters_json_schema": {"a_b": 1}}]},
            {"google_search": {}},
        ],
    }
    call = read(**camel)
    assert read(**snake) == call
    assert call.messages[0] == {"role": "system", "content": "short"}
    assert call.options == {"top_p": 0.5, "max_completion_tokens": 9, "stop": ["x_y"]}
    assert call.tools == (
        {"type": "function", "function": {"name": "f_g", "parameters": {"a_b": 1}}},
        {"type": "googleSearch", "googleSearch": {}},
    )


@pytest.mark.parametrize(
    ("instruction", "text"),
    [
        ("short", "short"),
        ({"parts": {"text": "short"}}, "short"),
        ([{"text": "sh"}, "ort"], "short"),
    ],
)
def test_a_system_instruction_is_text(instruction: Any, text: str) -> None:
    assert read(systemInstruction=instruction).messages[0]["content"] == text


@pytest.mark.parametrize(
    ("config", "options"),
    [
        ({"mode": "AUTO"}, {}),
        ({"mode": "none"}, {"tool_choice": "none"}),
        ({"mode": "ANY"}, {"tool_choice": "required"}),
        (
            {"mode": "ANY", "allowedFunctionNames": ["f"]},
            {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        ),
        (
            {"mode": "ANY", "allowedFunctionNames": ["f", "g"]},
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {
                        "mode": "required",
                        "tools": [
                            {"type": "function", "function": {"name": "f"}},
                            {"type": "function", "function": {"name": "g"}},
                        ],
                    },
                }
            },
        ),
        ({"mode": "VALIDATED"}, {"toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}}}),
        (
            {"streamFunctionCallArguments": True},
            {"toolConfig": {"functionCallingConfig": {"streamFunctionCallArguments": True}}},
        ),
    ],
)
def test_a_choice_of_tools(config: Any, options: Any) -> None:
    call = read(toolConfig={"functionCallingConfig": config})
    assert call.options == options
    again = DIALECT.read_call(DIALECT.write_request(call))
    assert again.options == options


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (
            {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "response", "schema": SCHEMA},
                }
            },
        ),
        (
            {"responseMimeType": "application/json", "responseSchema": OPENAPI},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "response", "schema": SCHEMA},
                }
            },
        ),
        ({"responseMimeType": "application/json"}, {"response_format": {"type": "json_object"}}),
        (
            {"responseMimeType": "text/x.enum"},
            {"generationConfig": {"responseMimeType": "text/x.enum"}},
        ),
        (
            {"thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": True}},
            {"reasoning_effort": "high"},
        ),
        (
            {"thinkingConfig": {"thinkingBudget": 99, "includeThoughts": True}},
            {
                "generationConfig": {
                    "thinkingConfig": {"thinkingBudget": 99, "includeThoughts": True}
                }
            },
        ),
        ({"topK": 3, "seed": 7}, {"seed": 7, "generationConfig": {"topK": 3}}),
    ],
)
def test_a_generation_config(config: Any, options: Any) -> None:
    call = read(generationConfig=config)
    assert call.options == options
    assert DIALECT.read_call(DIALECT.write_request(call)).options == options


def test_other_fields_keep_their_names() -> None:
    call = read(safety_settings=[{"category": "X"}], labels={"my_label": "a"}, cachedContent=None)
    assert call.options == {"safetySettings": [{"category": "X"}], "labels": {"my_label": "a"}}


def test_the_schema_of_a_tool_is_json_schema() -> None:
    tools = [{"functionDeclarations": [{"name": "f", "parameters": OPENAPI, "description": None}]}]
    (tool,) = read(tools=tools).tools
    assert tool == {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}


def test_a_schema_is_turned_at_every_depth() -> None:
    older = {
        "type": "ARRAY",
        "items": {"anyOf": [{"type": "STRING", "enum": ["TYPE"]}, {"type": "INTEGER"}]},
        "minItems": "1",
    }
    newer = {
        "type": "array",
        "items": {"anyOf": [{"type": "string", "enum": ["TYPE"]}, {"type": "integer"}]},
        "minItems": "1",
    }
    (tool,) = read(tools=[{"functionDeclarations": [{"name": "f", "parameters": older}]}]).tools
    assert tool["function"]["parameters"] == newer


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "is not JSON"),
        (b"[]", "is not a JSON object"),
        ({"contents": []}, "no contents"),
        ({}, "no contents"),
        ({**HI, "tools": {}}, "tools of the recorded request are no list"),
        ({**HI, "tools": [{"functionDeclarations": ["f"]}]}, "functionDeclarations of"),
        ({**HI, "systemInstruction": {"parts": [{"inlineData": {}}]}}, "systemInstruction"),
        ({"contents": [7]}, "not an object"),
        ({"contents": [{"parts": 7}]}, "no list of objects"),
        ({"contents": [{"parts": [{"videoMetadata": {}}]}]}, "a part with videoMetadata"),
        ({"contents": [{"parts": [{}]}]}, "a part with nothing"),
        ({"contents": [{"parts": [{"inlineData": {}}]}]}, "no data"),
        ({"contents": [{"role": "model", "parts": [{"audio": 1}]}]}, "a part of the model with"),
        ({"contents": [{"role": "model", "parts": [{"functionCall": {}}]}]}, "no name"),
        ({"contents": [{"parts": [{"functionResponse": {"name": "f"}}]}]}, "has no call"),
    ],
)
def test_what_is_no_call_says_why(body: Any, why: str) -> None:
    with pytest.raises(UnreadableRequestError, match=why):
        DIALECT.read_call(request(body))


def test_another_path_names_no_model() -> None:
    with pytest.raises(UnreadableRequestError, match="names no model"):
        DIALECT.read_call(request(HI, "/v1beta/models"))
