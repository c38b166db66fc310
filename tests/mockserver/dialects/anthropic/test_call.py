"""Requests of the Messages API, read as calls."""

from __future__ import annotations

import json

import pytest

from mockserver.cassettes.cassette import Request
from mockserver.dialects import UnreadableRequestError, find_dialect
from mockserver.vocabulary import Json, JsonObject, NeutralCall

DIALECT = find_dialect("anthropic")
USER = {"role": "user", "content": "Hej!"}


def request(body: Json, **headers: str) -> Request:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Request(
        method="POST", uri="https://api.anthropic.com/v1/messages", headers=names, body=data
    )


def read(**body: Json) -> NeutralCall:
    return DIALECT.read_call(request({"model": "m", "messages": [USER], **body}))


def messages(*given: Json) -> tuple[JsonObject, ...]:
    return read(messages=list(given)).messages


def test_the_parts_of_a_call() -> None:
    call = read(stream=True, max_tokens=5, system="Be brief.", tools=None, temperature=None)
    assert call == NeutralCall(
        model="m",
        messages=({"role": "system", "content": "Be brief."}, USER),
        stream=True,
        options={"max_tokens": 5},
    )


def test_betas_of_the_header_are_an_option() -> None:
    call = DIALECT.read_call(request({"messages": [USER]}, anthropic_beta="a-1, b-2,"))
    assert call.options == {"betas": ["a-1", "b-2"]}


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ({"stop_sequences": ["a"]}, {"stop": ["a"]}),
        ({"tool_choice": {"type": "auto"}}, {}),
        ({"tool_choice": {"type": "any"}}, {"tool_choice": "required"}),
        ({"tool_choice": {"type": "none"}}, {"tool_choice": "none"}),
        (
            {"tool_choice": {"type": "tool", "name": "f"}},
            {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        ),
        (
            {"tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
            {"tool_choice": "required", "parallel_tool_calls": False},
        ),
        (
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": False}},
            {"parallel_tool_calls": True},
        ),
        ({"tool_choice": {"type": "new", "x": 1}}, {"tool_choice": {"type": "new", "x": 1}}),
        ({"tool_choice": "odd"}, {"tool_choice": "odd"}),
        (
            {"output_config": {"effort": "high", "new": 1, "none": None}},
            {"reasoning_effort": "high", "output_config": {"new": 1}},
        ),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "output", "schema": {"type": "object"}},
                }
            },
        ),
        (
            {"output_format": {"type": "json_schema", "schema": {}}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "output", "schema": {}},
                }
            },
        ),
        (
            {"output_config": {"format": {"type": "new"}}},
            {"output_config": {"format": {"type": "new"}}},
        ),
        ({"metadata": {"user_id": "u"}}, {"user": "u"}),
        ({"metadata": {"user_id": "u", "x": 1}}, {"user": "u", "metadata": {"x": 1}}),
        ({"metadata": {"user_id": None}}, {}),
        ({"thinking": {"type": "adaptive"}}, {"thinking": {"type": "adaptive"}}),
    ],
)
def test_options_have_the_names_of_chat_completions(field: JsonObject, options: JsonObject) -> None:
    assert read(**field).options == options


def test_tools_of_the_client_are_nested_and_others_stay() -> None:
    tool = {"name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": True}
    search = {"type": "web_search_20250305", "name": "web_search"}
    assert read(tools=[tool, {"type": "custom", "name": "g"}, search]).tools == (
        {
            "type": "function",
            "function": {
                "name": "f",
                "description": "d",
                "strict": True,
                "parameters": {"type": "object"},
            },
        },
        {"type": "function", "function": {"name": "g"}},
        search,
    )


def test_each_block_of_the_system_prompt_is_a_message() -> None:
    cached = {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}}
    call = read(system=[{"type": "text", "text": "a"}, cached])
    assert call.messages[:2] == (
        {"role": "system", "content": "a"},
        {"role": "system", "content": [cached]},
    )


def test_results_are_messages_before_the_text_of_their_message() -> None:
    results = [
        {"type": "tool_result", "tool_use_id": "t1", "content": "3 °C"},
        {
            "type": "tool_result",
            "tool_use_id": "t2",
            "content": [{"type": "text", "text": "none"}],
            "is_error": True,
        },
        {"type": "tool_result", "tool_use_id": "t3", "cache_control": None},
    ]
    said = {"type": "text", "text": "And?"}
    assert messages({"role": "user", "content": [*results, said]}) == (
        {"role": "tool", "tool_call_id": "t1", "content": "3 °C"},
        {"role": "tool", "tool_call_id": "t2", "content": "none", "is_error": True},
        {"role": "tool", "tool_call_id": "t3", "content": ""},
        {"role": "user", "content": "And?"},
    )


