"""Routes, misses, administration and bad input, over a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockserver import MockServer
from mockserver.cassettes import writer
from mockserver.cassettes.cassette import Cassette
from tests.mockserver.rawhttp import (
    cassette,
    interaction,
)


def put(path: Path, *items: Any) -> Cassette:
    tape = cassette(*items, path=path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(writer.dump(tape))
    return tape


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("library")
    put(
        root / "chat/two.yaml",
        interaction(b'{"n":1}', body=b'{"q":"same"}'),
        interaction(b'{"n":2}', body=b'{"q":"same"}'),
        interaction(b'{"n":3}', body=b'{"q":"other"}'),
    )
    put(root / "chat/two/deep.yaml", interaction(b'{"n":4}', path="/models", method="GET"))
    put(root / "with space [1].yaml", interaction(b'{"n":5}', path="/a%3Ab", method="GET"))
    put(root / "z/same.yaml", interaction(b'{"n":6}', body=b'{"q":"same"}'))
    (root / "broken.yaml").write_text("interactions:\n- request: {method: GET}\n")
    return root


@pytest.fixture
def server(library: Path) -> Iterator[MockServer]:
    with MockServer(library) as running:
        yield running


@pytest.fixture
def client(server: MockServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, trust_env=False) as opened:
        yield opened


def error_of(response: httpx.Response) -> dict[str, Any]:
    error: dict[str, Any] = response.json()["error"]
    return error


# --- traffic without a session ------------------------------------------------------------
