import asyncio
from dataclasses import replace

import pytest

from harness.adapters.common.failures import failure
from harness.adapters.common.retrying import RetryPolicy, errors_as_events, retrying
from harness.clients.interface import ClientError
from mockserver.vocabulary.model import (
    ContentDelta,
    ErrorClass,
    ErrorEvent,
    FinishReason,
    MessageStop,
)

BUSY = failure(ErrorClass.OVERLOADED, "busy")
BAD = failure(ErrorClass.INVALID_REQUEST, "bad")
TEXT = ContentDelta(delta="a")
STOP = MessageStop(finish_reason=FinishReason.STOP)


@pytest.mark.parametrize(
    ("retries", "error", "jitter", "delay"),
    [
        (0, BUSY, 0.0, 0.5),
        (1, BUSY, 0.0, 1.0),
        (1, BUSY, 1.0, 0.75),
        (5, BUSY, 0.0, 8.0),
        (6, BUSY, 0.0, None),
        (0, BAD, 0.0, None),
        (0, replace(BUSY, retry_after=0.0), 0.5, 0.0),
        (0, replace(BUSY, retry_after=120.0), 0.5, 120.0),
        (0, replace(BUSY, retry_after=3600.0), 0.5, None),
        (0, replace(BAD, retryable=True), 0.0, 0.5),
        (0, replace(BUSY, retryable=False), 0.0, None),
    ],
)
def test_delay(retries, error, jitter, delay):
    assert RetryPolicy(max_retries=6).delay(retries, error, jitter) == delay


def play(*attempts, max_retries=2):
    """Play scripted attempts: events to yield, or an error to raise after them."""
    waits = []
    script = iter(attempts)

    async def attempt():
        for step in next(script):
            if isinstance(step, Exception):
                raise step
            yield step

    async def sleep(seconds):
        waits.append(seconds)

    async def run():
        policy = RetryPolicy(max_retries=max_retries)
        return [e async for e in retrying(attempt, policy, sleep=sleep, jitter=lambda: 0.0)]

    return asyncio.run(run()), waits, len(list(script))


def test_until_it_works():
    failures = [ErrorEvent(error=BUSY)], [ClientError(replace(BUSY, retry_after=7.0))]
    assert play(*failures, [TEXT, STOP]) == ([TEXT, STOP], [0.5, 7.0], 0)


def test_gives_up_with_the_last_failure():
    last = ErrorEvent(error=BUSY)
    assert play([last], [last], [last], [TEXT]) == ([last], [0.5, 1.0], 1)
    with pytest.raises(ClientError):
        play([ClientError(BAD)], [TEXT])


def test_never_after_the_first_event():
    broken = [TEXT, ErrorEvent(error=BUSY)]
    assert play(broken, [STOP]) == (broken, [], 1)
    with pytest.raises(ClientError):
        play([TEXT, ClientError(BUSY)], [STOP])


def test_a_raised_error_is_the_last_event():
    async def answer(*steps):
        for step in steps:
            if isinstance(step, Exception):
                raise step
            yield step

    async def run(*steps):
        return [event async for event in errors_as_events(answer(*steps))]

    assert asyncio.run(run(TEXT, STOP)) == [TEXT, STOP]
    assert asyncio.run(run(TEXT, ClientError(BAD))) == [TEXT, ErrorEvent(error=BAD)]
    with pytest.raises(ZeroDivisionError):
        asyncio.run(run(TEXT, ZeroDivisionError()))
