"""Listen on an address, alone or together with other processes."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable

from mockserver.errors import ServerStartError

#: Connections that wait until the server takes them.
_BACKLOG = 1024


async def listen(
    front: Callable[[], asyncio.BaseProtocol],
    host: str,
    port: int,
    *,
    tls: ssl.SSLContext | None = None,
    shared: bool = False,
) -> asyncio.Server:
    """Start to listen; ``shared``: other processes do on the same port, which share connections.

    Raises :class:`ServerStartError`.
    """
    if not 0 <= port <= 65535:
        raise ServerStartError(f"cannot listen on {host}:{port}: a port is from 0 to 65535")
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(
            front, host, port, backlog=_BACKLOG, ssl=tls, reuse_port=shared or None
        )
    except OSError as exc:
        raise _start_error(host, port, exc) from None


def reserve(host: str, port: int) -> socket.socket:
    """Return a socket that keeps a port for the processes that will share it.

    Raises :class:`ServerStartError` if there is no such port, or no way to share it.
    """
    if not hasattr(socket, "SO_REUSEPORT"):
        raise ServerStartError(
            "this system cannot share a port among processes; start the server without --workers"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family)
    try:
        # Whoever listens alone on this port is noticed here.
        made.bind((host, port))
        chosen = made.getsockname()[1]
        made.close()
        made = socket.socket(family)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((host, chosen))
    except OSError as exc:
        made.close()
        raise _start_error(host, port, exc) from None
    return made


def _start_error(host: str, port: int, exc: OSError) -> ServerStartError:
    if exc.errno == errno.EADDRINUSE:
        why = "the port is in use; choose another, or 0 for any free one"
    else:
        why = str(exc)
    return ServerStartError(f"cannot listen on {host}:{port}: {why}")
