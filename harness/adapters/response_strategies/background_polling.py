"""When to ask for a job again. The clock is given."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Time, as far as a client needs it."""

    def now(self) -> float:
        """Seconds since some moment; never runs backwards."""

    async def sleep(self, seconds: float) -> None:
        """Come back after so many seconds."""


class SystemClock:
    """The time of the machine."""

    def now(self) -> float:
        """See :class:`Clock`."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """See :class:`Clock`."""
        await asyncio.sleep(seconds)


class CountingClock:
    """Counts the time that is slept and takes none: an hour of polls passes at once."""

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
    """How often and how long a job is asked for. All in seconds.

    ``interval`` passes between two answers that say "not yet", unless the server names
    another one; ``timeout`` after the first of them the job is given up and cancelled.
    """

    interval: float = 20.0
    timeout: float = 3600.0

    def pause(self, headers: Mapping[str, str]) -> float:
        """How long to wait after a poll with these response headers, in lower case or httpx's.

        OpenAI's servers name a wait in ``openai-poll-after-ms``
        (openai/openai-agents-python#3472).
        """
        named = headers.get("openai-poll-after-ms", "")
        return int(named) / 1000 if named.isdecimal() else self.interval
