"""Routes, misses, administration and bad input, over a socket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from mockserver import MockServer, Outcome
from tests.mockserver.rawhttp import (
    CHAT,
    interaction,
)
from tests.mockserver.serving.conftest import error_of, put

STREAM = interaction(b"data: a\n\ndata: b\n\n", content_type="text/event-stream")


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockServer]:
    root = tmp_path_factory.mktemp("streams")
    put(root / "two.yaml", interaction(b"{}"), STREAM, interaction(b"[26]"))
    put(root / "two/~cut=1.yaml", interaction(b"its own"))
    put(root / "many.yaml", interaction(b"0"), interaction(b"1"), interaction(b"2"))
    with MockServer(root) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "bodies"),
    [
        (f"/c/two/~interactions=1{CHAT}", [b"data: a\n\ndata: b\n\n"]),
        (f"/c/two/~interactions=1,eol=crlf{CHAT}", [b"data: a\r\n\r\ndata: b\r\n\r\n"]),
        (f"/c/two/~interactions%3D1%2Ceol%3Dcr{CHAT}", [b"data: a\r\rdata: b\r\r"]),
        (f"/c/two/%7Ecut=1,eol=crlf{CHAT}", [b"{}", b"data: a\r\n\r\n"]),
        (f"/c/many/~interactions=2+0{CHAT}", [b"2", b"0", b"2"]),
        # A cassette of that name wins.
        (f"/c/two/~cut=1{CHAT}", [b"its own"]),
    ],
)
def test_a_pinned_cassette_is_varied_by_its_url(
    streams: MockServer, path: str, bodies: list[bytes]
) -> None:
    assert [httpx.post(streams.url + path).content for _ in bodies] == bodies


def test_each_variation_has_its_own_order(streams: MockServer) -> None:
    urls = [f"{streams.url}/c/many{part}{CHAT}" for part in ("", "/~gzip=yes", "", "/~gzip=yes")]
    assert [httpx.post(url).content for url in urls] == [b"0", b"0", b"1", b"1"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("eof=crlf", "unknown word 'eof' (did you mean eol?); known are eol=lf|crlf|cr"),
        ("", "not ''"),
        ("%ff", "a variation is word=value"),
        ("cut=9", "two: cut=9 is behind the end: the stream has 2 events"),
        ("interactions=7", "two: no interaction 7: there are 3, numbered from 0"),
    ],
)
def test_a_variation_that_cannot_be_played_is_explained(
    streams: MockServer, words: str, message: str
) -> None:
    response = httpx.post(f"{streams.url}/c/two/~{words}{CHAT}")
    assert response.status_code == 400
    error = error_of(response)
    assert error["type"] == "tapecheck_bad_variation"
    assert message in error["message"]
    assert streams.journal[-1].outcome is Outcome.REFUSED


def test_a_body_that_cannot_be_decoded_is_not_varied(tmp_path: Path) -> None:
    coding = ("content-encoding", "x-own")
    headers = (*STREAM.response.headers, coding)
    response = replace(STREAM.response, headers=headers, body=b"\xff")
    put(tmp_path / "x.yaml", replace(STREAM, response=response))
    with MockServer(tmp_path) as server:
        answer = httpx.post(f"{server.url}/c/x/~cut=0{CHAT}")
    assert answer.status_code == 422
    assert error_of(answer)["type"] == "tapecheck_broken_cassette"
