"""The request that says a call, the errors, and what the dialect says of itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.cassettes.cassette import Request
from mockserver.dialects import UnwritableError, find_dialect, written_error
from mockserver.vocabulary import ErrorClass, ErrorInfo, NeutralCall

DIALECT = find_dialect("gemini")
HI = ({"role": "user", "content": "hi"},)


def written(model: str = "g", **fields: Any) -> tuple[Request, dict[str, Any]]:
    request = DIALECT.write_request(NeutralCall(model=model, messages=HI, **fields))
    return request, json.loads(request.body)


def body(**options: Any) -> dict[str, Any]:
    return written(options=options)[1]


@pytest.mark.parametrize(
    ("model", "stream", "path"),
    [
        ("g", True, "/v1beta/models/g:streamGenerateContent?alt=sse"),
        ("models/g", False, "/v1beta/models/g:generateContent"),
        ("a/b:c", False, "/v1beta/models/a%2Fb%3Ac:generateContent"),
    ],
)
def test_the_model_is_in_the_path(model: str, stream: bool, path: str) -> None:
    request, sent = written(model, stream=stream)
    assert request.uri == f"https://generativelanguage.googleapis.com{path}"
    assert sent == {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    kind = "text/event-stream" if stream else "application/json"
    assert request.headers == (("content-type", "application/json"), ("accept", kind))


def test_options_get_googles_names() -> None:
    assert body(max_tokens=5, stop="x", n=2, logprobs=True, top_logprobs=3, seed=None) == {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "generationConfig": {
            "maxOutputTokens": 5,
            "stopSequences": ["x"],
            "candidateCount": 2,
            "responseLogprobs": True,
            "logprobs": 3,
        },
    }


@pytest.mark.parametrize(
    ("effort", "before", "config"),
    [
        ("low", {}, {"thinkingLevel": "LOW", "includeThoughts": True}),
        ("none", {}, {"thinkingBudget": 0}),
        (
            "low",
            {"includeThoughts": False},
            {"thinkingLevel": "LOW", "includeThoughts": False},
        ),
    ],
)
def test_an_effort(effort: str, before: Any, config: Any) -> None:
    given = {"generationConfig": {"thinkingConfig": before}} if before else {}
    sent = body(reasoning_effort=effort, **given)
    assert sent["generationConfig"] == {"thinkingConfig": config}


def test_what_says_nothing_new_is_left_out() -> None:
    plain = body()
    assert body(stream_options={"include_usage": True}, parallel_tool_calls=True) == plain
    assert body(tool_choice="auto", response_format={"type": "text"}) == plain
    assert body(cachedContent="c/1") == {**plain, "cachedContent": "c/1"}


def test_tools_of_the_provider_stand_beside_functions() -> None:
    function = {"name": "f", "description": "d", "parameters": {}, "strict": True, "x": None}
    _, sent = written(tools=({"type": "googleSearch"}, {"type": "function", "function": function}))
    declared = {"name": "f", "description": "d", "parametersJsonSchema": {}}
    assert sent["tools"] == [{"functionDeclarations": [declared]}, {"googleSearch": {}}]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"tool_choice": {"type": "custom"}}, "no tool choice"),
        ({"tool_choice": "any"}, "no tool choice 'any'"),
        ({"response_format": {"type": "grammar"}}, "no response format"),
        ({"response_format": {"type": "json_schema"}}, "no response format"),
    ],
)
def test_what_gemini_cannot_be_asked(options: Any, why: str) -> None:
    with pytest.raises(UnwritableError, match=why):
        body(**options)


def test_a_system_message_alone_is_no_request() -> None:
    call = NeutralCall(model="g", messages=({"role": "system", "content": "x"},))
    with pytest.raises(UnwritableError, match="besides those of the system"):
        DIALECT.write_request(call)


# --- errors


def error(error_class: ErrorClass, **more: Any) -> Any:
    info = ErrorInfo(error_class=error_class, message="So it is.", retryable=False, **more)
    answer = written_error(DIALECT, info, NeutralCall(model="g", messages=HI, stream=False))
    return answer, json.loads(answer.body)["error"]


@pytest.mark.parametrize(
    ("error_class", "status", "name"),
    [
        (ErrorClass.AUTHENTICATION, 401, "UNAUTHENTICATED"),
        (ErrorClass.PERMISSION, 403, "PERMISSION_DENIED"),
        (ErrorClass.MODEL_NOT_FOUND, 404, "NOT_FOUND"),
        (ErrorClass.INVALID_REQUEST, 400, "INVALID_ARGUMENT"),
        (ErrorClass.PAYLOAD_TOO_LARGE, 413, "INVALID_ARGUMENT"),
        (ErrorClass.RATE_LIMIT, 429, "RESOURCE_EXHAUSTED"),
        (ErrorClass.OVERLOADED, 503, "UNAVAILABLE"),
        (ErrorClass.SERVER_ERROR, 500, "INTERNAL"),
        (ErrorClass.TIMEOUT, 504, "DEADLINE_EXCEEDED"),
        (ErrorClass.CANCELLED, 499, "CANCELLED"),
    ],
)
def test_the_status_of_an_error(error_class: ErrorClass, status: int, name: str) -> None:
    answer, found = error(error_class)
    assert (answer.status, found["code"], found["status"]) == (status, status, name)
    assert found["message"] == "So it is."
    assert answer.header("content-type") == "application/json; charset=UTF-8"


def test_the_details_of_an_error() -> None:
    _, limited = error(ErrorClass.RATE_LIMIT, retry_after=34.4)
    assert limited["details"] == [
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.4s"}
    ]
    answer, refused = error(ErrorClass.AUTHENTICATION, status=400)
    assert (answer.status, refused["status"]) == (400, "INVALID_ARGUMENT")
    assert [d["reason"] for d in refused["details"]] == ["API_KEY_INVALID"]
    assert error(ErrorClass.SERVER_ERROR, status=418)[1]["status"] == "UNKNOWN"
    assert error(ErrorClass.STREAM_ERROR, status=200)[0].status == 500


def test_a_context_that_is_too_long_is_named_so() -> None:
    assert error(ErrorClass.CONTEXT_LENGTH)[1]["message"] == (
        "The input token count exceeds the maximum number of tokens allowed. So it is."
    )


def test_an_error_of_a_stream_has_the_type_of_streams() -> None:
    info = ErrorInfo(error_class=ErrorClass.OVERLOADED, message="x", retryable=True)
    answer = written_error(DIALECT, info, NeutralCall(model="g", messages=HI))
    assert answer.header("content-type") == "text/event-stream"
    assert answer.body.startswith(b'{\n  "error": {\n')


def test_a_spent_quota_looks_like_a_rate_limit() -> None:
    with pytest.raises(UnwritableError, match="rate limit"):
        error(ErrorClass.QUOTA_EXHAUSTED)


# --- the dialect itself


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/v1/models/g:generateContent", "/models/g:generateContent"),
        ("/p/v1beta/models/g:streamGenerateContent", "/p/models/g:streamGenerateContent"),
        (
            "/v1beta1/projects/p/locations/l/publishers/google/models/g:generateContent",
            "/models/g:generateContent",
        ),
        ("/v1beta/models", "/v1beta/models"),
        ("/v1/chat/completions", "/v1/chat/completions"),
    ],
)
def test_all_addresses_of_a_model_are_one(path: str, plain: str) -> None:
    assert DIALECT.plain_path(path) == plain


def test_a_program_for_the_sdk() -> None:
    short = {"contents": [{"parts": [{"text": "hi"}]}]}
    program = DIALECT.sdk_program("http://x.test", short, 2)
    assert program is not None
    compile(program, "program", "exec")
    assert "{'parts': [{'text': 'hi'}]}" in program
    assert '"attempts": 3' in program
    assert "generate_content_stream(model='any'" in program
    path = "/v1beta/models/g%2Fx:generateContent"
    whole = DIALECT.sdk_program("http://x.test", {"contents": ["a" * 300]}, 0, path)
    assert whole is not None
    compile(whole, "program", "exec")
    assert "print(client.models.generate_content(model='g/x'" in whole
    assert "aaa" not in whole
    assert "attempts" not in whole
