from __future__ import annotations

import gzip
import json
import re
import zlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.cassettes import foreign
from mockserver.cassettes.cassette import Origin
from mockserver.cassettes.writer import dump
from mockserver.recording import importing
from mockserver.recording.importing import Imported, Kind

KEY = "sk-" + "proj1234" * 5
JSON = b'{"id":"chatcmpl-1","choices":[]}'
FRAMES = bytes(range(256))


def convert(
    *responses: dict[str, Any], known: tuple[str, ...] = (), opaque: bool = False, **request: Any
) -> Imported:
    asked = {"method": "POST", "uri": "https://h/v1", "headers": {}, "body": "{}", **request}
    items = [
        {
            "request": asked,
            "response": {"status": {"code": 200, "message": "OK"}, "headers": {}, **response},
        }
        for response in responses
    ]
    found = foreign.read(yaml.dump({"interactions": items}).encode(), Path("theirs.yaml"))
    assert found is not None
    return importing.convert(found, Path("ours.yaml"), known, keep_opaque=opaque)


def answer(body: bytes, **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): [value] for name, value in headers.items()}
    return {"body": {"string": body}, "headers": named}


def only(imported: Imported) -> Any:
    assert imported.left_out == ()
    (interaction,) = imported.cassette.interactions
    assert dump(imported.cassette)
    return interaction


def changed(imported: Imported, kind: Kind) -> list[str]:
    return [c.place for c in imported.changes if c.kind is kind]


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(JSON, mtime=0), "gzip"),
        (gzip.compress(JSON, mtime=0), "GZip"),
        (zlib.compress(JSON), "deflate"),
    ],
)
def test_compressed_text_is_stored_plain(body: bytes, encoding: str) -> None:
    imported = convert(answer(body, content_encoding=encoding))
    response = only(imported).response
    assert (response.body, response.headers) == (JSON, ())
    assert changed(imported, Kind.DECODED) == ["response.body"]


@pytest.mark.parametrize("body", [JSON, b""])
@pytest.mark.parametrize("encoding", ["gzip", "br", "identity"])
def test_an_encoding_that_the_body_does_not_have_is_dropped(body: bytes, encoding: str) -> None:
    imported = convert(answer(body, content_encoding=encoding))
    response = only(imported).response
    assert (response.body, response.headers) == (body, ())
    assert changed(imported, Kind.STALE) == ["response.body"]


def test_a_compressed_request_is_stored_plain() -> None:
    imported = convert(
        answer(JSON), body=gzip.compress(JSON), headers={"content-encoding": ["gzip"]}
    )
    assert only(imported).request.body == JSON
    assert changed(imported, Kind.DECODED) == ["request.body"]


def test_frames_stay_as_they_are() -> None:
    kind = "application/vnd.amazon.eventstream"
    plain = only(convert(answer(FRAMES, content_type=kind, content_encoding="gzip"))).response
    assert (plain.body, plain.headers) == (FRAMES, (("content-type", kind),))
    zipped = gzip.compress(FRAMES)
    kept = only(convert(answer(zipped, content_encoding="gzip"))).response
    assert (kept.body, kept.headers) == (zipped, (("content-encoding", "gzip"),))


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (answer(FRAMES, content_encoding="br"), r"response body that cannot be decoded \(br\)"),
        (answer(gzip.compress(JSON)[:-9], content_encoding="gzip"), "cannot be decoded"),
        (answer(FRAMES + KEY.encode()), "a secret in its binary response body"),
        (answer(gzip.compress(FRAMES + KEY.encode()), content_encoding="gzip"), "a secret in its"),
        (answer(JSON) | {"status": {"code": 0, "message": ""}}, "never answered"),
    ],
)
def test_what_cannot_be_stored_is_left_out_and_the_rest_is_stored(
    response: dict[str, Any], message: str
) -> None:
    imported = convert(answer(JSON), response, answer(b"last"))
    assert [i.response.body for i in imported.cassette.interactions] == [JSON, b"last"]
    (error,) = imported.left_out
    assert error.message.startswith("interaction 1 ")
    assert error.line is not None
    assert error.hint
    assert re.search(message, str(error))
    assert KEY not in str(error)


@pytest.mark.parametrize("uri", ["ws://h/v1", "ftp://h/v1"])
def test_what_is_no_http_request_is_left_out(uri: str) -> None:
    imported = convert(answer(JSON), uri=uri)
    assert imported.cassette.interactions == ()
    assert f"is not an HTTP request: its scheme is {uri[: uri.index(':')]!r}" in str(
        imported.left_out[0]
    )


