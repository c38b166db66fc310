"""What a request to ``tapecheck serve`` costs, beside other servers; and how soon it is ready.

Run ``python -m tests.benchmarks.serve``, with ``--peer node_modules`` where ``npm install
@copilotkit/aimock`` was run. Every server is asked by the same client in turns. The figures are
medians of the processor time of a server for one answer of 60 events; only their ratios within one
run mean something.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from mockserver import Cassette
from mockserver.cassettes.cassette import Chunk, Interaction, Request, Response, Wire
from mockserver.library import library as store
from tests.benchmarks import servers
from tests.benchmarks.load import in_a_process, is_answered, responses, table
from tests.benchmarks.servers import BODY, EVENTS, PATH, WORDS, Running

STARTS = 9
#: A prompt that nobody recorded; its answer has as many events.
UNKNOWN = BODY.replace(b'"hi"', b'"say %b"' % b" ".join([b"w"] * len(WORDS)))


@dataclass(frozen=True)
class Row:
    """One server with the request that it is asked."""

    title: str
    server: Running
    request: bytes


def request(path: str, body: bytes = BODY) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


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


def measured(rows: list[Row], rounds: int, seconds: float) -> dict[str, tuple[float, float]]:
    """Return microseconds of processor time for each answer, and answers per second."""
    costs: dict[str, list[float]] = {row.title: [] for row in rows}
    rates: dict[str, list[float]] = {row.title: [] for row in rows}
    for _ in range(rounds):
        for row in rows:
            before = row.server.seconds
            count, took = in_a_process(responses, row.server.port, row.request, seconds)
            costs[row.title].append((row.server.seconds - before) / count * 1e6)
            rates[row.title].append(count / took)
    return {t: (statistics.median(costs[t]), statistics.median(rates[t])) for t in costs}


def requests(directory: Path, node_modules: Path | None, rounds: int, seconds: float) -> None:
    with ExitStack() as stack:
        run = stack.enter_context
        library = directory / "library"
        library.mkdir()
        store.write(cassette(library / "bench.yaml"))
        bare = run(servers.running(servers.bare("protocol")))
        plain = run(servers.running(servers.bare("aiohttp")))
        ours = run(servers.running(servers.serve(str(library))))
        made = run(servers.running(servers.serve()))
        rows = [
            Row("bare uvloop protocol", bare, request(PATH)),
            Row("aiohttp, one write per event", plain, request(PATH)),
            Row("tapecheck, pinned cassette", ours, request(f"/c/bench{PATH}")),
            Row("tapecheck, matched by body", ours, request(PATH)),
            Row("tapecheck, made for the request", made, request(PATH, UNKNOWN)),
        ]
        if node_modules is not None:
            peer = run(servers.running(servers.peer(node_modules, directory)))
            rows.append(Row("@copilotkit/aimock", peer, request(PATH)))
        there = [row for row in rows if in_a_process(is_answered, row.server.port, row.request)]
        costs = measured(there, rounds, seconds)
    floor = costs["bare uvloop protocol"][0]
    lines = []
    for row in rows:
        if row not in there:
            lines.append((row.title, "not answered"))
            continue
        cost, rate = costs[row.title]
        lines.append((row.title, f"{cost:8.1f} µs   {floor / cost:5.2f}   {rate:8.0f}/s"))
    table(f"An answer of {len(EVENTS)} events: processor time, part of the bare one, rate", lines)


def started(command: list[str]) -> tuple[float, float]:
    """Return the milliseconds from start to ready, and those of processor time."""
    began = time.perf_counter()
    with servers.running(command) as server:
        return (time.perf_counter() - began) * 1000, server.seconds * 1000


def starts(directory: Path) -> None:
    commands = {
        "bare aiohttp server": servers.bare("aiohttp-start"),
        "tapecheck serve, one cassette": servers.serve(str(directory / "library")),
        "tapecheck serve, bundled cassettes": servers.serve(),
    }
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for command in commands.values():
        started(command)
    for _ in range(STARTS):
        for name, command in commands.items():
            took[name].append(started(command))
    middle = {name: [*map(statistics.median, zip(*v, strict=True))] for name, v in took.items()}
    least = middle["bare aiohttp server"]
    table(
        "From start to ready, above the bare server; and processor time until then",
        [
            (name, f"{ms:6.0f} ms {ms - least[0]:+6.0f}  {cpu:6.0f} ms {cpu - least[1]:+6.0f}")
            for name, (ms, cpu) in middle.items()
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, metavar="node_modules", help="where aimock is")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each round")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        requests(Path(directory), chosen.peer, chosen.rounds, chosen.seconds)
        starts(Path(directory))


if __name__ == "__main__":
    main()
