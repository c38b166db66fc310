"""Many streams at their recorded speed: how late events are, and what a stream takes.

Run ``python -m tests.benchmarks.streams``. A client in another process opens the streams spread
over one gap, and notes when each event is there. A bare protocol with nothing but timers shows what
the machine can do at the moment; both need a core of their own, and the client another.
"""

from __future__ import annotations

import argparse
import random
import select
import statistics
import tempfile
import time
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path

from mockserver.cassettes.cassette import Chunk, Interaction, Wire
from mockserver.library import library as store
from tests.benchmarks import servers
from tests.benchmarks.load import asking, connect, table
from tests.benchmarks.servers import EVENT, PACES, Running
from tests.mockserver.rawhttp import cassette, interaction, request_bytes

REQUEST = request_bytes("/c/%s/v1/chat/completions", method="POST", headers=())


def streams(result: Connection, port: int, count: int, pace: str) -> None:
    """Open streams, and send back how many milliseconds each event was late.

    Before and in the middle of it, wait for a word from the other side, which measures the server.
    """
    events, gap = PACES[pace]
    chance = random.Random(1)
    starts = sorted(chance.uniform(0, gap / 1000) for _ in range(count))
    socks = [connect(port) for _ in starts]
    by_descriptor = {sock.fileno(): number for number, sock in enumerate(socks)}
    result.send("connected")
    result.recv()
    sent_at, seen, late = [0.0] * count, [0] * count, []
    poll = select.epoll()
    for sock in socks:
        poll.register(sock, select.EPOLLIN)
    request = REQUEST % pace.encode()
    began, opened = time.perf_counter(), 0
    total, half = count * events, False
    while len(late) < total:
        now = time.perf_counter()
        while opened < count and now - began >= starts[opened]:
            sent_at[opened] = time.perf_counter()
            socks[opened].sendall(request)
            opened += 1
        wait = starts[opened] - (now - began) if opened < count else 5
        for descriptor, _ in poll.poll(max(0, wait)):
            number = by_descriptor[descriptor]
            arrived = socks[number].recv(1 << 20).count(b"data: ")
            passed = (time.perf_counter() - sent_at[number]) * 1000
            first, seen[number] = seen[number], seen[number] + arrived
            late += [passed - event * gap for event in range(first, seen[number])]
        if not half and len(late) > total // 2:
            half = True
            result.send("in the middle")
    result.send(late)


def play(server: Running, count: int, pace: str) -> tuple[list[float], float, float]:
    """Return lateness in ms, µs of processor time for each event, and bytes for each stream."""
    idle = server.memory
    with asking(streams, server.port, count, pace) as client:
        client.recv()
        before = server.seconds
        client.send("go")
        client.recv()
        memory = server.memory
        late: list[float] = client.recv()
    cost = (server.seconds - before) / len(late) * 1e6
    return statistics.quantiles(late, n=100), cost, (memory - idle) / count


def bench(pace: str) -> Interaction:
    events, gap = PACES[pace]
    chunks = tuple(Chunk(gap * n, len(EVENT)) for n in range(events))
    wire = Wire(chunks=chunks, end_ms=gap * events)
    return interaction(EVENT * events, content_type="text/event-stream", wire=wire)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slow", type=int, default=1000, help="slow streams")
    parser.add_argument("--timed", type=int, default=5000, help="timed streams")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        for pace in PACES:
            store.write(cassette(bench(pace), path=Path(directory) / f"{pace}.yaml"))
        ours = servers.serve(directory, "--speed", "1", "-q")
        both = {"tapecheck serve": ours, "bare timers": servers.bare("timers")}
        for pace, count in (("slow", chosen.slow), ("timed", chosen.timed)):
            lines = []
            for name, command in both.items():
                server = stack.enter_context(servers.running(command))
                # The first time, modules are imported and files are read.
                play(server, 2, pace)
                late, cost, memory = play(server, count, pace)
                figures = f"{late[49]:7.1f} {late[89]:7.1f} {late[98]:7.1f} ms"
                lines.append((name, f"{figures} {cost:7.1f} µs {memory / 1024:7.1f} KiB"))
            events, gap = PACES[pace]
            table(
                f"{count} streams of {events} events, one every {gap:.0f} ms: lateness p50, p90, "
                "p99; for each event; for each stream",
                lines,
            )


if __name__ == "__main__":
    main()
