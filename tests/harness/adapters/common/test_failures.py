import base64
import json

import pytest

from harness.adapters.common.failures import clip, failure, from_http, from_payload, is_error, scrub
from mockserver.vocabulary.model import ErrorClass as E


def read(status, body, headers=None, now=0.0, **more):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return from_http(status, headers or {}, data, now=now, **more)


@pytest.mark.parametrize(
    ("status", "body", "message", "code"),
    [
        (502, b"<html><head><title>502 Bad\n Gateway</title>", "502 Bad Gateway", None),
        (500, b"<p>Oh <b>no</b></p>", "Oh no", None),
        (500, b"", "HTTP 500 without a message", None),
        (500, {"odd": 1}, "HTTP 500 without a message", None),
        (400, {"detail": "Store must be set to false"}, "Store must be set to false", None),
        (
            422,
            {
                "object": "error",
                "message": {"detail": [{"loc": ["body", "n"], "msg": "too small"}]},
                "type": "invalid_request_error",
            },
            "body.n: too small",
            "invalid_request_error",
        ),
        (400, {"code": "Bad argument", "error": "No tools"}, "No tools", "Bad argument"),
        (
            429,
            {
                "error": {
                    "code": 429,
                    "message": "Provider returned error",
                    "metadata": {"provider_name": "G", "raw": "busy upstream"},
                }
            },
            "Provider returned error; busy upstream",
            "429",
        ),
        (
            400,
            {
                "error": {
                    "code": 400,
                    "type": "exceed_context_size_error",
                    "n_prompt_tokens": 4390,
                    "n_ctx": 4096,
                }
            },
            "exceed_context_size_error (n_prompt_tokens: 4390, n_ctx: 4096)",
            "exceed_context_size_error",
        ),
        (
            400,
            {
                "error": {
                    "code": "content_filter",
                    "message": "Filtered.",
                    "innererror": {
                        "code": "ResponsibleAIPolicyViolation",
                        "content_filter_result": {
                            "hate": {"filtered": False},
                            "jailbreak": {"filtered": True, "detected": True},
                        },
                    },
                }
            },
            "Filtered. (filtered: jailbreak)",
            "content_filter",
        ),
        (
            400,
            {"error": {"message": "No", "code": "tool_use_failed", "failed_generation": "<x"}},
            "No (failed_generation: <x)",
            "tool_use_failed",
        ),
    ],
)
def test_message_is_readable_and_code_is_the_providers(status, body, message, code):
    error = read(status, body)
    assert (error.message, error.code) == (message, code)


def test_usage_limit_keeps_plan_and_reset():
    body = {"error": {"type": "usage_limit_reached", "plan_type": "pro", "resets_at": 1760000000}}
    error = read(429, body, now=1759999000.0)
    assert error.error_class is E.QUOTA_EXHAUSTED
    assert error.retry_after == 1000.0
    assert "plan_type: pro" in error.message
    assert from_payload(body).retry_after is None


def test_hidden_code_in_a_header():
    hidden = base64.b64encode(b'{"error":{"code":"token_expired"}}').decode()
    error = read(401, {"detail": "Unauthorized"}, {"X-Error-Json": hidden, "cf-ray": "ray"})
    assert (error.code, error.message, error.request_id) == ("token_expired", "Unauthorized", "ray")
    assert read(401, b"", {"x-error-json": "%%%"}).error_class is E.AUTHENTICATION


def test_amazon_names_the_class_in_a_header():
    header = {"x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/"}
    assert read(400, {"message": "m"}, header).error_class is E.RATE_LIMIT


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Request-Id": "a", "cf-ray": "b"}, "a"),
        ({"request-id": "a"}, "a"),
        ({"x-oai-request-id": "a"}, "a"),
        ({"mistral-correlation-id": "a"}, "a"),
        ({}, "body"),
    ],
)
def test_request_id(headers, expected):
    body = {"type": "error", "error": {"message": "m"}, "request_id": "body"}
    assert read(500, body, headers).request_id == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": {"message": "m"}, "request_id": ""}, None),
        ({"error": {"message": "m"}, "request_id": " "}, None),
        ({"error": {"message": "m", "request_id": "in"}, "request_id": ""}, "in"),
        ({"error": {"message": "m", "request_id": ""}, "request_id": "out"}, "out"),
        ({"error": {"message": "m"}, "request_id": 9}, None),
    ],
)
def test_an_empty_request_id_is_none(body, expected):
    assert read(500, body, {}).request_id == expected
    assert from_payload(body).request_id == expected


@pytest.mark.parametrize(
    ("status", "header", "retryable"),
    [(500, "false", False), (400, "true", True), (400, "maybe", False), (409, "", True)],
)
def test_the_server_may_overrule_whether_to_retry(status, header, retryable):
    assert read(status, {"error": "m"}, {"x-should-retry": header}).retryable is retryable


