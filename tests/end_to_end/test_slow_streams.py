"""A few slow streams; by hand, thousands: ``python -m tests.end_to_end.slow_streams``."""

from __future__ import annotations

import asyncio
from pathlib import Path

from mockserver import MockServer
from mockserver.library import library as store
from tests.end_to_end.slow_streams import play, recorded
from tests.mockserver.rawhttp import cassette


def test_slow_streams_side_by_side_are_whole(tmp_path: Path) -> None:
    store.write(cassette(recorded(), path=tmp_path / "slow.yaml"))
    with MockServer(tmp_path, speed=20) as server:
        seen = asyncio.run(play(int(server.url.rpartition(":")[2]), 30, 30))
    assert seen == {"whole": 27, "left in the middle": 3}
