from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

import pytest
from aiohttp import web

from mockserver.serving.pacing import Clock, Run
from mockserver.wire.schedule import Gate, Send, Step


class Client:
    """What a run needs of a request; it closes, or takes no more, after some writes."""

    def __init__(self, *, closes_after: int = 99, full_after: int = 99) -> None:
        self.written: list[bytes] = []
        self.drained = 0
        self.full_after = full_after
        self.closes_after = closes_after
        self.writer = self
        self.output_size = 0
        self.protocol = self
        self.transport = SimpleNamespace(write=self.write, is_closing=self.is_closing)

    @property
    def writing_paused(self) -> bool:
        return len(self.written) >= self.full_after

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def is_closing(self) -> bool:
        return len(self.written) >= self.closes_after

    async def drain(self) -> None:
        self.drained += 1
        self.full_after = 99


def play(client: Client, steps: Sequence[Step], position: int = 0) -> int:
    async def run() -> int:
        request = cast("web.BaseRequest", client)
        made = Run(request, steps, position, Clock(1000.0), lambda s: s.data, lambda _: None)
        await made.play()
        return made.position

    return asyncio.run(run())


PIECES = [Send(b"a", 0.0), Send(b"b", 1000.0), Send(b"c", 1000.0), Gate("g"), Send(b"d", 2000.0)]


def test_a_run_ends_before_a_step_that_is_no_piece() -> None:
    client = Client()
    assert play(client, PIECES) == 3
    assert client.written == [b"a", b"b", b"c"]
    assert client.output_size == 3
    assert play(client, PIECES, 4) == 5
    assert client.written == [b"a", b"b", b"c", b"d"]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_client_that_is_gone_ends_it(count: int) -> None:
    client = Client(closes_after=count)
    with pytest.raises(ConnectionError):
        play(client, PIECES)
    assert len(client.written) == count


def test_a_slow_client_is_waited_for() -> None:
    client = Client(full_after=2)
    assert play(client, PIECES) == 3
    assert client.drained == 2
