"""Plays one message to one client, at the recorded times, chunk for chunk."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from mockserver.http1 import Form, Message
from mockserver.journal import Outcome, Record
from mockserver.schedule import Ending, Hold, Send

#: What to do at a hold: wait until the named one is released.
Wait = Callable[[str], Awaitable[None]]

_RST_ON_CLOSE = struct.pack("ii", 1, 0)


class Replay(web.StreamResponse):
    """A response that writes exactly what its message says.

    ``speed`` is 0 for no waits, else how many times faster than recorded. ``wait`` is called
    at each hold. How it ended goes to ``record``.
    """

    def __init__(self, message: Message, record: Record, *, speed: float, wait: Wait) -> None:
        super().__init__(status=message.schedule.status, reason=message.schedule.reason)
        self._message = message
        self._record = record
        self._speed = speed
        self._wait = wait
        self._started = asyncio.get_running_loop().time()
        self._sent = 0
        self._closes = True

    @property
    def keep_alive(self) -> bool:
        """Whether the connection serves another request."""
        return not self._closes

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Write the whole message, or as much as its ending asks for."""
        message = self._message
        form = message.form(request.method, version=request.version, keep_alive=request.keep_alive)
        self._closes = message.closes(form)
        try:
            await self._write(request, form)
            await self._end(request)
        except (ConnectionError, asyncio.CancelledError):
            # The application ends the record beforehand if it was the server that closed.
            self._record.end(Outcome.CLIENT_CLOSED, sent=self._sent)
            raise
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: the message has ended itself."""

    async def _write(self, request: web.BaseRequest, form: Form) -> None:
        message, writer = self._message, request.writer
        whole = message.whole(form) if not self._speed else None
        if whole is not None:
            self._sent = 0 if form.bodiless else len(message.schedule.body)
            await writer.write(whole)
            return
        await self._until(message.schedule.headers_ms)
        await writer.write(message.head(form))
        for step in () if form.bodiless else message.schedule.steps:
            match step:
                case Send():
                    await self._until(step.at_ms)
                    await writer.write(message.frame(step, form))
                    self._sent += len(step.data)
                    # Without chunks, only separate reads tell the pieces apart.
                    await asyncio.sleep(0)
                case Hold():
                    await self._wait(step.name)
        await writer.write(message.tail(form))

    async def _until(self, at_ms: float) -> None:
        if self._speed:
            due = self._started + at_ms / 1000 / self._speed
            delay = due - asyncio.get_running_loop().time()
            if delay > 0:
                await asyncio.sleep(delay)

    async def _end(self, request: web.BaseRequest) -> None:
        match self._message.schedule.ending:
            case Ending.FINISH:
                self._record.end(Outcome.FINISHED, sent=self._sent)
            case Ending.TRUNCATE:
                self._record.end(Outcome.TRUNCATED, sent=self._sent)
            case Ending.RESET:
                await _reset(request)
                self._record.end(Outcome.RESET, sent=self._sent)
            case Ending.STALL:
                await asyncio.get_running_loop().create_future()


async def _reset(request: web.BaseRequest) -> None:
    """Send RST (RFC 9293, section 3.6), after all that was written has left this host."""
    transport = request.transport
    if transport is None:
        raise ConnectionResetError
    transport.set_write_buffer_limits(high=0)
    await request.writer.drain()
    # The event loop lets nobody watch or change a transport's socket, so a copy serves.
    with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as copy:
        await _transmitted(copy)
        copy.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
    transport.abort()


async def _transmitted(sock: socket.socket) -> None:
    """Wait until the kernel holds no unsent byte; RST would throw it away."""
    mark = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if mark is None:
        return
    # With this low-water mark, a socket is writable only when all was sent.
    sock.setsockopt(socket.IPPROTO_TCP, mark, 1)
    loop = asyncio.get_running_loop()
    sent = asyncio.Event()
    loop.add_writer(sock, sent.set)
    try:
        await sent.wait()
    finally:
        loop.remove_writer(sock)
