"""The client asks as the dialect writes, and gives out what the server says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from harness.adapters.common.native_client import ApiError
from harness.adapters.common.retrying import RetryPolicy
from harness.adapters.ollama import OllamaClient
from mockserver.dialects import UnwritableError
from mockserver.vocabulary import ErrorClass, Event, FinishReason

HI = {"role": "user", "content": "hi"}
LINES = (
    b'{"model":"m","message":{"content":"a"},"done":false}\n'
    b'{"model":"m","message":{"content":""},"done":true,"done_reason":"stop"}\n'
)
WHOLE = {"model": "m", "message": {"content": "a"}, "done": True, "done_reason": "stop"}

Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler, *, key: str = "k-123456", retries: int = 0) -> OllamaClient:
    async def no_sleep(_seconds: float) -> None:
        return None

    return OllamaClient(
        "http://models.test:11434/",
        key,
        transport=httpx.MockTransport(handler),
        retry=RetryPolicy(max_retries=retries),
        sleep=no_sleep,
    )


def stream(handler: Handler, **more: Any) -> list[Event]:
    async def collect() -> list[Event]:
        async with client(handler, **more) as open_client:
            return [event async for event in open_client.stream(model="m", messages=[HI])]

    return asyncio.run(collect())


def test_a_request() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=LINES)

    assert [e.type for e in stream(handler)] == ["message_start", "content_delta", "message_stop"]
    assert str(seen[0].url) == "http://models.test:11434/api/chat"
    assert seen[0].headers["authorization"] == "Bearer k-123456"
    assert json.loads(seen[0].content) == {"model": "m", "messages": [HI], "stream": True}
    stream(handler, key="")
    assert "authorization" not in seen[1].headers


def test_the_other_endpoint_without_a_stream() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/generate"
        assert json.loads(request.content) == {"model": "m", "prompt": "hi", "stream": False}
        return httpx.Response(200, json={**WHOLE, "message": None, "response": "b"})

    async def ask() -> Any:
        async with client(handler) as open_client:
            return await open_client.complete(
                model="m", messages=[HI], options={"endpoint": "generate"}
            )

    turn = asyncio.run(ask())
    assert (turn.content, turn.finish_reason) == ("b", FinishReason.STOP)


def test_ids_of_earlier_turns_are_not_made_again() -> None:
    call = {"function": {"name": "f", "arguments": {}}}

    def handler(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={**WHOLE, "message": {"tool_calls": [call]}})

    before = {"id": "call_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}

    async def ask() -> Any:
        async with client(handler) as open_client:
            return await open_client.complete(
                model="m", messages=[HI, {"role": "assistant", "tool_calls": [before]}]
            )

    assert [c.id for c in asyncio.run(ask()).tool_calls] == ["call_1"]


def test_a_status_is_an_error_and_may_be_tried_again() -> None:
    answers = [
        httpx.Response(503, json={"error": "server busy"}),
        httpx.Response(200, content=LINES),
    ]
    assert stream(lambda _: answers.pop(0), retries=1)[-1].type == "message_stop"

    async def ask() -> Any:
        refusing = client(lambda _: httpx.Response(404, json={"error": "model 'm' not found"}))
        async with refusing as open_client:
            return await open_client.complete(model="m", messages=[HI])

    with pytest.raises(ApiError) as caught:
        asyncio.run(ask())
    error = caught.value.error
    assert (error.error_class, error.status) == (ErrorClass.MODEL_NOT_FOUND, 404)


def test_what_the_api_cannot_say_is_a_value_error() -> None:
    async def ask() -> Any:
        async with client(lambda _: httpx.Response(200)) as open_client:
            return await open_client.complete(
                model="m", messages=[HI], options={"tool_choice": "required"}
            )

    with pytest.raises(UnwritableError, match="tool_choice") as caught:
        asyncio.run(ask())
    assert isinstance(caught.value, ValueError)
