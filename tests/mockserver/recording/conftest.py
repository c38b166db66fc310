"""A recorder that is a forward proxy, and a client of it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mockserver.recording.recorder import Recorder
from mockserver.serving import server
from tests.mockserver.taping import ENVIRONMENT
from tests.mockserver.tls import ca_file


@pytest.fixture
def messages() -> list[str]:
    return []


@pytest.fixture(params=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each event loop has transports of its own."""
    if request.param == "asyncio":
        monkeypatch.setattr(server, "loop_factory", lambda: None)
    else:
        pytest.importorskip("uvloop")


@pytest.fixture
def proxy(loop: None, tmp_path: Path, messages: list[str]) -> Iterator[Recorder]:
    environment = {**ENVIRONMENT, "SSL_CERT_FILE": str(ca_file(tmp_path))}
    allowed = ["allowed.test", "127.0.0.1"]
    with Recorder(
        environment=environment, proxy=True, allow_hosts=allowed, tell=messages.append
    ) as running:
        yield running


@pytest.fixture
def through(proxy: Recorder) -> Iterator[httpx.Client]:
    """A client that knows the real address of its provider, and the proxy."""
    trusted = ssl.create_default_context(cafile=proxy.trusted)
    with httpx.Client(proxy=proxy.url, verify=trusted, trust_env=False, timeout=10) as made:
        yield made
