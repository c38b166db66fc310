"""Notice trailers of an answer (RFC 9110, section 6.5), which the HTTP library drops.

They come after the last chunk, announced or not, so the end of what was received is kept.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

#: How much of the end is kept, in bytes. More trailers than that are noticed, but not named.
_KEPT = 8 * 1024
_NONE = re.compile(rb"\n0+[ \t]*(?:;[^\r\n]*)?\r?\n\r?\n\Z")
_SOME = re.compile(rb"\n0+[ \t]*(?:;[^\r\n]*)?\r?\n((?:[^\r\n]+\r?\n)+)\r?\n\Z")


def watch(client: httpx.AsyncClient) -> None:
    """Keep the end of what ``client`` receives, over its proxies, too."""
    # There is no public way to a client with proxies of the environment and a backend of its own.
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx.AsyncHTTPTransport):
            pool = transport._pool
            pool._network_backend = _Backend(pool._network_backend)


def trailers_of(response: httpx.Response) -> str | None:
    """Return the names of the trailers of an answer that was read to its end, if it has any."""
    if announced := response.headers.get("trailer"):
        return str(announced)
    stream = response.extensions.get("network_stream")
    chunked = response.headers.get("transfer-encoding", "").lower().endswith("chunked")
    if not chunked or not isinstance(stream, _Stream) or _NONE.search(stream.tail):
        return None
    found = _SOME.search(stream.tail)
    lines = found[1].splitlines() if found else [b"of unknown names"]
    return ", ".join(line.partition(b":")[0].decode("latin-1") for line in lines)


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        self.tail = b""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = await self._inner.read(max_bytes, timeout)
        self.tail = data[-_KEPT:] if len(data) >= _KEPT else (self.tail + data)[-_KEPT:]
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.AsyncNetworkBackend):
    def __init__(self, inner: httpcore.AsyncNetworkBackend) -> None:
        self._inner = inner

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        return _Stream(stream)

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)
