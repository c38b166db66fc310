import pytest

from harness.adapters.chatgpt_oauth.request import Headers, request_body
from mockserver.dialects.openai_responses import is_reasoning_model

USER = {"role": "user", "content": "hi"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def body(*messages, model="gpt-4o", tools=(), **options):
    return request_body(model=model, messages=messages or [USER], tools=tools, options=options)


def test_the_smallest_body():
    assert body() == {
        "model": "gpt-4o",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
        "store": False,
        "stream": True,
    }


@pytest.mark.parametrize(
    "limits", ["max_tokens", "max_completion_tokens", "max_output_tokens", "temperature", "store"]
)
def test_what_the_backend_refuses_is_never_sent(limits):
    assert body(**{limits: 1}) == body()


@pytest.mark.parametrize("role", ["developer", "system"])
def test_the_first_developer_message_becomes_the_instructions(role):
    later = {"role": role, "content": "later"}
    sent = body({"role": role, "content": "first"}, USER, later)
    assert sent["instructions"] == "first"
    assert [item["role"] for item in sent["input"]] == ["user", "developer"]


@pytest.mark.parametrize(
    ("content", "instructions", "left"),
    [
        ("", None, 0),
        (None, None, 0),
        ([], None, 0),
        ([{"type": "text", "text": "a"}], "a", 0),
        ([{"type": "text", "text": ""}], None, 0),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "a", 1),
        ([{"type": "image_url", "image_url": "data:x"}], None, 1),
    ],
)
def test_instructions_are_the_first_text(content, instructions, left):
    sent = body({"role": "developer", "content": content}, USER)
    assert sent.get("instructions") == instructions
    assert len(sent["input"]) == left + 1


def test_tool_choice_is_sent_only_with_tools():
    assert "tool_choice" not in body(tool_choice="required")
    sent = body(tools=[TOOL])
    assert sent["tools"] == [{"type": "function", "name": "f", "parameters": {"type": "object"}}]
    assert sent["tool_choice"] == "auto"
    assert body(tools=[TOOL], tool_choice="required")["tool_choice"] == "required"


REASONING = """o1 o1-mini o1-preview o1-pro o1-2024-12-17 o3 o3-mini o3-pro o3-deep-research o4-mini
gpt-5 GPT-5 gpt-5-mini gpt-5-nano gpt-5-codex gpt-5-codex-mini gpt-5-pro gpt-5-2025-08-07 gpt-5.1
gpt-5.1-codex-max gpt-5.2 openai/gpt-5 openai/o3 azure/o4-mini ft:o4-mini-2025-04-16:org::id
codex-mini-latest"""
OTHERS = """proto1 gpt-4o1x gpt-4o gpt-4o-mini gpt-4.1 gpt-50 gpt-5x gpt-5.x gpt-5-chat
gpt-5-chat-latest gpt-5.1-chat-latest o10 o1x o2 o5-mini xo1 foo1 llama-o3 my-gpt-5 qwen3 o1- gpt-5-
not-gpt-5.1 o3o"""


@pytest.mark.parametrize("model", REASONING.split())
def test_models_that_reason(model):
    sent = body(model=model, reasoning_effort="low")
    assert is_reasoning_model(model)
    assert sent["reasoning"] == {"effort": "low", "summary": "detailed"}
    assert sent["include"] == ["reasoning.encrypted_content"]
    without = body(model=model)
    assert "reasoning" not in without
    assert without["include"] == ["reasoning.encrypted_content"]


@pytest.mark.parametrize("model", OTHERS.split())
def test_models_that_do_not_reason(model):
    sent = body(model=model, reasoning_effort="low")
    assert not is_reasoning_model(model)
    assert not {"reasoning", "include"} & set(sent)


def test_other_options():
    format_ = {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}
    sent = body(parallel_tool_calls=False, prompt_cache_key="k", response_format=format_)
    assert (sent["parallel_tool_calls"], sent["prompt_cache_key"]) == (False, "k")
    assert sent["text"] == {"format": {"type": "json_schema", "name": "n", "schema": {}}}


def test_headers():
    made = Headers.CURRENT.build(access_token="t", account_id="acc", session_id="s")
    assert made == {
        "Authorization": "Bearer t",
        "ChatGPT-Account-Id": "acc",
        "OpenAI-Beta": "responses=experimental",
        "originator": "codex_cli_rs",
        "session_id": "s",
        "Accept": "text/event-stream",
    }
    made = Headers.LEGACY.build(access_token="t", account_id=None, session_id="s")
    assert made == {
        "Authorization": "Bearer t",
        "OpenAI-Beta": "responses=v1",
        "OpenAI-Originator": "codex",
        "Accept": "text/event-stream",
    }


def test_results_of_tools_are_cut_on_request():
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "a long question"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "0123456789"},
    ]

    def output(**options):
        body = request_body(model="gpt-5", messages=messages, options=options)
        assert "tool_return_truncation_chars" not in body
        assert body["input"][0]["content"][0]["text"] == "a long question"
        return body["input"][-1]["output"]

    assert output(tool_return_truncation_chars=4) == "0123... [truncated 6 chars]"
    assert output(tool_return_truncation_chars=10) == output() == "0123456789"
