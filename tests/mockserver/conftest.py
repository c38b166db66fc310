from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

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
def path(tmp_path: Path) -> Path:
    return tmp_path / "dir" / "tape.yaml"
