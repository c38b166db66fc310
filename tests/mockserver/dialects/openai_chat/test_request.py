import pytest

from mockserver.dialects.openai_chat import outgoing_message, request_body

TOOL = {"type": "function", "function": {"name": "f"}}
ASK = {"role": "user", "content": "hi"}


def test_plain_request():
    assert request_body(model="m", messages=[ASK], stream=False) == {
        "model": "m",
        "messages": [ASK],
        "stream": False,
    }


def test_stream_with_tools_and_options():
    body = request_body(
        model="m",
        messages=[ASK],
        tools=[TOOL],
        stream=True,
        options={"temperature": 0.0, "response_format": {"type": "json_schema"}},
    )
    assert body == {
        "model": "m",
        "messages": [ASK],
        "tools": [TOOL],
        "tool_choice": "auto",
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.0,
        "response_format": {"type": "json_schema"},
    }
    assert list(body)[:4] == ["model", "messages", "tools", "tool_choice"]


def test_options_replace_and_remove():
    options = {"stream_options": None, "tool_choice": "required"}
    body = request_body(model="m", messages=[], tools=[TOOL], stream=True, options=options)
    assert "stream_options" not in body
    assert body["tool_choice"] == "required"
    assert "tool_choice" not in request_body(model="m", messages=[], stream=True, options=options)


SIGNED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        {"id": "b", "type": "function", "function": {"name": "f", "arguments": "{}"}},
    ],
    "parts": [
        {"type": "reasoning", "text": "why", "channel": "text", "signature": "s"},
        {"type": "reasoning", "text": "", "channel": "text", "redacted_data": "d"},
        {"type": "reasoning", "text": "sum", "channel": "summary", "encrypted_content": "e"},
        {"type": "tool_call", "id": "a", "name": "f", "thought_signature": "sig"},
        {"type": "tool_call", "id": "b", "name": "f"},
    ],
}


def test_signatures_are_sent_back_and_parts_are_not():
    sent = outgoing_message(SIGNED)
    first, second = sent["tool_calls"]
    assert first["extra_content"] == {"google": {"thought_signature": "sig"}}
    assert second == SIGNED["tool_calls"][1]
    assert set(sent) == {"role", "content", "tool_calls"}
    assert "extra_content" not in SIGNED["tool_calls"][0]


def test_signatures_go_back_under_their_own_names():
    calls = SIGNED["tool_calls"]
    vertex = {"extra_content": {"vertex": {"thought_signature": "sig"}}}
    inside = {"function": {"thoughtSignature": "sig"}}
    parts = [
        {"type": "tool_call", "id": "a", "thought_signature": "sig", "send_back": vertex},
        {"type": "tool_call", "id": "b", "thought_signature": "sig", "send_back": inside},
        {"type": "send_back", "fields": {"extra_content": {"google": {"x": 1}}}},
    ]
    sent = outgoing_message({**SIGNED, "parts": parts})
    function = {**calls[1]["function"], "thoughtSignature": "sig"}
    assert sent["tool_calls"] == [{**calls[0], **vertex}, {**calls[1], "function": function}]
    assert sent["extra_content"] == {"google": {"x": 1}}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("reasoning_content", "whysum"),
        ("reasoning", "whysum"),
        (
            "reasoning_details",
            [
                {"type": "reasoning.text", "text": "why", "signature": "s"},
                {"type": "reasoning.summary", "summary": "sum"},
                {"type": "reasoning.encrypted", "data": "e"},
            ],
        ),
        (
            "thinking_blocks",
            [
                {"type": "thinking", "thinking": "why", "signature": "s"},
                {"type": "redacted_thinking", "data": "d"},
                {"type": "thinking", "thinking": "sum", "signature": ""},
            ],
        ),
    ],
)
def test_reasoning_is_sent_back_on_request(field, expected):
    assert outgoing_message(SIGNED, field)[field] == expected
    assert field not in outgoing_message(ASK, field)


def test_a_tool_turn_without_reasoning_sends_it_empty():
    silent = {**SIGNED, "parts": []}
    assert outgoing_message(silent, "reasoning_content")["reasoning_content"] == ""
    assert "reasoning" not in outgoing_message(silent, "reasoning")
    assert "reasoning_content" not in outgoing_message({**ASK, "parts": []}, "reasoning_content")


def test_unknown_reasoning_field():
    with pytest.raises(ValueError, match="reasoning_details"):
        outgoing_message(ASK, "thoughts")
