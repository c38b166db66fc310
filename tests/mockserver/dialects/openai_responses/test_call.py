from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.cassettes.cassette import Interaction, Request, Response
from mockserver.dialects import UnreadableRequestError, find_dialect
from mockserver.dialects.openai_responses.call import read_call
from mockserver.vocabulary.call import NeutralCall
from mockserver.wire.schedule import from_response

URL = "https://api.openai.com/v1/responses"
SCHEMA = {"type": "object", "properties": {"q": {"type": "string"}}}


def request(body: Any, method: str = "POST", uri: str = URL) -> Request:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(method=method, uri=uri, body=text)


def read(**body: Any) -> NeutralCall:
    return read_call(request({"model": "gpt-x", "input": "hi", **body}))


def test_a_plain_request() -> None:
    hi = {"role": "user", "content": "hi"}
    assert read() == NeutralCall(model="gpt-x", messages=(hi,), stream=False)
    assert read(stream=True).stream
    read_back = read(instructions="Be brief.")
    assert read_back.messages == ({"role": "system", "content": "Be brief."}, hi)


@pytest.mark.parametrize(
    ("sent", "options"),
    [
        ({"max_output_tokens": 5}, {"max_completion_tokens": 5}),
        ({"reasoning": {"effort": "low"}}, {"reasoning_effort": "low"}),
        (
            {"reasoning": {"effort": "low", "summary": "auto"}},
            {"reasoning_effort": "low", "reasoning": {"summary": "auto"}},
        ),
        ({"text": {"verbosity": "low"}}, {"verbosity": "low"}),
        ({"text": {"format": {"type": "text"}}}, {"response_format": {"type": "text"}}),
        (
            {"text": {"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "a", "schema": SCHEMA},
                }
            },
        ),
        (
            {"temperature": 0, "top_p": None, "metadata": {"a": "b"}},
            {"temperature": 0, "metadata": {"a": "b"}},
        ),
        ({"parallel_tool_calls": False}, {"parallel_tool_calls": False}),
        ({"truncation": "auto"}, {"truncation": "auto"}),
        ({"include": ["reasoning.encrypted_content"]}, {}),
        ({"include": ["reasoning.encrypted_content", "x"]}, {"include": ["x"]}),
        ({"store": False, "background": True, "stream_options": {}}, {}),
        ({"tool_choice": "auto"}, {}),
        ({"tool_choice": "required"}, {"tool_choice": "required"}),
        (
            {"tool_choice": {"type": "function", "name": "f"}},
            {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        ),
        (
            {"tool_choice": {"type": "custom", "name": "f"}},
            {"tool_choice": {"type": "custom", "custom": {"name": "f"}}},
        ),
        (
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "mode": "auto",
                    "tools": [{"type": "function", "name": "f"}, {"type": "web_search"}],
                }
            },
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {
                        "mode": "auto",
                        "tools": [
                            {"type": "function", "function": {"name": "f"}},
                            {"type": "web_search"},
                        ],
                    },
                }
            },
        ),
        ({"reasoning": "much", "text": "short"}, {}),
    ],
)
def test_options_have_their_chat_completions_names(
    sent: dict[str, Any], options: dict[str, Any]
) -> None:
    assert read(**sent).options == options


@pytest.mark.parametrize(
    ("flat", "tool"),
    [
        (
            {"type": "function", "name": "f", "parameters": SCHEMA, "description": "d"},
            {
                "type": "function",
                "function": {"name": "f", "parameters": SCHEMA, "description": "d"},
            },
        ),
        (
            {"type": "function", "name": "f", "strict": True, "description": None},
            {"type": "function", "function": {"name": "f", "strict": True}},
        ),
        (
            {"type": "function", "name": "f", "strict": False},
            {"type": "function", "function": {"name": "f"}},
        ),
        (
            {
                "type": "custom",
                "name": "patch",
                "format": {"type": "grammar", "syntax": "lark", "definition": "x"},
            },
            {
                "type": "custom",
                "custom": {
                    "name": "patch",
                    "format": {
                        "type": "grammar",
                        "grammar": {"syntax": "lark", "definition": "x"},
                    },
                },
            },
        ),
        (
            {"type": "custom", "name": "say", "format": {"type": "text"}},
            {"type": "custom", "custom": {"name": "say", "format": {"type": "text"}}},
        ),
        ({"type": "web_search"}, {"type": "web_search"}),
    ],
)
def test_tools_are_nested(flat: dict[str, Any], tool: dict[str, Any]) -> None:
    assert read(tools=[flat]).tools == (tool,)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "is not JSON"),
        ([], "is not a JSON object"),
        ({"input": []}, "has no input"),
        ({"input": "x", "previous_response_id": "resp_1"}, "on the server .previous_response_id"),
        ({"input": "x", "conversation": {"id": "conv_1"}}, "on the server .conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "on the server .prompt"),
        ({"input": "x", "instructions": ["y"]}, "instructions .* not text"),
        ({"input": "x", "tools": {}}, "the tools .* no list of objects"),
    ],
)
def test_what_cannot_be_read_has_a_reason(body: Any, reason: str) -> None:
    with pytest.raises(UnreadableRequestError, match=reason):
        read_call(request(body))


@pytest.mark.parametrize("name", ["openai-responses", "codex", "background"])
def test_every_dialect_of_the_api_reads_it(name: str) -> None:
    found = find_dialect(name).read_call(request({"model": "m", "input": "hi"}))
    assert found.messages == ({"role": "user", "content": "hi"},)


def answer(body: Any, status: int = 200) -> Interaction:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = (("content-type", "application/json"),)
    return Interaction(
        request({"model": "m", "input": "hi"}),
        Response(status=status, reason="", headers=headers, body=data),
    )


QUEUED = answer({"id": "resp_1", "status": "queued"})


@pytest.mark.parametrize(
    ("before", "method", "uri", "belongs"),
    [
        (QUEUED, "GET", f"{URL}/resp_1", True),
        (QUEUED, "GET", f"{URL}/resp_1?stream=true", True),
        (QUEUED, "GET", f"{URL}/resp_2", False),
        (QUEUED, "GET", URL, False),
        (QUEUED, "POST", f"{URL}/resp_1/cancel", False),
        (QUEUED, "DELETE", f"{URL}/resp_1", False),
        (answer({"id": "resp_1", "status": "completed"}), "GET", f"{URL}/resp_1", False),
        (answer({"id": "resp_1", "status": "queued"}, 502), "GET", f"{URL}/resp_1", False),
        (answer(b"resp_1"), "GET", f"{URL}/resp_1", False),
    ],
)
def test_polls_belong_to_the_call_that_made_the_response(
    before: Interaction, method: str, uri: str, belongs: bool
) -> None:
    dialect = find_dialect("background")
    feature = dialect.continues([before], request(b"", method, uri))
    assert feature == ("background" if belongs else None)


def test_a_response_in_progress_is_pending() -> None:
    dialect = find_dialect("openai-responses")
    assert dialect.is_pending([from_response(QUEUED.response)])
    whole = answer({"id": "resp_1", "status": "completed"})
    assert not dialect.is_pending([from_response(i.response) for i in (QUEUED, whole)])
    stream = Response(
        status=200,
        reason="",
        headers=(("content-type", "text/event-stream"),),
        body=b'data: {"type":"response.created","response":{"status":"queued"}}\n\n',
    )
    assert not dialect.is_pending([from_response(stream)])
    assert not find_dialect("openai-chat").is_pending([from_response(QUEUED.response)])