def test_an_answer_with_a_known_secret_in_a_compressed_binary_body_is_left_out() -> None:
    body = gzip.compress(FRAMES + b"correct-horse-battery-staple")
    known = ("correct-horse-battery-staple",)
    imported = convert(answer(body, content_encoding="gzip"), known=known)
    assert imported.cassette.interactions == ()
    assert "has a secret in its binary response body" in str(imported.left_out[0])


def test_an_answer_with_a_secret_split_over_deltas_is_left_out() -> None:
    events = [
        {"choices": [{"index": 0, "delta": {"content": c}}]} for c in (KEY[:9], KEY[9:15], KEY[15:])
    ]
    body = "".join(f"data: {json.dumps(e)}\n\n" for e in events).encode()
    imported = convert(answer(body, content_type="text/event-stream"), known=(KEY,))
    assert imported.cassette.interactions == ()
    assert "joined from the deltas" in str(imported.left_out[0])


def test_headers_are_dropped_for_a_reason_each() -> None:
    imported = convert(
        answer(JSON, content_type="application/json", content_length="9", set_cookie="a=b", x_y="z")
        | {"body": {"string": JSON}},
        headers={"Authorization": [KEY], "User-Agent": ["me"], "Connection": ["close"]},
    )
    interaction = only(imported)
    assert interaction.request.headers == ()
    assert interaction.response.headers == (("content-type", "application/json"),)
    assert changed(imported, Kind.CREDENTIAL) == [
        "request.headers.authorization",
        "response.headers.set-cookie",
    ]
    assert changed(imported, Kind.CONNECTION) == [
        "request.headers.connection",
        "response.headers.content-length",
    ]
    assert changed(imported, Kind.HEADER) == ["request.headers.user-agent", "response.headers.x-y"]


def test_headers_of_one_name_are_grouped() -> None:
    entry = {
        "request": {"method": "GET", "url": "https://h/", "headers": []},
        "response": {
            "status": 200,
            "headers": [
                {"name": "Retry-After", "value": "1"},
                {"name": "content-type", "value": "text/plain"},
                {"name": "retry-after", "value": "2"},
            ],
            "content": {"text": "x"},
        },
    }
    found = foreign.read(json.dumps({"log": {"entries": [entry]}}).encode(), Path("a.har"))
    assert found is not None
    response = only(importing.convert(found, Path("a.yaml"))).response
    assert response.headers == (
        ("retry-after", "1"),
        ("retry-after", "2"),
        ("content-type", "text/plain"),
    )


def test_secrets_are_replaced_and_listed() -> None:
    body = json.dumps({"error": f"wrong key {KEY}", "signature": "c2ln"}).encode()
    imported = convert(
        answer(body, content_type="application/json", request_id="r1"),
        uri="https://h/v1?key=secret&a=1",
        known=(KEY,),
    )
    interaction = only(imported)
    assert interaction.request.uri == "https://h/v1?key=REDACTED&a=1"
    found = json.loads(interaction.response.body)
    assert found == {"error": "wrong key key_REDACTED_1", "signature": "signatureREDACTED001"}
    places = ["request.uri", "response.body", "response.headers.request-id"]
    assert list(interaction.response.wire.redacted) == places
    assert changed(imported, Kind.REPLACED) == places


def test_signatures_stay_when_asked_for() -> None:
    body = b'{"signature":"c2ln"}'
    assert only(convert(answer(body), opaque=True)).response.body == body


def test_the_origin_is_imported() -> None:
    wire = only(convert(answer(JSON))).response.wire
    assert (wire.origin, wire.recorded["file"]) == (Origin.IMPORTED, "theirs.yaml")


@pytest.mark.parametrize(
    ("kind", "count", "words"),
    [
        (Kind.DECODED, 1, "1 body decompressed"),
        (Kind.DECODED, 2, "2 bodies decompressed"),
        (Kind.HEADER, 1, "1 other header dropped"),
    ],
)
def test_changes_are_counted_in_words(kind: Kind, count: int, words: str) -> None:
    assert kind.times(count) == words
    assert all(k.reason for k in Kind)


def test_changes_are_counted_by_kind() -> None:
    found = convert(answer(gzip.compress(JSON, mtime=0), content_encoding="gzip"))
    assert found.counts
    assert set(found.counts) == {change.kind for change in found.changes}
    assert sum(found.counts.values()) == len(found.changes)


@pytest.mark.parametrize("uri", ["ftp://h/v1", "file:///etc/passwd"])
def test_what_is_no_http_is_left_out(uri: str) -> None:
    found = convert(answer(JSON), uri=uri)
    assert found.cassette.interactions == ()
    (error,) = found.left_out
    assert "not an HTTP request" in str(error)


def test_a_body_in_a_coding_without_a_decoder_is_left_out() -> None:
    found = convert(answer(b"\x00\xffcoded", content_encoding="unheard-of"))
    (error,) = found.left_out
    assert "cannot be decoded" in str(error)
