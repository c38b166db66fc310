"""The client asks where the model is in the path, with a bearer key, and reads what comes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from harness.adapters.bedrock import BedrockClient
from harness.adapters.common.native_client import ApiError
from harness.adapters.common.retrying import RetryPolicy
from harness.adapters.common.sync import SyncClient
from mockserver.dialects import Pace, find_dialect, written_answer
from mockserver.dialects.registry import written_error
from mockserver.vocabulary import (
    AssistantTurn,
    ErrorClass,
    ErrorInfo,
    Event,
    FinishReason,
    NeutralCall,
    Status,
    TextPart,
    fold,
)

KEY = "bedrock-api-key-0123456789"
BEDROCK = find_dialect("bedrock")
ASK: Mapping[str, Any] = {
    "model": "amazon.nova-lite-v1:0",
    "messages": [{"role": "user", "content": "Hi"}],
}
TURN = AssistantTurn(
    status=Status.COMPLETED,
    finish_reason=FinishReason.STOP,
    raw_finish_reason="end_turn",
    parts=(TextPart(text="Hello"),),
)
Handler = Callable[[httpx.Request], httpx.Response]


def answer(*, stream: bool = True) -> httpx.Response:
    call = NeutralCall(model="m", messages=(), stream=stream)
    made = written_answer(BEDROCK, TURN, call, Pace())
    return httpx.Response(made.status, headers=list(made.headers), content=made.body)


def refusal(kind: ErrorClass) -> httpx.Response:
    error = ErrorInfo(error_class=kind, message="No.", retryable=False)
    made = written_error(BEDROCK, error, NeutralCall(model="m", messages=()))
    return httpx.Response(made.status, headers=list(made.headers), content=made.body)


async def no_sleep(_seconds: float) -> None:
    return None


def client(handler: Handler, **options: Any) -> BedrockClient:
    transport = httpx.MockTransport(handler)
    return BedrockClient("http://aws.test/s/1/", KEY, transport=transport, **options)


def streamed(handler: Handler, **options: Any) -> list[Event]:
    async def run() -> list[Event]:
        async with client(handler, **options) as asked:
            return [event async for event in asked.stream(**ASK)]

    return asyncio.run(run())


def test_a_streamed_call() -> None:
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return answer()

    assert fold(streamed(handler)) == TURN
    (request,) = requests
    path = b"/s/1/model/amazon.nova-lite-v1%3A0/converse-stream"
    assert request.url.raw_path == path
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["accept"] == "application/vnd.amazon.eventstream"
    assert json.loads(request.content) == {
        "messages": [{"role": "user", "content": [{"text": "Hi"}]}]
    }


def test_a_whole_call_in_both_faces() -> None:
    paths: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return answer(stream=False)

    async def run() -> AssistantTurn:
        async with client(handler) as asked:
            return await asked.complete(**ASK)

    assert asyncio.run(run()) == TURN
    with SyncClient(client(handler)) as asked:
        assert asked.complete(**ASK) == TURN
    assert paths == [b"/s/1/model/amazon.nova-lite-v1%3A0/converse"] * 2


def test_an_error_has_its_class_and_the_id_of_the_request() -> None:
    (error,) = streamed(lambda _: refusal(ErrorClass.PERMISSION))
    found = fold([error]).error
    assert found is not None
    assert (found.error_class, found.status) == (ErrorClass.PERMISSION, 403)
    assert found.code == "AccessDeniedException"
    assert found.request_id

    async def run() -> AssistantTurn:
        async with client(lambda _: refusal(ErrorClass.QUOTA_EXHAUSTED)) as asked:
            return await asked.complete(**ASK)

    with pytest.raises(ApiError) as raised:
        asyncio.run(run())
    assert raised.value.error.error_class is ErrorClass.QUOTA_EXHAUSTED


def test_a_throttled_call_is_made_again() -> None:
    waiting = [refusal(ErrorClass.RATE_LIMIT), refusal(ErrorClass.OVERLOADED), answer()]
    policy = RetryPolicy(max_retries=2)
    found = streamed(lambda _: waiting.pop(0), retry=policy, sleep=no_sleep)
    assert fold(found) == TURN
    assert waiting == []


@pytest.mark.parametrize(
    "kind",
    [
        ErrorClass.AUTHENTICATION,
        ErrorClass.PERMISSION,
        ErrorClass.MODEL_NOT_FOUND,
        ErrorClass.INVALID_REQUEST,
        ErrorClass.PAYLOAD_TOO_LARGE,
        ErrorClass.QUOTA_EXHAUSTED,
        ErrorClass.RATE_LIMIT,
        ErrorClass.OVERLOADED,
        ErrorClass.SERVER_ERROR,
        ErrorClass.TIMEOUT,
        ErrorClass.STREAM_ERROR,
    ],
)
def test_errors_that_are_written_are_read_as_the_same(kind: ErrorClass) -> None:
    found = fold(streamed(lambda _: refusal(kind))).error
    assert found is not None
    assert found.error_class is kind
