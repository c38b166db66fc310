"""Files of mitmproxy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mockserver.cassettes import foreign, loading
from mockserver.errors import CassetteError
from tests.mockserver.cassettes.other_tools import FLOW, netstring


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"response": None}, "never answered"),
        ({"websocket": {"messages": []}}, "a WebSocket"),
        ({"request": {}}, "has no answer"),
    ],
)
def test_flows_without_an_answer_are_left_out(change: dict[str, Any], message: str) -> None:
    loaded = foreign.load(netstring(FLOW) + netstring({**FLOW, **change}), Path("x.flow"))
    assert loaded is not None
    assert len(loaded.interactions) == 1
    (error,) = loaded.left_out
    assert message in error.message


@pytest.mark.parametrize(
    "text",
    [
        b"9:9:",
        b"12:1:a,",
        b"3:1:a}",
        b"1:2:3:4:5:6:",
        netstring(FLOW)[:-9],
        b"4:0:~~,",
        b"\x1f\x8bx",
    ],
)
def test_a_damaged_file_is_an_error(text: bytes) -> None:
    with pytest.raises(CassetteError):
        loading.parse(text, Path("x.flow"))


@pytest.mark.parametrize(
    ("asked", "began", "ended", "waits"),
    [
        (1.5, 1.75, 2.5, (250, 1000)),
        (1.5, 1, 2, (0, None)),
        (1.5, 2, None, (0, None)),
        (1.5, "x", "y", (0, None)),
        (1.5, 2, float("inf"), (0, None)),
        (1.5, 2, 1e300, (0, None)),
        (0.0, float("nan"), float("inf"), (0, None)),
    ],
)
def test_waits_are_kept(asked: Any, began: Any, ended: Any, waits: tuple[Any, ...]) -> None:
    flow = {
        **FLOW,
        "request": {**FLOW["request"], "timestamp_end": asked},
        "response": {**FLOW["response"], "timestamp_start": began, "timestamp_end": ended},
    }
    (found,) = loading.parse(netstring(flow), Path("x.flow")).interactions
    assert (found.response.wire.headers_ms, found.response.wire.end_ms) == waits
