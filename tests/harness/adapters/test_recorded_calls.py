"""What the clients of the Responses API ask, read back from the recorded request, is the call."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.chatgpt_oauth.request import request_body
from mockserver.cassettes.cassette import Request
from mockserver.dialects.openai_responses import responses_body
from mockserver.dialects.openai_responses.call import read_call

Call = dict[str, Any]

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = [
    {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}},
    {"type": "function", "function": {"name": "f", "parameters": SCHEMA, "description": "d"}},
    {"type": "custom", "custom": {"name": "patch", "description": "d"}},
    {"type": "web_search"},
]
words = st.text(min_size=1, max_size=8)
ids = st.from_regex(r"call_[a-z0-9]{1,8}", fullmatch=True)
image = st.sampled_from(
    [
        {"type": "image_url", "image_url": {"url": "data:x", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://images.test/a.png"}},
        {"type": "file", "file": {"file_id": "file_1"}},
    ]
)


@st.composite
def user_messages(draw: st.DrawFn) -> Call:
    role = draw(st.sampled_from(["user", "developer"]))
    if role == "developer" or draw(st.booleans()):
        return {"role": role, "content": draw(words)}
    text = {"type": "text", "text": draw(words)}
    return {"role": role, "content": [text, *draw(st.lists(image, min_size=1, max_size=2))]}


@st.composite
def turns(draw: st.DrawFn) -> list[Call]:
    """Make the message of an earlier turn and the results of its calls."""
    parts: list[Call] = []
    if draw(st.booleans()):
        thoughts = draw(st.lists(words, max_size=2))
        parts += ({"type": "reasoning", "text": t, "channel": "summary"} for t in thoughts)
        if not parts:
            parts = [{"type": "reasoning", "text": "", "channel": "text"}]
        parts[-1]["encrypted_content"] = draw(words)
    for _ in range(draw(st.integers(0, 2))):
        phase = draw(st.sampled_from([{}, {"phase": "commentary"}]))
        parts.append({"type": "text", "text": draw(words), **phase})
    if draw(st.booleans()):
        parts.append({"type": "refusal", "refusal": draw(words)})
    calls: list[Call] = []
    for call_id in draw(st.lists(ids, max_size=2, unique=True)):
        name = draw(st.sampled_from(["weather", "patch"]))
        if name == "patch":
            arguments = {"input": draw(words)}
            raw = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
            inner = {"name": name, **arguments}
        else:
            arguments = {"city": draw(words)}
            raw = json.dumps(arguments)
            inner = {"name": name, "arguments": raw}
        kind = "custom" if name == "patch" else "function"
        calls.append({"id": call_id, "type": kind, kind: inner})
        part = {"type": "tool_call", "id": call_id, "name": name}
        parts.append({**part, "arguments": arguments, "arguments_raw": raw})
    if not parts:
        return []
    message: Call = {"role": "assistant", "content": None, "parts": parts}
    message["content"] = "".join(p["text"] for p in parts if p["type"] == "text") or None
    if refusal := "".join(p["refusal"] for p in parts if p["type"] == "refusal"):
        message["refusal"] = refusal
    if calls:
        message["tool_calls"] = calls
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": draw(words)} for call in calls
    ]
    return [message, *results]


@st.composite
def histories(draw: st.DrawFn) -> list[Call]:
    """Make messages in which no two assistant messages follow each other."""
    messages = [draw(user_messages())]
    for _ in range(draw(st.integers(0, 3))):
        messages += [*draw(turns()), draw(user_messages())]
    return messages


def recorded(body: Call) -> Any:
    text = json.dumps(body).encode()
    return read_call(Request(method="POST", uri="https://api.openai.com/v1/responses", body=text))


options = st.fixed_dictionaries(
    {},
    optional={
        "max_completion_tokens": st.just(5),
        "reasoning_effort": st.just("low"),
        "reasoning": st.just({"summary": "auto"}),
        "verbosity": st.just("low"),
        "temperature": st.just(0.5),
        "parallel_tool_calls": st.just(False),
        "include": st.just(["message.output_text.logprobs"]),
        "response_format": st.sampled_from(
            [
                {"type": "json_object"},
                {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}},
            ]
        ),
        "tool_choice": st.sampled_from(
            [
                "required",
                {"type": "function", "function": {"name": "f"}},
                {"type": "custom", "custom": {"name": "patch"}},
            ]
        ),
    },
)


@given(
    histories(),
    options,
    st.sampled_from(["gpt-4.1", "gpt-5.2"]),
    st.booleans(),
    st.booleans(),
)
def test_a_call_of_response_strategies_is_read_back(
    messages: list[Call], options: Call, model: str, stream: bool, background: bool
) -> None:
    body = responses_body(
        model=model,
        messages=messages,
        tools=TOOLS,
        stream=stream,
        background=background,
        options=options,
    )
    call = recorded(body)
    assert (call.model, list(call.messages), list(call.tools)) == (model, messages, TOOLS)
    assert (call.stream, call.options) == (stream, options)


@given(words, histories(), st.sampled_from(["gpt-4.1", "gpt-5.2"]))
def test_a_call_of_chatgpt_oauth_is_read_back(
    instructions: str, history: list[Call], model: str
) -> None:
    messages = [{"role": "system", "content": instructions}, *history]
    body = request_body(model=model, messages=messages, tools=TOOLS)
    call = recorded(body)
    assert (call.model, list(call.messages), list(call.tools)) == (model, messages, TOOLS)
    assert (call.stream, call.options) == (True, {})


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": "Hello."},
        {"role": "assistant", "content": None, "refusal": "No."},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
    ],
)
def test_a_plain_assistant_message_is_read_back_with_its_parts(message: Call) -> None:
    messages = [{"role": "user", "content": "Hi"}, message]
    ask = {"model": "m", "tools": TOOLS, "stream": True, "background": False}
    body = responses_body(messages=messages, **ask)
    back = recorded(body).messages
    assert {n: v for n, v in back[1].items() if n != "parts"} == message
    assert responses_body(messages=back, **ask) == body
