"""The process in which a client runs: it loads the adapter and answers the harness's messages.

It is started by ``harness.clients.workers``, with the messages on stdin and stdout. Both are taken
away before the client's code is imported, so that nothing it prints gets between them.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import sys
import threading
from contextlib import suppress
from typing import Any, NoReturn

from harness.clients import door, registry
from harness.clients.in_process import FloodError, Played, play
from harness.clients.interface import Adapter
from harness.clients.logs import LogCapture
from harness.clients.protocol import (
    CancelCall,
    Done,
    Emitted,
    FromClient,
    Hello,
    Meter,
    NotRun,
    Refused,
    Start,
    StartCall,
    ToClient,
    decode_to_client,
    encode,
)
from harness.clients.raised import text_of
from harness.errors import HarnessError

#: Bytes of memory that a client may fill.
MEMORY = 4 << 30


class Channel:
    """The messages' own file descriptors. stdout goes where stderr goes; stdin is empty."""

    def __init__(self) -> None:
        self._input, self._output = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)

    def send(self, line: bytes) -> None:
        """Write one message; end the process if nobody reads it."""
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[os.write(self._output, rest) :]
        except OSError:
            os._exit(1)

    def receive(self, loop: asyncio.AbstractEventLoop, receive: Any) -> NoReturn:
        """Read messages until the harness closes the channel, then end the process."""
        with open(self._input, "rb") as lines:  # noqa: PTH123 - a descriptor, not a path
            for line in lines:
                loop.call_soon_threadsafe(receive, decode_to_client(line))
        os._exit(0)


class _Sending:
    """Sends what a client emits as it is emitted."""

    def __init__(self, channel: Channel, number: int) -> None:
        self._channel = channel
        self._number = number
        self._meter = Meter()

    def event(self, item: Any) -> None:
        self._send(door.copied(item), is_turn=False)

    def turn(self, item: Any) -> None:
        self._send(door.copied(item), is_turn=True)

    def _send(self, copy: door.Copied, *, is_turn: bool) -> None:
        line = encode(
            Emitted(
                id=self._number,
                is_turn=is_turn,
                data=copy.data,
                problems=copy.problems,
                incomplete=copy.lossy,
            )
        )
        if (flood := self._meter.exceeded_by(len(line))) is not None:
            raise FloodError(flood)
        self._channel.send(line)


class Calls:
    """The calls in progress, each in its own task."""

    def __init__(self, adapter: Adapter, channel: Channel, logs: LogCapture) -> None:
        self._adapter = adapter
        self._channel = channel
        self._logs = logs
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._cancelled: set[int] = set()

    def receive(self, message: ToClient) -> None:
        """Start or cancel a call."""
        match message:
            case StartCall():
                self._tasks[message.id] = asyncio.create_task(self._answer(message))
            case Start():
                pass  # both are of one version
            case CancelCall() if message.id in self._tasks:
                self._cancelled.add(message.id)
                self._tasks[message.id].cancel()

    async def _answer(self, message: StartCall) -> None:
        end: FromClient
        try:
            end = await self._play(message)
        except Exception as exc:
            end = NotRun(id=message.id, message=text_of(exc))
        del self._tasks[message.id]
        self._channel.send(encode(end))

    async def _play(self, message: StartCall) -> Done:
        played, stopped = Played(), None
        with self._logs.of(message.call.api_key) as logs:
            try:
                sink = _Sending(self._channel, message.id)
                played = await play(self._adapter, message.call, sink, message.stop_after)
            except FloodError as exc:
                stopped = str(exc)
            except KeyboardInterrupt as exc:
                # Nobody presses Ctrl-C here: the client raised it.
                played = Played(text_of(exc))
            except asyncio.CancelledError as exc:
                if message.id not in self._cancelled:
                    played = Played(text_of(exc))  # the client cancelled itself
        return Done(
            id=message.id,
            raised=played.raised,
            traceback=played.traceback,
            stopped=stopped,
            logs=tuple(logs),
            late=played.late,
        )


def main(reference: str) -> NoReturn:
    """Load the adapter, say hello, and answer calls until the harness closes the channel."""
    channel = Channel()
    faulthandler.enable()
    _limit()
    loaded = _loaded(reference)
    if isinstance(loaded, Refused):
        channel.send(encode(loaded))
    else:
        channel.send(encode(Hello(declaration=registry.declaration_of(loaded))))
        asyncio.run(_serve(loaded, channel))
    os._exit(0)


def _loaded(reference: str) -> Adapter | Refused:
    try:
        return registry.load_here(reference)[0]
    except HarnessError as exc:
        path = None if exc.path is None else str(exc.path)
        return Refused(message=exc.message, path=path, line=exc.line, hint=exc.hint)
    except BaseException as exc:
        return Refused(message=f"the adapter cannot be imported: {text_of(exc)}")


async def _serve(adapter: Adapter, channel: Channel) -> None:
    loop = asyncio.get_running_loop()
    with LogCapture() as logs:
        calls = Calls(adapter, channel, logs)
        threading.Thread(
            target=channel.receive, args=(loop, calls.receive), name="messages", daemon=True
        ).start()
        await asyncio.Event().wait()


def _limit() -> None:
    """Limit the memory, and end with the harness even if that is killed."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        # Not the address space: runtimes reserve far more of it than they use.
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            import ctypes
            import signal

            end_with_parent = 1  # PR_SET_PDEATHSIG
            ctypes.CDLL(None).prctl(end_with_parent, signal.SIGKILL)
