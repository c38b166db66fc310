from __future__ import annotations

from types import SimpleNamespace

import httpx
import openai
import pytest

from harness.clients.protocol import Raised
from harness.wrapping import error_from, error_of
from harness.wrapping.exceptions import error_said
from mockserver.vocabulary import ErrorClass

REQUEST = httpx.Request("POST", "http://127.0.0.1/v1")


def answered(status: int, body: object, **headers: str) -> httpx.Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers=names, request=REQUEST)


@pytest.mark.parametrize(
    ("status", "code", "message", "expected"),
    [
        (401, None, "no", ErrorClass.AUTHENTICATION),
        (429, None, "slow down", ErrorClass.RATE_LIMIT),
        (429, "insufficient_quota", "pay", ErrorClass.QUOTA_EXHAUSTED),
        (400, "context_length_exceeded", "long", ErrorClass.CONTEXT_LENGTH),
        (400, None, "This model's maximum context length is 8192", ErrorClass.CONTEXT_LENGTH),
        (404, "model_not_found", "none", ErrorClass.MODEL_NOT_FOUND),
        (503, None, "later", ErrorClass.OVERLOADED),
        (500, None, "", ErrorClass.SERVER_ERROR),
        (None, "rate_limit_exceeded", "in a stream", ErrorClass.RATE_LIMIT),
        (None, None, "in a stream", ErrorClass.STREAM_ERROR),
    ],
)
def test_the_class_follows_from_code_status_and_message(
    status: int | None, code: str | None, message: str, expected: ErrorClass
) -> None:
    error = error_from(status, code, message).error
    assert error.error_class is expected
    assert error.retryable is expected.retryable
    assert error.status == status
    assert message in error.message


def test_a_wait_and_a_request_id_are_handed_on() -> None:
    error = error_from(429, "rate_limited", "wait", retry_after=7, request_id="req_1").error
    assert (error.retry_after, error.request_id, error.code) == (7, "req_1", "rate_limited")


def test_an_error_inside_a_stream_keeps_its_wait_and_its_request_id() -> None:
    error = error_from(None, "rate_limit_exceeded", "wait", retry_after=7, request_id="r").error
    assert (error.retry_after, error.request_id) == (7, "r")


def test_an_answer_of_the_sdk_keeps_what_the_provider_said() -> None:
    body = {"code": "invalid_api_key", "message": "Incorrect API key"}
    response = answered(401, {"error": body}, x_request_id="req_1", retry_after="3")
    error = error_of(openai.AuthenticationError("Error code: 401", response=response, body=body))
    assert error.error.error_class is ErrorClass.AUTHENTICATION
    assert error.error.message == "Incorrect API key"
    assert error.error.status == 401
    assert error.error.code == "invalid_api_key"
    assert error.error.request_id == "req_1"
    assert error.error.retry_after == 3


def test_an_error_event_of_the_sdk_has_no_status() -> None:
    body = {"code": "server_error", "message": "it broke"}
    error = error_of(openai.APIError("it broke", REQUEST, body=body)).error
    assert (error.error_class, error.message) == (ErrorClass.SERVER_ERROR, "it broke")
    assert error.status is None


@pytest.mark.parametrize(
    ("exc", "expected"),
    [
        (openai.APITimeoutError(REQUEST), ErrorClass.TIMEOUT),
        (openai.APIConnectionError(request=REQUEST), ErrorClass.CONNECTION_LOST),
        (httpx.ReadTimeout("slow"), ErrorClass.TIMEOUT),
        (httpx.ConnectError("refused"), ErrorClass.CONNECTION_LOST),
        (httpx.ReadError("gone"), ErrorClass.CONNECTION_LOST),
        (httpx.RemoteProtocolError("cut"), ErrorClass.CONNECTION_LOST),
        (httpx.LocalProtocolError("bad"), ErrorClass.PROTOCOL),
        (TimeoutError(), ErrorClass.TIMEOUT),
        (ConnectionResetError("reset"), ErrorClass.CONNECTION_LOST),
        (openai.OpenAIError("odd"), ErrorClass.STREAM_ERROR),
        (
            openai.APIResponseValidationError(answered(200, {}), None),
            ErrorClass.PROTOCOL,
        ),
    ],
)
def test_other_exceptions_are_told_by_the_names_of_their_classes(
    exc: Exception, expected: ErrorClass
) -> None:
    assert error_of(exc).error.error_class is expected
    assert error_of(exc).error.message


