"""Responses per second: one prepared write against one write per event.

Run ``python tests/benchmarks/throughput.py``. All servers use uvloop and are asked by the same
client in turns; the rate is the median of the rounds. At least 5 times (a) is required.
"""

from __future__ import annotations

import asyncio
import logging
import statistics
import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import uvloop
from aiohttp import web

from mockserver import Cassette, MockServer
from mockserver.cassettes.cassette import Chunk, Interaction, Request, Response, Wire
from mockserver.library import library as store
from tests.benchmarks.load import in_a_process, responses_per_second, served, table

EVENTS = tuple(
    b'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":'
    b'[{"index":0,"delta":{"content":"word %02d "},"finish_reason":null}]}\n\n' % n
    for n in range(60)
)
PATH = "/v1/chat/completions"
BODY = b'{"model":"gpt-x","stream":true,"messages":[{"role":"user","content":"hi"}]}'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
ROUNDS, SECONDS = 7, 0.5


def request(path: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(BODY)}\r\n\r\n".encode() + BODY


def write_per_event(result: Connection) -> None:
    # Clients leave at the end of a round.
    logging.disable()

    async def handle(request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for event in EVENTS:
            await response.write(event)
        await response.write_eof()
        return response

    async def main() -> None:
        app = web.Application()
        app.router.add_post(PATH, handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        result.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    uvloop.run(main())


def bare_protocol(result: Connection) -> None:
    answer = HEAD + b"".join(b"%x\r\n%b\r\n" % (len(e), e) for e in EVENTS) + b"0\r\n\r\n"

    class Bare(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(answer)

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0)
        result.send(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    uvloop.run(main())


def ours(result: Connection, library: str) -> None:
    async def main() -> None:
        async with MockServer(library) as server:
            result.send(int(server.url.rpartition(":")[2]))
            await asyncio.Event().wait()

    uvloop.run(main())


def cassette(path: Path) -> Cassette:
    chunks = tuple(Chunk(10.0 * n, len(event)) for n, event in enumerate(EVENTS))
    return Cassette(
        path,
        (
            Interaction(
                Request(method="POST", uri=f"https://api.example.com{PATH}", body=BODY),
                Response(
                    status=200,
                    reason="OK",
                    headers=(("content-type", "text/event-stream"),),
                    body=b"".join(EVENTS),
                    wire=Wire(chunks=chunks),
                ),
            ),
        ),
    )


def main() -> int:
    with tempfile.TemporaryDirectory() as directory:
        store.write(cassette(Path(directory) / "bench.yaml"))
        pinned, matched = request(f"/c/bench{PATH}"), request(PATH)
        with (
            served(write_per_event) as a,
            served(bare_protocol) as b,
            served(ours, directory) as c,
        ):
            targets = {"a": (a, matched), "b": (b, matched), "c": (c, pinned), "d": (c, matched)}
            rates: dict[str, list[float]] = {name: [] for name in targets}
            for _ in range(ROUNDS):
                for name, (port, sent) in targets.items():
                    rate = in_a_process(responses_per_second, port, sent, SECONDS)
                    rates[name].append(rate)
    rate = {name: statistics.median(values) for name, values in rates.items()}
    table(
        f"Answers of {len(EVENTS)} events, per second",
        [
            ("(a) aiohttp, one write per event", f"{rate['a']:8.0f}"),
            ("(b) bare uvloop protocol", f"{rate['b']:8.0f}"),
            ("(c) mock server, pinned cassette", f"{rate['c']:8.0f}"),
            ("(d) mock server, matched by body", f"{rate['d']:8.0f}"),
            ("(c) / (a)", f"{rate['c'] / rate['a']:8.2f}"),
            ("(d) / (a)", f"{rate['d'] / rate['a']:8.2f}"),
            ("(c) / (b)", f"{rate['c'] / rate['b']:8.2f}"),
        ],
    )
    return 0 if rate["c"] >= 5 * rate["a"] else 1


if __name__ == "__main__":
    sys.exit(main())
