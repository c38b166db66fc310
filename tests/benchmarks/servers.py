"""The servers that are compared, each in a process of its own: ours, bare ones, and a peer."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PYCACHE = Path(tempfile.gettempdir()) / "tapecheck-benchmarks"
PATH = "/v1/chat/completions"
BODY = b'{"model":"gpt-x","stream":true,"messages":[{"role":"user","content":"hi"}]}'
#: The peer's answer has three events more: the role, the finish reason and the last line.
WORDS = tuple(f"word {n:02} " for n in range(57))
_ENVELOPE = (
    '{"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[%s]}'
)


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = json.dumps({"index": 0, "delta": delta, "finish_reason": finish})
    return f"data: {_ENVELOPE % choice}\n\n".encode()


EVENTS = (
    _event({"role": "assistant", "content": ""}),
    *(_event({"content": word}) for word in WORDS),
    _event({}, "stop"),
    b"data: [DONE]\n\n",
)
#: Streams by the name of their cassette: events, and milliseconds between two.
PACES = {"slow": (30, 100.0), "timed": (15, 500.0)}
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"word"}}]}\n\n'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
#: Whatever a server prints first has its port behind this.
_ADDRESS = re.compile(r"127\.0\.0\.1:(\d+)")


@dataclass(frozen=True)
class Running:
    """A server that runs: its port and its process."""

    port: int
    pid: int

    @property
    def seconds(self) -> float:
        """The processor time that it has used so far, of all its threads and children."""
        return sum(map(_seconds, (self.pid, *_children(self.pid))))

    @property
    def memory(self) -> int:
        """The bytes of memory that are its own now."""
        return _memory(self.pid)


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def _seconds(pid: int) -> float:
    nanoseconds = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        nanoseconds += int((task / "schedstat").read_text().split()[0])
    return nanoseconds / 1e9


def _memory(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no such line")


@contextmanager
def running(command: Sequence[str], **environment: str) -> Iterator[Running]:
    """Run a server until the end of the block; it prints its address when it is ready."""
    # Compiled modules are kept, as they are of what is installed.
    kept = {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(PYCACHE)}
    inherited = {n: v for n, v in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**inherited, **kept, **environment},
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            found = _ADDRESS.search(line)
            if found is not None:
                yield Running(int(found[1]), process.pid)
                return
        raise RuntimeError(f"did not start: {' '.join(command)}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        process.stdout.close()


def bare(name: str) -> list[str]:
    """Return the command of one of :data:`BARE`."""
    return [sys.executable, "-m", "tests.benchmarks.servers", name]


def serve(*arguments: str) -> list[str]:
    """Return the command ``tapecheck serve`` of this checkout."""
    return [sys.executable, "-c", "from harness.cli import main; main()", "serve", *arguments]


def peer(node_modules: Path, fixtures: Path) -> list[str]:
    """Return the command of aimock with one answer of as many events, written to ``fixtures``."""
    answer = {"match": {"userMessage": "hi"}, "response": {"content": "".join(WORDS)}}
    (fixtures / "bench.json").write_text(json.dumps({"fixtures": [answer]}))
    program = str(node_modules / ".bin" / "llmock")
    size = str(len(WORDS[0]))
    # It names its port only if asked to talk.
    script = 'exec node "$0" --port 14599 --fixtures "$1" --chunk-size "$2" --log-level silent'
    return ["sh", "-c", f"echo 127.0.0.1:14599; sleep 2; {script}", program, str(fixtures), size]


async def _protocol() -> int:
    """Answer whatever comes with one prepared write."""
    answer = HEAD + b"".join(b"%x\r\n%b\r\n" % (len(e), e) for e in EVENTS) + b"0\r\n\r\n"

    class Bare(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(answer)

    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0, backlog=1024)
    port: int = server.sockets[0].getsockname()[1]
    return port


async def _aiohttp() -> int:
    """Answer with aiohttp's own means, one write for each event."""
    from aiohttp import web

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for event in EVENTS:
            await response.write(event)
        await response.write_eof()
        return response

    runner = web.ServerRunner(web.Server(handle, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port: int = runner.addresses[0][1]
    return port


async def _timers() -> int:
    """Send the streams of :data:`PACES` with nothing but timers."""
    frame = b"%x\r\n%b\r\n" % (len(EVENT), EVENT)

    class Bare(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.write = transport.write

        def data_received(self, data: bytes) -> None:
            loop = asyncio.get_running_loop()
            now = loop.time()
            events, gap = next(p for name, p in PACES.items() if name.encode() in data)
            self.write(HEAD)
            for number in range(events):
                last = b"0\r\n\r\n" if number == events - 1 else b""
                loop.call_at(now + number * gap / 1000, self.write, frame + last)

    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0, backlog=1024)
    port: int = server.sockets[0].getsockname()[1]
    return port


#: Servers of this module by name.
BARE: dict[str, Callable[[], Any]] = {
    "protocol": _protocol,
    "aiohttp": _aiohttp,
    "timers": _timers,
}


async def _run(name: str) -> None:
    # Clients leave at the end of a round.
    logging.disable()
    print(f"127.0.0.1:{await BARE[name]()}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[1] == "aiohttp-start":
        # As started by hand, without what only a benchmark needs.
        asyncio.run(_run("aiohttp"))
    else:
        import uvloop

        uvloop.run(_run(sys.argv[1]))
