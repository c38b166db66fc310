from __future__ import annotations

from collections.abc import Iterator

import pytest

from mockserver import MockServer
from mockserver.backend import Settings


@pytest.fixture(scope="session")
def backend() -> Iterator[MockServer]:
    """Return a server that answers anything."""
    with MockServer(backend=Settings()) as server:
        yield server
