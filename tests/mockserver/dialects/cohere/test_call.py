from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.cassettes.cassette import Request
from mockserver.dialects import UnreadableRequestError, find_dialect
from mockserver.dialects.cohere.call import read_call
from mockserver.vocabulary import JsonObject, NeutralCall

URL = "https://api.cohere.com/v2/chat"
HI = {"role": "user", "content": "Hi"}


def read(url: str = URL, **body: Any) -> NeutralCall:
    text = json.dumps({"model": "command-a", "messages": [HI], **body}).encode()
    return read_call(Request(method="POST", uri=url, body=text))


def message(**fields: Any) -> JsonObject:
    return dict(read(messages=[fields]).messages[0])


def test_a_plain_request() -> None:
    assert read() == NeutralCall(model="command-a", messages=(HI,), stream=False)
    assert read(stream=True).stream
    assert message(role="system", content="Be brief.") == {"role": "system", "content": "Be brief."}


def test_version_1_is_served_but_not_judged() -> None:
    request = Request(method="POST", uri="https://api.cohere.com/v1/chat", body=b"{}")
    assert find_dialect("cohere").matches(request)
    with pytest.raises(UnreadableRequestError, match="version 1"):
        read_call(request)


@pytest.mark.parametrize(
    ("sent", "options"),
    [
        ({"p": 0.5, "k": 3}, {"top_p": 0.5, "top_k": 3}),
        ({"stop_sequences": ["END"]}, {"stop": ["END"]}),
        ({"tool_choice": "REQUIRED"}, {"tool_choice": "required"}),
        ({"tool_choice": "NONE"}, {"tool_choice": "none"}),
        ({"tool_choice": "FUTURE"}, {"tool_choice": "FUTURE"}),
        ({"temperature": 0, "seed": None}, {"temperature": 0}),
        ({"response_format": {"type": "text"}}, {"response_format": {"type": "text"}}),
        (
            {"response_format": {"type": "json_object"}},
            {"response_format": {"type": "json_object"}},
        ),
        (
            {"response_format": {"type": "json_object", "json_schema": {"type": "object"}}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"schema": {"type": "object"}},
                }
            },
        ),
        (
            {"response_format": {"type": "json_object", "schema": {"type": "object"}}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"schema": {"type": "object"}},
                }
            },
        ),
        ({"response_format": "odd"}, {"response_format": "odd"}),
        (
            {"documents": ["a"], "thinking": {"type": "enabled"}, "safety_mode": "STRICT"},
            {"documents": ["a"], "thinking": {"type": "enabled"}, "safety_mode": "STRICT"},
        ),
    ],
)
def test_options_have_their_chat_names_or_their_own(sent: JsonObject, options: JsonObject) -> None:
    assert read(**sent).options == options


def test_tools_are_strict_together() -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    strict = {"type": "function", "function": {"name": "f", "parameters": {}, "strict": True}}
    assert read(tools=[tool]).tools == (tool,)
    assert read(tools=[tool, {"type": "odd"}], strict_tools=True).tools == (strict, {"type": "odd"})


def test_a_question_has_texts_and_images() -> None:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]
    assert message(role="user", content=parts)["content"] == parts


def test_documents_of_a_tool_are_json_text() -> None:
    read_back = message(
        role="tool",
        tool_call_id="c1",
        content=[
            {"type": "text", "text": "a"},
            {"type": "document", "document": {"data": {"t": "ö"}, "id": "1"}},
            {"type": "document", "document": {"data": "plain"}},
        ],
    )
    assert read_back["tool_call_id"] == "c1"
    assert [p["text"] for p in read_back["content"]] == ["a", '{"t": "ö"}', "plain"]


CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


def test_an_earlier_turn_with_a_plan() -> None:
    turn = message(
        role="assistant",
        content=[{"type": "thinking", "thinking": "Hm."}],
        tool_plan="Look.",
        tool_calls=[CALL],
    )
    assert turn["content"] is None
    assert turn["tool_calls"] == [CALL]
    assert turn["parts"] == [
        {"type": "reasoning", "text": "Hm.", "channel": "text"},
        {"type": "reasoning", "text": "Look.", "channel": "text"},
        {"type": "send_back", "fields": {"tool_plan": "Look."}},
        {
            "type": "tool_call",
            "id": "c1",
            "name": "f",
            "arguments": {"a": 1},
            "arguments_raw": '{"a":1}',
        },
    ]


def test_an_earlier_turn_without_one_is_plain() -> None:
    assert message(role="assistant", content="Yes") == {"role": "assistant", "content": "Yes"}
    assert message(role="assistant", tool_calls=[CALL], tool_plan=None) == {
        "role": "assistant",
        "content": None,
        "tool_calls": [CALL],
    }
    parts = [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]
    assert message(role="assistant", content=parts) == {"role": "assistant", "content": "AB"}


@pytest.mark.parametrize("text", ["", " ", "null"])
def test_a_call_without_arguments(text: str) -> None:
    call = {"id": "c1", "function": {"name": "f", "arguments": text}}
    turn = message(role="assistant", tool_plan="Look.", tool_calls=[call])
    assert turn["parts"][-1]["arguments"] == {}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b"{}", "no messages"),
        (b'{"messages":[1]}', "no list of objects"),
        (b'{"messages":{"role":"user"}}', "no list of objects"),
    ],
)
def test_a_body_that_is_no_request_says_why(body: bytes, why: str) -> None:
    with pytest.raises(UnreadableRequestError, match=why):
        read_call(Request(method="POST", uri=URL, body=body))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"role": "odd"}, "role 'odd'"),
        ({"role": "user", "content": [{"type": "audio"}]}, "type 'audio'"),
        ({"role": "user", "content": 3}, "no list of objects"),
        ({"role": "assistant", "content": [{"type": "image"}]}, "type 'image'"),
        ({"role": "tool", "content": "a"}, "no tool_call_id"),
        ({"role": "tool", "tool_call_id": "c", "content": [{"type": "image"}]}, "type 'image'"),
        (
            {"role": "assistant", "tool_plan": "p", "tool_calls": [{"id": "c"}]},
            "no id, name or arguments",
        ),
        (
            {
                "role": "assistant",
                "tool_plan": "p",
                "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "[1]"}}],
            },
            "arguments of call c",
        ),
        (
            {
                "role": "assistant",
                "tool_plan": "p",
                "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{"}}],
            },
            "arguments of call c",
        ),
    ],
)
def test_a_message_that_a_call_cannot_express_says_why(fields: JsonObject, why: str) -> None:
    with pytest.raises(UnreadableRequestError, match=why):
        message(**fields)
