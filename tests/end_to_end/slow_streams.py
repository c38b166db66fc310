"""Thousands of streams at their recorded speed, side by side, to one server.

``python -m tests.end_to_end.slow_streams [COUNT] [AT_ONCE]`` opens 5,000 by default, 1,000 at
once; each takes four seconds. Some clients read slowly, some leave in the middle. It prints how
many got every byte, and the memory of the server before, at most and after.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

from mockserver import Limits, MockServer
from mockserver.cassettes.cassette import Chunk, Interaction, Wire
from mockserver.library import library as store
from tests.mockserver.rawhttp import cassette, interaction, request_bytes

EVENTS, GAP_MS = 20, 200.0
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"word"}}]}\n\n'
REQUEST = request_bytes("/c/slow/v1/chat/completions", method="POST", headers=["connection: close"])
WHOLE = (b"%x\r\n%b\r\n" % (len(EVENT), EVENT)) * EVENTS + b"0\r\n\r\n"


def recorded() -> Interaction:
    chunks = tuple(Chunk(n * GAP_MS, len(EVENT)) for n in range(EVENTS))
    wire = Wire(chunks=chunks, end_ms=EVENTS * GAP_MS)
    return interaction(EVENT * EVENTS, content_type="text/event-stream", wire=wire)


def memory() -> int:
    """Return the memory of this process in KiB."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def serve(control: Connection, directory: str) -> None:
    """Serve until asked to stop; send the port, then the memory at each question."""
    with MockServer(directory, speed=1, limits=Limits(journal=100)) as server:
        control.send(int(server.url.rpartition(":")[2]))
        while control.recv():
            control.send((memory(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


async def stream(port: int, number: int) -> str:
    """Play one stream; return what became of it."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError as exc:
        return f"not connected: {type(exc).__name__}"
    try:
        writer.write(REQUEST)
        await reader.readuntil(b"\r\n\r\n")
        if number % 10 == 0:
            await reader.readexactly(100)
            return "left in the middle"
        parts = []
        while part := await reader.read(64 if number % 10 == 1 else 65536):
            parts.append(part)
            if number % 10 == 1:
                await asyncio.sleep(0.01)
        return "whole" if b"".join(parts) == WHOLE else "spoiled"
    except (OSError, EOFError) as exc:
        return f"broken: {type(exc).__name__}"
    finally:
        writer.close()


async def play(port: int, count: int, at_once: int) -> Counter[str]:
    seen: Counter[str] = Counter()
    for start in range(0, count, at_once):
        numbers = range(start, min(count, start + at_once))
        seen.update(await asyncio.gather(*(stream(port, number) for number in numbers)))
    return seen


def main(count: int, at_once: int) -> bool:
    """Play the streams; return whether each that stayed got every byte."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    ours, theirs = multiprocessing.Pipe()
    with tempfile.TemporaryDirectory() as directory:
        store.write(cassette(recorded(), path=Path(directory) / "slow.yaml"))
        server = multiprocessing.Process(target=serve, args=(theirs, directory), daemon=True)
        server.start()
        port = ours.recv()
        asyncio.run(play(port, 10, 10))
        ours.send(True)
        before, _ = ours.recv()
        began = time.monotonic()
        seen = asyncio.run(play(port, count, at_once))
        seconds = time.monotonic() - began
        ours.send(True)
        after, most = ours.recv()
        ours.send(False)
        server.join()
    print(
        f"{count} streams of {EVENTS * GAP_MS / 1000:.0f} s, {at_once} at once, in {seconds:.0f} s"
    )
    print(", ".join(f"{number} {what}" for what, number in seen.most_common()))
    print(f"server: {before >> 10} MiB before, {most >> 10} at most, {after >> 10} after")
    return seen["whole"] + seen["left in the middle"] == count


if __name__ == "__main__":
    named = [int(argument) for argument in sys.argv[1:]]
    sys.exit(not main(*(named + [5000, 1000][len(named) :])))
