"""Let the bytes of a connection pass to another host, as they are and unseen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from mockserver.library.refusal import RefusalError
from mockserver.serving.responses import refusal_message

#: Seconds to wait for a connection to the host.
_CONNECT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class ClientEnd:
    """A client's connection, which is not read; ``left`` is called when it is over."""

    transport: asyncio.Transport
    left: Callable[[asyncio.Transport], None]


async def pass_through(
    client: ClientEnd, host: str, port: int, head: bytes | None, rest: bytes
) -> None:
    """Connect a client with a host until one of them closes.

    ``head`` is that of a request without a tunnel, and ``rest`` what followed it; without one, the
    client waits for its tunnel.
    """
    loop = asyncio.get_running_loop()
    here, there = _Side(client.left), _Side()
    here.transport, here.other, there.other = client.transport, there, here
    if head is None:
        # What the host says first comes after this.
        there.on_opening = b"HTTP/1.1 200 Connection established\r\n\r\n"
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await loop.create_connection(lambda: there, host, port)
    except (OSError, TimeoutError) as exc:
        why = "no answer" if isinstance(exc, TimeoutError) else exc.strerror or "no such host"
        message = f"no connection to {host}:{port}: {why}"
        client.transport.write(refusal_message(RefusalError(502, "unreachable", message)))
        client.transport.close()
        return
    if client.transport.is_closing():
        there.transport.abort()
        return
    client.transport.set_protocol(here)
    if head is not None:
        there.transport.write(head + rest)
    client.transport.resume_reading()


class _Side(asyncio.Protocol):
    """One of two connections. What it receives goes to the other, no faster than that takes it."""

    transport: asyncio.Transport
    other: _Side

    def __init__(self, left: Callable[[asyncio.Transport], None] | None = None) -> None:
        self._left = left
        self._ended = False
        #: Sent to the other side when this one is connected.
        self.on_opening = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.other.transport.write(self.on_opening)

    def data_received(self, data: bytes) -> None:
        self.other.transport.write(data)

    def eof_received(self) -> bool:
        self._ended = True
        if self.other._ended:
            # Both have said all.
            return False
        if self.other.transport.can_write_eof():
            self.other.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        if not self.other.transport.is_closing():
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        # What was received before its end is still on its way.
        if not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def connection_lost(self, _exc: Exception | None) -> None:
        if self._left is not None:
            self._left(self.transport)
        self.other.transport.close()
