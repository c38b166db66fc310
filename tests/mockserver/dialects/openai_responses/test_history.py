from __future__ import annotations

from typing import Any

import pytest

from mockserver.dialects import UnreadableRequestError
from mockserver.dialects.openai_responses.history import read_history

HI = {"type": "input_text", "text": "hi"}
IMAGE = {"type": "input_image", "image_url": "data:x"}
FILE = {"file_data": "x", "filename": "a"}


def said(*content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": list(content), **more}


def text(words: str) -> dict[str, Any]:
    return {"type": "output_text", "text": words, "annotations": []}


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"role": "user", "content": "hi"}, {"role": "user", "content": "hi"}),
        (
            {"type": "message", "role": "developer", "content": [HI]},
            {"role": "developer", "content": "hi"},
        ),
        (
            {"role": "user", "content": [{"type": "input_text", "text": "see"}, IMAGE]},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "see"},
                    {"type": "image_url", "image_url": {"url": "data:x"}},
                ],
            },
        ),
        (
            {"role": "user", "content": [{**IMAGE, "detail": "low", "file_id": None}]},
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": "data:x", "detail": "low"}}],
            },
        ),
        (
            {"role": "user", "content": [{"type": "input_file", **FILE}]},
            {
                "role": "user",
                "content": [{"type": "file", "file": FILE}],
            },
        ),
        (
            {"type": "function_call_output", "call_id": "c1", "output": "12 °C"},
            {"role": "tool", "tool_call_id": "c1", "content": "12 °C"},
        ),
        (
            {
                "type": "custom_tool_call_output",
                "call_id": "c1",
                "output": [{"type": "input_text", "text": "x"}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "x"}]},
        ),
    ],
)
def test_what_the_model_did_not_make(item: dict[str, Any], message: dict[str, Any]) -> None:
    assert read_history([item]) == [message]


def test_text_alone_is_a_message_of_the_user() -> None:
    assert read_history("hi") == [{"role": "user", "content": "hi"}]
    assert read_history(None) == []


def test_items_of_the_model_are_one_message_until_somebody_else_speaks() -> None:
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a": 1}'}
    patch = {"type": "custom_tool_call", "call_id": "c2", "name": "p", "input": 'say "x"'}
    output = {"type": "function_call_output", "call_id": "c1", "output": "1"}
    reasoning = {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "One"}],
        "content": [{"type": "reasoning_text", "text": "raw"}],
        "encrypted_content": "E1==",
    }
    first, tool, second = read_history(
        [reasoning, search, said(text("On it.")), call, patch, output, said(text("Done."))]
    )
    parts = first.pop("parts")
    assert first == {
        "role": "assistant",
        "content": "On it.",
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
            {"id": "c2", "type": "custom", "custom": {"name": "p", "input": 'say "x"'}},
        ],
    }
    assert parts == [
        {"type": "reasoning", "text": "One", "channel": "summary"},
        {"type": "reasoning", "text": "raw", "channel": "text", "encrypted_content": "E1=="},
        {
            "type": "hosted_tool",
            "kind": "web_search_call",
            "native": [{"type": "response.output_item.done", "item": search}],
        },
        {"type": "text", "text": "On it."},
        {
            "type": "tool_call",
            "id": "c1",
            "name": "f",
            "arguments": {"a": 1},
            "arguments_raw": '{"a": 1}',
        },
        {
            "type": "tool_call",
            "id": "c2",
            "name": "p",
            "arguments": {"input": 'say "x"'},
            "arguments_raw": '{"input":"say \\"x\\""}',
        },
    ]
    assert tool["role"] == "tool"
    assert second == {
        "role": "assistant",
        "content": "Done.",
        "parts": [{"type": "text", "text": "Done."}],
    }


@pytest.mark.parametrize(
    ("item", "parts"),
    [
        ({"role": "assistant", "content": "Yes."}, [{"type": "text", "text": "Yes."}]),
        (
            said(text("Yes."), phase="commentary"),
            [{"type": "text", "text": "Yes.", "phase": "commentary"}],
        ),
        (said({"type": "refusal", "refusal": "No."}), [{"type": "refusal", "refusal": "No."}]),
        (
            {"type": "reasoning", "summary": [], "encrypted_content": "E=="},
            [{"type": "reasoning", "text": "", "channel": "text", "encrypted_content": "E=="}],
        ),
        (
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": ""},
            [
                {
                    "type": "tool_call",
                    "id": "c",
                    "name": "f",
                    "arguments": {},
                    "arguments_raw": "",
                }
            ],
        ),
    ],
)
def test_parts_of_an_earlier_turn(item: dict[str, Any], parts: list[dict[str, Any]]) -> None:
    (message,) = read_history([item])
    assert message["parts"] == parts
    assert message.get("refusal") == ("No." if parts[0]["type"] == "refusal" else None)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("hi", "not an object"),
        ({"type": "item_reference", "id": "rs_1"}, "on the server"),
        ({"type": "computer_call_output", "call_id": "c"}, "'computer_call_output'"),
        ({"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}, "input_image"),
        ({"role": "user", "content": [{"type": "input_file", "file_url": "u"}]}, "input_file"),
        ({"role": "user", "content": {}}, "neither text nor objects"),
        (said({"type": "smell"}), "'smell'"),
        (
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{"},
            "arguments of call c1 are not a JSON object",
        ),
        ({"type": "function_call", "call_id": "c1", "name": "f"}, "arguments of a function_call"),
        ({"type": "function_call_output", "output": "x"}, "call_id of a function_call_output"),
    ],
)
def test_what_a_call_cannot_express_has_a_reason(item: Any, reason: str) -> None:
    with pytest.raises(UnreadableRequestError, match=reason):
        read_history([item])
