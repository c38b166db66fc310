"""Start-up and memory with a large library: 5,000 cassettes of 50 KB.

Run ``python tests/benchmarks/library.py``; it writes 250 MB to a temporary directory. The
server must be ready within a second, and must not keep the bodies in memory.
"""

from __future__ import annotations

import http.client
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from mockserver import MockServer
from mockserver.cassettes import writer
from tests.benchmarks.load import in_a_process, table
from tests.mockserver.rawhttp import CHAT, cassette, interaction

COUNT, LENGTH = 5_000, 50_000
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"word"}}]}\n\n'


def resident() -> float:
    """Return the resident memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def ask(port: int, path: str, body: bytes) -> float:
    """Return the seconds until the answer is complete."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", path, body)
    response = connection.getresponse()
    response.read()
    assert response.status == 200
    return time.perf_counter() - began


def measure(result: Connection, library: str) -> None:
    before = resident()
    began = time.perf_counter()
    with MockServer(library) as server:
        ready, ready_memory = time.perf_counter() - began, resident()
        port = int(server.url.rpartition(":")[2])
        pinned = ask(port, f"/c/7/cassette-7{CHAT}", b"{}")
        first = ask(port, CHAT, body_of(COUNT - 1))
        second = ask(port, CHAT, body_of(COUNT - 2))
        result.send(
            [
                ("time to ready", f"{ready:8.2f} s"),
                ("memory before", f"{before:8.0f} MB"),
                ("memory when ready", f"{ready_memory:8.0f} MB"),
                ("first answer, pinned cassette", f"{pinned * 1000:8.1f} ms"),
                ("first answer, matched (reads all)", f"{first:8.2f} s"),
                ("second answer, matched", f"{second * 1000:8.1f} ms"),
                ("memory after that", f"{resident():8.0f} MB"),
            ]
        )


def body_of(number: int) -> bytes:
    return b'{"model":"gpt-x","stream":true,"messages":[{"role":"user","content":"%d"}]}' % number


def write(directory: Path) -> None:
    stream = interaction(
        EVENT * (LENGTH // len(EVENT)), body=body_of(0), content_type="text/event-stream"
    )
    text = writer.dump(cassette(stream))
    for number in range(COUNT):
        path = directory / f"{number % 50}" / f"cassette-{number}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.replace(body_of(0), body_of(number)))


def main() -> int:
    with tempfile.TemporaryDirectory() as directory:
        write(Path(directory))
        rows = in_a_process(measure, directory)
    table(f"A library of {COUNT} cassettes of {LENGTH // 1000} KB", rows)
    return 0 if float(rows[0][1].split()[0]) < 1 else 1


if __name__ == "__main__":
    sys.exit(main())
