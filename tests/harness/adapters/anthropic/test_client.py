"""The client as a program uses it: what it sends, and where its key goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest

from harness.adapters.anthropic import AnthropicClient
from harness.adapters.common.retrying import RetryPolicy
from harness.adapters.common.sync import SyncClient
from mockserver.dialects import Pace, UnwritableError, find_dialect, written_answer, written_error
from mockserver.vocabulary import (
    AssistantTurn,
    ErrorClass,
    ErrorInfo,
    FinishReason,
    MessageStop,
    NeutralCall,
    Status,
    TextPart,
)

DIALECT = find_dialect("anthropic")
MESSAGES = [{"role": "user", "content": "Hej!"}]
TURN = AssistantTurn(
    status=Status.COMPLETED, finish_reason=FinishReason.STOP, parts=(TextPart(text="Hej hej!"),)
)
Answering = Callable[[httpx.Request], httpx.Response]


def answer(request: httpx.Request) -> httpx.Response:
    stream = json.loads(request.content)["stream"]
    call = NeutralCall(model="m", messages=tuple(MESSAGES), stream=stream)
    written = written_answer(DIALECT, TURN, call, Pace())
    return httpx.Response(written.status, headers=list(written.headers), content=written.body)


def client(answering: Answering, *, key: str = "ant-key", retries: int = 0) -> AnthropicClient:
    async def no_wait(_: float) -> None:
        return None

    return AnthropicClient(
        "http://models.test/s/one",
        key,
        retry=RetryPolicy(max_retries=retries),
        sleep=no_wait,
        transport=httpx.MockTransport(answering),
    )


def complete(one: AnthropicClient, **options: object) -> AssistantTurn:
    async def run() -> AssistantTurn:
        async with one:
            return await one.complete(model="m", messages=MESSAGES, options=options)

    return asyncio.run(run())


def test_the_request_has_the_key_the_version_and_a_limit() -> None:
    seen = []

    def answering(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(request)

    assert complete(client(answering), betas=["a-1", "b-2"]).content == "Hej hej!"
    (request,) = seen
    assert str(request.url) == "http://models.test/s/one/v1/messages"
    assert request.headers["x-api-key"] == "ant-key"
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert request.headers["anthropic-beta"] == "a-1,b-2"
    assert "authorization" not in request.headers
    assert json.loads(request.content) == {
        "model": "m",
        "max_tokens": 4096,
        "messages": MESSAGES,
        "stream": False,
    }


def test_without_a_key_there_is_no_header() -> None:
    def answering(request: httpx.Request) -> httpx.Response:
        assert "x-api-key" not in request.headers
        return answer(request)

    assert complete(client(answering, key="")).content == "Hej hej!"


@pytest.mark.parametrize(
    ("location", "key"),
    [("http://models.test/elsewhere", "ant-key"), ("http://other.test/v1/messages", None)],
)
def test_the_key_stays_with_its_host(location: str, key: str | None) -> None:
    def answering(request: httpx.Request) -> httpx.Response:
        if str(request.url) != location:
            return httpx.Response(307, headers={"location": location})
        assert request.headers.get("x-api-key") == key
        return answer(request)

    assert complete(client(answering)).content == "Hej hej!"


def test_an_overload_is_tried_again() -> None:
    error = ErrorInfo(error_class=ErrorClass.OVERLOADED, message="", retryable=True)
    written = written_error(DIALECT, error, NeutralCall(model="m", messages=tuple(MESSAGES)))
    asked = []

    def answering(request: httpx.Request) -> httpx.Response:
        asked.append(request.content)
        if len(asked) == 2:
            return answer(request)
        return httpx.Response(written.status, headers=list(written.headers), content=written.body)

    assert complete(client(answering, retries=1)).content == "Hej hej!"
    assert asked[0] == asked[1]


def test_what_the_api_cannot_say_is_refused_before_it_is_sent() -> None:
    def answering(_: httpx.Request) -> httpx.Response:
        raise AssertionError

    with pytest.raises(UnwritableError, match="response_format"):
        complete(client(answering), response_format={"type": "json_object"})


def test_the_synchronous_face_streams() -> None:
    with SyncClient(client(answer)) as one:
        events = list(one.stream(model="m", messages=MESSAGES))
    assert isinstance(events[-1], MessageStop)
