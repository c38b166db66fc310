import pytest

from mockserver.dialects.openai_responses.input import (
    CALL_ID_LIMIT,
    flat_tool,
    flat_tool_choice,
    input_items,
    text_format,
)

PATCH = {"type": "custom", "custom": {"name": "patch", "description": "d"}}


def output_text(text):
    return message({"type": "output_text", "text": text, "annotations": []})


def refused(text):
    return message({"type": "refusal", "refusal": text})


def message(content):
    return {"type": "message", "role": "assistant", "content": [content], "status": "completed"}


@pytest.mark.parametrize(
    ("message", "item"),
    [
        (
            {"role": "user", "content": "hi"},
            {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        ),
        (
            {"role": "system", "content": "be brief"},
            {"role": "developer", "content": [{"type": "input_text", "text": "be brief"}]},
        ),
        (
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "see"},
                    {"type": "image_url", "image_url": {"url": "data:x", "detail": "low"}},
                    {"type": "image_url", "image_url": "https://x.test/a.png"},
                    {"type": "file", "file": {"file_id": "file_1"}},
                    {"type": "input_text", "text": "as it is"},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "see"},
                    {"type": "input_image", "image_url": "data:x", "detail": "low"},
                    {"type": "input_image", "image_url": "https://x.test/a.png"},
                    {"type": "input_file", "file_id": "file_1"},
                    {"type": "input_text", "text": "as it is"},
                ],
            },
        ),
        ({"role": "assistant", "content": "hello"}, output_text("hello")),
        (
            {"role": "assistant", "content": [{"type": "text", "text": "a"}, {"refusal": "b"}]},
            output_text("ab"),
        ),
        ({"role": "assistant", "content": None, "refusal": "No."}, refused("No.")),
        (
            {"role": "tool", "tool_call_id": "c1", "content": "12 °C"},
            {"type": "function_call_output", "call_id": "c1", "output": "12 °C"},
        ),
        (
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "x"}]},
            {
                "type": "function_call_output",
                "call_id": "c1",
                "output": [{"type": "input_text", "text": "x"}],
            },
        ),
    ],
)
def test_messages(message, item):
    assert input_items([message]) == [item]


def function_call(call_id, name, arguments):
    return {
        "type": "function_call",
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
        "status": "completed",
    }


def test_an_assistant_message_of_chat_completions():
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    custom = {"id": "c2", "type": "custom", "custom": {"name": "patch", "input": "x"}}
    items = input_items(
        [
            {"role": "assistant", "content": "on it", "tool_calls": [call, custom]},
            {"role": "tool", "tool_call_id": "c1", "content": "1"},
            {"role": "tool", "tool_call_id": "c2", "content": "2"},
        ]
    )
    assert items[:2] == [
        output_text("on it"),
        function_call("c1", "f", "{}"),
    ]
    assert (items[2]["type"], items[2]["input"]) == ("custom_tool_call", "x")
    assert [i["type"] for i in items[3:]] == ["function_call_output", "custom_tool_call_output"]


