"""Stock vcrpy plays every bundled cassette and ignores our additional data."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
import vcr

from harness.suite import bundled
from mockserver.library import library
from mockserver.wire.content_coding import decompress, encoding_of

CASSETTES = sorted(bundled.cassettes().rglob("*.yaml"))
#: gzip of several members, of which httpx decodes the first one.
MEMBERS = "gzip-members.yaml"


@pytest.mark.parametrize(
    "path", CASSETTES, ids=lambda path: str(path.relative_to(bundled.cassettes()))
)
def test_stock_vcrpy_plays_a_cassette(path: Path) -> None:
    interactions = library.load(path).interactions
    # Below the client, which refuses some answers, such as redirects to nowhere.
    with vcr.use_cassette(str(path), record_mode="none") as tape, httpx.HTTPTransport() as wire:
        for interaction in interactions:
            request, expected = interaction.request, interaction.response
            answer = wire.handle_request(
                httpx.Request(
                    request.method, request.uri, headers=request.headers, content=request.body
                )
            )
            answer.read()
            # httpx undoes a content coding before it hands the body out.
            body = decompress(expected.body, encoding_of(expected.headers))
            if path.name == MEMBERS and answer.content != body:
                assert answer.content
                assert body.startswith(answer.content)
                body = answer.content
            assert (answer.status_code, answer.content) == (expected.status, body)
    assert tape.play_count == len(interactions)
