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
from harness.adapters.common.sync import SyncClient
from harness.adapters.gemini import GeminiClient
from harness.adapters.gemini.counts import Counts
from mockserver.dialects import UnwritableError
from mockserver.vocabulary import AssistantTurn, ErrorClass, Event

HI = {"role": "user", "content": "hi"}
WHOLE = {"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}]}
EVENTS = f"data: {json.dumps(WHOLE)}\r\n\r\n".encode()
BUSY = {
    "error": {
        "code": 429,
        "message": "Slow down, k-123456.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [{"@type": "x/google.rpc.RetryInfo", "retryDelay": "1.5s"}],
    }
}

Handler = Callable[[httpx.Request], httpx.Response]


def client(
    handler: Handler, *, key: str = "k-123456", retries: int = 0, waits: Any = None
) -> GeminiClient:
    async def sleep(seconds: float) -> None:
        if waits is not None:
            waits.append(seconds)

    return GeminiClient(
        "http://models.test/proxy/",
        key,
        transport=httpx.MockTransport(handler),
        retry=RetryPolicy(max_retries=retries),
        sleep=sleep,
    )


def stream(handler: Handler, model: str = "g", **more: Any) -> list[Event]:
    async def collect() -> list[Event]:
        async with client(handler, **more) as open_client:
            return [event async for event in open_client.stream(model=model, messages=[HI])]

    return asyncio.run(collect())


def complete(handler: Handler, **more: Any) -> AssistantTurn:
    with SyncClient(client(handler)) as blocking:
        return blocking.complete(model="g", messages=[HI], **more)


def test_a_request() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=EVENTS)

    assert [e.type for e in stream(handler)] == ["message_start", "content_delta", "message_stop"]
    assert str(seen[0].url) == (
        "http://models.test/proxy/v1beta/models/g:streamGenerateContent?alt=sse"
    )
    assert seen[0].headers["x-goog-api-key"] == "k-123456"
    assert "authorization" not in seen[0].headers
    assert json.loads(seen[0].content) == {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}]
    }
    stream(handler, key="", model="tuned/x")
    assert "x-goog-api-key" not in seen[1].headers
    assert seen[1].url.raw_path.endswith(b"/models/tuned%2Fx:streamGenerateContent?alt=sse")


def test_a_whole_answer() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/proxy/v1beta/models/g:generateContent"
        assert json.loads(request.content)["generationConfig"] == {"maxOutputTokens": 9}
        return httpx.Response(200, json=WHOLE)

    assert complete(handler, options={"max_completion_tokens": 9}).content == "a"


def test_an_error_is_an_exception_without_the_key() -> None:
    with pytest.raises(ApiError) as caught:
        complete(lambda _: httpx.Response(429, json=BUSY))
    error = caught.value.error
    assert (error.error_class, error.status, error.retry_after) == (ErrorClass.RATE_LIMIT, 429, 1.5)
    assert error.message == "Slow down, [redacted]."
    with pytest.raises(ApiError) as caught:
        complete(lambda _: httpx.Response(200, json={"promptFeedback": {"blockReason": "SAFETY"}}))
    assert caught.value.error.error_class is ErrorClass.CONTENT_FILTERED
    assert caught.value.turn is not None


def test_the_wait_of_the_body_is_kept() -> None:
    answers = iter([httpx.Response(429, json=BUSY), httpx.Response(200, content=EVENTS)])
    waits: list[float] = []
    found = stream(lambda _: next(answers), retries=1, waits=waits)
    assert found[-1].type == "message_stop"
    assert waits == [1.5]


def test_what_the_api_cannot_say_is_an_exception() -> None:
    with pytest.raises(UnwritableError, match="no tool choice"):
        complete(lambda _: httpx.Response(200), options={"tool_choice": "some"})


@pytest.mark.parametrize(
    ("objects", "usage"),
    [
        (
            [{"promptTokenCount": 5, "toolUsePromptTokenCount": 2, "thoughtsTokenCount": 1}],
            (7, 1, None, 1),
        ),
        ([{"promptTokenCount": "5", "totalTokenCount": 9.0}], (5, None, 9, None)),
        ([{"promptTokenCount": True, "candidatesTokenCount": -1}], (None, None, None, None)),
        ([{"promptTokenCount": 5}, {"promptTokenCount": 0}], (5, None, None, None)),
        ([{"promptTokenCount": 0}, {"promptTokenCount": 0}], (0, None, None, None)),
        # Not a whole object: the total has fallen, or does not add up.
        (
            [
                {"promptTokenCount": 9, "candidatesTokenCount": 5, "totalTokenCount": 14},
                {"promptTokenCount": 9, "totalTokenCount": 9},
            ],
            (9, 5, 9, None),
        ),
        (
            [
                {"promptTokenCount": 9, "candidatesTokenCount": 5, "totalTokenCount": 14},
                {"promptTokenCount": 9, "totalTokenCount": 15},
            ],
            (9, 5, 15, None),
        ),
        # A whole one, which leaves out what it does not count.
        (
            [
                {"promptTokenCount": 9, "candidatesTokenCount": 5, "totalTokenCount": 14},
                {"promptTokenCount": 80, "thoughtsTokenCount": 7, "totalTokenCount": 87},
            ],
            (80, 7, 87, 7),
        ),
    ],
)
def test_counts(objects: list[Any], usage: Any) -> None:
    counts = Counts()
    found = next(filter(None, reversed([counts.add(one) for one in objects])))
    details = found["completion_tokens_details"]["reasoning_tokens"]
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    assert (*(found[n] for n in names), details) == usage
    assert counts.add(None) is None
