"""Messages of Converse become messages of Chat Completions, and parts."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.dialects import UnreadableRequestError
from mockserver.dialects.bedrock.history import read_history

USE = {"toolUseId": "t1", "name": "f", "input": {"a": "ü"}}
CALL = {
    "type": "tool_call",
    "id": "t1",
    "name": "f",
    "arguments": {"a": "ü"},
    "arguments_raw": '{"a":"ü"}',
}


def history(role: str, *content: Any) -> list[dict[str, Any]]:
    return list(read_history([{"role": role, "content": list(content)}]))


def parts(*content: Any) -> Any:
    (message,) = history("assistant", *content)
    assert message["role"] == "assistant"
    return message["parts"]


def test_user_content() -> None:
    assert history("user", {"text": "Hi"}) == [{"role": "user", "content": "Hi"}]
    image = {"image": {"format": "png", "source": {"bytes": "aWc="}}}
    document = {"document": {"format": "pdf", "name": "a b", "source": {"bytes": "aWc="}}}
    audio = {"audio": {"format": "wav", "source": {"bytes": "aWc="}}}
    assert history("user", {"text": "Hi"}, image, document, audio) == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Hi"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,aWc="}},
                {"type": "file", "file": {"filename": "a b.pdf", "file_data": "aWc="}},
                {"type": "input_audio", "input_audio": {"data": "aWc=", "format": "wav"}},
            ],
        }
    ]


@pytest.mark.parametrize(
    "block",
    [
        {"cachePoint": {"type": "default"}},
        {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b/k"}}}},
        {
            "document": {
                "format": "pdf",
                "name": "a",
                "source": {"bytes": "aWc="},
                "citations": {"enabled": True},
            }
        },
        {"guardContent": {"text": {"text": "x"}}},
    ],
)
def test_content_that_chat_completions_do_not_have_keeps_its_name(block: dict[str, Any]) -> None:
    ((kind, value),) = block.items()
    (message,) = history("user", block)
    assert message["content"] == [{"type": kind, kind: value}]


def test_a_user_message_without_content_stays() -> None:
    assert history("user") == [{"role": "user", "content": []}]


def test_results_are_messages_of_their_own() -> None:
    one = {"toolResult": {"toolUseId": "t1", "content": [{"text": "1"}], "status": "success"}}
    two = {"toolResult": {"toolUseId": "t2", "content": [{"json": {"a": 1}}], "status": "error"}}
    assert history("user", {"text": "So:"}, one, two, {"text": "And?"}) == [
        {"role": "user", "content": "So:"},
        {"role": "tool", "tool_call_id": "t1", "content": "1"},
        {
            "role": "tool",
            "tool_call_id": "t2",
            "content": [{"type": "json", "json": {"a": 1}}],
            "status": "error",
        },
        {"role": "user", "content": "And?"},
    ]
    assert [m["role"] for m in history("user", one)] == ["tool"]


def test_an_assistant_message_is_as_a_client_would_send_it() -> None:
    (message,) = history("assistant", {"text": "I "}, {"toolUse": USE}, {"text": "look."})
    assert message["content"] == "I look."
    function = {"name": "f", "arguments": '{"a":"ü"}'}
    assert message["tool_calls"] == [{"id": "t1", "type": "function", "function": function}]
    assert message["parts"] == [
        {"type": "text", "text": "I "},
        CALL,
        {"type": "text", "text": "look."},
    ]
    (quiet,) = history("assistant", {"toolUse": {**USE, "type": "tool_use"}})
    assert quiet["content"] is None
    assert quiet["parts"] == [CALL]
    (said,) = history("assistant", {"text": "Hi"})
    assert "tool_calls" not in said


def test_reasoning_in_both_shapes() -> None:
    signed = {"reasoningContent": {"reasoningText": {"text": "So", "signature": "c2ln"}}}
    plain = {"reasoningContent": {"reasoningText": {"text": "So", "signature": ""}}}
    redacted = {"reasoningContent": {"redactedContent": "b3Bx"}}
    thought = {"type": "reasoning", "channel": "text"}
    assert parts(signed, plain, redacted) == [
        {**thought, "text": "So", "signature": "c2ln"},
        {**thought, "text": "So"},
        {**thought, "text": "", "redacted_data": "b3Bx"},
    ]


def test_other_blocks_of_the_model() -> None:
    hosted = {"toolUse": {**USE, "type": "server_tool_use"}}
    result = {"toolResult": {"toolUseId": "t1", "content": []}}
    cited = {"citationsContent": {"content": [{"text": "a"}, {}, {"text": 3}], "citations": []}}
    image = {"image": {"format": "webp", "source": {"bytes": "aWc="}}}
    assert parts(hosted, result, cited, image) == [
        {"type": "hosted_tool", "kind": "toolUse", "native": [hosted]},
        {"type": "hosted_tool", "kind": "toolResult", "native": [result]},
        {"type": "text", "text": "a"},
        {"type": "image", "url": "data:image/webp;base64,aWc="},
    ]


@pytest.mark.parametrize(
    ("role", "block", "why"),
    [
        ("user", {"toolResult": {"content": []}}, "no toolUseId"),
        ("user", {"toolResult": 3}, "no toolUseId"),
        ("user", {"toolResult": {"toolUseId": "t", "content": "1"}}, "content"),
        ("user", {"toolResult": {"toolUseId": "t", "content": [1]}}, "a tool result"),
        ("assistant", {"toolUse": {**USE, "input": "{}"}}, "input of tool use t1"),
        ("assistant", "Hi", "a content block"),
    ],
)
def test_what_cannot_be_read_is_named(role: str, block: Any, why: str) -> None:
    with pytest.raises(UnreadableRequestError, match=why):
        history(role, block)
