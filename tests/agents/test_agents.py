"""The loops of agents, where the environment names the frameworks: see ``python -m tests.agents``.

``TAPECHECK_AGENTS_PYTHON`` is an interpreter, ``TAPECHECK_AGENTS_NODE`` a folder.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mockserver import MockServer
from mockserver.backend import Settings
from tests.agents.running import FRAMEWORKS, loops


def place(name: str) -> Path | None:
    value = os.environ.get(f"TAPECHECK_AGENTS_{name}")
    return Path(value) if value else None


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_every_loop_ends(name: str) -> None:
    with MockServer((), backend=Settings()) as server:
        found = loops(name, server.url, python=place("PYTHON"), node=place("NODE"))
    if isinstance(found, str):
        pytest.skip(found)
    assert found
    assert [loop for loop in found if loop.problem] == []
