from __future__ import annotations

import re

import pytest

from mockserver.dialects import UnwritableError
from mockserver.dialects.openai_writing import digest, error_answer, error_object, usage_object
from mockserver.dialects.writing import HOLE, made_id, sse_event, sse_form
from mockserver.vocabulary import ErrorClass, ErrorInfo, Usage


def error(kind: ErrorClass, **fields: object) -> ErrorInfo:
    return ErrorInfo(error_class=kind, message="No.", retryable=False, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "status", "type_", "code"),
    [
        (ErrorClass.AUTHENTICATION, 401, "invalid_request_error", "invalid_api_key"),
        (ErrorClass.PERMISSION, 403, "request_forbidden", "unsupported_country_region_territory"),
        (ErrorClass.MODEL_NOT_FOUND, 404, "invalid_request_error", "model_not_found"),
        (ErrorClass.INVALID_REQUEST, 400, "invalid_request_error", None),
        (ErrorClass.CONTEXT_LENGTH, 400, "invalid_request_error", "context_length_exceeded"),
        (ErrorClass.PAYLOAD_TOO_LARGE, 413, "invalid_request_error", None),
        (ErrorClass.CONTENT_FILTERED, 400, "invalid_request_error", "content_policy_violation"),
        (ErrorClass.QUOTA_EXHAUSTED, 429, "insufficient_quota", "insufficient_quota"),
        (ErrorClass.RATE_LIMIT, 429, "requests", "rate_limit_exceeded"),
        (ErrorClass.OVERLOADED, 503, "server_error", "server_is_overloaded"),
        (ErrorClass.SERVER_ERROR, 500, "server_error", None),
        (ErrorClass.TIMEOUT, 504, "timeout_error", None),
        (ErrorClass.STREAM_ERROR, 500, "server_error", None),
    ],
)
def test_the_forms_of_errors(kind: ErrorClass, status: int, type_: str, code: str | None) -> None:
    answer = error_answer(error(kind, retry_after=1.5, request_id="req_7"))
    assert error_object(error(kind)) == {
        "message": "No.",
        "type": type_,
        "param": None,
        "code": code,
    }
    assert answer.status == status
    assert (answer.header("retry-after"), answer.header("x-request-id")) == ("1.5", "req_7")
    assert answer.header("content-type") == "application/json"


def test_an_error_without_an_id_gets_one() -> None:
    answer = error_answer(error(ErrorClass.RATE_LIMIT))
    request_id = answer.header("x-request-id") or ""
    assert (request_id[:4], len(request_id)) == ("req_", 36)
    assert answer.header("retry-after") is None


def test_an_error_that_no_server_says() -> None:
    with pytest.raises(UnwritableError, match="truncated_stream is what a client finds"):
        error_object(error(ErrorClass.TRUNCATED_STREAM))


def test_counts_that_are_not_known_are_left_out() -> None:
    assert usage_object(Usage(input_tokens=3), "a", "b") == {"a": 3}
    assert usage_object(Usage(input_tokens=3, output_tokens=0), "a", "b") == {
        "a": 3,
        "b": 0,
        "total_tokens": 3,
    }
    assert usage_object(Usage(total_tokens=9, cache_read_input_tokens=0), "a", "b") == {
        "a_details": {"cached_tokens": 0},
        "total_tokens": 9,
    }


def test_a_digest_depends_on_each_text() -> None:
    assert digest("a", "bc", length=8) != digest("ab", "c", length=8)
    assert len(digest("\ud800", length=64)) == 64


def test_ids_that_go_together_end_alike() -> None:
    first, second = (made_id("call_****####", "a", of=f"resp_0{own}") for own in ("12ab", "ffff"))
    assert first == second[:-4] + "12ab"
    assert made_id("#" * 8, "b", of="resp_012ab")[:4] != made_id("#" * 8, "a", of="resp_012ab")[:4]


@pytest.mark.parametrize("of", ["x", "resp_\r\n", "chatcmpl-XYZW"])
def test_an_id_takes_nothing_but_hex_digits_from_another(of: str) -> None:
    assert re.fullmatch("req_[0-9a-f]{32}", made_id("req_" + "#" * 32, of=of))
    assert made_id("#" * 8, of=of) != made_id("#" * 8, of=of + "y")


@pytest.mark.parametrize("name", ["plain", HOLE])
def test_events_that_differ_in_a_value_are_those_written_one_by_one(name: str) -> None:
    values = ["", 'say "\\n"', "\n\0é🙂", "\ud800", HOLE, {"text": "a"}, None]
    form = sse_form({"name": name, "delta": HOLE, "end": None}, "x")
    for value in values:
        data = {"name": name, "delta": value, "end": None}
        assert form(value) == sse_event(data, "x")