@pytest.mark.parametrize(
    ("payload", "error_class"),
    [
        ({"error": {"message": "m", "type": "server_error", "code": None}}, E.SERVER_ERROR),
        ({"error": "boom"}, E.STREAM_ERROR),
        ({"error": {"code": 502, "message": "m"}}, E.SERVER_ERROR),
        ({"error": {"code": 400, "message": "m"}}, E.INVALID_REQUEST),
        ({"error": {"code": 429, "message": "m"}}, E.RATE_LIMIT),
        ({"error": {"message": "litellm", "type": "None", "code": "400"}}, E.INVALID_REQUEST),
        ({"error": {"code": "tool_use_failed", "status_code": 400}}, E.INVALID_TOOL_ARGUMENTS),
        ({"object": "error", "message": "maximum context length is 8"}, E.CONTEXT_LENGTH),
        ({"error_type": "InternalServerError", "error_message": "m"}, E.SERVER_ERROR),
        ({"type": "error", "error": {"type": "overloaded_error"}}, E.OVERLOADED),
        ({"type": "error", "code": "rate_limit_exceeded", "message": "m"}, E.RATE_LIMIT),
        ([{"error": {"code": 400, "status": "INVALID_ARGUMENT"}}], E.INVALID_REQUEST),
    ],
)
def test_errors_inside_a_stream(payload, error_class):
    assert is_error(payload)
    error = from_payload(payload)
    assert error.error_class is error_class
    assert error.status is None


@pytest.mark.parametrize(
    ("number", "text", "error_class"),
    [
        (1001, "", E.TIMEOUT),
        (1002, "", E.RATE_LIMIT),
        ("1004", "", E.AUTHENTICATION),
        (1008, "", E.QUOTA_EXHAUSTED),
        (1026, "", E.CONTENT_FILTERED),
        (1033, "", E.SERVER_ERROR),
        (2013, "", E.INVALID_REQUEST),
        (2013, "context window exceeds limit", E.CONTEXT_LENGTH),
        (9999, "", E.STREAM_ERROR),
    ],
)
def test_numbers_of_minimax(number, text, error_class):
    payload = {"choices": None, "base_resp": {"status_code": number, "status_msg": text}}
    assert is_error(payload)
    error = from_payload(payload)
    assert (error.error_class, error.code) == (error_class, str(number))
    assert error.message == (text or str(number))
    # Other providers have the same numbers for other things.
    other = from_payload({"error": {"code": str(number), "message": "m"}})
    assert other.error_class is E.STREAM_ERROR


@pytest.mark.parametrize(
    ("code", "error_class"),
    [
        ("InvalidParameter", E.INVALID_REQUEST),
        ("InvalidApiKey", E.AUTHENTICATION),
        ("Model.AccessDenied", E.PERMISSION),
        ("Arrearage", E.QUOTA_EXHAUSTED),
        ("Throttling.AllocationQuota", E.RATE_LIMIT),
        ("DataInspectionFailed", E.CONTENT_FILTERED),
        ("InternalError.Timeout", E.TIMEOUT),
        ("InternalError.Algo", E.SERVER_ERROR),
    ],
)
def test_flat_errors_of_dashscope(code, error_class):
    payload = {"code": code, "message": "m", "request_id": "r"}
    assert is_error(payload)
    error = from_payload(payload)
    assert (error.error_class, error.code, error.request_id) == (error_class, code, "r")


def test_an_error_without_information():
    assert from_payload({"error": {"odd": 1}}).message == "an error without a message"


@pytest.mark.parametrize(
    "payload",
    [
        {"error": None, "choices": []},
        {"error": ""},
        {"choices": []},
        [],
        [1],
        None,
        "x",
        {"code": "", "message": "m"},
        {"code": 0, "message": "m"},
        {"code": 200, "message": "m"},
        {"code": " Success", "message": "m"},
        {"code": True, "message": "m"},
        {"code": "c", "message": " "},
        {"code": "c", "message": ["m"]},
        {"code": "c", "message": "m", "choices": [{}]},
        {"code": "c", "message": "m", "type": "response.new"},
        {"base_resp": {"status_code": 0}},
        {"base_resp": {}},
        {"base_resp": "1008"},
    ],
)
def test_what_is_not_an_error(payload):
    assert not is_error(payload)


def test_no_secret_survives_not_even_at_the_clip():
    key = "sk-" + "secret" * 5
    body = {"error": {"message": "x" * 490 + key, "code": f"bad_{key}"}}
    error = read(401, body, secrets=(key,))
    assert "secret" not in error.message
    assert "secret" not in (error.code or "")
    assert len(error.message) <= 500
    assert "secret" not in from_payload({"error": f"a {key} b"}, secrets=(key,)).message


def test_scrub_takes_the_longest_secret_first_and_leaves_short_ones():
    assert scrub("abcd-efgh abcd", ("abcd", "abcd-efgh", "")) == "[redacted] [redacted]"
    assert scrub("abc", ("abc",)) == "abc"


def test_small_helpers():
    assert clip("abcdef", 4) == "abc…"
    assert clip("abcd", 4) == "abcd"
    assert failure(E.TIMEOUT, "m").retryable
    assert not failure(E.PROTOCOL, "m").retryable


def test_deep_or_unusual_bodies_are_classified():
    assert read(500, b"[" * 100_000).error_class is E.SERVER_ERROR
    assert read(400, b"\xff\xfe").error_class is E.INVALID_REQUEST
    assert "\ud83d" not in read(500, b'{"error":"\\ud83d"}').message


def test_an_error_that_is_nested_deeply_is_read_as_far_as_makes_sense():
    value = {"message": "inner"}
    for _ in range(3000):
        value = {"error": value}
    assert from_payload(value).error_class is E.STREAM_ERROR
