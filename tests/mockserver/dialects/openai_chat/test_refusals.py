"""What Chat Completions refuses: the words, the field and the code of each error."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.dialects import Excess, Quota, QuotaKind, find_dialect, said
from mockserver.vocabulary import NeutralCall
from tests.mockserver.dialects import refusing

PATH = "/v1/chat/completions"
USER = {"role": "user", "content": "Hi"}
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLS = {"role": "assistant", "content": None, "tool_calls": [CALL, {**CALL, "id": "b"}]}
STRICT = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


def result(id_: str) -> dict[str, str]:
    return {"role": "tool", "tool_call_id": id_, "content": "done"}


def body(*messages: Any, **fields: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": list(messages) or [USER], **fields}


def tool(name: Any = "f", **function: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **function}}


def first(request: Any) -> tuple[str, Any, Any]:
    found = refusing.objections("openai-chat", request, PATH)
    assert found, "it is not refused"
    assert found[0].error.status == 400
    assert found[0].source.startswith("https://")
    return found[0].error.message, found[0].fields["param"], found[0].fields["code"]


@pytest.mark.parametrize(
    ("request_", "message", "param", "code"),
    [
        (b"{", "We could not parse the JSON body of your request.", None, None),
        (b"[]", "We could not parse the JSON body of your request.", None, None),
        (b"", "We could not parse the JSON body of your request.", None, None),
        (b"[" * 100_000, "We could not parse the JSON body of your request.", None, None),
        (b'{"a": NaN}', "We could not parse the JSON body of your request.", None, None),
        ({"messages": [USER]}, "you must provide a model parameter", None, None),
        (
            {"model": "gpt-4o"},
            "Missing required parameter: 'messages'.",
            "messages",
            "missing_required_parameter",
        ),
        (
            {"model": "gpt-4o", "messages": "Hi"},
            "Invalid type for 'messages': expected an array of objects, but got a string instead.",
            "messages",
            "invalid_type",
        ),
        (
            {"model": "gpt-4o", "messages": []},
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an "
            "empty array instead.",
            "messages",
            "empty_array",
        ),
        (
            body("Hi"),
            "Invalid type for 'messages[0]': expected an object, but got a string instead.",
            "messages[0]",
            "invalid_type",
        ),
        (
            body({"role": "bot", "content": "Hi"}),
            "Invalid value: 'bot'. Supported values are: 'system', 'assistant', 'user', "
            "'function', 'tool', and 'developer'.",
            "messages[0].role",
            "invalid_value",
        ),
        (
            body({"content": "Hi"}),
            "Missing required parameter: 'messages[0].role'.",
            "messages[0].role",
            "missing_required_parameter",
        ),
        (
            body({"role": "user", "content": 5}),
            "Invalid type for 'messages[0].content': expected one of a string or array of "
            "objects, but got an integer instead.",
            "messages[0].content",
            "invalid_type",
        ),
        (
            body({"role": "user"}),
            "Invalid value for 'content': expected a string, got null.",
            "messages.[0].content",
            None,
        ),
        (
            body({"role": "user", "content": [{"text": "Hi"}]}),
            "Missing required parameter: 'messages[0].content[0].type'.",
            "messages[0].content[0].type",
            "missing_required_parameter",
        ),
        (body(tepmerature=1), "Unknown parameter: 'tepmerature'.", "tepmerature", None),
        (body(strem=True), "Unknown parameter: 'strem'. Did you mean 'stream'?", "strem", None),
        (
            body(temperature=2.1),
            "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got "
            "2.1 instead.",
            "temperature",
            "decimal_above_max_value",
        ),
        (
            body(temperature=-1),
            "Invalid 'temperature': decimal below minimum value. Expected a value >= 0, but got "
            "-1 instead.",
            "temperature",
            "decimal_below_min_value",
        ),
        (
            body(max_completion_tokens=0),
            "Invalid 'max_completion_tokens': integer below minimum value. Expected a value >= 1, "
            "but got 0 instead.",
            "max_completion_tokens",
            "integer_below_min_value",
        ),
        (
            body(n="2"),
            "Invalid type for 'n': expected an integer, but got a string instead.",
            "n",
            "invalid_type",
        ),
        (
            body(stream="yes"),
            "Invalid type for 'stream': expected a boolean, but got a string instead.",
            "stream",
            "invalid_type",
        ),
        (
            body(stream_options={"include_usage": True}),
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            "stream_options",
            None,
        ),
        (
            body(tool_choice="auto"),
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are "
            "specified.",
            "tool_choice",
            None,
        ),
        (
            body(tools=[tool("a b")]),
            "Invalid 'tools[0].function.name': string does not match pattern. Expected a string "
            "that matches the pattern '^[a-zA-Z0-9_-]+$'.",
            "tools[0].function.name",
            "invalid_value",
        ),
        (
            body(tools=[tool("a" * 65)]),
            "Invalid 'tools[0].function.name': string too long. Expected a string with maximum "
            "length 64, but got a string with length 65 instead.",
            "tools[0].function.name",
            "string_above_max_length",
        ),
        (
            body(tools=[{"type": "function"}]),
            "Missing required parameter: 'tools[0].function'.",
            "tools[0].function",
            "missing_required_parameter",
        ),
        (
            body(tools=[tool(strict=True, parameters={**STRICT, "required": []})]),
            "Invalid schema for function 'f': In context=(), 'required' is required to be "
            "supplied and to be an array including every key in properties. Missing 'a'.",
            "tools[0].function.parameters",
            "invalid_function_parameters",
        ),
        (
            body(tools=[tool(parameters={"type": "string"})]),
            "Invalid schema for function 'f': schema must be a JSON Schema of 'type: \"object\"', "
            "got 'type: \"string\"'.",
            "tools[0].function.parameters",
            "invalid_function_parameters",
        ),
        (
            body(response_format={"type": "json_object"}),
            "'messages' must contain the word 'json' in some form, to use 'response_format' of "
            "type 'json_object'.",
            "messages",
            None,
        ),
        (
            body(
                response_format={
                    "type": "json_schema",
                    "json_schema": {
                        "name": "answer",
                        "strict": True,
                        "schema": {
                            **STRICT,
                            "properties": {"a": {"type": "array", "items": {"type": "object"}}},
                        },
                    },
                }
            ),
            "Invalid schema for response_format 'answer': In context=('properties', 'a', 'items'), "
            "'additionalProperties' is required to be supplied and to be false.",
            "response_format",
            None,
        ),
        (
            body(model="gpt-5-mini", temperature=0),
            "Unsupported value: 'temperature' does not support 0 with this model. Only the default "
            "(1) value is supported.",
            "temperature",
            "unsupported_value",
        ),
        (
            body(model="gpt-5", max_tokens=10),
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            "max_tokens",
            "unsupported_parameter",
        ),
    ],
)
def test_a_request_is_refused_in_openais_words(
    request_: Any, message: str, param: str | None, code: str | None
) -> None:
    said, where, found = first(request_)
    assert said.startswith(message)
    assert where == param
    assert code in (None, found)


@pytest.mark.parametrize(
    ("messages", "message", "param"),
    [
        (
            [USER, CALLS, result("a"), USER],
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: b",
            "messages.[3].role",
        ),
        (
            [USER, CALLS],
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: "
            "a, b",
            "messages",
        ),
        (
            [USER, result("a")],
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding "
            "message with 'tool_calls'.",
            "messages.[1].role",
        ),
        (
            [USER, CALLS, result("a"), result("c"), result("b")],
            "Invalid parameter: 'tool_call_id' of 'c' not found in 'tool_calls' of previous "
            "message.",
            "messages.[3].tool_call_id",
        ),
        (
            [USER, CALLS, result("a"), result("b"), result("a")],
            "Invalid parameter: Duplicate value for 'tool_call_id' of 'a', in messages[2] and "
            "messages[4].",
            "messages.[4].tool_call_id",
        ),
        (
            [USER, CALLS, result("a"), {"role": "tool", "content": ""}, result("b")],
            "Missing parameter 'tool_call_id': messages with role 'tool' must have a "
            "'tool_call_id'.",
            "messages.[3].tool_call_id",
        ),
    ],
)
def test_calls_and_results_belong_together(messages: Any, message: str, param: str) -> None:
    found = refusing.objections("openai-chat", body(*messages), PATH)
    assert (found[0].error.message, found[0].fields["param"]) == (message, param)
    assert found[0].proves


@pytest.mark.parametrize(
    "request_",
    [
        body(),
        body(USER, CALLS, result("b"), result("a"), USER),
        body({"role": "assistant", "content": "Hi"}, USER),
        body({"role": "user", "content": ""}),
        body({"role": "user", "content": "as JSON"}, response_format={"type": "json_object"}),
        body(stream=True, stream_options={"include_usage": True}),
        body(tools=[tool(strict=True, parameters=STRICT)], tool_choice="required"),
        body(temperature=2, top_p=0, presence_penalty=-2, n=1),
        body(model="gpt-5", max_completion_tokens=10, temperature=1),
        body(model="gpt-5.1", temperature=0.5),
        body(model="gpt-4o", max_tokens=10),
        body(model="llama3", top_k=5, temperature=7, chat_template_kwargs={}),
        body({"role": "user", "content": "Hi", "name": "ann"}, metadata={"a": "b"}, store=True),
    ],
)
def test_what_openai_takes_is_not_refused(request_: Any) -> None:
    assert refusing.objections("openai-chat", request_, PATH) == []


def test_a_deployment_has_a_model_of_its_own() -> None:
    path = "/openai/deployments/mine/chat/completions"
    assert refusing.objections("openai-chat", {"messages": [USER]}, path) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0004, "1ms"), (0.547, "547ms"), (20, "20s"), (172.8, "2m52.8s"), (360, "6m0s")],
)
def test_headers_have_durations_as_go_writes_them(seconds: float, text: str) -> None:
    quota = Quota(kind=QuotaKind.REQUESTS, limit=60, remaining=2, reset=seconds)
    headers = dict(said(find_dialect("openai-chat"), lambda r: r.limit_headers([quota], 0.0)))
    assert headers == {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "2",
        "x-ratelimit-reset-requests": text,
    }


def test_a_request_that_never_fits_is_too_large() -> None:
    quota = Quota(kind=QuotaKind.TOKENS, limit=60, remaining=60, reset=0)
    call = NeutralCall(model="gpt-4o", messages=())
    excess = Excess(quota=quota, asked=99, wait=None)
    found = said(find_dialect("openai-chat"), lambda r: r.over_limit(excess, call))
    assert found.error.message.startswith("Request too large for gpt-4o in organization org-")
    assert "on tokens per min (TPM): Limit 60, Requested 99. The input or" in found.error.message
    assert found.error.retry_after is None
