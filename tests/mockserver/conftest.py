from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mockserver.recording.providers import Provider
from mockserver.recording.recorder import Recorder
from tests.mockserver.taping import ENVIRONMENT


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder(environment=ENVIRONMENT) as running:
        yield running


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=10) as made:
        yield made


@pytest.fixture
def unreachable() -> Iterator[Provider]:
    """A provider at a port where no server listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield Provider(name="unreachable", base_url=f"http://127.0.0.1:{taken.getsockname()[1]}/v1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dir" / "tape.yaml"
