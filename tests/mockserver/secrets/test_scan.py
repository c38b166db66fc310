from __future__ import annotations

import base64
import gzip
import json
import zlib
from dataclasses import replace
from pathlib import Path

import brotli
import pytest
import zstandard

from mockserver.cassettes.cassette import Interaction, Origin, Wire
from mockserver.library import library
from mockserver.secrets.scan import scan_cassette
from tests.mockserver.rawhttp import cassette, interaction

SECRET = "very-secret-value-42"
LOOKS_LIKE = "sk-proj-4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1"
BUNDLED = Path(__file__).parents[3] / "cassettes"


def with_headers(
    base: Interaction,
    *,
    request: tuple[str, str] | None = None,
    response: tuple[str, str] | None = None,
) -> Interaction:
    asked, received = base.request, base.response
    if request:
        asked = replace(asked, headers=(*asked.headers, request))
    if response:
        received = replace(received, headers=(*received.headers, response))
    return Interaction(asked, received)


def places(found: Interaction) -> list[str]:
    hits = scan_cassette(cassette(interaction(b"{}"), found, path=Path("dir/x.yaml")), [SECRET])
    assert all(h.interaction == 1 for h in hits)
    assert not any(SECRET in str(h) or LOOKS_LIKE in str(h) for h in hits)
    assert all(str(h).startswith("dir/x.yaml: interaction 1: ") for h in hits)
    return [h.place for h in hits]


@pytest.mark.parametrize("secret", [SECRET, LOOKS_LIKE])
def test_says_where_a_secret_is(secret: str) -> None:
    plain = interaction(b"{}")
    raw = secret.encode()
    assert places(plain) == []
    assert places(interaction(b"{}", body=raw)) == ["request.body"]
    assert places(interaction(b"{}", path=f"/v1/{secret}")) == ["request.uri"]
    assert places(with_headers(plain, request=("accept", secret))) == ["request.headers.accept"]
    assert places(with_headers(plain, response=("x-id", secret))) == ["response.headers.x-id"]
    assert places(interaction(b'{"error":"' + raw + b'"}')) == ["response.body"]
    coded = json.dumps({"image": base64.b64encode(b"<" + raw + b">").decode()})
    assert places(interaction(coded.encode())) == ["response.body"]
    wire = Wire(recorded={"server": secret})
    assert places(interaction(b"{}", wire=wire)) == ["response.wire.recorded"]


@pytest.mark.parametrize(
    "header",
    [("authorization", "x"), ("cookie", "a=b"), ("xi-api-key", "x"), ("x-amz-security-token", "x")],
)
def test_credentials_are_known_by_name(header: tuple[str, str]) -> None:
    assert places(with_headers(interaction(b"{}"), request=header)) == [
        f"request.headers.{header[0]}"
    ]
    assert places(with_headers(interaction(b"{}"), response=header)) == [
        f"response.headers.{header[0]}"
    ]
    replaced = (header[0], "REDACTED")
    assert places(with_headers(interaction(b"{}"), request=replaced, response=replaced)) == []


def test_a_status_line_is_searched() -> None:
    found = interaction(b"{}")
    found = replace(found, response=replace(found.response, reason=f"Bad key {SECRET}"))
    assert places(found) == ["response.status"]


def test_what_its_issuer_has_masked_is_no_secret() -> None:
    assert places(interaction(b'{"error":"wrong key sk-proj-****************wxyz"}')) == []


def test_a_known_secret_in_any_script_is_found_in_a_header() -> None:
    secret = "schl\u00fcssel-\u4e2d-1234"
    found = with_headers(interaction(b"{}"), response=("x-note", f"it is {secret}!"))
    (hit,) = scan_cassette(cassette(found), [secret])
    assert (hit.place, hit.kind) == ("response.headers.x-note", "a known secret")


def test_a_header_beyond_latin_1_is_searched() -> None:
    for character in ("\u4e2d", "\ud800"):
        found = with_headers(interaction(b"{}"), response=("x-note", f"{character} {LOOKS_LIKE}"))
        assert places(found) == ["response.headers.x-note"]


def test_query_parameters_are_known_by_name() -> None:
    assert places(interaction(b"{}", path="/x?alt=sse&key=abc")) == ["request.uri, parameter 'key'"]
    assert places(interaction(b"{}", path="/x?alt=sse&key=REDACTED")) == []


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


