"""When to retry, and how long to wait. The clock and the jitter are passed in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from harness.clients.interface import ClientError
from mockserver.vocabulary import ErrorEvent, ErrorInfo, Event

Attempt = Callable[[], AsyncGenerator[Event, None]]
Sleep = Callable[[float], Awaitable[object]]
Jitter = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Exponential waits with jitter, unless the server names a wait. All in seconds.

    The wait after retry ``n`` (from 0) is ``first * 2**n``, at most ``ceiling``. If the server
    names a wait above ``longest``, nothing is retried: the caller gets the error with its
    ``retry_after``.
    """

    max_retries: int = 0
    first: float = 0.5
    ceiling: float = 8.0
    longest: float = 120.0

    def delay(self, retries: int, error: ErrorInfo, jitter: float) -> float | None:
        """Return seconds to wait after ``error`` if ``retries`` were made; ``None`` to give up.

        ``jitter`` from 0 to 1 subtracts up to a quarter, so that clients do not retry in step.
        """
        if retries >= self.max_retries or not error.retryable:
            return None
        if error.retry_after is not None:
            return error.retry_after if error.retry_after <= self.longest else None
        return float(min(self.first * 2**retries, self.ceiling)) * (1 - jitter / 4)


async def retrying(
    attempt: Attempt,
    policy: RetryPolicy,
    *,
    sleep: Sleep,
    jitter: Jitter,
    repeatable: Callable[[], bool] = lambda: True,
) -> AsyncGenerator[Event, None]:
    """Yield the events of ``attempt``, repeated while it fails before its first event.

    An attempt fails with an ``error`` event or by raising :class:`ClientError`; the last
    failure is passed on unchanged. After the first event nothing is repeated, since the caller
    may have acted on it. ``repeatable`` is called after a failure and can forbid a retry.
    """
    retries = 0

    def wait_after(error: ErrorInfo) -> float | None:
        return policy.delay(retries, error, jitter()) if repeatable() else None

    while True:
        async with aclosing(attempt()) as events:
            emitted = False
            try:
                async for event in events:
                    if isinstance(event, ErrorEvent) and not emitted:
                        wait = wait_after(event.error)
                        if wait is not None:
                            break
                    emitted = True
                    yield event
                else:
                    return
            except ClientError as exc:
                wait = None if emitted else wait_after(exc.error)
                if wait is None:
                    raise
        retries += 1
        await sleep(wait)


async def errors_as_events(answer: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
    """Yield the events of ``answer``; a :class:`ClientError` becomes the last of them."""
    async with aclosing(answer) as events:
        try:
            async for event in events:
                yield event
        except ClientError as exc:
            yield ErrorEvent(error=exc.error)
