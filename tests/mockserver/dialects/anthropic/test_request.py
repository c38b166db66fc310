"""Calls, written as requests of the Messages API."""

from __future__ import annotations

import json

import pytest

from mockserver.dialects import UnwritableError, find_dialect
from mockserver.vocabulary import Json, JsonObject, NeutralCall

DIALECT = find_dialect("anthropic")
USER = {"role": "user", "content": "Hej!"}


def written(*messages: JsonObject, tools: tuple[JsonObject, ...] = (), **options: Json) -> Json:
    call = NeutralCall(model="m", messages=messages or (USER,), tools=tools, options=options)
    return json.loads(DIALECT.write_request(call).body)


def test_the_address_the_headers_and_the_order_of_fields() -> None:
    call = NeutralCall(model="m", messages=(USER,), options={"betas": ["a", "b"]})
    request = DIALECT.write_request(call)
    assert (request.method, request.uri) == ("POST", "https://api.anthropic.com/v1/messages")
    assert dict(request.headers) == {
        "accept": "text/event-stream",
        "anthropic-version": "2023-06-01",
        "content-type": "application/json",
        "anthropic-beta": "a,b",
    }
    assert request.body == (
        b'{"model":"m","max_tokens":4096,"messages":[{"role":"user","content":"Hej!"}],'
        b'"stream":true}'
    )


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({"max_tokens": 5}, {"max_tokens": 5}),
        ({"max_completion_tokens": 6, "max_tokens": 5}, {"max_tokens": 6}),
        ({"max_completion_tokens": None}, {"max_tokens": 4096}),
        ({"stop": "a"}, {"stop_sequences": ["a"]}),
        ({"stop": ["a", "b"]}, {"stop_sequences": ["a", "b"]}),
        ({"tool_choice": "auto"}, {"tool_choice": {"type": "auto"}}),
        ({"tool_choice": "required"}, {"tool_choice": {"type": "any"}}),
        ({"tool_choice": {"type": "any"}}, {"tool_choice": {"type": "any"}}),
        (
            {"parallel_tool_calls": False},
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        ),
        (
            {"parallel_tool_calls": True, "tool_choice": "required"},
            {"tool_choice": {"type": "any", "disable_parallel_tool_use": False}},
        ),
        (
            {"parallel_tool_calls": False, "tool_choice": "none"},
            {"tool_choice": {"type": "none"}},
        ),
        ({"user": "u"}, {"metadata": {"user_id": "u"}}),
        ({"user": "u", "metadata": {"x": 1}}, {"metadata": {"user_id": "u", "x": 1}}),
        ({"reasoning_effort": "high"}, {"output_config": {"effort": "high"}}),
        ({"reasoning_effort": "minimal"}, {"output_config": {"effort": "low"}}),
        ({"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
        ({"response_format": {"type": "text"}}, {}),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "strict": True, "schema": {"type": "object"}},
                },
                "output_config": {"effort": "low"},
            },
            {
                "output_config": {
                    "effort": "low",
                    "format": {"type": "json_schema", "schema": {"type": "object"}},
                }
            },
        ),
        ({"thinking": {"type": "new"}, "top_k": 3}, {"thinking": {"type": "new"}, "top_k": 3}),
        ({"stream_options": {"include_usage": True}, "seed": None}, {}),
    ],
)  # fmt: skip
def test_options_are_translated(options: JsonObject, fields: JsonObject) -> None:
    plain = {"model": "m", "max_tokens": 4096, "messages": [USER], "stream": True}
    assert written(**options) == {**plain, **fields}


def test_tools_are_flat_and_others_stay() -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    function = {"name": "f", "strict": None, "parameters": {"type": "object"}, "cache_control": {}}
    tools = ({"type": "function", "function": function}, {"function": {"name": "g"}}, search)
    assert written(tools=tools)["tools"] == [
        {"name": "f", "cache_control": {}, "input_schema": {"type": "object"}},
        {"name": "g", "input_schema": {"type": "object", "properties": {}}},
        search,
    ]


def test_system_messages_at_the_start_are_the_system_prompt() -> None:
    def system(*contents: Json) -> Json:
        given = ({"role": "system", "content": content} for content in contents)
        return written(*given, USER)["system"]

    text = {"type": "text", "text": "b"}
    assert system("a") == "a"
    assert system("a", [text]) == [{"type": "text", "text": "a"}, text]
    developer = {"role": "developer", "content": "d"}
    assert written(developer, USER)["system"] == "d"
    assert written(USER, developer)["messages"] == [USER, {"role": "system", "content": "d"}]


