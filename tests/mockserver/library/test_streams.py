"""A call for a stream gets no recording of a whole answer, nor the reverse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockserver import MockServer
from mockserver.library import library
from mockserver.library.rule import Rule
from mockserver.library.session import exchanges
from mockserver.library.streams import asks_for_stream, fits
from mockserver.recording.modes import Mode
from mockserver.recording.providers import Provider
from mockserver.recording.recorder import Recorder
from tests.mockserver.rawhttp import CHAT, cassette, interaction, request

EVENTS = b"data: {}\n\ndata: [DONE]\n\n"
STREAMED = {"model": "m", "stream": True}


def recorded(asked: dict[str, Any], streamed: bool) -> Any:
    kind = "text/event-stream" if streamed else "application/json"
    return interaction(
        EVENTS if streamed else b"{}", body=json.dumps(asked).encode(), content_type=kind
    )


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        (b'{"model":"m","stream":true}', "stream"),
        (b'{"model":"m","stream":false}', "whole"),
        (b'{"model":"m"}', "default"),
        (b'{"model":"m","stream":null}', "default"),
        (b'{"q":1}', "nothing"),
        (b"{}", "nothing"),
        (b"", "nothing"),
        (b'["model"]', "nothing"),
        (b'{"model"', "nothing"),
    ],
)
def test_what_a_call_asks_for(body: bytes, asks: str) -> None:
    assert asks_for_stream(body) == asks


@pytest.mark.parametrize(
    ("asked", "streamed", "got", "right"),
    [
        (STREAMED, True, STREAMED, True),
        (STREAMED, True, {"model": "m"}, False),
        (STREAMED, True, {"model": "m", "stream": False}, False),
        (STREAMED, True, {"anything": 1}, True),
        ({"model": "m"}, False, {"model": "m"}, True),
        ({"model": "m"}, False, {"model": "m", "stream": False}, True),
        ({"model": "m"}, False, STREAMED, False),
        # A gateway that does not stream.
        (STREAMED, False, STREAMED, True),
        # A provider that streams by default.
        ({"model": "m"}, True, {"model": "m"}, True),
        ({"model": "m"}, True, {"model": "m", "stream": False}, False),
        ({}, True, {"model": "m"}, True),
    ],
)
def test_the_kinds_that_fit(
    asked: dict[str, Any], streamed: bool, got: dict[str, Any], right: bool
) -> None:
    (exchange,) = exchanges(cassette(recorded(asked, streamed)))
    assert fits(exchange, request(body=json.dumps(got).encode())) is right


@pytest.mark.parametrize("where", ["pinned", "matched", "session", "tape"])
def test_the_other_kind_is_refused_by_name(where: str, tmp_path: Path) -> None:
    path = tmp_path / "tape.yaml"
    library.write(cassette(recorded(STREAMED, True), path=path))
    rule = Rule.of(["method", "path"])
    provider = Provider(name="local", base_url="https://api.example.com/v1")
    with (
        MockServer(path, rule=rule) as server,
        server.session(path) as session,
        Recorder() as recorder,
        recorder.tape(path, [provider], mode=Mode.NONE, rule=rule) as tape,
    ):
        base = {
            "pinned": f"{server.url}/c/tape",
            "matched": server.url,
            "session": session.url,
            "tape": tape.base_url.removesuffix("/v1"),
        }[where]
        got = httpx.post(base + CHAT, json={"model": "m"}, trust_env=False)
        assert got.status_code == 400
        error = got.json()["error"]
        assert error["type"] == "tapecheck_stream_mismatch"
        assert "asks for whole answers, but" in error["message"]
        assert httpx.post(base + CHAT, json=STREAMED, trust_env=False).content == EVENTS


def test_each_kind_gets_its_own_where_both_are_recorded(tmp_path: Path) -> None:
    path = tmp_path / "tape.yaml"
    both = recorded(STREAMED, True), recorded({"model": "m"}, False)
    library.write(cassette(*both, path=path))
    with MockServer(path) as server:
        for _ in range(2):
            for asked, body in (({"model": "other"}, b"{}"), (STREAMED, EVENTS)):
                url = f"{server.url}/c/tape{CHAT}"
                assert httpx.post(url, json=asked, trust_env=False).content == body
