from __future__ import annotations

from collections.abc import Iterator

import pytest
from aiohttp import web

from tests.mockserver.live import EVENT, Live, stream


@pytest.fixture
def words() -> dict[str, str]:
    return {"text": "Hello"}


@pytest.fixture
def live(words: dict[str, str]) -> Iterator[Live]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await stream(request, EVENT % words["text"].encode(), b"data: [DONE]\n\n")

    with Live(answer) as running:
        yield running
