"""What the Messages API refuses: the words of each error."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.dialects import find_dialect, said
from mockserver.dialects.anthropic.refused_messages import signed, thought_out
from mockserver.dialects.memory import Memory
from mockserver.dialects.refusals import Quota, QuotaKind, Sent
from tests.mockserver.dialects import refusing

PATH = "/v1/messages"
USER = {"role": "user", "content": "Hi"}
THOUGHT = {"type": "thinking", "thinking": "Hm", "signature": "abc"}


def use(*ids: str) -> dict[str, Any]:
    blocks = [{"type": "tool_use", "id": id_, "name": "f", "input": {}} for id_ in ids]
    return {"role": "assistant", "content": blocks}


def result(*ids: str) -> dict[str, Any]:
    blocks = [{"type": "tool_result", "tool_use_id": id_, "content": "done"} for id_ in ids]
    return {"role": "user", "content": blocks}


def body(*messages: Any, **fields: Any) -> dict[str, Any]:
    whole = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 9000,
        "messages": list(messages) or [USER],
        **fields,
    }
    return {name: value for name, value in whole.items() if value is not None}


def tool(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "input_schema": {"type": "object"}, **fields}


THINKING = {"type": "enabled", "budget_tokens": 2000}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            b'{"model": x}',
            "The request body is not valid JSON: unexpected character: line 1 column 11 (char 10)",
        ),
        (body(model=None), "model: Field required"),
        (body(model=5), "model: Input should be a valid string"),
        (body(model=""), "model: String should have at least 1 character"),
        (body(messages=None), "messages: Field required"),
        (body(messages="Hi"), "messages: Input should be a valid array"),
        (body(messages=[]), "messages: at least one message is required"),
        (body("Hi"), "messages.0: Input should be an object"),
        (body({"content": "Hi"}), "messages.0.role: Field required"),
        (body({"role": "user"}), "messages.0.content: Field required"),
        (
            body({"role": "bot", "content": "Hi"}),
            'messages: Unexpected role "bot". Allowed roles are "user" or "assistant"',
        ),
        (
            body({"role": "system", "content": "Be kind"}, USER),
            "messages.0: use the top-level 'system' parameter for the initial system prompt; the "
            "directive-only form (content: [] with output_config) is accepted at any position",
        ),
        (
            body({"role": "user", "content": [{"text": "Hi"}]}),
            "messages.0.content.0.type: Field required",
        ),
        (body(max_tokens=None), "max_tokens: Field required"),
        (body(max_tokens="5"), "max_tokens: Input should be a valid integer"),
        (body(temperature=1.1), "temperature: range: 0..1"),
        (body(temperature="hot"), "temperature: Input should be a valid number"),
        (body(stream=1), "stream: Input should be a valid boolean"),
        (body(temprature=1), "temprature: Extra inputs are not permitted"),
        (body(tools=[tool("f"), tool("f")]), "tools: Tool names must be unique."),
        (
            body(tools=[tool("a b")]),
            "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
        ),
        (body(tools=[{"name": "f"}]), "tools.0.custom.input_schema: Field required"),
        (
            body(tool_choice={"type": "any"}),
            "tool_choice may only be specified while providing tools.",
        ),
        (
            body(thinking={"type": "enabled", "budget_tokens": 100}),
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ),
        (
            body(thinking=THINKING, tools=[tool("f")], tool_choice={"type": "any"}),
            "Thinking may not be enabled when tool_choice forces tool use.",
        ),
        (
            body(thinking=THINKING, max_tokens=2000),
            "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our "
            "documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
            "#max-tokens-and-context-window-size",
        ),
        (
            body({"role": "user", "content": [{"type": "text", "text": ""}]}),
            "messages: text content blocks must be non-empty",
        ),
        (
            body({"role": "user", "content": " \n"}),
            "messages: text content blocks must contain non-whitespace text",
        ),
        (
            body({"role": "user", "content": ""}),
            "messages.0: all messages must have non-empty content except for the optional final "
            "assistant message",
        ),
        (
            body(USER, {"role": "assistant", "content": "So "}),
            "messages: final assistant content cannot end with trailing whitespace",
        ),
        (
            body(USER, use("a", "b"), result("a")),
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: "
            "b. Each `tool_use` block must have a corresponding `tool_result` block in the next "
            "message.",
        ),
        (
            body(USER, result("a")),
            "messages.1.content.0: unexpected `tool_use_id` found in `tool_result` blocks: a. Each "
            "`tool_result` block must have a corresponding `tool_use` block in the previous "
            "message.",
        ),
        (
            body(USER, use("a", "a"), result("a")),
            "messages.1.content.1: `tool_use` ids must be unique",
        ),
        (
            body(USER, use("a"), result("a", "a")),
            "messages.2.content.1: each tool_use must have a single result. Found multiple "
            "`tool_result` blocks with id: a",
        ),
        (
            body(USER, {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm"}]}),
            "messages.1.content.0.thinking.signature: Field required",
        ),
    ],
)
def test_a_request_is_refused_in_anthropics_words(request_: Any, message: str) -> None:
    found = refusing.objections("anthropic", request_, PATH)
    assert found, "it is not refused"
    assert found[0].error.message == message
    assert found[0].error.status == 400
    assert found[0].source.startswith("https://")


@pytest.mark.parametrize(
    "request_",
    [
        body(),
        body(USER, USER, {"role": "assistant", "content": "So"}),
        body({"role": "assistant", "content": "Hi"}, USER),
        body(
            USER, {"role": "assistant", "content": "Hi"}, USER, {"role": "system", "content": "x"}
        ),
        body(USER, use("a"), use("b"), result("a"), result("b"), USER),
        body(
            USER,
            use("a"),
            {"role": "user", "content": [*result("a")["content"], {"type": "text", "text": "Go"}]},
        ),
        body(
            USER,
            {"role": "assistant", "content": [THOUGHT, *use("a")["content"]]},
            result("a"),
            thinking=THINKING,
        ),
        body(USER, use("a"), result("a"), USER, thinking=THINKING),
        body(USER, use("a"), result("a"), thinking=THINKING),
        body(tools=[tool("f"), {"type": "web_search_20250305", "name": "web_search"}]),
        body(tool_choice={"type": "auto"}, tools=[tool("f")]),
        body(tool_choice={"type": "any"}, tools=[tool("f")], thinking={"type": "adaptive"}),
        body(thinking={"type": "adaptive"}, output_config={"effort": "high"}),
        body(temperature=1, top_p=0.5, top_k=1, stream=True, metadata={"user_id": "u"}),
        body(system=[{"type": "text", "text": "Be kind", "cache_control": {"type": "ephemeral"}}]),
        {"anthropic_version": "vertex-2023-10-16", "max_tokens": 5, "messages": [USER]},
        body(model="kimi-k2", some_field=1),
    ],
)
def test_what_anthropic_takes_is_not_refused(request_: Any) -> None:
    assert refusing.objections("anthropic", request_, PATH) == []


def test_a_thought_comes_back_as_it_was_signed() -> None:
    memory = Memory()
    memory.keep(signed("abc"), "Hm", 2)
    dialect = find_dialect("anthropic")

    def refused(**changed: str) -> list[str]:
        message = {"role": "assistant", "content": [{**THOUGHT, **changed}]}
        request = refusing.sent(dialect, body(USER, message, USER), PATH).request
        asked = Sent(request, None, memory)
        return [one.error.message for one in said(dialect, lambda r: tuple(r.objections(asked)))]

    assert refused() == []
    assert refused(thinking="Ha") == [
        "messages.1.content.0: Invalid `signature` in `thinking` block"
    ]
    # Another server made this one.
    assert refused(thinking="Ha", signature="foreign") == []


def test_a_call_comes_back_with_the_thought_that_led_to_it() -> None:
    memory = Memory()
    memory.keep(thought_out("a"), "a", 1)
    dialect = find_dialect("anthropic")

    def refused(*messages: Any, **fields: Any) -> list[str]:
        request = refusing.sent(dialect, body(*messages, **fields), PATH).request
        asked = Sent(request, None, memory)
        return [one.error.message for one in said(dialect, lambda r: tuple(r.objections(asked)))]

    (message,) = refused(USER, use("a"), result("a"), thinking=THINKING)
    assert message.startswith(
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
        "`tool_use`. When `thinking` is enabled, a final `assistant` message must start with"
    )
    assert refused(USER, use("a"), result("a")) == []
    assert refused(USER, use("b"), result("b"), thinking=THINKING) == []
    thought = {"role": "assistant", "content": [THOUGHT, *use("a")["content"]]}
    assert refused(USER, thought, result("a"), thinking=THINKING) == []


def test_headers_tell_what_is_left_and_when_all_is_there_again() -> None:
    quota = Quota(kind=QuotaKind.TOKENS, limit=60, remaining=20, reset=40)
    headers = dict(said(find_dialect("anthropic"), lambda r: r.limit_headers([quota], 1000.0)))
    assert headers["anthropic-ratelimit-input-tokens-remaining"] == "20"
    assert headers["anthropic-ratelimit-output-tokens-limit"] == "60"
    assert headers["anthropic-ratelimit-tokens-reset"] == "1970-01-01T00:17:20Z"
