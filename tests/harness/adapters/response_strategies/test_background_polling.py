import asyncio

import pytest

from harness.adapters.response_strategies.background_polling import (
    CountingClock,
    PollPolicy,
    SystemClock,
)


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({}, 20.0),
        ({"openai-poll-after-ms": "1500"}, 1.5),
        ({"openai-poll-after-ms": "0"}, 0.0),
        ({"openai-poll-after-ms": ""}, 20.0),
        ({"openai-poll-after-ms": "-5"}, 20.0),
        ({"openai-poll-after-ms": "soon"}, 20.0),
        ({"openai-poll-after-ms": "²"}, 20.0),
    ],
)
def test_pause(headers, pause):
    assert PollPolicy().pause(headers) == pause


def test_clocks():
    counting, system = CountingClock(), SystemClock()

    async def run():
        await counting.sleep(3600.0)
        await counting.sleep(0.5)
        await system.sleep(0.0)

    before = system.now()
    asyncio.run(run())
    assert counting.now() == 3600.5
    assert system.now() >= before