def test_the_library_itself_can_raise_for_a_status() -> None:
    response = answered(429, {"error": {"message": "wait"}}, retry_after="7")
    with pytest.raises(httpx.HTTPStatusError) as caught:
        response.raise_for_status()
    error = error_of(caught.value).error
    assert (error.error_class, error.message) == (ErrorClass.RATE_LIMIT, "wait")
    assert error.retry_after == 7


def test_a_body_that_was_not_read_is_no_crash() -> None:
    response = httpx.Response(500, stream=httpx.ByteStream(b"late"), request=REQUEST)
    exc = httpx.HTTPStatusError("500", request=REQUEST, response=response)
    assert error_of(exc).error.error_class is ErrorClass.SERVER_ERROR


def boto3_error(**response: object) -> Exception:
    exc = Exception("An error occurred")
    exc.response = response  # type: ignore[attr-defined]
    return exc


def test_an_error_of_boto3_has_its_code_status_and_request_id() -> None:
    error = error_of(
        boto3_error(
            Error={"Code": "ThrottlingException", "Message": "Slow down."},
            ResponseMetadata={
                "HTTPStatusCode": 429,
                "HTTPHeaders": {"x-amzn-requestid": "r1", "retry-after": "2"},
            },
        )
    ).error
    assert (error.error_class, error.status) == (ErrorClass.RATE_LIMIT, 429)
    assert (error.code, error.message) == ("ThrottlingException", "Slow down.")
    assert (error.request_id, error.retry_after) == ("r1", 2)


@pytest.mark.parametrize("metadata", [None, {}, {"HTTPStatusCode": 200, "HTTPHeaders": 3}])
def test_an_error_of_boto3_inside_a_stream_has_no_status(metadata: object) -> None:
    said = {"Code": "throttlingException", "Message": "Slow down."}
    error = error_of(boto3_error(Error=said, ResponseMetadata=metadata)).error
    assert (error.error_class, error.status) == (ErrorClass.RATE_LIMIT, None)
    assert error_of(boto3_error(Error=3)).error.status is None


def test_an_error_of_google_has_its_details() -> None:
    exc = Exception("429 RESOURCE_EXHAUSTED")
    exc.code = 429  # type: ignore[attr-defined]
    exc.details = {  # type: ignore[attr-defined]
        "error": {"code": 429, "message": "Quota exceeded.", "status": "RESOURCE_EXHAUSTED"}
    }
    # The text of an answer of aiohttp is a method.
    exc.response = SimpleNamespace(text=lambda: "", headers={"x-request-id": "r1"})  # type: ignore[attr-defined]
    error = error_of(exc).error
    assert (error.error_class, error.status) == (ErrorClass.RATE_LIMIT, 429)
    assert (error.message, error.request_id) == ("Quota exceeded.", "r1")
    del exc.details  # type: ignore[attr-defined]
    assert error_of(exc).error.message == "HTTP 429 without a message"


def test_a_code_that_is_no_status_is_none() -> None:
    exc = Exception("odd")
    exc.code = True  # type: ignore[attr-defined]
    assert error_of(exc).error.status is None


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (499, 'got status: CANCELLED. {"error": {"message": "No", "status": "CANCELLED"}}', "No"),
        (400, '{"error": {"message": "No"}}', "No"),
        (502, "502 <html><title>Bad\n Gateway</title></html>", "Bad Gateway"),
        (400, "400 got {no JSON}", "400 got {no JSON}"),
        (400, '400 for {"city": "Oslo"}', '400 for {"city": "Oslo"}'),
        (None, "no answer", "no answer"),
    ],
)
def test_what_the_provider_sent_is_found_in_the_message(
    status: int | None, message: str, expected: str
) -> None:
    error = error_said(Raised(names=("ApiError", "Error"), message=message, status=status))
    assert (error.message, error.status) == (expected, status)


def test_an_answer_that_the_sdk_could_not_read_is_not_what_the_provider_says_of_an_error() -> None:
    raised = Raised(names=("E",), message="Invalid JSON response", status=200, body='{"id": "a"}')
    assert error_said(raised).message == "Invalid JSON response"
