"""What the Responses API refuses: the words, the field and the code of each error."""

from __future__ import annotations

from typing import Any

import pytest

from tests.mockserver.dialects import refusing

PATH = "/v1/responses"
CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "c1", "output": "done"}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": []}
USER = {"role": "user", "content": "Hi"}


def body(*items: Any, **fields: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "input": list(items) or "Hi", **fields}


@pytest.mark.parametrize(
    ("request_", "message", "param", "code"),
    [
        (b"nothing", "We could not parse the JSON body of your request.", None, None),
        (
            {"input": "Hi"},
            "Missing required parameter: 'model'.",
            "model",
            "missing_required_parameter",
        ),
        (
            {"model": "gpt-4o"},
            "Missing required parameter: 'input'.",
            "input",
            "missing_required_parameter",
        ),
        (
            {"model": "gpt-4o", "messages": [USER]},
            "Unsupported parameter: 'messages'. In the Responses API, this parameter has moved to "
            "'input'. Try again with the new parameter. See the API documentation for more "
            "information: https://platform.openai.com/docs/api-reference/responses/create.",
            None,
            "unsupported_parameter",
        ),
        (
            {"model": "gpt-4o", "input": 5},
            "Invalid type for 'input': expected one of a string or array of input items, but got "
            "an integer instead.",
            "input",
            "invalid_type",
        ),
        (
            body(max_output_tokens=5),
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, "
            "but got 5 instead.",
            "max_output_tokens",
            "integer_below_min_value",
        ),
        (
            body({"role": "bot", "content": "Hi"}),
            "Invalid value: 'bot'. Supported values are: 'assistant', 'system', 'developer', and "
            "'user'.",
            "input[0]",
            "invalid_value",
        ),
        (
            body({"role": "user", "content": [{"type": "text", "text": "Hi"}]}),
            "Invalid value: 'text'. Supported values are: 'input_text', 'input_image', "
            "'input_audio', 'output_text', 'refusal', 'input_file', 'computer_screenshot', "
            "'summary_text', and 'encrypted_content'.",
            "input[0].content[0].type",
            "invalid_value",
        ),
        (
            body({"role": "assistant", "content": [{"type": "input_text", "text": "Hi"}]}),
            "Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'.",
            "input[0].content[0]",
            "invalid_value",
        ),
        (
            body(tools=[{"type": "function", "function": {"name": "f"}}]),
            "Missing required parameter: 'tools[0].name'.",
            "tools[0].name",
            "missing_required_parameter",
        ),
        (
            body(text={"format": {"type": "json_object"}}),
            "Response input messages must contain the word 'json' in some form to use "
            "'text.format' of type 'json_object'.",
            "text.format",
            None,
        ),
        (
            body(
                text={
                    "format": {
                        "type": "json_schema",
                        "name": "answer",
                        "strict": True,
                        "schema": {"type": "object", "properties": {}},
                    }
                }
            ),
            "Invalid schema for response_format 'answer': In context=(), 'additionalProperties' "
            "is required to be supplied and to be false.",
            "text.format.schema",
            "invalid_json_schema",
        ),
        (body(n=2), "Unknown parameter: 'n'.", "n", "unknown_parameter"),
        (body(USER, CALL), "No tool output found for function call c1.", "input", None),
        (
            body(USER, RESULT),
            "No tool call found for function call output with call_id c1.",
            "input",
            None,
        ),
        (
            body(USER, THOUGHT),
            "Item 'rs_1' of type 'reasoning' was provided without its required following item.",
            "input",
            None,
        ),
        (
            body(USER, {"type": "reasoning", "id": "rs_1"}, CALL, RESULT),
            "Missing required parameter: 'input[1].summary'.",
            "input[1].summary",
            "missing_required_parameter",
        ),
    ],
)
def test_a_request_is_refused_in_openais_words(
    request_: Any, message: str, param: str | None, code: str | None
) -> None:
    found = refusing.objections("openai-responses", request_, PATH)[0]
    assert found.error.message.startswith(message)
    assert (found.fields["param"], found.fields["code"]) == (param, code)
    assert found.error.status == 400
    assert found.source.startswith("https://")


@pytest.mark.parametrize(
    "request_",
    [
        body(),
        body(USER, THOUGHT, CALL, RESULT),
        body(RESULT, previous_response_id="resp_1"),
        body(RESULT, conversation="conv_1"),
        {"model": "gpt-4o", "prompt": {"id": "pmpt_1"}},
        {"prompt": {"id": "pmpt_1"}, "input": "Hi"},
        body(USER, {"type": "item_reference", "id": "msg_1"}),
        body(USER, {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": ""}),
        body({"role": "assistant", "content": "Hi"}, USER),
        body({"role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}, USER),
        body(tools=[{"type": "web_search"}, {"type": "function", "name": "f", "parameters": None}]),
        body(model="qwen/qwen3", top_k=5, input=[{"role": "bot", "content": "Hi"}]),
    ],
)
def test_what_openai_takes_is_not_refused(request_: Any) -> None:
    assert refusing.objections("openai-responses", request_, PATH) == []
