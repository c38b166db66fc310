"""A forward proxy in front of the server, for clients whose base URL cannot be set.

A client asks for a tunnel (CONNECT, RFC 9110, section 9.3.6) or sends a whole address in its
request line (RFC 9112, section 3.2.2). For a host that the server answers for, the tunnel ends
here and its bytes go to the server's own connection; to a host that is allowed, they pass as they
are; any other host is refused. The first bytes of a connection decide which of these it is.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, cast

from mockserver.library.refusal import RefusalError
from mockserver.serving.authority import Authority
from mockserver.serving.listener import Connection
from mockserver.serving.origins import origin_of
from mockserver.serving.responses import refusal_message
from mockserver.serving.tunnel import ClientEnd, pass_through

#: The longest head of a request to a proxy, bytes, and the seconds that it may take.
_MOST_HEAD, _HEAD_SECONDS = 64 * 1024, 60.0
_HOST = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*")
#: Host and port. Some clients leave out the brackets of IPv6.
_AUTHORITY = re.compile(rb"(\[[0-9a-fA-F:.]*\]|[\x21-\x7e]+?)(?::([0-9]{1,5}))?")
#: The request line of a request through a proxy, without a tunnel.
_ABSOLUTE = re.compile(rb"[A-Z]+ (?i:http)://([^/?#\s]*)([^#\s]*)\S* (HTTP/1\.[01])\r?\n")
#: What a client says that does not accept a certificate (RFC 8446, section 6.2).
_DISTRUST = ("UNKNOWN_CA", "CERTIFICATE_UNKNOWN", "BAD_CERTIFICATE")


class ProxyHosts(Protocol):
    """What a proxy does with each host."""

    def answered(self, host: str, port: int) -> str | None:
        """Return the scheme by which this server answers for a host; ``None`` if it does not."""

    def passes(self, host: str) -> bool:
        """Return whether connections to a host pass through."""

    def blocked(self, host: str) -> RefusalError:
        """Return what a client hears that asks for any other host."""

    def distrusted(self, host: str) -> None:
        """Take note that a client does not accept the certificate for a host."""


class ForwardProxy:
    """Makes the protocol of each connection. ``listener`` makes the server's own connections."""

    def __init__(
        self, hosts: ProxyHosts, authority: Authority, listener: Callable[[], Connection]
    ) -> None:
        self.hosts = hosts
        self.authority = authority
        self.listener = listener
        self._transports: set[asyncio.Transport] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self) -> asyncio.Protocol:
        """Make the protocol of one connection."""
        return _ProxyConnection(self)

    def opened(self, transport: asyncio.Transport) -> None:
        """Close this connection at the end, unless it has gone to the server."""
        self._transports.add(transport)

    def left(self, transport: asyncio.Transport) -> None:
        """Forget a connection."""
        self._transports.discard(transport)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what takes time for one connection."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self, seconds: float) -> None:
        """Wait, but not longer, until clients are done with what they have begun."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    async def close(self) -> None:
        """Close all connections that have not gone to the server."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for transport in list(self._transports):
            transport.abort()


