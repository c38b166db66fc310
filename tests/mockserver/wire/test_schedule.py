from __future__ import annotations

import gzip
import sys

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.cassettes.cassette import Chunk, End, Response, Wire
from mockserver.errors import CodingError, TooLargeError
from mockserver.wire.body import Media, media_of
from mockserver.wire.content_coding import LIMIT
from mockserver.wire.schedule import (
    Coding,
    Ending,
    Gate,
    Schedule,
    Send,
    from_response,
    gate_after,
    split_at,
)

BODY = b"data: a\n\ndata: b\n\n"


def response(
    body: bytes = BODY,
    *,
    content_type: str = "text/event-stream",
    headers: tuple[tuple[str, str], ...] = (),
    wire: Wire | None = None,
) -> Response:
    return Response(
        status=200,
        reason="OK",
        headers=(("content-type", content_type), *headers),
        body=body,
        wire=wire or Wire(),
    )


def pieces(schedule: Schedule) -> list[bytes]:
    return [s.data for s in schedule.sends]


def test_recorded_chunks_are_kept_with_their_times() -> None:
    wire = Wire(chunks=(Chunk(5, 3), Chunk(9, 15)), headers_ms=4)
    schedule = from_response(response(wire=wire))
    assert schedule.steps == (Send(b"dat", 5), Send(b"a: a\n\ndata: b\n\n", 9))
    assert (schedule.coding, schedule.headers_ms) == (Coding.CHUNKED, 4)


def test_a_stream_without_chunks_is_cut_per_event() -> None:
    assert pieces(from_response(response())) == [b"data: a\n\n", b"data: b\n\n"]


def test_ndjson_is_cut_per_line_and_json_not_at_all() -> None:
    body = b'{"a":1}\n{"b":2}\n'
    ndjson = from_response(response(body, content_type="application/x-ndjson"))
    assert pieces(ndjson) == [b'{"a":1}\n', b'{"b":2}\n']
    json = from_response(response(body, content_type="application/json"))
    assert (pieces(json), json.coding) == ([body], Coding.LENGTH)


def test_an_array_is_cut_behind_its_elements() -> None:
    body = b'[{"a":1},\r\n{"b":2}\n]'
    array = from_response(response(body, content_type="application/json"))
    assert pieces(array) == [b'[{"a":1}', b',\r\n{"b":2}\n]']
    assert array.coding is Coding.CHUNKED


@pytest.mark.parametrize(
    ("content_type", "body", "media"),
    [
        ("text/event-stream; charset=utf-8", b"data: a", Media.SSE),
        ("text/event-stream", b' {"error": {}}', Media.OTHER),
        ("text/event-stream", b"<html>", Media.OTHER),
        ("", b"event: x\n", Media.SSE),
        ("", b"\xef\xbb\xbfdata: x\n", Media.SSE),
        ("", b"{}", Media.OTHER),
        ("application/json", b"data: a", Media.SSE),
        ("text/plain", b"event: a", Media.SSE),
        ("text/plain", b"the data: a", Media.OTHER),
        ("application/x-ndjson", b"{}", Media.NDJSON),
        ("application/json; charset=UTF-8", b' [{\r\n "a": 1}', Media.JSON_ARRAY),
        ("application/json", b'[{"error": {}}]', Media.OTHER),
        ("application/json", b"[1]", Media.OTHER),
        ("text/plain", b'[{"a": 1}]', Media.OTHER),
        ("text/event-stream", b'[{"a": 1}]', Media.OTHER),
    ],
)
def test_media(content_type: str, body: bytes, media: Media) -> None:
    assert media_of(content_type, body) is media


def test_hop_by_hop_headers_are_left_to_the_server() -> None:
    played = from_response(
        response(
            headers=(
                ("Transfer-Encoding", "chunked"),
                ("Connection", "keep-alive"),
                ("Content-Length", "9"),
                ("x-request-id", "req_1"),
                ("Set-Cookie", "a=1"),
                ("Set-Cookie", "b=2"),
            )
        )
    ).headers
    assert played == (
        ("content-type", "text/event-stream"),
        ("x-request-id", "req_1"),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
    )


def test_a_stale_content_encoding_is_dropped_and_a_true_one_kept() -> None:
    encoding = (("content-encoding", "gzip"),)
    assert from_response(response(headers=encoding)).header("content-encoding") is None
    packed = gzip.compress(BODY)
    true = from_response(response(packed, headers=encoding))
    assert true.header("content-encoding") == "gzip"
    assert true.body == packed
    plain = true.decoded()
    assert (pieces(plain), plain.header("content-encoding")) == (
        [b"data: a\n\n", b"data: b\n\n"],
        None,
    )
    assert true.plain.event_ends == (9, 18)


def test_a_coding_without_a_decoder_is_played_but_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "brotli", None)
    encoding = (("content-encoding", "br"),)
    packed = brotli.compress(BODY)
    schedule = from_response(response(packed, headers=encoding))
    assert schedule.header("content-encoding") == "br"
    assert pieces(schedule) == [packed]
    with pytest.raises(CodingError, match="no decoder for br; install one with: pip install"):
        schedule.decoded()
    # A body that is text was decoded by its recorder.
    assert from_response(response(headers=encoding)).header("content-encoding") is None


def test_a_body_beyond_the_limit_is_played_but_not_read() -> None:
    packed = gzip.compress(b"\0" * (LIMIT + 1))
    schedule = from_response(response(packed, headers=(("content-encoding", "gzip"),)))
    assert schedule.header("content-encoding") == "gzip"
    with pytest.raises(TooLargeError):
        schedule.decoded()


@pytest.mark.parametrize(
    ("end", "ending"),
    [
        (End.EOF, Ending.FINISH),
        (End.TRUNCATED, Ending.TRUNCATE),
        (End.RESET, Ending.RESET),
        (End.TIMEOUT, Ending.STALL),
        (End.CLIENT_CLOSED, Ending.STALL),
    ],
)
def test_endings(end: End, ending: Ending) -> None:
    assert from_response(response(wire=Wire(end=end, end_ms=1))).ending is ending


@given(st.binary(max_size=50), st.lists(st.integers(-5, 60)), st.lists(st.integers(1, 9)))
def test_splitting_keeps_the_bytes_and_the_time_of_each_first_byte(
    body: bytes, cuts: list[int], sizes: list[int]
) -> None:
    sends, at = [], 0
    for number, size in enumerate(sizes):
        if piece := body[at : at + size]:
            sends.append(Send(piece, float(number)))
        at += size
    before = Schedule(
        status=200,
        reason="OK",
        headers=(),
        headers_ms=0,
        steps=tuple(sends),
        coding=Coding.CHUNKED,
        ending=Ending.FINISH,
        media=Media.OTHER,
    )
    after = split_at(before, cuts)
    assert after.body == before.body
    assert all(s.data for s in after.sends)
    times = [s.at_ms for s in before.sends for _ in s.data]
    position = 0
    for send in after.sends:
        assert send.at_ms == times[position]
        position += len(send.data)
    assert {len(b"".join(pieces(after)[:n])) for n in range(1, len(after.sends))} == {
        c for c in cuts if 0 < c < len(before.body)
    }


def test_a_gate_is_placed_after_the_given_byte() -> None:
    gated = gate_after(from_response(response()), 9, "first")
    assert gated.steps == (Send(b"data: a\n\n"), Gate("first"), Send(b"data: b\n\n"))
    inside = gate_after(from_response(response()), 4, "early")
    assert inside.steps[:2] == (Send(b"data"), Gate("early"))
