"""Whatever a client sends, it gets an answer of the provider, and never an exception."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockserver.backend import Backend, Settings
from mockserver.cassettes.cassette import Request
from mockserver.dialects import dialects

PATHS = {
    "openai-chat": "/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "background": "/v1/responses",
    "codex": "/backend-api/codex/responses",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/gemini-3-pro:generateContent",
    "bedrock": "/model/m/converse",
    "cohere": "/v2/chat",
    "ollama": "/api/chat",
}
_WORDS = st.sampled_from(
    [
        "model",
        "messages",
        "input",
        "content",
        "role",
        "type",
        "text",
        "user",
        "assistant",
        "system",
        "tool",
        "tools",
        "tool_calls",
        "function",
        "function_call_output",
        "name",
        "arguments",
        "id",
        "tool_use",
        "tool_use_id",
        "tool_result",
        "thinking",
        "contents",
        "parts",
        "functionCall",
        "functionResponse",
        "generationConfig",
        "toolConfig",
        "toolSpec",
        "toolUse",
        "toolUseId",
        "toolResult",
        "temperature",
        "max_tokens",
        "stream",
        "stream_options",
        "response_format",
        "parameters",
        "input_schema",
        "json_schema",
        "strict",
        "schema",
        "properties",
        "required",
        "call_id",
        "inputSchema",
        "json",
        "tool_choice",
        "signature",
        "cache_control",
        "metadata",
        "systemInstruction",
        "functionDeclarations",
        "gpt-4o",
    ]
)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | _WORDS
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=4),
    max_leaves=12,
)


def answered(name: str, body: bytes, **options: Any) -> int:
    request = Request(
        method="POST",
        uri=f"http://provider{PATHS[name]}",
        headers=(("content-type", "application/json"),),
        body=body,
    )
    return Backend(Settings(**options)).answer(request, 0.0).exchange.schedule.status


def test_every_dialect_has_a_path() -> None:
    assert set(PATHS) == set(dialects())


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("name", PATHS)
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(body=st.dictionaries(_WORDS, _VALUES, max_size=6))
def test_any_object_is_answered(name: str, lenient: bool, body: dict[str, Any]) -> None:
    raw = json.dumps({"model": "gpt-4o", "background": name == "background", **body}).encode()
    assert answered(name, raw, lenient=lenient) in (200, 400, 404, 422)


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"messages":' + b"[" * 100_000,
        b'{"model": NaN}',
        b'{"model": ' + b"9" * 5000 + b"}",
        b'{"messages": [{"role": "\\ud800", "content": "\\udfff"}]}',
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_object_is_refused(name: str, lenient: bool, body: bytes) -> None:
    assert answered(name, body, lenient=lenient) in (200, 400)


@pytest.mark.parametrize("kind", [[], {}, {"a": 1}, 5, None])
def test_items_of_odd_types_do_not_break_what_is_served_beside_answers(kind: Any) -> None:
    body = json.dumps({"model": "gpt-4o", "input": [{"type": kind}]}).encode()
    for address in ("compact", "input_tokens"):
        uri = f"http://provider/v1/responses/{address}"
        request = Request(method="POST", uri=uri, headers=(), body=body)
        answer = Backend(Settings()).answer(request, 0.0)
        assert answer.exchange.schedule.status in (200, 400)
