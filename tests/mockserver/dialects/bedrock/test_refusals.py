"""What Converse refuses: the words of each error."""

from __future__ import annotations

from typing import Any

import pytest

from tests.mockserver.dialects import refusing

PATH = "/model/m/converse"
USER = {"role": "user", "content": [{"text": "Hi"}]}
ANSWER = {"role": "assistant", "content": [{"text": "Hi"}]}
TOOLS = {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {}}}}]}


def use(*ids: str) -> dict[str, Any]:
    blocks = [{"toolUse": {"toolUseId": id_, "name": "f", "input": {}}} for id_ in ids]
    return {"role": "assistant", "content": blocks}


def result(*ids: str) -> dict[str, Any]:
    blocks = [{"toolResult": {"toolUseId": id_, "content": [{"text": "x"}]}} for id_ in ids]
    return {"role": "user", "content": blocks}


def body(*messages: Any, **fields: Any) -> dict[str, Any]:
    return {"messages": list(messages) or [USER], **fields}


def named(name: str) -> dict[str, Any]:
    return {"tools": [{"toolSpec": {"name": name, "inputSchema": {"json": {}}}}]}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            body(USER, use("a", "b"), result("a"), toolConfig=TOOLS),
            "Expected toolResult blocks at messages.2.content for the following Ids: b",
        ),
        (
            body(USER, use("a"), result("a", "b"), toolConfig=TOOLS),
            "The number of toolResult blocks at messages.2.content exceeds the number of toolUse "
            "blocks of previous turn.",
        ),
        (
            body(USER, use("a"), result("a")),
            "The toolConfig field must be defined when using toolUse and toolResult content "
            "blocks.",
        ),
        (
            body(ANSWER, USER),
            "A conversation must start with a user message. Try again with a conversation that "
            "starts with a user message.",
        ),
        (
            body(USER, USER),
            "A conversation must alternate between user and assistant roles. Make sure the "
            "conversation alternates between user and assistant roles and try again.",
        ),
        (
            body({"role": "user", "content": [{"text": " "}]}),
            "The text field in the ContentBlock object at messages.0.content.0 is blank. Add text "
            "to the text field, and try again.",
        ),
        (
            body({"role": "user", "content": []}),
            "The content field in the Message object at messages.0 is empty. Add a ContentBlock "
            "object to the content field and try again.",
        ),
        (
            body(inferenceConfig={"temperature": 99}),
            "1 validation error detected: Value '99.0' at 'inferenceConfig.temperature' failed to "
            "satisfy constraint: Member must have value less than or equal to 1",
        ),
        (
            body(toolConfig=named("a.b")),
            "1 validation error detected: Value 'a.b' at 'toolConfig.tools.1.member.toolSpec.name' "
            "failed to satisfy constraint: Member must satisfy regular expression pattern: "
            "[a-zA-Z0-9_-]+",
        ),
    ],
)
def test_a_request_is_refused_in_the_words_of_aws(request_: Any, message: str) -> None:
    found = refusing.objections("bedrock", request_, PATH)
    assert found, "it is not refused"
    assert found[0].error.message == message
    assert found[0].error.status == 400


@pytest.mark.parametrize(
    "request_",
    [
        {},
        body(),
        body(USER, ANSWER, USER, inferenceConfig={"temperature": 1, "maxTokens": 1}),
        body(USER, use("a", "b"), result("b", "a"), toolConfig=TOOLS),
    ],
)
def test_what_aws_takes_is_not_refused(request_: Any) -> None:
    assert refusing.objections("bedrock", request_, PATH) == []
