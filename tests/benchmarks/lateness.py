"""How late chunks arrive when many streams play at their recorded speed.

Run ``python tests/benchmarks/lateness.py``. A client in another process opens 200 streams,
first spread over a second, then all at once, and notes when each chunk is there. The aim is
5 ms for 99 of 100 chunks of spread streams. A bare protocol with nothing but timers shows what
the machine can do at the moment; both need a core of their own, and the client another.
"""

from __future__ import annotations

import asyncio
import random
import select
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import uvloop

from mockserver import MockServer
from mockserver.cassettes.cassette import Chunk, Interaction, Wire
from mockserver.library import library as store
from tests.benchmarks.load import connect, in_a_process, served, table
from tests.mockserver.rawhttp import cassette, interaction, request_bytes

STREAMS, EVENTS, GAP_MS = 200, 40, 50.0
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"word"}}]}\n\n'
REQUEST = request_bytes("/c/bench/v1/chat/completions", method="POST", headers=())


def serve(result: Connection, library: str) -> None:
    with MockServer(library, speed=1) as server:
        result.send(int(server.url.rpartition(":")[2]))
        asyncio.run(asyncio.Event().wait())


def serve_bare(result: Connection) -> None:
    frame = b"%x\r\n%b\r\n" % (len(EVENT), EVENT)
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

    class Bare(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.write = transport.write

        def data_received(self, data: bytes) -> None:
            loop = asyncio.get_running_loop()
            now = loop.time()
            self.write(head)
            for number in range(EVENTS):
                loop.call_at(now + number * GAP_MS / 1000, self.write, frame)

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0, backlog=999)
        result.send(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    uvloop.run(main())


def lateness(result: Connection, port: int, spread: float) -> None:
    """Send back how many milliseconds each chunk was late."""
    chance = random.Random(1)
    starts = sorted(chance.uniform(0, spread) for _ in range(STREAMS))
    socks = [connect(port) for _ in starts]
    by_descriptor = {sock.fileno(): number for number, sock in enumerate(socks)}
    sent_at, seen, late = [0.0] * STREAMS, [0] * STREAMS, []
    poll = select.epoll()
    for sock in socks:
        poll.register(sock, select.EPOLLIN)
    began, opened = time.perf_counter(), 0
    while len(late) < STREAMS * EVENTS:
        now = time.perf_counter()
        while opened < STREAMS and now - began >= starts[opened]:
            sent_at[opened] = time.perf_counter()
            socks[opened].sendall(REQUEST)
            opened += 1
        wait = starts[opened] - (now - began) if opened < STREAMS else 5
        for descriptor, _ in poll.poll(max(0, wait)):
            number = by_descriptor[descriptor]
            count = socks[number].recv(1 << 20).count(b"data: ")
            now = time.perf_counter()
            passed = (now - sent_at[number]) * 1000
            first, seen[number] = seen[number], seen[number] + count
            late += [passed - event * GAP_MS for event in range(first, seen[number])]
    result.send(late)


def bench() -> Interaction:
    chunks = tuple(Chunk(GAP_MS * n, len(EVENT)) for n in range(EVENTS))
    wire = Wire(chunks=chunks, end_ms=GAP_MS * EVENTS)
    return interaction(EVENT * EVENTS, content_type="text/event-stream", wire=wire)


def main() -> int:
    with tempfile.TemporaryDirectory() as directory:
        store.write(cassette(bench(), path=Path(directory) / "bench.yaml"))
        with served(serve, directory) as ours, served(serve_bare) as bare:
            late = {
                (name, title): statistics.quantiles(in_a_process(lateness, port, spread), n=100)
                for title, spread in (("spread over 1 s", 1.0), ("all at once", 0.0))
                for name, port in (("mock server", ours), ("bare timers", bare))
            }
    table(
        f"{STREAMS} streams, a chunk every {GAP_MS:.0f} ms: lateness in ms, median and p99",
        [(f"{n}, {t}", f"{values[49]:8.2f} {values[98]:8.2f}") for (n, t), values in late.items()],
    )
    return 0 if late["mock server", "spread over 1 s"][98] <= 5 else 1


if __name__ == "__main__":
    sys.exit(main())
