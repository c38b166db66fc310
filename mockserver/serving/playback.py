"""Play one message to one client, at the recorded times, chunk for chunk."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from mockserver.library.outcome import Outcome
from mockserver.serving.journal import Record
from mockserver.serving.pacing import Clock, Run
from mockserver.wire.http1 import Message
from mockserver.wire.schedule import Coding, Ending, Gate, Send

#: Waits until the named gate is released.
Wait = Callable[[str], Awaitable[None]]

#: Seconds that a client which sends nothing more is waited for at a gate.
_PATIENCE = 0.5
_RST_ON_CLOSE = struct.pack("ii", 1, 0)


class AlreadySent(web.StreamResponse):
    """Tells aiohttp that the answer was sent, and whether the connection stays open.

    It has no state, so one object serves any number of requests.
    """

    def __init__(self, *, keep_alive: bool) -> None:
        super().__init__()
        self._reusable = keep_alive

    @property
    def keep_alive(self) -> bool:
        """Whether the connection serves another request."""
        return self._reusable

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Do nothing: the head was sent."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: the body has ended."""


_SENT, _SENT_LAST = AlreadySent(keep_alive=True), AlreadySent(keep_alive=False)


class Playback:
    """One message in answer to one request. ``record`` gets how it ended."""

    __slots__ = ("_delivery", "_message", "_record", "_request", "_sent")

    def __init__(self, request: web.BaseRequest, message: Message, record: Record) -> None:
        self._request = request
        self._message = message
        self._record = record
        self._delivery = message.delivery(
            request.method, version=request.version, keep_alive=request.keep_alive
        )
        self._sent = 0

    @property
    def response(self) -> AlreadySent:
        """What the handler returns when all was sent."""
        return _SENT_LAST if self._message.closes(self._delivery) else _SENT

    def play_at_once(self) -> bool:
        """Send the whole message in one write, or return ``False`` if that is not possible."""
        transport = self._request.transport
        if (
            self._message.schedule.ending is not Ending.FINISH
            or transport is None
            or transport.is_closing()
            or self._request.protocol.writing_paused
        ):
            return False
        whole = self._message.whole(self._delivery)
        if whole is None:
            return False
        self._record.begin()
        transport.write(whole)
        sent = 0 if self._delivery.bodiless else len(self._message.schedule.body)
        self._record.end(Outcome.FINISHED, sent=sent)
        return True

    async def play(self, *, speed: float, wait: Wait) -> None:
        """Send the message piece by piece, then end as its schedule says.

        ``speed`` is 0 for no waits, else how many times faster than recorded; times count from
        this call. ``wait`` is called at each gate.
        """
        try:
            await self._write(Clock(speed), wait)
            await self._end()
        except ConnectionError:
            self._record.end(Outcome.CLIENT_CLOSED, sent=self._sent)
        except asyncio.CancelledError:
            # If the server closed, the application has already ended the record.
            self._record.end(Outcome.CLIENT_CLOSED, sent=self._sent)
            raise

    async def _write(self, clock: Clock, wait: Wait) -> None:
        message, delivery, writer = self._message, self._delivery, self._request.writer
        unmarked = message.coding(delivery) is not Coding.CHUNKED
        await clock.until(message.schedule.headers_ms)
        self._record.begin()
        await writer.write(message.head(delivery))
        steps, position = () if delivery.bodiless else message.schedule.steps, 0
        while position < len(steps):
            match steps[position]:
                case Gate(name):
                    await self._unless_gone(wait(name))
                    position += 1
                case Send() if clock.speed and not unmarked:
                    run = Run(self._request, steps, position, clock, self._frame, self._note)
                    await run.play()
                    position = run.position
                case Send() as piece:
                    await clock.until(piece.at_ms)
                    await writer.write(self._frame(piece))
                    self._note(piece)
                    position += 1
                    if unmarked:
                        # Without chunks, only separate writes keep the pieces apart.
                        await asyncio.sleep(0)
        await writer.write(message.tail(delivery))

    def _frame(self, piece: Send) -> bytes:
        return self._message.frame(piece, self._delivery)

    def _note(self, piece: Send) -> None:
        self._sent += len(piece.data)

    async def _end(self) -> None:
        match self._message.schedule.ending:
            case Ending.FINISH:
                self._record.end(Outcome.FINISHED, sent=self._sent)
            case Ending.TRUNCATE:
                self._record.end(Outcome.TRUNCATED, sent=self._sent)
            case Ending.RESET:
                await reset(self._request)
                self._record.end(Outcome.RESET, sent=self._sent)
            case Ending.STALL:
                await self._gone(0)
                raise ConnectionResetError

    async def _unless_gone(self, waiting: Awaitable[None]) -> None:
        """Wait, but not for ever for a client that sends nothing more and may be gone."""
        tasks = [asyncio.ensure_future(waiting), asyncio.ensure_future(self._gone(_PATIENCE))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if not tasks[0].done():
                raise ConnectionResetError
            await tasks[0]
        finally:
            for task in tasks:
                task.cancel()

    async def _gone(self, seconds: float) -> None:
        """Return some time after the client has sent its last byte, if it has."""
        half_closed: asyncio.Event = self._request.protocol.half_closed  # type: ignore[attr-defined]
        await half_closed.wait()
        await asyncio.sleep(seconds)


async def reset(request: web.BaseRequest) -> None:
    """Send RST (RFC 9293, section 3.6), after all that was written has left this host."""
    transport = request.transport
    if transport is None:
        raise ConnectionResetError
    transport.set_write_buffer_limits(high=0)
    await request.writer.drain()
    # The event loop protects a transport's socket, so use a copy.
    with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as copy:
        await _wait_until_sent(copy)
        copy.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
    transport.abort()


async def _wait_until_sent(sock: socket.socket) -> None:
    """Wait until the kernel has no unsent byte; RST would discard it."""
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
