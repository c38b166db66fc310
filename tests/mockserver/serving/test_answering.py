"""A server that answers what nobody recorded, over a socket."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from mockserver import MockServer
from mockserver.backend import ANSWER_HEADER, Settings
from tests.mockserver.rawhttp import CHAT, interaction
from tests.mockserver.serving.conftest import put

HELLO = {"model": "m", "messages": [{"role": "user", "content": "say hello"}]}


def test_every_answer_says_what_it_is(library: Path) -> None:
    with MockServer(library, backend=Settings()) as server:
        made = httpx.post(server.url + CHAT, json=HELLO)
        matched = httpx.post(server.url + CHAT, json={"q": "other"})
        pinned = httpx.post(f"{server.url}/c/z/same{CHAT}")
        refused = httpx.get(f"{server.url}/s/none/v1/models")
        answers = [entry.answer for entry in server.journal]
    labels = [response.headers[ANSWER_HEADER] for response in (made, matched, pinned, refused)]
    assert labels == ["synthesised", "cassette chat/two#2", "cassette z/same#0", "refused"]
    assert answers == [*labels[:3], None]


def test_a_server_without_backend_adds_no_header(client: httpx.Client) -> None:
    assert ANSWER_HEADER not in client.post(CHAT, json={"q": "other"}).headers


def test_a_moved_address_says_what_it_is_too(tmp_path: Path) -> None:
    made = interaction(b"{}")
    headers = (("location", f"{made.request.uri.removesuffix(CHAT)}/v1/jobs/1"),)
    put(tmp_path / "job.yaml", replace(made, response=replace(made.response, headers=headers)))
    with MockServer(tmp_path, backend=Settings()) as server:
        response = httpx.post(f"{server.url}/c/job{CHAT}")
        assert response.headers["location"] == f"{server.url}/c/job/v1/jobs/1"
    assert response.headers[ANSWER_HEADER] == "cassette job#0"


def test_recordings_may_be_left_to_their_own_addresses(library: Path) -> None:
    with MockServer(library, backend=Settings(), by_request=False) as server:
        made = httpx.post(server.url + CHAT, json={"q": "other"})
        assert not made.headers[ANSWER_HEADER].startswith("cassette")
        assert httpx.post(f"{server.url}/c/z/same{CHAT}").json() == {"n": 6}


def test_a_miss_is_not_explained_where_it_is_answered(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explained(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("mockserver.library.lookup.Lookup._explain", explained)
    with MockServer(library, backend=Settings()) as server:
        assert httpx.post(server.url + CHAT, json=HELLO).status_code == 200