def called(*ids: str, arguments: str = "{}") -> JsonObject:
    calls = [{"id": i, "function": {"name": "f", "arguments": arguments}} for i in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def result(call_id: str, content: Json = "ok", **rest: Json) -> JsonObject:
    return {"role": "tool", "tool_call_id": call_id, "name": "f", "content": content, **rest}


def test_results_of_a_turn_are_one_message_before_the_text() -> None:
    body = written(USER, called("t1", "t2"), result("t1"), result("t2", is_error=True), USER, USER)
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "t1", "name": "f", "input": {}},
                {"type": "tool_use", "id": "t2", "name": "f", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": "ok"},
                {"type": "tool_result", "tool_use_id": "t2", "content": "ok", "is_error": True},
                {"type": "text", "text": "Hej!"},
            ],
        },
        USER,
    ]


def test_parts_of_other_apis_do_not_go_back() -> None:
    parts = [
        {"type": "reasoning", "text": "Hm.", "channel": "text"},
        {"type": "hosted_tool", "kind": "web_search", "native": [{"type": "response.done"}]},
        {"type": "text", "text": ""},
        {"type": "image", "url": "data:image/png;base64,A"},
        {"type": "refusal", "refusal": "No."},
        {"type": "tool_call", "id": "t", "name": "f", "arguments": None, "arguments_raw": '{"a":1}',
         "send_back": {"extra_content": {}}},
    ]  # fmt: skip
    turn = {"role": "assistant", "content": "x", "parts": parts}
    assert written(USER, turn)["messages"][1]["content"] == [
        {"type": "text", "text": "No."},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
    ]


@pytest.mark.parametrize(
    "turn",
    [
        {"role": "assistant", "content": None},
        {"role": "assistant", "content": "", "parts": []},
        {"role": "assistant", "content": None, "parts": [{"type": "text", "text": ""}]},
    ],
)
def test_a_turn_without_content_is_left_out(turn: JsonObject) -> None:
    assert written(USER, turn, USER)["messages"] == [USER, USER]


def test_texts_of_the_model_without_parts() -> None:
    def content(**message: Json) -> Json:
        return written(USER, {"role": "assistant", **message})["messages"][1]["content"]

    assert content(content="Hej.") == "Hej."
    assert content(content=None, refusal="No.") == "No."
    refusal = [{"type": "refusal", "refusal": "No."}]
    assert content(content=refusal) == [{"type": "text", "text": "No."}]
    called_too = called("t")["tool_calls"]
    assert content(content="Hej.", tool_calls=called_too)[0] == {"type": "text", "text": "Hej."}


@pytest.mark.parametrize(
    ("messages", "options", "problem"),
    [
        ([{"role": "robot"}], {}, "no messages of the role 'robot'"),
        ([{"role": "user", "content": 1}], {}, "text or a list of parts"),
        ([{"role": "user", "content": [{}]}], {}, "an object with a type"),
        ([{"role": "user", "content": [{"type": "input_audio"}]}], {}, "no audio"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], {}, "has no url"),
        ([{"role": "user", "content": [{"type": "file", "file": {}}]}], {}, "a file is a file_id"),
        ([{"role": "tool", "content": "x"}], {}, "no tool_call_id"),
        ([called("t", arguments="[]")], {}, "tool call 'f' are not a JSON object"),
        ([called("t", arguments="{")], {}, "tool call 'f' are not a JSON object"),
        ([{"role": "assistant", "tool_calls": 1}], {}, "tool_calls are a list"),
        ([{"role": "assistant", "tool_calls": [{}]}], {}, "has no id, or no function"),
        ([USER], {"tool_choice": {"type": "allowed_tools"}}, "tool_choice"),
        ([USER], {"tool_choice": "new"}, "tool_choice"),
        ([USER], {"response_format": {"type": "json_object"}}, "response_format"),
        ([USER], {"betas": "a"}, "betas are a list"),
    ],
)
def test_what_the_api_cannot_say(
    messages: list[JsonObject], options: JsonObject, problem: str
) -> None:
    with pytest.raises(UnwritableError, match=problem):
        written(*messages, **options)


def test_a_custom_tool_cannot_be_said() -> None:
    with pytest.raises(UnwritableError, match="no custom tools"):
        written(tools=({"type": "custom", "custom": {"name": "f"}},))


def test_a_program_for_the_sdk() -> None:
    body = {"model": "m", "max_tokens": 5, "messages": [USER], "stream": True, "tools": []}
    program = DIALECT.sdk_program("http://a", body, 2)
    assert program is not None
    compile(program, "program", "exec")
    assert 'Anthropic(base_url="http://a", api_key="any", max_retries=2)' in program
    assert "tools" not in program
    assert program.endswith("for item in answer:\n    print(item)")
    long = {"messages": [{"role": "user", "content": "long " * 100}]}
    short = DIALECT.sdk_program("http://a", long)
    assert short is not None
    assert "long long" not in short
    assert short.endswith("print(answer)")
