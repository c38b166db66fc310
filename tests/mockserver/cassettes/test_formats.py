"""Recordings of other tools, as the tools write them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from mockserver.cassettes import foreign, loading
from mockserver.cassettes.addresses import real_uri
from mockserver.cassettes.cassette import Chunk, Interaction
from mockserver.errors import CassetteError
from tests.mockserver.cassettes.other_tools import (
    ASKED,
    CHAT,
    EVENTS,
    FILES,
    HTTPMOCK,
    LLM_RECORDER,
    NOCK,
    ONE_FILE,
    WIREMOCK,
    as_json,
    go_vcr,
    removed,
)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_each_format_is_imported_and_served_as_it_is(
    name: str, zipped: bool, tmp_path: Path
) -> None:
    text = gzip.compress(FILES[name]) if zipped else FILES[name]
    found = foreign.read(text, Path("theirs"))
    assert found is not None
    (item,) = found.items
    assert not isinstance(item, CassetteError)
    (tmp_path / "theirs.yaml").write_bytes(text)
    loaded = loading.load(tmp_path / "theirs.yaml")
    assert loaded.left_out == ()
    for interaction in (item.interaction, loaded.interactions[0]):
        check(interaction)


def check(interaction: Interaction) -> None:
    request, response = interaction.request, interaction.response
    assert request.method.upper() == "POST"
    assert request.url.path == "/v1/chat/completions"
    assert json.loads(request.body) == json.loads(ASKED)
    assert (response.status, response.body.decode()) == (200, EVENTS)
    assert response.header("content-type") == "text/event-stream"


@pytest.mark.parametrize(
    ("answer", "path"),
    [
        ('data: {"object":"chat.completion.chunk"}', "/v1/chat/completions"),
        ('{"object": "chat.completion"}', "/v1/chat/completions"),
        ('{"object": "response"}', "/v1/responses"),
        ('event: x\ndata: {"type": "response.created"}', "/v1/responses"),
        ('{"type": "message"}', "/v1/messages"),
        ('{"object": "list", "data": [{"object": "embedding"}]}', "/v1/embeddings"),
        ('event: message_start\ndata: {"type": "message_start"}', "/v1/messages"),
    ],
)
def test_an_answer_tells_an_address_that_was_removed(answer: str, path: str) -> None:
    found = foreign.read(removed(answer), Path("x"))
    assert found is not None
    (item,) = found.items
    assert not isinstance(item, CassetteError)
    assert item.interaction.request.uri == f"http://recorded.invalid{path}"
    assert item.addressed


@pytest.mark.parametrize("answer", ["{}", "PNG", '{"object": ["x"]}', "[1]", "[" * 9999])
def test_an_address_that_nothing_tells_leaves_the_interaction_out(answer: str) -> None:
    found = foreign.read(removed(answer), Path("x"))
    assert found is not None
    (item,) = found.items
    assert isinstance(item, CassetteError)
    assert "has no address, and its answer does not show which API gave it" in item.message


def test_chunks_and_their_times_are_kept_where_a_file_has_them() -> None:
    (found,) = loading.parse(as_json([LLM_RECORDER]), Path("x.json")).interactions
    wire = found.response.wire
    assert wire.chunks == (Chunk(3, 4), Chunk(43, len(EVENTS) - 4))
    assert wire.end_ms == 43
    assert wire.recorded["at"] == "2020-09-13T12:26:40Z"


def test_a_whole_answer_of_llm_vcr_is_rebuilt() -> None:
    item = {"method": "POST", "url": CHAT, "status_code": 400, "response_body": {"error": {}}}
    found = foreign.read(as_json({"interactions": [item]}), Path("x"))
    assert found is not None
    (taken,) = found.items
    assert not isinstance(taken, CassetteError)
    assert taken.rebuilt == ("response.body",)
    response = taken.interaction.response
    assert (response.status, json.loads(response.body)) == (400, {"error": {}})


@pytest.mark.parametrize(
    "waits", [[-1, 2, 1], ["a", 1, 2], [1], [float("nan"), 1, 1], [1e300, 1, 1]]
)
def test_odd_waits_are_an_error_or_left_out(waits: list[Any]) -> None:
    response = {**LLM_RECORDER["response"], "chunkTimings": waits}
    found = foreign.read(as_json([{**LLM_RECORDER, "response": response}]), Path("x"))
    assert found is not None
    (item,) = found.items
    if isinstance(item, CassetteError):
        assert len(waits) == 3
    else:
        assert item.interaction.response.wire.chunks is None


def test_several_documents_are_several_interactions() -> None:
    found = foreign.read(f"{HTTPMOCK}---\n{HTTPMOCK}".encode(), Path("x"))
    assert found is not None
    assert len(found.items) == 2


def test_encoded_answers_of_nock_are_hexadecimal() -> None:
    packed = gzip.compress(b"{}")
    for answer in ([packed[:5].hex(), packed[5:].hex()], packed.hex()):
        data = [{**NOCK[0], "response": answer, "headers": {"Content-Encoding": "gzip"}}]
        del data[0]["rawHeaders"]
        loaded = loading.parse(as_json(data), Path("x.json"))
        assert loaded.interactions[0].response.body == packed


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({**WIREMOCK, "request": {"urlPattern": "/a.*"}}, "more than one address"),
        ({**WIREMOCK, "request": {"url": "/a"}}, "matches any method"),
        ({**WIREMOCK, "response": {"status": 200, "bodyFileName": "a.json"}}, "another file: a"),
        ({**WIREMOCK, "response": {"status": 200, "fault": "EMPTY_RESPONSE"}}, "no answer, but EM"),
        ([{**NOCK[0], "responseIsBinary": True}], "not hexadecimal"),
        ({**ONE_FILE, "response": {"status": None}}, "status.code"),
    ],
)
def test_what_holds_no_wire_is_named(data: Any, message: str) -> None:
    with pytest.raises(CassetteError, match=message):
        foreign.load(as_json(data), Path("x.json"))


@pytest.mark.parametrize(
    ("duration", "ms"),
    [
        ("1.544292291s", 1544.3),
        ("1m2.5s", 62500),
        ("376.6ms", 376.6),
        ("1h0m0s", 3.6e6),
        ("850µs", 0.8),
        ("", None),
        ("0", None),
        ("a day", None),
        ("1" * 99 + "s", None),
        ("999999999h", None),
    ],
)
def test_the_duration_of_go_vcr_is_kept(duration: str, ms: float | None) -> None:
    text = go_vcr(2).replace("376.6ms", f"'{duration}'").encode()
    (found,) = loading.parse(text, Path("x.yaml")).interactions
    assert found.response.wire.end_ms == ms


def test_waits_of_an_archive_are_kept() -> None:
    entry = {
        "request": {"method": "GET", "url": CHAT, "headers": []},
        "response": {"status": 200, "headers": [], "content": {"text": "x"}},
        "timings": {"blocked": 5, "dns": -1, "send": 1.5, "wait": 200.25, "receive": 50},
    }
    text = as_json({"log": {"entries": [entry]}})
    for loaded in (loading.parse(text, Path("x.har")), foreign.load(text, Path("x"))):
        assert loaded is not None
        wire = loaded.interactions[0].response.wire
        assert (wire.headers_ms, wire.end_ms) == (201.8, 251.8)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("<BASE_URL>/v1/x", "http://base-url.invalid/v1/x"),
        ("{{ base }}/v1/x", "http://base.invalid/v1/x"),
        ("${BASE}", "http://base.invalid/"),
        ("%{base}/x?y=1", "http://base.invalid/x?y=1"),
        ("/v1/x", "http://recorded.invalid/v1/x"),
        ("https://a/b", "https://a/b"),
        ("<half", "<half"),
        (None, None),
    ],
)
def test_a_placeholder_in_place_of_a_base_url(uri: Any, expected: Any) -> None:
    assert real_uri(uri) == expected


def test_files_in_folders_are_found_by_what_they_begin_with(tmp_path: Path) -> None:
    for name, text in (
        ("nock.json", FILES["nock"]),
        ("package.json", b'{"name": "x"}'),
        ("tape.yaml.gz", gzip.compress(FILES["istr"])),
        ("broken.gz", b"\x1f\x8bnothing"),
        ("a.flow", FILES["mitmproxy"]),
        ("note.flow", b"text"),
    ):
        (tmp_path / name).write_bytes(text)
    found = sorted(path.name for path in tmp_path.iterdir() if loading.is_recording(path))
    assert found == ["a.flow", "nock.json", "tape.yaml.gz"]
