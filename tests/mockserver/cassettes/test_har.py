from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from mockserver.cassettes import har
from mockserver.errors import CassetteError

PATH = Path("archive.har")


def archive(**response: Any) -> bytes:
    entry = {
        "request": {
            "method": "POST",
            "url": "https://api.example.com/v1/x?a=1",
            "headers": [{"name": "content-type", "value": "application/json"}],
            "postData": {"mimeType": "application/json", "text": '{"q":"é"}'},
        },
        "response": {
            "status": 200,
            "statusText": "OK",
            "httpVersion": "h2",
            "headers": [
                {"name": ":status", "value": "200"},
                {"name": "x", "value": "1"},
                {"name": "x", "value": "2"},
            ],
            "content": {"size": 1, "mimeType": "text/plain", "text": "é\n"},
            **response,
        },
    }
    return json.dumps({"log": {"version": "1.2", "entries": [entry]}}).encode()


def test_an_entry_becomes_an_interaction() -> None:
    (interaction,) = har.parse(b"\xef\xbb\xbf" + archive(), PATH).interactions
    request, response = interaction.request, interaction.response
    assert (request.method, request.uri) == ("POST", "https://api.example.com/v1/x?a=1")
    assert request.body == '{"q":"é"}'.encode()
    assert (response.status, response.reason) == (200, "OK")
    assert response.headers == (("x", "1"), ("x", "2"))
    assert response.body == "é\n".encode()
    assert (response.wire.http, response.wire.chunks) == ("h2", None)


def test_an_entry_that_was_never_answered_is_left_out_and_named() -> None:
    data = json.loads(archive())
    data["log"]["entries"].append(json.loads(archive(status=0))["log"]["entries"][0])
    found = har.parse(json.dumps(data).encode(), PATH)
    assert len(found.interactions) == 1
    (error,) = found.left_out
    assert error.message == "entry 1 was never answered: its status is 0"
    with pytest.raises(CassetteError, match="entry 0 was never answered"):
        har.parse(archive(status=0), PATH)


def test_base64_content_is_decoded() -> None:
    text = base64.b64encode(b"\x00\xff").decode()
    (interaction,) = har.parse(
        archive(content={"encoding": "base64", "text": text}), PATH
    ).interactions
    assert interaction.response.body == b"\x00\xff"


def test_a_body_that_polly_wrote_in_pieces_is_joined() -> None:
    pieces = [base64.b64encode(piece).decode() for piece in (b"\x1f\x8b", b"\x08\x00")]
    content = {"encoding": "base64", "text": json.dumps(pieces)}
    (interaction,) = har.parse(archive(content=content), PATH).interactions
    assert interaction.response.body == b"\x1f\x8b\x08\x00"


def test_the_fields_of_a_form_are_its_body() -> None:
    data = json.loads(archive())
    data["log"]["entries"][0]["request"]["postData"] = {
        "mimeType": "application/x-www-form-urlencoded",
        "params": [{"name": "a b", "value": "c&d"}, {"name": "e"}],
    }
    (interaction,) = har.parse(json.dumps(data).encode(), PATH).interactions
    assert interaction.request.body == b"a+b=c%26d&e="


@pytest.mark.parametrize(
    "content", [{}, {"text": ""}, {"text": None}], ids=["absent", "empty", "null"]
)
def test_no_text_is_an_empty_body(content: dict[str, Any]) -> None:
    (interaction,) = har.parse(archive(content=content), PATH).interactions
    assert interaction.response.body == b""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"\xff", "not UTF-8"),
        (b"{", "archive.har:1: not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "no list at log.entries"),
        (b'{"log":{"entries":[{}]}}', "entry 0 is not HAR 1.2: it has no 'request'"),
        (b'{"log":{"entries":[3]}}', "entry 0 is not HAR 1.2"),
        (archive(status="many"), "entry 0"),
        (archive(headers=[{"name": "x", "value": "1\r\ny: 2"}]), "a line break"),
        (archive(statusText="OK\r\nx: 1"), "a line break"),
        (archive(content={"encoding": "base64", "text": "&"}), "bad base64"),
    ],
)
def test_what_is_not_an_archive_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(CassetteError, match=message):
        har.parse(text, PATH)
