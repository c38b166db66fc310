"""Values that a provider takes for an absent field are the same as its absence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockserver import MockServer
from mockserver.cassettes.cassette import Request
from mockserver.library import library
from mockserver.library.matcher import accepts, differences, signature
from mockserver.library.rule import EXACT, Rule
from tests.mockserver.rawhttp import cassette, interaction

CHAT = "https://h/v1/chat/completions"
RESPONSES = "https://h/v1/responses"
MESSAGES = "https://h/v1/messages"
OLLAMA = "https://h/api/chat"
GEMINI = "https://h/v1beta/models/m:generateContent"
CONVERSE = "https://h/model/m/converse"
STRICT = Rule.of(["strict"])


def asked(uri: str, **fields: Any) -> Request:
    return Request(method="POST", uri=uri, body=json.dumps({"model": "m", **fields}).encode())


@pytest.mark.parametrize(
    ("uri", "fields"),
    [
        (CHAT, {"stream": False}),
        (CHAT, {"stream": None}),
        (CHAT, {"temperature": None, "stop": None}),
        (RESPONSES, {"stream": False, "tools": []}),
        (RESPONSES, {"instructions": None, "background": False}),
        ("https://chatgpt.com/backend-api/codex/responses", {"tools": [], "reasoning": None}),
        (MESSAGES, {"stream": False, "tools": []}),
        (OLLAMA, {"stream": True, "tools": [], "options": {}, "think": None}),
        (GEMINI, {"generationConfig": {}, "tools": [], "systemInstruction": None}),
        (CONVERSE, {"inferenceConfig": {}, "system": []}),
        ("https://h/v2/chat", {"stream": False}),
    ],
)
def test_requests_that_say_the_same_are_the_same(uri: str, fields: dict[str, Any]) -> None:
    short, long = asked(uri), asked(uri, **fields)
    assert signature(short) == signature(long)
    assert signature(short, ranked=False).body == signature(long, ranked=False).body
    assert differences(short, long) == differences(long, short) == ()
    assert signature(short, STRICT) != signature(long, STRICT)
    assert [d.at for d in differences(short, long, STRICT)] == [f"body/{name}" for name in fields]


@pytest.mark.parametrize(
    ("uri", "fields"),
    [
        # Refused with "empty array".
        (CHAT, {"tools": []}),
        (CHAT, {"stream": True}),
        (CHAT, {"stream": 0}),
        (CHAT, {"temperature": 0}),
        (CHAT, {"n": False}),
        (CHAT, {"tool_choice": None}),
        (MESSAGES, {"temperature": None}),
        # Ollama streams unless asked not to.
        (OLLAMA, {"stream": False}),
        (CONVERSE, {"toolConfig": {"tools": []}}),
        ("https://h/anything", {"stream": False, "tools": []}),
    ],
)
def test_requests_that_say_something_else_are_others(uri: str, fields: dict[str, Any]) -> None:
    assert signature(asked(uri)) != signature(asked(uri, **fields))
    assert not accepts(asked(uri), asked(uri, **fields))


def test_messages_of_an_sdk_with_fields_that_are_null_are_the_same() -> None:
    call = {"role": "assistant", "tool_calls": [{"id": "a"}]}
    whole = {**call, "content": None, "refusal": None, "audio": None, "function_call": None}
    assert accepts(asked(CHAT, messages=[call]), asked(CHAT, messages=[whole]))
    assert not accepts(
        asked(CHAT, messages=[call]), asked(CHAT, messages=[{**call, "content": ""}])
    )


def test_null_in_what_the_user_wrote_is_a_value() -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"default": None}}}
    other = {"type": "function", "function": {"name": "f", "parameters": {}}}
    assert not accepts(asked(CHAT, tools=[tool]), asked(CHAT, tools=[other]))


@pytest.mark.parametrize("words", [["strict"], ["strict", "body"], ["body.stream", "strict"]])
def test_a_rule_may_be_strict(words: list[str]) -> None:
    rule = Rule.of(words)
    assert rule.strict
    assert rule.over(EXACT).strict
    assert EXACT.over(rule).strict
    assert "strictly" in str(rule)
    assert not accepts(asked(CHAT), asked(CHAT, stream=False), rule)


def test_an_absent_field_is_served_what_its_default_got(tmp_path: Path) -> None:
    path = tmp_path / "tape.yaml"
    recorded = asked(CHAT, stream=False).body
    library.write(cassette(interaction(b"{}", body=recorded), path=path))
    url = "/v1/chat/completions"
    with MockServer(path) as server:
        for fields in ({}, {"stream": False}, {"stream": None}):
            got = httpx.post(server.url + url, json={"model": "m", **fields}, trust_env=False)
            assert got.status_code == 200
    with MockServer(path, match_on=["strict"]) as server:
        missed = httpx.post(server.url + url, json={"model": "m"}, trust_env=False)
        assert missed.status_code == 404
        assert "strictly" in missed.json()["error"]["message"]
        assert "body/stream: recorded false, got nothing" in missed.json()["error"]["message"]
