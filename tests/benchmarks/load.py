"""A load client without an HTTP library, and helpers that run servers in other processes."""

from __future__ import annotations

import multiprocessing
import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

_PROCESSES = multiprocessing.get_context("spawn")


def in_a_process(function: Callable[..., Any], *args: Any) -> Any:
    """Call ``function(connection, *args)`` in a process of its own and return what it sends."""
    with asking(function, *args) as other:
        return other.recv()


@contextmanager
def asking(function: Callable[..., Any], *args: Any) -> Iterator[Connection]:
    """Call ``function(connection, *args)`` in a process of its own and yield the other end."""
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=function, args=(theirs, *args), daemon=True)
    process.start()
    try:
        yield ours
    finally:
        process.join()


def connect(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _first(port: int, request: bytes) -> bytes:
    """Return the first response, which ends with the last chunk."""
    with connect(port) as sock:
        sock.sendall(request)
        first = b""
        while not first.endswith(b"0\r\n\r\n"):
            first += sock.recv(1 << 20) or b"closed 0\r\n\r\n"
            if b" 200 " not in first[:20]:
                break
        return first


def is_answered(result: Connection, port: int, request: bytes) -> None:
    """Send back whether the response is a stream with status 200."""
    result.send(_first(port, request).startswith(b"HTTP/1.1 200"))


def responses(
    result: Connection, port: int, request: bytes, seconds: float, connections: int = 32
) -> None:
    """Send ``request`` repeatedly on several connections; send back how many, and the seconds.

    All responses are taken to be as long as the first, which ends with the last chunk.
    """
    size = len(_first(port, request))
    socks = {sock.fileno(): sock for sock in (connect(port) for _ in range(connections))}
    missing = dict.fromkeys(socks, size)
    poll = select.epoll()
    for descriptor, sock in socks.items():
        poll.register(descriptor, select.EPOLLIN)
        sock.sendall(request)
    count, began = 0, time.perf_counter()
    while (now := time.perf_counter()) - began < seconds:
        for descriptor, _ in poll.poll(1):
            missing[descriptor] -= len(socks[descriptor].recv(1 << 20))
            if missing[descriptor] == 0:
                count += 1
                missing[descriptor] = size
                socks[descriptor].sendall(request)
    result.send((count, now - began))


def table(title: str, rows: list[tuple[str, str]]) -> None:
    """Print rows in two columns."""
    width = max(len(name) for name, _ in rows)
    print(f"\n{title}")
    for name, value in rows:
        print(f"  {name:<{width}}  {value}")
