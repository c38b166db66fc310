"""A caller that stops reading in the middle of a stream, as one does who presses Stop.

It reads until enough content was emitted, lets the client wait for more, and cancels that wait.
What a client emits after that is late.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from mockserver.vocabulary import Event

#: Seconds in which a client that has more at hand emits it; then it waits for the server.
AT_HAND = 0.2
#: Seconds for a client to end when its call is cancelled.
GRACE = 1.0
#: Events with a piece of the answer.
_CONTENT = frozenset(
    {"content_delta", "reasoning_delta", "refusal_delta", "tool_call_start", "tool_call_delta"}
)


def is_content(item: Any) -> bool:
    """Return whether what a client emitted is a piece of the answer."""
    if issubclass(type(item), Event):
        return item.type in _CONTENT
    try:
        return issubclass(type(item), Mapping) and item["type"] in _CONTENT
    except Exception:
        return False  # the client's own class; whoever reads it next will say so


async def read_and_give_up(
    items: AsyncGenerator[Any, None], take: Callable[[Any], None], stop_after: int
) -> int | None:
    """Read ``items`` until ``stop_after`` of them are content, then give up.

    Returns how many came after that; ``None`` if they ended before.
    """
    count = 0
    async for item in items:
        take(item)
        count += is_content(item)
        if count >= stop_after:
            break
    else:
        return None
    while True:
        following = asyncio.ensure_future(anext(items))
        done, _ = await asyncio.wait([following], timeout=AT_HAND)
        if not done:
            following.cancel()
            await asyncio.wait([following], timeout=GRACE)
            return await _after_cancelling(following, items, take)
        try:
            take(following.result())
        except StopAsyncIteration:
            return 0


async def _after_cancelling(
    following: asyncio.Future[Any], items: AsyncGenerator[Any, None], take: Callable[[Any], None]
) -> int:
    """Take what comes although the call was cancelled; return how many that are."""
    late = 0
    try:
        take(await following)
        late += 1
        async for item in items:
            take(item)
            late += 1
    except (asyncio.CancelledError, StopAsyncIteration):
        if _is_cancelled_from_outside():
            raise
    return late


def _is_cancelled_from_outside() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