def test_a_text_before_a_result_keeps_its_place() -> None:
    content = [{"type": "text", "text": "a"}, {"type": "tool_result", "tool_use_id": "t"}]
    assert [m["role"] for m in messages({"role": "user", "content": content})] == ["user", "tool"]


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,A"}},
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}},
            {"type": "image_url", "image_url": {"url": "https://a/b.png"}},
        ),
        (
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "A"},
            },
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,A"}},
        ),
        (
            {"type": "document", "source": {"type": "file", "file_id": "f1"}},
            {"type": "file", "file": {"file_id": "f1"}},
        ),
        (
            {"type": "document", "source": {"type": "url", "url": "https://a/b.pdf"}},
            {"type": "document", "source": {"type": "url", "url": "https://a/b.pdf"}},
        ),
        (
            {"type": "image", "source": {"type": "file", "file_id": "f1"}},
            {"type": "image", "source": {"type": "file", "file_id": "f1"}},
        ),
        (
            {"type": "search_result", "title": "t", "content": []},
            {"type": "search_result", "title": "t", "content": []},
        ),
    ],
)
def test_what_a_user_shows(block: JsonObject, part: JsonObject) -> None:
    text = {"type": "text", "text": "Look!"}
    call = read(messages=[{"role": "user", "content": [text, block]}])
    assert call.messages == ({"role": "user", "content": [text, part]},)
    again = json.loads(DIALECT.write_request(call).body)
    assert again["messages"] == [{"role": "user", "content": [text, block]}]


def test_an_earlier_turn_keeps_its_blocks_in_parts() -> None:
    found = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []}
    cited = {"type": "web_search_result_location", "url": "https://a/", "encrypted_index": "E"}
    blocks = [
        {"type": "thinking", "thinking": "Hm.", "signature": "S"},
        {"type": "redacted_thinking", "data": "R"},
        {"type": "text", "text": "I see."},
        found,
        {"type": "text", "text": "This.", "citations": [cited]},
        {
            "type": "tool_use",
            "id": "t1",
            "name": "f",
            "input": {"a": 1},
            "caller": {"type": "direct"},
            "cache_control": {"type": "ephemeral"},
        },
    ]
    turn = {"role": "assistant", "content": blocks}
    call = read(messages=[USER, turn])
    assert call.messages[1] == {
        "role": "assistant",
        "content": "I see.This.",
        "tool_calls": [
            {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
        ],
        "parts": [
            {"type": "reasoning", "text": "Hm.", "channel": "text", "signature": "S"},
            {"type": "reasoning", "text": "", "channel": "text", "redacted_data": "R"},
            {"type": "text", "text": "I see."},
            {"type": "hosted_tool", "kind": "web_search_tool_result", "native": [found]},
            {
                "type": "text",
                "text": "This.",
                "citations": [{"type": "citation", "url": "https://a/"}],
            },
            {
                "type": "tool_call",
                "id": "t1",
                "name": "f",
                "arguments": {"a": 1},
                "arguments_raw": '{"a":1}',
                "send_back": {"caller": {"type": "direct"}},
            },
            {"type": "send_back", "fields": {"citations": {"1": [cited]}}},
        ],
    }
    del blocks[-1]["cache_control"]
    again = json.loads(DIALECT.write_request(call).body)
    assert again["messages"] == [USER, turn]


def test_a_turn_of_plain_text_and_a_later_system_message() -> None:
    given = [USER, {"role": "assistant", "content": "Hej."}, {"role": "system", "content": "Now."}]
    call = read(messages=[*given, USER])
    assert call.messages == (*given, USER)
    assert json.loads(DIALECT.write_request(call).body)["messages"] == [*given, USER]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "is not JSON"),
        ([], "is not a JSON object"),
        ({"model": "m"}, "no messages"),
        ({"messages": {}}, "messages of the recorded request is no list of objects"),
        ({"messages": [USER], "model": 1}, "model of the recorded request is not text"),
        ({"messages": [USER], "tools": [1]}, "tools of the recorded request"),
        ({"messages": [USER], "system": [1]}, "system of the recorded request"),
        ({"messages": [{"role": "robot"}]}, "no messages of the role 'robot'"),
        ({"messages": [{"role": "user", "content": 1}]}, "content of a message"),
        ({"messages": [{"role": "assistant", "content": [{}]}]}, "has no type"),
        (
            {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "input": 1}]}]},
            "input of a tool_use block is not an object",
        ),
        (
            {"messages": [{"role": "assistant", "content": [{"type": "text"}]}]},
            "text of a text block is not text",
        ),
    ],
)
def test_a_request_that_is_no_call(body: Json, message: str) -> None:
    with pytest.raises(UnreadableRequestError, match=message):
        DIALECT.read_call(request(body))