def test_the_parts_of_an_earlier_turn_are_sent_back_in_order_and_unchanged():
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"q": 1}}
    parts = [
        {"type": "reasoning", "text": "One", "channel": "summary"},
        {"type": "reasoning", "text": "raw", "channel": "text"},
        {"type": "reasoning", "text": "Two", "channel": "summary", "encrypted_content": "E1=="},
        {
            "type": "hosted_tool",
            "kind": "web_search",
            "native": [
                {"type": "response.in_progress"},
                {"type": "response.output_item.done", "item": search},
            ],
        },
        {"type": "reasoning", "text": "", "channel": "text", "encrypted_content": "E2=="},
        {"type": "text", "text": "I look."},
        {"type": "reasoning", "text": "not encrypted", "channel": "text"},
        {"type": "tool_call", "id": "c1", "name": "f", "arguments": {}, "arguments_raw": "{ }"},
        {"type": "tool_call", "id": "c2", "name": "f", "arguments": None, "arguments_raw": '{"'},
        {
            "type": "tool_call",
            "id": "c3",
            "name": "patch",
            "arguments": {"input": "x"},
            "arguments_raw": '{"input":"x"}',
        },
        {"type": "refusal", "refusal": "No."},
        {"type": "text", "text": "Done.", "phase": "final_answer"},
    ]
    message = {"role": "assistant", "content": "I look.", "tool_calls": ["unread"], "parts": parts}
    assert input_items([message], [PATCH]) == [
        {
            "type": "reasoning",
            "summary": [
                {"type": "summary_text", "text": "One"},
                {"type": "summary_text", "text": "Two"},
            ],
            "encrypted_content": "E1==",
            "content": [{"type": "reasoning_text", "text": "raw"}],
        },
        {"type": "web_search_call", "status": "completed", "action": {"q": 1}},
        {"type": "reasoning", "summary": [], "encrypted_content": "E2=="},
        output_text("I look."),
        function_call("c1", "f", "{ }"),
        {
            "type": "custom_tool_call",
            "call_id": "c3",
            "name": "patch",
            "input": "x",
            "status": "completed",
        },
        refused("No."),
        {**output_text("Done."), "phase": "final_answer"},
    ]


def test_long_call_ids_are_shortened_and_stay_unique():
    ids = ["c" * CALL_ID_LIMIT + end for end in "ab"]
    calls = [{"id": i, "function": {"name": "f", "arguments": "{}"}} for i in ids]
    items = input_items(
        [
            {"role": "assistant", "content": None, "tool_calls": calls},
            *({"role": "tool", "tool_call_id": i, "content": "x"} for i in ids),
        ]
    )
    made = [item["call_id"] for item in items]
    assert made[:2] == made[2:]
    assert len(set(made)) == 2
    assert {len(i) for i in made} == {CALL_ID_LIMIT}


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"role": "robot", "content": "x"}, "robot"),
        ({"role": "user", "content": [{"type": "smell"}]}, "smell"),
    ],
)
def test_what_the_api_cannot_express_is_refused(message, words):
    with pytest.raises(ValueError, match=words):
        input_items([message])


def test_tools_are_flat_and_never_strict():
    schema = {"type": "object", "properties": {"q": {"type": "string"}}}
    function = {"name": "f", "description": "d", "parameters": schema, "strict": True}
    flat = {"type": "function", "name": "f", "description": "d", "parameters": schema}
    assert flat_tool({"type": "function", "function": function}) == flat
    assert flat_tool({**flat, "strict": True}) == flat
    empty = {"type": "object", "properties": {}}
    assert flat_tool({"type": "function", "function": {"name": "g"}})["parameters"] == empty
    assert flat_tool({"type": "web_search"}) == {"type": "web_search"}
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /x/"}}
    custom = {"type": "custom", "custom": {"name": "patch", "format": grammar}}
    assert flat_tool(custom) == {
        "type": "custom",
        "name": "patch",
        "format": {"type": "grammar", "syntax": "lark", "definition": "start: /x/"},
    }


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (None, "auto"),
        ("auto", "auto"),
        ("required", "required"),
        ("none", "none"),
        ({"type": "function", "function": {"name": "f"}}, {"type": "function", "name": "f"}),
        ({"type": "function", "name": "f"}, {"type": "function", "name": "f"}),
        ({"type": "custom", "custom": {"name": "p"}}, {"type": "custom", "name": "p"}),
        ({"type": "function"}, "auto"),
    ],
)
def test_tool_choice(choice, sent):
    assert flat_tool_choice(choice) == sent


def test_text_format():
    schema = {"name": "answer", "schema": {"type": "object"}, "strict": True}
    assert text_format({"type": "json_schema", "json_schema": schema}) == {
        "type": "json_schema",
        **schema,
    }
    assert text_format({"type": "json_object"}) == {"type": "json_object"}
