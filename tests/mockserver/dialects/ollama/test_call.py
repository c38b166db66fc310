"""Recorded requests become calls, and calls the requests that they were."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.cassettes.cassette import Request
from mockserver.dialects import UnreadableRequestError, UnwritableError
from mockserver.dialects.ollama import DIALECT
from mockserver.vocabulary.call import NeutralCall

HI = {"role": "user", "content": "hi"}
PNG, JPEG = "iVBORw0KGgoAAA", "/9j/4AAQ"
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def request(body: Any, path: str = "/api/chat") -> Request:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(method="POST", uri=f"http://127.0.0.1:11434{path}", body=text)


def read(**body: Any) -> NeutralCall:
    return DIALECT.read_call(request({"model": "m", "messages": [HI], **body}))


def read_prompt(**body: Any) -> NeutralCall:
    return DIALECT.read_call(request({"model": "m", **body}, "/api/generate"))


def written(call: NeutralCall) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(DIALECT.write_request(call).body)
    return body


def said(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return written(NeutralCall(model="m", messages=messages, **more))


def test_a_stream_is_the_default() -> None:
    assert read() == NeutralCall(model="m", messages=(HI,), stream=True)
    assert read(stream=None).stream
    assert not read(stream=False).stream
    assert read(tools=[]).tools == ()
    assert read(tools=[TOOL]).tools == (TOOL,)


@pytest.mark.parametrize(
    ("sent", "options"),
    [
        ({"options": {"num_predict": 5}}, {"max_completion_tokens": 5}),
        (
            {"options": {"stop": ["x"], "temperature": 0, "num_ctx": 9, "seed": 1, "top_p": 0.5}},
            {
                "stop": ["x"],
                "temperature": 0,
                "seed": 1,
                "top_p": 0.5,
                "options": {"num_ctx": 9},
            },
        ),
        ({"options": {}}, {}),
        ({"format": "json"}, {"response_format": {"type": "json_object"}}),
        (
            {"format": {"type": "object"}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "response", "schema": {"type": "object"}},
                }
            },
        ),
        ({"format": ""}, {}),
        ({"think": True}, {"think": True}),
        ({"think": False}, {"reasoning_effort": "none"}),
        ({"think": "high"}, {"reasoning_effort": "high"}),
        ({"keep_alive": "5m", "truncate": False}, {"keep_alive": "5m", "truncate": False}),
        ({"logprobs": True, "top_logprobs": 2}, {"logprobs": True, "top_logprobs": 2}),
        ({"keep_alive": None}, {}),
    ],
)
def test_options_have_their_chat_name_or_their_own(
    sent: dict[str, Any], options: dict[str, Any]
) -> None:
    call = read(**sent)
    assert call.options == options
    body = written(call)
    plain = {name: value for name, value in sent.items() if value not in (None, "", {})}
    assert {n: v for n, v in body.items() if n not in ("model", "messages", "stream")} == plain


def test_other_words_of_chat_completions_are_translated() -> None:
    assert said(HI, options={"max_tokens": 3})["options"] == {"num_predict": 3}
    text = said(HI, options={"response_format": {"type": "text"}, "tool_choice": "auto"})
    assert set(text) == {"model", "messages", "stream"}
    assert "tools" not in said(HI, tools=(TOOL,), options={"tool_choice": "none"})
    assert said({"role": "developer", "content": "x"})["messages"][0]["role"] == "system"


@pytest.mark.parametrize(
    ("messages", "more", "why"),
    [
        ([HI], {"tools": ({"type": "custom", "custom": {}},)}, "custom"),
        ([HI], {"options": {"tool_choice": "required"}}, "required"),
        ([HI], {"options": {"response_format": {"type": "grammar"}}}, "grammar"),
        ([HI], {"options": {"options": [1]}}, "options are an object"),
        ([HI], {"options": {"endpoint": "embed"}}, "embed"),
        ([{"role": "tool", "tool_call_id": "c", "content": "x"}], {}, "no known call"),
        (
            [
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "http://a"}}],
                }
            ],
            {},
            "data: images",
        ),
        ([{"role": "user", "content": [{"type": "file", "file": {}}]}], {}, "file"),
        ([HI, HI], {"options": {"endpoint": "generate"}}, "system message before"),
        ([HI, HI, HI], {"options": {"endpoint": "generate"}}, "one user message"),
        ([HI], {"tools": (TOOL,), "options": {"endpoint": "generate"}}, "no tools"),
        (
            [
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "["}}],
                }
            ],
            {},
            "not a JSON object",
        ),
    ],
)
def test_what_the_api_cannot_say_is_refused(messages: Any, more: Any, why: str) -> None:
    with pytest.raises(UnwritableError, match=why):
        said(*messages, **more)


def test_a_prompt_is_a_message() -> None:
    call = read_prompt(prompt="hi", system="Be brief.", raw=True, context=[1])
    assert call.messages == ({"role": "system", "content": "Be brief."}, HI)
    assert call.options == {"endpoint": "generate", "raw": True, "context": [1]}
    assert written(call) == {
        "model": "m",
        "prompt": "hi",
        "system": "Be brief.",
        "stream": True,
        "raw": True,
        "context": [1],
    }
    assert DIALECT.write_request(call).url.path == "/api/generate"
    image = read_prompt(prompt="hi", images=[PNG])
    assert written(image)["images"] == [PNG]


def test_images_have_a_type_by_how_they_begin() -> None:
    urls = [
        part["image_url"]["url"]
        for part in read(
            messages=[{"role": "user", "content": "", "images": [PNG, JPEG, "QQ=="]}]
        ).messages[0]["content"]
    ]
    assert urls == [
        f"data:image/png;base64,{PNG}",
        f"data:image/jpeg;base64,{JPEG}",
        "data:image/png;base64,QQ==",
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 99999,
        [],
        {"model": "m"},
        {"messages": []},
        {"messages": [1]},
        {"messages": "hi"},
        {"messages": [{"content": "no role"}]},
        {"messages": [{"role": "user", "content": ["hi"]}]},
        {"messages": [{"role": "user", "content": "x", "images": "QQ=="}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {}}]}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"function": 1}]}]},
        {"messages": [{"role": "assistant", "thinking": 1}]},
        {"messages": [{"role": "tool", "content": "x", "tool_name": "f"}]},
        {"messages": [HI], "tools": {"a": 1}},
    ],
)
def test_what_a_call_cannot_express_is_refused(body: Any) -> None:
    with pytest.raises(UnreadableRequestError):
        DIALECT.read_call(request(body))


@pytest.mark.parametrize("body", [{}, {"prompt": ""}, {"prompt": 1}, {"prompt": "x", "system": 1}])
def test_a_prompt_that_is_none_is_refused(body: Any) -> None:
    with pytest.raises(UnreadableRequestError):
        DIALECT.read_call(request(body, "/api/generate"))


def called(name: str, **more: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": {"a": 1}}, **more}


def result(**more: Any) -> dict[str, Any]:
    return {"role": "tool", "content": "x", **more}


def named(tool: str) -> dict[str, Any]:
    return result(tool_name=tool)


def answered(calls: list[dict[str, Any]], *results: dict[str, Any]) -> list[str]:
    """Return the ids that the results get."""
    turn = {"role": "assistant", "content": "", "tool_calls": calls}
    return [m["tool_call_id"] for m in read(messages=[HI, turn, *results]).messages[2:]]


@pytest.mark.parametrize(
    ("calls", "results", "ids"),
    [
        ([called("f", id="x"), called("f")], [named("f"), result()], ["x", "call_0"]),
        ([called("f"), called("g")], [named("g"), named("f")], ["call_1", "call_0"]),
        ([called("f"), called("f")], [named("f"), named("f")], ["call_0", "call_1"]),
        (
            [called("f", id="call_0"), called("f")],
            [result(tool_call_id="call_0"), result()],
            ["call_0", "call_1"],
        ),
        ([called("f", id="x")], [result(tool_call_id="other")], ["other"]),
    ],
)
def test_a_result_finds_its_call(calls: Any, results: Any, ids: list[str]) -> None:
    assert answered(calls, *results) == ids


def test_a_turn_is_its_parts() -> None:
    turn = {
        "role": "assistant",
        "content": "a",
        "thinking": "t",
        "tool_calls": [called("f"), called("g", id="x")],
    }
    message = read(messages=[HI, turn]).messages[1]
    assert message["content"] == "a"
    assert [c["id"] for c in message["tool_calls"]] == ["call_0", "x"]
    assert [p["type"] for p in message["parts"]] == ["reasoning", "text", "tool_call", "tool_call"]
    assert [p.get("id_synthesized") for p in message["parts"][2:]] == [True, None]
    sent = said(HI, message, {"role": "tool", "tool_call_id": "call_0", "content": "r"})
    assert sent["messages"][1] == turn
    # A made id is never sent.
    assert sent["messages"][2] == {"role": "tool", "content": "r", "tool_name": "f"}


def test_a_call_that_was_cut_is_not_sent() -> None:
    cut = {"type": "tool_call", "id": "c", "name": "f", "arguments": None, "arguments_raw": "{"}
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}
    message = {"role": "assistant", "content": "a", "tool_calls": [call], "parts": [cut]}
    assert said(HI, message)["messages"][1] == {"role": "assistant", "content": "a"}


def test_a_plain_message_goes_back_too() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
    message = {"role": "assistant", "content": None, "refusal": "No.", "tool_calls": [call]}
    assert said(HI, message)["messages"][1] == {
        "role": "assistant",
        "content": "No.",
        "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {}}}],
    }


NAMES = st.sampled_from(["f", "g"])
TEXTS = st.text(max_size=9)
ARGUMENTS = st.dictionaries(st.text(max_size=3), st.none() | st.integers() | TEXTS, max_size=2)
CALLS = st.builds(
    lambda name, arguments, extra: {"function": {"name": name, "arguments": arguments}, **extra},
    NAMES,
    ARGUMENTS,
    st.sampled_from([{}, {"id": "x"}, {"id": "y"}]),
)
ROLES = st.sampled_from(["user", "system"])
MESSAGES = st.one_of(
    st.builds(lambda role, text: {"role": role, "content": text}, ROLES, TEXTS),
    st.builds(lambda text: {"role": "user", "content": text, "images": [PNG]}, TEXTS),
    st.builds(
        lambda text, thinking: {"role": "assistant", "content": text, "thinking": thinking},
        TEXTS,
        TEXTS,
    ),
)


@given(
    messages=st.lists(MESSAGES, min_size=1, max_size=3),
    calls=st.lists(CALLS, max_size=2, unique_by=lambda call: call.get("id", id(call))),
    stream=st.booleans(),
    temperature=st.none() | st.floats(0, 2),
)
def test_a_call_that_was_read_is_written_and_read_again(
    messages: list[Any], calls: list[Any], stream: bool, temperature: float | None
) -> None:
    turn = {"role": "assistant", "content": "", "tool_calls": calls}
    results = [result(tool_name=call["function"]["name"]) for call in calls]
    call = read(
        messages=[*messages, turn, *results] if calls else messages,
        stream=stream,
        options={"temperature": temperature},
    )
    assert DIALECT.read_call(DIALECT.write_request(call)) == call
