from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockserver import MockServer
from mockserver.cassettes.cassette import Chunk, Wire
from mockserver.serving import garbage
from tests.mockserver.rawhttp import connect, interaction, request_bytes
from tests.mockserver.serving.conftest import put


@pytest.fixture
def collector() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    gc.enable()


@pytest.mark.usefixtures("collector")
def test_what_was_imported_is_not_looked_through_again() -> None:
    garbage.settle()
    assert gc.get_threshold() == garbage.THRESHOLDS
    assert gc.get_freeze_count() > 10_000
    assert gc.isenabled()


@pytest.mark.usefixtures("collector")
@pytest.mark.parametrize("speed", [0.0, 50.0])
@pytest.mark.parametrize("enough", [b"data: 1\n\n", b"\r\n0\r\n\r\n"], ids=["leaves", "stays"])
def test_serving_leaves_no_circles(tmp_path: Path, speed: float, enough: bytes) -> None:
    """Otherwise rare passes would let the memory grow."""
    chunks = tuple(Chunk(20.0 * n, 9) for n in range(4))
    wire = Wire(chunks=chunks, end_ms=80.0)
    body = b"".join(b"data: %d\n\n" % n for n in range(1, 5))
    put(tmp_path / "one.yaml", interaction(body, content_type="text/event-stream", wire=wire))
    request = request_bytes("/c/one/v1/chat/completions", method="POST", headers=())

    def ask(url: str) -> None:
        with connect(url) as sock:
            sock.sendall(request)
            data = b""
            while enough not in data:
                part = sock.recv(4096)
                assert part, data
                data += part

    async def count() -> int:
        async with MockServer(tmp_path, speed=speed) as server:
            await asyncio.to_thread(ask, server.url)
            gc.collect()
            gc.disable()
            for _ in range(20):
                await asyncio.to_thread(ask, server.url)
            for _ in range(20):
                # The connections that have closed are forgotten.
                await asyncio.sleep(0)
            return gc.collect()

    # asyncio leaves five objects when it accepts a connection; ours has more than a hundred.
    assert asyncio.run(count()) < 20 * 10