@pytest.mark.parametrize(
    ("coding", "encode"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("br", brotli.compress), ("zstd", zstd)],
)
def test_compressed_bodies_are_searched(coding: str, encode: type[bytes]) -> None:
    body = encode(f'{{"error":"{SECRET}"}}'.encode())
    found = with_headers(interaction(body), response=("content-encoding", coding))
    assert places(found) == [f"response.body ({coding})"]
    if coding != "br":
        # Also where no header says so. Nothing tells brotli from other bytes.
        assert places(interaction(body)) == ["response.body"]
    harmless = encode(b'{"error":"none"}')
    assert places(with_headers(interaction(harmless), response=("content-encoding", coding))) == []


@pytest.mark.parametrize(
    ("body", "origin", "hit"),
    [
        (b"\x8b\x01\x80\xff", Origin.RECORDED, True),
        (b"\x8b\x01\x80\xff", Origin.IMPORTED, True),
        # Broken on purpose.
        (b"\x8b\x01\x80\xff", Origin.AUTHORED, False),
        (b"it may be text", Origin.RECORDED, True),
        # Other tools keep the header of what they have decoded.
        (b"it may be text", Origin.IMPORTED, False),
        (b"", Origin.RECORDED, False),
    ],
)
@pytest.mark.parametrize("side", ["request", "response"])
def test_a_body_that_cannot_be_read_is_a_hit(
    body: bytes, origin: Origin, hit: bool, side: str
) -> None:
    asked = body if side == "request" else b""
    received = body if side == "response" else b""
    found = interaction(received, body=asked, wire=Wire(origin=origin))
    header = ("content-encoding", "br")
    found = with_headers(found, **{side: header})
    assert places(found) == ([f"{side}.body"] if hit else [])


def test_what_names_a_user_inside_of_a_compressed_body_is_a_hit() -> None:
    def found(data: object) -> list[str]:
        packed = interaction(gzip.compress(json.dumps(data).encode()))
        return places(with_headers(packed, response=("content-encoding", "gzip")))

    assert (
        found({"object": "response", "user": "alice", "metadata": {"a": "b", "c": ""}})
        == ["response.body (gzip)"] * 2
    )
    assert found({"user": "user_REDACTED_1", "metadata": {"n": 1}, "content": "alice"}) == []


def chat(*deltas: str) -> bytes:
    events = [{"choices": [{"index": 0, "delta": {"content": d}}]} for d in deltas]
    return "".join(f"data: {json.dumps(e)}\n\n" for e in events).encode() + b"data: [DONE]\n\n"


def stream(body: bytes, content_type: str = "text/event-stream") -> Interaction:
    return interaction(body, content_type=content_type)


@pytest.mark.parametrize("secret", [SECRET, LOOKS_LIKE])
def test_a_secret_split_over_deltas_is_found(secret: str) -> None:
    at = "response.body, joined from the deltas at "
    third = len(secret) // 3
    parts = secret[:third], secret[third : 2 * third], secret[2 * third :]
    assert places(stream(chat("It is ", *parts, "!"))) == [f"{at}choices/delta/content"]
    assert places(stream(chat(*secret))) == [f"{at}choices/delta/content"]
    calls = [
        {"choices": [{"delta": {"tool_calls": [{"index": i % 2, "function": {"arguments": p}}]}}]}
        for p in parts
        for i in (0, 1)
    ]
    body = "".join(f"data: {json.dumps(e)}\n\n" for e in calls).encode()
    assert places(stream(body)) == [f"{at}choices/delta/tool_calls/function/arguments"]
    blocks = [
        {"type": "content_block_delta", "index": i, "delta": {"partial_json": p}}
        for p in parts
        for i in (0, 1)
    ]
    body = "".join(f"event: x\ndata: {json.dumps(e)}\n\n" for e in blocks).encode()
    assert places(stream(body)) == [f"{at}delta/partial_json"]
    lines = "".join(json.dumps({"message": {"content": p}}) + "\n" for p in parts).encode()
    assert places(stream(lines, "application/x-ndjson")) == [f"{at}message/content"]
    coded = base64.b64encode(secret.encode()).decode()
    assert places(stream(chat(coded[:9], coded[9:]))) == [f"{at}choices/delta/content"]
    squeezed = with_headers(
        stream(gzip.compress(chat(*parts))), response=("content-encoding", "gzip")
    )
    assert places(squeezed) == [
        "response.body (gzip), joined from the deltas at choices/delta/content"
    ]


@pytest.mark.unmeasured
def test_the_bundled_cassettes_have_no_secret() -> None:
    hits = [
        h for path in sorted(BUNDLED.rglob("*.yaml")) for h in scan_cassette(library.load(path))
    ]
    assert hits == []
