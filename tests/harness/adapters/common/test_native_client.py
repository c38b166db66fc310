"""What the clients of native dialects share, by the one for Cohere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest

from harness.adapters.cohere import CohereClient
from harness.adapters.common.native_client import ApiError
from harness.adapters.common.retrying import RetryPolicy
from mockserver.dialects import Pace, find_dialect, written_answer
from mockserver.vocabulary import (
    AssistantTurn,
    ErrorClass,
    ErrorEvent,
    FinishReason,
    MessageStop,
    NeutralCall,
    Status,
    TextPart,
)

MESSAGES = [{"role": "user", "content": "Hej!"}]
TURN = AssistantTurn(
    status=Status.COMPLETED, finish_reason=FinishReason.STOP, parts=(TextPart(text="Hej!"),)
)
Answering = Callable[[httpx.Request], httpx.Response]


def answer(request: httpx.Request) -> httpx.Response:
    stream = json.loads(request.content)["stream"]
    call = NeutralCall(model="m", messages=tuple(MESSAGES), stream=stream)
    written = written_answer(find_dialect("cohere"), TURN, call, Pace())
    return httpx.Response(written.status, headers=list(written.headers), content=written.body)


def client(answering: Answering, *, retries: int = 0) -> CohereClient:
    async def no_wait(_: float) -> None:
        return None

    return CohereClient(
        "http://models.test/s/one",
        "co-key",
        retry=RetryPolicy(max_retries=retries),
        sleep=no_wait,
        transport=httpx.MockTransport(answering),
    )


def complete(answering: Answering, *, retries: int = 0) -> AssistantTurn:
    async def run() -> AssistantTurn:
        async with client(answering, retries=retries) as one:
            return await one.complete(model="m", messages=MESSAGES)

    return asyncio.run(run())


def test_the_dialect_writes_the_request_behind_the_base_url() -> None:
    seen = []

    def answering(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(request)

    assert complete(answering).content == "Hej!"
    (request,) = seen
    assert str(request.url) == "http://models.test/s/one/v2/chat"
    assert request.headers["authorization"] == "Bearer co-key"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content)["messages"] == MESSAGES


def test_a_stream_ends_with_its_reason() -> None:
    async def run() -> list[object]:
        async with client(answer) as one:
            return [event async for event in one.stream(model="m", messages=MESSAGES)]

    events = asyncio.run(run())
    assert isinstance(events[-1], MessageStop)


def test_a_failure_is_raised_or_is_the_last_event() -> None:
    def answering(_: httpx.Request) -> httpx.Response:
        return httpx.Response(429, json={"message": "slow down"}, headers={"retry-after": "3"})

    with pytest.raises(ApiError) as caught:
        complete(answering)
    assert caught.value.error.error_class is ErrorClass.RATE_LIMIT
    assert caught.value.error.retry_after == 3

    async def run() -> list[object]:
        async with client(answering) as one:
            return [event async for event in one.stream(model="m", messages=MESSAGES)]

    (event,) = asyncio.run(run())
    assert isinstance(event, ErrorEvent)
    assert event.error == caught.value.error


def test_an_answer_that_fails_keeps_what_it_had() -> None:
    def answering(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text='{"id": "c1", "message": {"content": "half')

    with pytest.raises(ApiError) as caught:
        complete(answering)
    assert caught.value.turn is not None
    assert caught.value.turn.status is Status.FAILED


def test_a_failure_is_retried_as_the_policy_says() -> None:
    codes = [503, 200]

    def answering(request: httpx.Request) -> httpx.Response:
        code = codes.pop(0)
        return answer(request) if code == 200 else httpx.Response(code, json={"message": "busy"})

    assert complete(answering, retries=1).content == "Hej!"
    assert codes == []


def test_what_the_api_cannot_say_is_the_caller_s_mistake() -> None:
    async def run() -> None:
        async with client(answer) as one:
            await one.complete(model="m", messages=[{"role": "poet", "content": "Hej!"}])

    with pytest.raises(ValueError, match="poet"):
        asyncio.run(run())
