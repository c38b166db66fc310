"""Clients that block, end their process, flood, or get between the messages."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import re
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

from harness import Call, adapter
from harness.adapters import openai_compat

EVENT = {"type": "content_delta", "delta": "x"}
declared = adapter(dialects=["openai-chat"], features=["streaming"])


@declared
async def good(call: Call) -> AsyncIterator[Any]:
    async for item in openai_compat.openai_compat.run(call):
        yield item


@declared
async def exits(call: Call) -> AsyncIterator[Any]:
    yield EVENT
    os._exit(0)


@declared
async def exits_late(call: Call) -> AsyncIterator[Any]:
    """Ends the process after the call has returned."""
    threading.Timer(0.05, os._exit, (5,)).start()
    yield EVENT


@declared
async def raises_system_exit(call: Call) -> AsyncIterator[Any]:
    sys.exit(0)
    yield


@declared
async def raises_interrupt(call: Call) -> AsyncIterator[Any]:
    raise KeyboardInterrupt
    yield


@declared
async def terminates(call: Call) -> AsyncIterator[Any]:
    print("about to go, key", call.api_key, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.Event().wait()
    yield


@declared
async def crashes(call: Call) -> AsyncIterator[Any]:
    ctypes.string_at(0)
    yield


@declared
async def blocks(call: Call) -> AsyncIterator[Any]:
    yield EVENT
    time.sleep(1000)  # noqa: ASYNC251 - that is the point


@declared
def blocks_in_thread(call: Call) -> Iterator[Any]:
    yield EVENT
    time.sleep(1000)


@declared
def blocks_in_c(call: Call) -> Iterator[Any]:
    yield EVENT
    re.match(r"(a+)+$", "a" * 40 + "b")


@declared
async def swallows(call: Call) -> AsyncIterator[Any]:
    yield EVENT
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


@declared
async def waits(call: Call) -> AsyncIterator[Any]:
    """Waits too long, but can be stopped."""
    yield EVENT
    await asyncio.Event().wait()


@declared
async def endless(call: Call) -> AsyncIterator[Any]:
    while True:
        yield {"type": "content_delta", "delta": "x" * 100_000}


@declared
async def big(call: Call) -> AsyncIterator[Any]:
    yield {"type": "content_delta", "delta": "x" * (100 << 20)}


@declared
async def eats(call: Call) -> AsyncIterator[Any]:
    """Fills the memory, by pages that it does not touch."""
    eaten = []
    while True:
        eaten.append(bytearray(256 << 20))
        yield EVENT


@declared
async def prints(call: Call) -> AsyncIterator[Any]:
    print('{"type":"done","id":1}', flush=True)
    sys.stderr.write("noise\n" * 10_000)
    os.write(1, b'{"type":"done","id":1}\n')
    os.write(1, os.read(0, 10))
    async for item in openai_compat.openai_compat.run(call):
        yield item


@declared
async def closes(call: Call) -> AsyncIterator[Any]:
    """Closes all files, also those that the messages need."""
    os.closerange(0, 200)
    time.sleep(1000)  # noqa: ASYNC251 - that is the point
    yield


@declared
async def writes_messages(call: Call) -> AsyncIterator[Any]:
    """Writes to every open file: one of them has the messages."""
    for number in range(3, 20):
        try:
            os.write(number, b"this is no message\n")
        except OSError:
            continue
    await asyncio.Event().wait()
    yield


@declared
async def forks(call: Call) -> AsyncIterator[Any]:
    """Leaves a child behind that holds the process's pipes."""
    if os.fork() == 0:
        time.sleep(1000)  # noqa: ASYNC251 - that is the point
    os._exit(0)
    yield


@declared
async def odd(call: Call) -> AsyncIterator[Any]:
    yield {"type": object(), "delta": float("nan"), 1: 2, "native": {b"x": {1, 2}}}
    yield {"type": "content_delta", "delta": "\ud800"}


@declared
async def patches(call: Call) -> AsyncIterator[Any]:
    import json

    json.loads = lambda *_, **__: {}  # type: ignore[assignment]
    yield EVENT


@declared
async def logs(call: Call) -> AsyncIterator[Any]:
    logging.getLogger("sdk").info("sending %s", call.api_key)
    logging.getLogger("sdk").info("sending nothing")
    yield EVENT


@declared
async def own_timeout(call: Call) -> AsyncIterator[Any]:
    yield EVENT
    raise TimeoutError("its own")


@declared
async def cancels_itself(call: Call) -> AsyncIterator[Any]:
    """Cancels its own task after the answer, and so hides what it raises."""
    yield EVENT
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)


@declared
async def writes_everywhere(call: Call) -> AsyncIterator[Any]:
    """Writes to every descriptor that it has but those of the usual streams."""
    written = 0
    for number in range(3, 256):
        with suppress(OSError):
            written += os.write(number, b"\0\0\0\4evil")
    yield {**EVENT, "delta": str(written)}