class _ProxyConnection(asyncio.Protocol):
    _transport: asyncio.Transport
    _timer: asyncio.TimerHandle | None = None

    def __init__(self, proxy: ForwardProxy) -> None:
        self._proxy = proxy
        self._hosts = proxy.hosts
        self._data = b""
        self._decided = self._lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Those of uvloop are none by inheritance.
        self._transport = cast("asyncio.Transport", transport)
        self._proxy.opened(self._transport)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._lost = True
        self._stop_timer()
        self._proxy.left(self._transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        if self._decided:
            return
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_HEAD_SECONDS, self._refuse_slow)
        try:
            self._decide()
        except RefusalError as refusal:
            self._refuse(refusal)

    def _decide(self) -> None:
        line, complete, _ = self._data.partition(b"\n")
        if not complete and len(self._data) < _MOST_HEAD:
            return
        tunnel = line.startswith(b"CONNECT ")
        absolute = None if tunnel else _ABSOLUTE.match(self._data)
        if not tunnel and absolute is None:
            self._hand_over(self._transport)
            return
        head, complete, rest = self._data.partition(b"\r\n\r\n")
        if not complete:
            if len(self._data) >= _MOST_HEAD:
                raise RefusalError(431, "bad_request", "the head of the request is too long")
            return
        if absolute is not None:
            host, port = _host_and_port(absolute[1], 80)
            if self._hosts.answered(host, port) == "http" or not self._hosts.passes(host):
                # This server answers for it, or refuses it, where requests are read.
                self._hand_over(self._transport)
                return
            self._decide_for(
                pass_through(self._client_end(), host, port, _forwarded(absolute, head), rest)
            )
            return
        if rest:
            raise RefusalError(
                400, "bad_request", "the client sent bytes before its tunnel was open"
            )
        host, port = _host_and_port(line.split(b" ")[1], None)
        scheme = self._hosts.answered(host, port)
        if scheme is None:
            if not self._hosts.passes(host):
                raise self._hosts.blocked(host)
            self._decide_for(pass_through(self._client_end(), host, port, None, b""))
            return
        origin = origin_of(scheme, host, port)
        context = self._context(host) if scheme == "https" else None
        self._data = b""
        self._transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        if context is None:
            self._hand_over(self._transport, origin)
        else:
            self._decide_for(self._speak_tls(context, host, origin))

    def _decide_for(self, work: Coroutine[Any, Any, None]) -> None:
        self._decided = True
        self._stop_timer()
        # What comes from now on is for whoever takes the connection.
        self._transport.pause_reading()
        self._proxy.start(work)

    def _client_end(self) -> ClientEnd:
        return ClientEnd(self._transport, self._proxy.left)

    def _context(self, host: str) -> ssl.SSLContext:
        try:
            return self._proxy.authority.context(host)
        except ValueError:
            # It is none by the rules for names (RFC 5891), such as one with an underscore.
            message = f"no certificate can be made for {host}"
            raise RefusalError(400, "bad_request", message) from None

    async def _speak_tls(self, context: ssl.SSLContext, host: str, origin: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            secured = await loop.start_tls(self._transport, self, context, server_side=True)
        except ssl.SSLError as exc:
            if any(word in str(exc.reason) for word in _DISTRUST):
                self._hosts.distrusted(host)
            return
        except OSError:
            return
        assert secured is not None
        if self._lost:
            secured.abort()
        else:
            self._hand_over(secured, origin)

    def _hand_over(self, transport: asyncio.Transport, tunnel: str = "") -> None:
        """Give the connection to the server, with what was received."""
        self._decided = True
        self._stop_timer()
        self._proxy.left(self._transport)
        connection = self._proxy.listener()
        connection.tunnel = tunnel
        transport.set_protocol(connection)
        connection.connection_made(transport)
        if self._data:
            connection.data_received(self._data)

    def _refuse_slow(self) -> None:
        message = "the head of the request did not come to an end in time"
        self._refuse(RefusalError(408, "bad_request", message))

    def _refuse(self, refusal: RefusalError) -> None:
        self._decided = True
        self._stop_timer()
        self._transport.write(refusal_message(refusal, f"tapecheck: {refusal.message}"))
        self._transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _host_and_port(authority: bytes, implied: int | None) -> tuple[str, int]:
    """Split an authority. Raises :class:`RefusalError` if it is none."""
    given = _AUTHORITY.fullmatch(authority)
    host = given[1].strip(b"[]").decode().lower().rstrip(".") if given else ""
    port = int(given[2] or implied or 0) if given else 0
    if not _HOST.fullmatch(host) or not 0 < port < 65536:
        raise RefusalError(400, "bad_request", "the address of the request has no host and port")
    return host, port


def _forwarded(line: re.Match[bytes], head: bytes) -> bytes:
    """Return the head of a request as the host itself gets it, for this one request."""
    method = head.split(b" ", 1)[0]
    path = line[2] if line[2].startswith(b"/") else b"/" + line[2]
    kept = [
        field
        for field in head.split(b"\r\n")[1:]
        if not field.lower().startswith((b"proxy-", b"connection:", b"keep-alive:"))
    ]
    first = b" ".join((method, path, line[3]))
    return b"\r\n".join((first, *kept, b"Connection: close", b"", b""))
