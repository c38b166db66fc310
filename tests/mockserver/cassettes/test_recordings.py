"""Real recordings, served as a library, reach the client with the bytes they have."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from mockserver import MockServer
from mockserver.library.index import requests
from mockserver.library.library import Library
from mockserver.serving.verify import fetch, verify_cassette
from mockserver.wire.content_coding import decompress, encoding_of


@pytest.fixture(scope="module")
def server(recordings: Path) -> Iterator[MockServer]:
    with MockServer(recordings / "files") as running:
        yield running


@pytest.fixture(scope="module")
def known(recordings: Path) -> list[dict[str, Any]]:
    index = json.loads((recordings / "index.json").read_text())
    interactions: list[dict[str, Any]] = index["interactions"]
    return interactions


def name_of(item: dict[str, Any]) -> str:
    return str(Path(item["file"]).relative_to("files").with_suffix(""))


def test_every_recording_replays_with_the_recorded_bytes(
    server: MockServer, known: list[dict[str, Any]]
) -> None:
    wrong = []
    for item in known:
        name = name_of(item)
        expected = server.library.open(name).cassette.interactions[item["interaction"]]
        with server.session(
            exchanges=[server.library.open(name).answers().exchanges[item["interaction"]]]
        ) as s:
            seen = fetch(s.url, expected.request)
        body = b"".join(seen.pieces)
        plain = hashlib.sha256(decompress(body, encoding_of(seen.headers))).hexdigest()
        if (seen.status, body, plain) != (
            item["status"],
            expected.response.body,
            item["body_sha256"],
        ):
            wrong.append(item["id"])
    assert known
    assert wrong == []


def test_every_recording_is_found_without_a_session(
    server: MockServer, known: list[dict[str, Any]]
) -> None:
    """Two recordings of one request are played in turn, so the right one is among them."""
    missed = []
    for item in known:
        recorded = server.library.open(name_of(item)).cassette.interactions[item["interaction"]]
        expected = recorded.response.status, recorded.response.body
        seen = [fetch(server.url, recorded.request) for _ in range(4)]
        if expected not in [(s.status, b"".join(s.pieces)) for s in seen]:
            missed.append(item["id"])
    assert missed == []


def test_every_recording_is_found_under_its_cassette(
    server: MockServer, known: list[dict[str, Any]]
) -> None:
    for item in known:
        name = name_of(item)
        opened = server.library.open(name)
        wanted = opened.answers().exchanges[item["interaction"]]
        turns = sum(e.route == wanted.route for e in opened.answers().exchanges)
        seen = [fetch(f"{server.url}/c/{quote(name)}", wanted.request) for _ in range(turns)]
        assert wanted.schedule.body in [b"".join(s.pieces) for s in seen], name


def test_every_file_verifies(server: MockServer) -> None:
    library = server.library
    assert [p for name in library.paths for p in verify_cassette(library.open(name).cassette)] == []


def test_requests_are_read_the_same_without_the_responses(recordings: Path) -> None:
    library = Library([recordings / "files"])
    for name, path in library.paths.items():
        whole = [i.request for i in library.open(name).cassette.interactions]
        assert list(requests(path)) == whole
