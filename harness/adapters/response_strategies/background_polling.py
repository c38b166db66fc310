"""When to poll a job. The clock is passed in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """The clock that a client uses."""

    def now(self) -> float:
        """Return seconds since some moment; never decreases."""

    async def sleep(self, seconds: float) -> None:
        """Return after this many seconds."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> float:
        """See :class:`Clock`."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """See :class:`Clock`."""
        await asyncio.sleep(seconds)


class CountingClock:
    """Adds up the seconds that are slept without waiting: an hour of polls takes no time."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def now(self) -> float:
        """See :class:`Clock`."""
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        """See :class:`Clock`."""
        self._seconds += seconds
        await asyncio.sleep(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPolicy:
    """How often and how long a job is polled. All in seconds.

    ``interval`` is the wait after an answer "not yet", unless the server names another one;
    ``timeout`` after the first of them the job is cancelled.
    """

    interval: float = 20.0
    timeout: float = 3600.0

    def pause(self, headers: Mapping[str, str]) -> float:
        """Return seconds to wait after a poll. ``headers``: lower-case names, or httpx's.

        OpenAI's servers name a wait in ``openai-poll-after-ms``
        (openai/openai-agents-python#3472).
        """
        named = headers.get("openai-poll-after-ms", "")
        return int(named) / 1000 if named.isdecimal() else self.interval
