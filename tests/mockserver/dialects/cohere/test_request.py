from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mockserver.dialects import UnwritableError, find_dialect
from mockserver.dialects.cohere.request import write_request
from mockserver.vocabulary import JsonObject, NeutralCall

HI = {"role": "user", "content": "Hi"}
TOOL = {
    "type": "function",
    "function": {"name": "f", "parameters": {"type": "object", "properties": {}}},
}
OTHER = {"type": "function", "function": {"name": "g"}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
ASK = NeutralCall(model="command-a", messages=(HI,))


def body(call: NeutralCall = ASK, **options: Any) -> JsonObject:
    return dict(json.loads(write_request(replace(call, options=options)).body))


def message(**fields: Any) -> JsonObject:
    return dict(body(replace(ASK, messages=(fields,)))["messages"][0])


def test_a_plain_request() -> None:
    request = write_request(ASK)
    assert (request.method, request.uri) == ("POST", "https://api.cohere.com/v2/chat")
    assert dict(request.headers) == {"content-type": "application/json", "accept": "*/*"}
    assert json.loads(request.body) == {"stream": True, "model": "command-a", "messages": [HI]}
    assert body(replace(ASK, stream=False))["stream"] is False


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"max_completion_tokens": 5}, {"max_tokens": 5}),
        ({"max_tokens": 5}, {"max_tokens": 5}),
        ({"top_p": 0.5, "top_k": 3, "seed": 1}, {"p": 0.5, "k": 3, "seed": 1}),
        ({"stop": "END"}, {"stop_sequences": ["END"]}),
        ({"stop": ["A", "B"]}, {"stop_sequences": ["A", "B"]}),
        ({"tool_choice": "auto"}, {}),
        ({"tool_choice": "required"}, {"tool_choice": "REQUIRED"}),
        ({"tool_choice": "none"}, {"tool_choice": "NONE"}),
        ({"tool_choice": "FUTURE"}, {"tool_choice": "FUTURE"}),
        ({"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
        ({"reasoning_effort": "low"}, {"thinking": {"type": "enabled"}}),
        ({"n": 1, "parallel_tool_calls": True, "user": "u", "store": True}, {}),
        ({"stream_options": {"include_usage": True}, "metadata": {}, "temperature": None}, {}),
        ({"documents": ["a"], "safety_mode": "OFF"}, {"documents": ["a"], "safety_mode": "OFF"}),
        ({"response_format": {"type": "text"}}, {"response_format": {"type": "text"}}),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True},
                }
            },
            {"response_format": {"type": "json_object", "json_schema": {"type": "object"}}},
        ),
    ],
)
def test_options_are_said_in_coheres_words(options: JsonObject, sent: JsonObject) -> None:
    written = body(**options)
    assert {k: v for k, v in written.items() if k not in ("stream", "model", "messages")} == sent


def test_tools() -> None:
    strict = {"type": "function", "function": {**TOOL["function"], "strict": True}}  # type: ignore[dict-item]
    written = body(replace(ASK, tools=(strict, OTHER)))
    with_parameters = {
        "type": "function",
        "function": {"parameters": {"type": "object"}, "name": "g"},
    }
    assert written["tools"] == [TOOL, with_parameters]
    assert written["strict_tools"] is True
    assert "strict_tools" not in body(replace(ASK, tools=(TOOL,)))


def test_a_tool_that_must_be_called_is_the_only_one() -> None:
    named = {"type": "function", "function": {"name": "g"}}
    written = body(replace(ASK, tools=(TOOL, OTHER)), tool_choice=named)
    assert [t["function"]["name"] for t in written["tools"]] == ["g"]
    assert written["tool_choice"] == "REQUIRED"


def test_an_answer_without_calls_is_content() -> None:
    assert message(role="assistant", content="Yes") == {"role": "assistant", "content": "Yes"}
    assert message(role="assistant", content=None) == {"role": "assistant", "content": ""}
    refused = message(role="assistant", content=None, refusal="No.")
    assert refused == {"role": "assistant", "content": "No."}
    thought = message(
        role="assistant",
        content="Yes",
        parts=[
            {"type": "reasoning", "text": "Hm.", "channel": "text"},
            {"type": "reasoning", "text": "", "channel": "text", "redacted_data": "x"},
            {"type": "text", "text": "Yes"},
            {"type": "image", "url": "https://a.example/1.png"},
        ],
    )
    assert thought["content"] == [
        {"type": "thinking", "thinking": "Hm."},
        {"type": "text", "text": "Yes"},
    ]


