import asyncio

import pytest

from harness.adapters.common.harness_call import make_call, with_turn
from harness.clients.interface import Call
from mockserver.vocabulary.fold import fold
from mockserver.vocabulary.model import ContentDelta, FinishReason, MessageStop

EVENTS = [ContentDelta(delta="a"), MessageStop(finish_reason=FinishReason.STOP)]
TURN = fold(EVENTS)
REQUEST = {"model": "m", "messages": ({"role": "user"},), "tools": ({},), "options": {"n": 1}}


class Scripted:
    """A client that keeps what it is asked for."""

    def __init__(self):
        self.asked = []
        self.closed = False

    async def stream(self, **request):
        self.asked.append(("stream", request))
        try:
            for event in EVENTS:
                yield event
        finally:
            self.closed = True

    async def complete(self, **request):
        self.asked.append(("complete", request))
        return TURN


def made(stream):
    client = Scripted()
    call = Call(base_url="http://models.test", api_key="k", stream=stream, **REQUEST)

    async def run():
        return [item async for item in make_call(client, call)]

    return asyncio.run(run()), client.asked


@pytest.mark.parametrize(
    ("stream", "method", "items"),
    [(True, "stream", [*EVENTS, TURN]), (False, "complete", [TURN])],
)
def test_a_call(stream, method, items):
    assert made(stream) == (items, [(method, REQUEST)])


def test_leaving_early_closes_the_answer():
    client = Scripted()

    async def run():
        items = with_turn(client.stream())
        assert await anext(items) == EVENTS[0]
        await items.aclose()

    asyncio.run(run())
    assert client.closed
