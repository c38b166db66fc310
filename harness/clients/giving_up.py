"""A caller that stops reading in the middle of a stream, as one does who presses Stop.

It reads until enough content was emitted, lets the client wait for more, and cancels the task that
reads. What a client emits after that is late. A client that does not end then is left alone: the
server sees that its connection stays open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol

from harness.clients.door import Copied
from mockserver.vocabulary import Event

#: Seconds in which a client that has more at hand emits it; then it waits for the server.
AT_HAND = 0.2
#: Seconds for a client to end, or to emit one thing more, when its call is cancelled.
GRACE = 1.0
#: Events with a piece of the answer.
_CONTENT = frozenset(
    {"content_delta", "reasoning_delta", "refusal_delta", "tool_call_start", "tool_call_delta"}
)


class Sink(Protocol):
    """Takes what an adapter emits. Both methods may raise :class:`FloodError`."""

    def event(self, item: Any) -> None:
        """Take an event."""

    def turn(self, item: Any) -> None:
        """Take the turn."""


def is_content(item: Any) -> bool:
    """Return whether what a client emitted is a piece of the answer."""
    return _type_of(item) in _CONTENT


def _type_of(item: Any) -> str | None:
    if type(item) is Copied:
        item = item.data
    if issubclass(type(item), Event):
        return str(item.type)
    try:
        return str(item["type"]) if issubclass(type(item), Mapping) else None
    except Exception:
        return None  # the client's own class; whoever reads it next will say so


class Caller:
    """Passes on what a client emits until it stops reading, after ``stop_after`` with content.

    ``late`` counts the events after that, ``None`` if it did not stop. A failure is not late: by
    that a client may say that its call was cancelled.
    """

    def __init__(self, sink: Sink, stop_after: int) -> None:
        self.late: int | None = None
        self.taken = 0
        self.enough: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sink = sink
        self._missing = stop_after
        self._has_left = False

    def stop(self) -> None:
        """Stop reading: what comes now is late."""
        self.late = self.late or 0

    def leave(self) -> None:
        """Take nothing any more."""
        self._has_left = True

    def event(self, item: Any) -> None:
        """Take an event."""
        if self._has_left:
            return
        self._sink.event(item)
        self.taken += 1
        if self.late is not None:
            self.late += _type_of(item) != "error"
            return
        self._missing -= is_content(item)
        if self._missing <= 0 and not self.enough.done():
            self.enough.set_result(None)

    def turn(self, item: Any) -> None:
        """Take the turn."""
        if not self._has_left:
            self._sink.turn(item)


async def read_and_give_up(read: Coroutine[Any, Any, None], caller: Caller) -> None:
    """Run ``read``, which gives the caller what a client emits, and cancel it in the middle.

    It runs in a task of its own, as the whole of a call does in a program. Raises what it raised.
    """
    reading = asyncio.create_task(_outcome(read))
    either: list[asyncio.Future[Any]] = [reading, caller.enough]
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        await _until_quiet(reading, caller, AT_HAND)
        if not reading.done():
            caller.stop()
            reading.cancel()
            await _until_quiet(reading, caller, GRACE)
    except asyncio.CancelledError:
        reading.cancel()
        raise
    finally:
        caller.leave()
    if reading.done() and not reading.cancelled() and (raised := reading.result()) is not None:
        raise raised


async def _outcome(read: Coroutine[Any, Any, None]) -> BaseException | None:
    """Run ``read`` and return what it raised: raised in a task, an exit would end the loop."""
    try:
        await read
    except asyncio.CancelledError as exc:
        task = asyncio.current_task()
        return None if task is not None and task.cancelling() else exc
    except BaseException as exc:
        return exc
    return None


async def _until_quiet(reading: asyncio.Task[Any], caller: Caller, seconds: float) -> None:
    """Wait until the client has ended, or emitted nothing for so long."""
    taken = -1
    while not reading.done() and caller.taken != taken:
        taken = caller.taken
        await asyncio.wait([reading], timeout=seconds)
