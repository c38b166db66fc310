"""Recorded times, faster or slower, and the pieces that are due at them.

Thousands of streams wait at the same time. A piece costs one timer: it wakes no task, because the
task of the stream sleeps until all of it is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from aiohttp import web

from mockserver.wire.schedule import Send, Step

#: Timers of event loops have milliseconds: what is due in less is due now, in seconds.
_EARLY = 0.0005


class Clock:
    """Recorded times from now on. They are absolute, so that delays do not add up."""

    def __init__(self, speed: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self.speed = speed

    def due(self, at_ms: float) -> float:
        """Return the time of the event loop's clock for a recorded one."""
        return self._started + at_ms / 1000 / self.speed

    async def until(self, at_ms: float) -> None:
        """Wait for a recorded time, unless there are no waits."""
        if self.speed:
            delay = self.due(at_ms) - self._loop.time()
            if delay > 0:
                await asyncio.sleep(delay)


class Run:
    """Pieces that follow each other from ``position`` on, up to a step that is none.

    ``frame`` makes of a piece what is written; ``note`` is called with each that was.
    """

    __slots__ = (
        "_clock",
        "_frame",
        "_loop",
        "_note",
        "_request",
        "_steps",
        "_stopped",
        "_timer",
        "position",
    )

    def __init__(
        self,
        request: web.BaseRequest,
        steps: Sequence[Step],
        position: int,
        clock: Clock,
        frame: Callable[[Send], bytes],
        note: Callable[[Send], None],
    ) -> None:
        self._request = request
        self._steps = steps
        self.position = position
        self._clock = clock
        self._frame = frame
        self._note = note
        self._loop = asyncio.get_running_loop()
        self._stopped: asyncio.Future[bool] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def play(self) -> None:
        """Write the pieces when they are due. Raises ``ConnectionError`` if the client is gone."""
        while self._has_more():
            self._stopped = self._loop.create_future()
            self._write()
            try:
                is_there = await self._stopped
            finally:
                # The run and its future would keep each other alive.
                self._stopped = None
                if self._timer is not None:
                    self._timer.cancel()
            if not is_there:
                raise ConnectionResetError
            # Where the client is slower than the recording, wait for it.
            await self._request.writer.drain()

    def _has_more(self) -> bool:
        return self.position < len(self._steps) and isinstance(self._steps[self.position], Send)

    def _write(self) -> None:
        """Write what is due, and set a timer for what comes next."""
        protocol, writer = self._request.protocol, self._request.writer
        self._timer = None
        if self._stopped is None or self._stopped.done():
            # The task was cancelled.
            return
        while self._has_more() and not protocol.writing_paused:
            piece = self._steps[self.position]
            assert isinstance(piece, Send)
            due = self._clock.due(piece.at_ms)
            if due - self._loop.time() > _EARLY:
                self._timer = self._loop.call_at(due, self._write)
                return
            transport = self._request.transport
            if transport is None or transport.is_closing():
                self._stopped.set_result(False)
                return
            data = self._frame(piece)
            transport.write(data)
            # Whoever watches a client that has closed its sending side looks at this.
            writer.output_size += len(data)
            self.position += 1
            self._note(piece)
        self._stopped.set_result(True)
