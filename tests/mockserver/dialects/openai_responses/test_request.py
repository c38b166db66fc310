import pytest

from mockserver.dialects.openai_responses import responses_body

HI = [{"role": "user", "content": "hi"}]
INPUT = [{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}]
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
FLAT = {"type": "function", "name": "f", "parameters": SCHEMA, "strict": False}


def body(
    model="gpt-4.1", background=False, stream=False, tools=(), messages=HI, options=None, **more
):
    return responses_body(
        model=model,
        messages=messages,
        tools=tools,
        stream=stream,
        background=background,
        options={**(options or {}), **more},
    )


def test_a_plain_request_and_a_job():
    plain = {"model": "gpt-4.1", "input": INPUT, "stream": False}
    assert body() == plain
    job = {**plain, "stream": True, "background": True, "store": True}
    assert body(background=True, stream=True) == job


def test_the_server_decides_on_a_job_that_is_not_stored():
    assert body(background=True, store=False)["store"] is False
    assert body(store=False)["store"] is False


@pytest.mark.parametrize("model", ["o3-mini", "gpt-5.2"])
def test_reasoning_is_requested_in_the_form_that_can_be_sent_back(model):
    assert body(model)["include"] == ["reasoning.encrypted_content"]
    include = ["message.output_text.logprobs", "reasoning.encrypted_content"]
    assert body(model, include=include)["include"] == list(reversed(include))


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"max_tokens": 5}, {"max_output_tokens": 5}),
        ({"max_completion_tokens": 5}, {"max_output_tokens": 5}),
        ({"max_output_tokens": 5}, {"max_output_tokens": 5}),
        ({"reasoning_effort": "low"}, {"reasoning": {"effort": "low"}}),
        (
            {"reasoning_effort": "low", "reasoning": {"summary": "auto"}},
            {"reasoning": {"effort": "low", "summary": "auto"}},
        ),
        (
            {"reasoning": {"summary": "auto"}, "reasoning_effort": "low"},
            {"reasoning": {"effort": "low", "summary": "auto"}},
        ),
        ({"verbosity": "low"}, {"text": {"verbosity": "low"}}),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "n"}}},
            {"text": {"format": {"type": "json_schema", "name": "n"}}},
        ),
        ({"temperature": 0, "top_p": None}, {"temperature": 0}),
        ({"include": ["a"]}, {"include": ["a"]}),
        ({"metadata": {"a": "b"}}, {"metadata": {"a": "b"}}),
        ({"background": True, "stream": True, "stream_options": {}}, {}),
        ({"tool_choice": "required"}, {}),
    ],
)
def test_options_by_the_names_of_either_api(given, sent):
    assert body(options=given) == {"model": "gpt-4.1", "input": INPUT, "stream": False} | sent


def test_options_are_left_as_they_are():
    reasoning = {"summary": "auto"}
    body(reasoning=reasoning, reasoning_effort="low")
    assert reasoning == {"summary": "auto"}


@pytest.mark.parametrize(
    ("tool", "flat"),
    [
        (TOOL, FLAT),
        ({**TOOL, "function": {**TOOL["function"], "strict": True}}, {**FLAT, "strict": True}),
        ({**FLAT, "strict": True}, {**FLAT, "strict": True}),
        ({"type": "web_search"}, {"type": "web_search"}),
    ],
)
def test_tools_are_strict_only_if_they_say_so(tool, flat):
    made = body(tools=[tool], tool_choice="required")
    assert (made["tools"], made["tool_choice"]) == ([flat], "required")
    assert body(tools=[tool])["tool_choice"] == "auto"


def test_the_parts_of_a_user_stay_in_one_message():
    image = {"type": "image_url", "image_url": "https://images.test/a.png"}
    made = body(messages=[{"role": "user", "content": [{"type": "text", "text": "a"}, image]}])
    parts = [
        {"type": "input_text", "text": "a"},
        {"type": "input_image", "image_url": "https://images.test/a.png"},
    ]
    assert made["input"] == [{"role": "user", "content": parts}]
