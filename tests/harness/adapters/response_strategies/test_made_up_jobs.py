"""Jobs that nobody recorded: the backend of the mock server answers the bundled client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from harness.adapters.response_strategies.background import ResponsesClient
from harness.adapters.response_strategies.background_polling import CountingClock
from mockserver import MockServer
from mockserver.backend import Settings
from mockserver.vocabulary.fold import fold

_T = TypeVar("_T")
QUESTION = [{"role": "user", "content": "say hello"}]


def played(ask: Callable[[ResponsesClient], Awaitable[_T]]) -> _T:
    async def asking() -> _T:
        async with MockServer(backend=Settings()) as server:
            client = ResponsesClient(f"{server.url}/v1", "any", clock=CountingClock())
            async with client:
                return await ask(client)

    return asyncio.run(asking())


def test_a_job_is_polled_until_it_is_done() -> None:
    turn = played(lambda client: client.complete(model="m", messages=QUESTION))
    assert turn.content == "hello"
    assert turn.usage is not None


def test_a_streamed_job_ends_and_is_resumed_by_its_id() -> None:
    async def ask(client: ResponsesClient) -> tuple[str, str]:
        first = fold([e async for e in client.stream(model="m", messages=QUESTION)])
        assert first.response_id is not None
        again = fold([e async for e in client.resume(first.response_id)])
        polled = await client.result(first.response_id)
        assert polled.content == first.content
        return first.content, again.content

    assert played(ask) == ("hello", "hello")
