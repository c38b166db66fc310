from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import brotli
import httpx
import pytest
import zstandard

from mockserver import Limits, MockServer
from mockserver.cassettes import writer
from tests.mockserver.rawhttp import CHAT, cassette, interaction

PACKS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": lambda data: gzip.compress(data[:3]) + gzip.compress(data[3:]),
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "gzip, br": lambda data: brotli.compress(gzip.compress(data)),
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MockServer]:
    tape = cassette(*(interaction(b"%d" % n, body=b'{"q":%d}' % n) for n in range(3)))
    (tmp_path / "x.yaml").write_bytes(writer.dump(tape))
    with MockServer(tmp_path, limits=Limits(body=1000)) as running:
        yield running


def post(server: MockServer, body: bytes, coding: str) -> httpx.Response:
    return httpx.post(server.url + CHAT, content=body, headers={"content-encoding": coding})


@pytest.mark.parametrize("coding", PACKS)
def test_a_compressed_request_is_matched_by_its_content(server: MockServer, coding: str) -> None:
    packed = PACKS[coding](json.dumps({"q": 2}).encode())
    assert post(server, packed, coding).content == b"2"
    assert server.journal[0].body == b'{"q": 2}'


@pytest.mark.parametrize("coding", PACKS)
def test_the_limit_is_that_of_the_decoded_body(server: MockServer, coding: str) -> None:
    packed = PACKS[coding](b"x" * 1001)
    assert len(packed) < 1000
    response = post(server, packed, coding)
    assert response.status_code == 413
    assert "larger than 1000 bytes" in response.json()["error"]["message"]


def test_a_request_that_is_not_in_its_coding_is_refused(server: MockServer) -> None:
    response = post(server, b'{"q": 2}', "gzip")
    assert response.status_code == 400
    assert "not encoded as gzip, or damaged" in response.json()["error"]["message"]


def test_a_missing_decoder_is_named_with_what_to_install(
    server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    response = post(server, PACKS["zstd"](b"{}"), "zstd")
    assert response.status_code == 400
    assert "pip install 'tapecheck[codings]'" in response.json()["error"]["message"]


def test_a_request_in_an_unknown_coding_is_compared_as_it_is(server: MockServer) -> None:
    assert post(server, b'{"q": 2}', "snappy").content == b"2"