def test_a_text_beside_calls_is_the_plan() -> None:
    assert message(role="assistant", content="Look.", tool_calls=[CALL]) == {
        "role": "assistant",
        "tool_plan": "Look.",
        "tool_calls": [CALL],
    }
    assert message(role="assistant", content=None, tool_calls=[CALL]) == {
        "role": "assistant",
        "tool_calls": [CALL],
    }


def test_a_plan_goes_back_and_so_does_thinking() -> None:
    parts = [
        {"type": "reasoning", "text": "Hm.", "channel": "text"},
        {"type": "reasoning", "text": "Look.", "channel": "text"},
        {"type": "text", "text": "Now."},
        {"type": "send_back", "fields": {"tool_plan": "Look."}},
    ]
    assert message(role="assistant", content="Now.", tool_calls=[CALL], parts=parts) == {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "Hm."}],
        "tool_plan": "Look.\nNow.",
        "tool_calls": [CALL],
    }
    other = {"type": "send_back", "fields": {"tool_plan": 3}}
    written = message(role="assistant", content=None, tool_calls=[CALL], parts=[other])
    assert "tool_plan" not in written


def test_a_plan_without_calls_is_thinking() -> None:
    parts = [
        {"type": "reasoning", "text": "Look.", "channel": "text"},
        {"type": "send_back", "fields": {"tool_plan": "Look."}},
    ]
    assert message(role="assistant", content=None, parts=parts)["content"] == [
        {"type": "thinking", "thinking": "Look."}
    ]


def test_other_messages() -> None:
    assert message(role="developer", content="Be brief.")["role"] == "system"
    result = message(role="tool", tool_call_id="c1", content=[{"type": "text", "text": "a"}])
    assert result == {
        "role": "tool",
        "tool_call_id": "c1",
        "content": [{"type": "text", "text": "a"}],
    }


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"role": "odd", "content": "a"}, "role 'odd'"),
        ({"role": "user", "content": [{"type": "file"}]}, "type 'file'"),
        ({"role": "user", "content": ["a"]}, "with a type, not 'a'"),
        ({"role": "system", "content": [{"type": "image_url"}]}, "role 'system'"),
        ({"role": "assistant", "tool_calls": [{"id": "c", "type": "custom"}]}, "type 'custom'"),
    ],
)
def test_a_message_that_cohere_cannot_say_is_refused(fields: JsonObject, why: str) -> None:
    with pytest.raises(UnwritableError, match=why):
        message(**fields)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"n": 2}, "no n other than 1"),
        ({"parallel_tool_calls": False}, "no parallel_tool_calls other than True"),
        ({"tool_choice": {"type": "function", "function": {"name": "h"}}}, "names none"),
        ({"tool_choice": {"type": "allowed_tools"}}, "names none"),
        ({"response_format": {"type": "json_schema"}}, "no schema"),
    ],
)
def test_an_option_that_cohere_cannot_say_is_refused(options: JsonObject, why: str) -> None:
    with pytest.raises(UnwritableError, match=why):
        body(replace(ASK, tools=(TOOL,)), **options)


def test_a_tool_that_is_no_function_is_refused() -> None:
    for tool in ({"type": "custom", "custom": {"name": "c"}}, {"type": "function"}):
        with pytest.raises(UnwritableError, match=r"no tools of type|has no function"):
            body(replace(ASK, tools=(tool,)))


def test_the_program_for_the_sdk() -> None:
    cohere = find_dialect("cohere")
    program = cohere.sdk_program("http://x", {"stream": True, "messages": [HI], "tools": [TOOL]}, 2)
    assert program is not None
    compile(program, "program", "exec")
    assert 'base_url="http://x"' in program
    assert "client.chat_stream(model='any', messages=[{'role': 'user', 'content': 'Hi'}]" in program
    assert '{"max_retries": 2}' in program
    long = [{"role": "user", "content": "x" * 300}]
    program = cohere.sdk_program("http://x", {"model": "m", "messages": long})
    assert program is not None
    assert "client.chat(model='m', messages=[{'role': 'user', 'content': 'any'}]" in program
    assert program.endswith("print(answer)")
