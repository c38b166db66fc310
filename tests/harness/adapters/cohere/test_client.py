from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from harness.adapters.cohere import CohereClient
from harness.adapters.common.native_client import ApiError
from harness.adapters.common.retrying import RetryPolicy
from mockserver.vocabulary import ErrorClass, ErrorEvent, Event, MessageStop

KEY = "co-test-0123456789"
ASK: dict[str, Any] = {"model": "command-a", "messages": [{"role": "user", "content": "hi"}]}
END = '{"type":"message-end","delta":{"finish_reason":"COMPLETE"}}'
STREAM = f'data: {{"type":"message-start","id":"a1"}}\n\ndata: {END}\n\n'


def mocked(handler: Callable[[httpx.Request], httpx.Response], **options: Any) -> CohereClient:
    return CohereClient(
        "http://models.test/s/1/", KEY, transport=httpx.MockTransport(handler), **options
    )


def streamed(handler: Callable[[httpx.Request], httpx.Response], **options: Any) -> list[Event]:
    async def collect() -> list[Event]:
        async with mocked(handler, **options) as client:
            return [event async for event in client.stream(**ASK)]

    return asyncio.run(collect())


def test_the_request() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, text=STREAM)

    assert isinstance(streamed(handler)[-1], MessageStop)
    (request,) = seen
    assert str(request.url) == "http://models.test/s/1/v2/chat"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {"stream": True, **ASK}


def test_a_request_that_the_guidelines_forbid_is_not_retried() -> None:
    asked = 0

    def handler(_request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return httpx.Response(498, json={"message": "blocked"}, headers={"x-debug-trace-id": "t1"})

    failed = streamed(handler, retry=RetryPolicy(max_retries=2))[-1]
    assert isinstance(failed, ErrorEvent)
    assert failed.error.error_class is ErrorClass.CONTENT_FILTERED
    assert (failed.error.retryable, failed.error.status) == (False, 498)
    assert (failed.error.message, failed.error.request_id) == ("blocked", "t1")
    assert asked == 1


def test_a_server_that_is_full_is_retried() -> None:
    answers = iter(
        [httpx.Response(503, json={"message": "full"}), httpx.Response(200, text=STREAM)]
    )

    async def no_sleep(_seconds: float) -> None:
        return None

    found = streamed(lambda _: next(answers), retry=RetryPolicy(max_retries=1), sleep=no_sleep)
    assert isinstance(found[-1], MessageStop)


def test_a_whole_answer_is_a_turn_or_an_error() -> None:
    whole = {"id": "a1", "message": {"content": "Yes"}, "finish_reason": "COMPLETE"}
    answers = iter([whole, {**whole, "finish_reason": "TIMEOUT"}])

    async def ask() -> None:
        async with mocked(lambda _: httpx.Response(200, json=next(answers))) as client:
            assert (await client.complete(**ASK)).content == "Yes"
            with pytest.raises(ApiError) as caught:
                await client.complete(**ASK)
        assert caught.value.error.error_class is ErrorClass.TIMEOUT
        assert caught.value.turn is not None
        assert caught.value.turn.content == "Yes"

    asyncio.run(ask())


def test_ids_of_earlier_calls_are_not_made_again() -> None:
    call = '{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"function":'
    text = f'data: {call}{{"name":"f"}}}}}}}}}}\n\ndata: {END}\n\n'
    earlier = {"id": "call_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        *ASK["messages"],
        {"role": "assistant", "content": None, "tool_calls": [earlier]},
        {"role": "tool", "tool_call_id": "call_0", "content": "1"},
    ]

    async def ask() -> list[Event]:
        async with mocked(lambda _: httpx.Response(200, text=text)) as client:
            return [e async for e in client.stream(model="m", messages=messages)]

    assert [getattr(e, "tool_call_id", None) for e in asyncio.run(ask())][1] == "call_1"


def test_what_cohere_cannot_say_is_a_value_error() -> None:
    async def ask() -> None:
        async with mocked(lambda _: httpx.Response(200, text=STREAM)) as client:
            with pytest.raises(ValueError, match="no n other than 1"):
                await client.complete(**ASK, options={"n": 2})

    asyncio.run(ask())
