from __future__ import annotations

import gzip

import pytest

from mockserver.cassettes.cassette import Response
from mockserver.wire import axes
from mockserver.wire.body import Body, Media, body_of
from mockserver.wire.schedule import from_response
from mockserver.wire.sse import NOT_JSON

STREAM = b': hi\n\ndata: {"a": 1}\n\ndata: nonsense\n\ndata:\n\ndata: [DONE]'


def test_a_stream_has_blocks_and_what_it_left_unfinished() -> None:
    body = Body(STREAM, Media.SSE)
    assert [block.data for block in body.blocks] == ['{"a": 1}', "nonsense", ""]
    assert [block.json for block in body.blocks] == [{"a": 1}, NOT_JSON, NOT_JSON]
    assert body.unfinished is not None
    assert body.unfinished.data == "[DONE]"
    assert body.event_ends == (6, 22, 38, 45)
    assert body.spans[-1] == (45, len(STREAM))
    assert b"".join(body.data[slice(*span)] for span in body.spans) == STREAM


@pytest.mark.parametrize(
    ("data", "media", "ends", "spans"),
    [
        (b"{}\n[1]\n", Media.NDJSON, (3, 7), ((0, 3), (3, 7))),
        (b"{}\n[1]", Media.NDJSON, (3,), ((0, 3), (3, 6))),
        (b"[{},\n{}]", Media.JSON_ARRAY, (3, 8), ((0, 3), (3, 8))),
        (b"[{},\n{", Media.JSON_ARRAY, (3,), ((0, 3), (3, 6))),
        (b"data: 1\n\n", Media.OTHER, (), ((0, 9),)),
        (b"", Media.SSE, (), ((0, 0),)),
    ],
)
def test_events_have_places(
    data: bytes, media: Media, ends: tuple[int, ...], spans: tuple[tuple[int, int], ...]
) -> None:
    body = Body(data, media)
    assert (body.event_ends, body.spans) == (ends, spans)
    assert (body.blocks, body.unfinished) == ((), None)


def test_data_that_is_nested_without_end_is_no_json() -> None:
    (block,) = Body(b"data: " + b"[" * 100_000 + b"\n\n", Media.SSE).blocks
    assert block.json is NOT_JSON


def test_wires_with_the_same_text_share_one_body() -> None:
    headers = (("content-type", "text/event-stream"),)
    plain = from_response(Response(status=200, reason="OK", headers=headers, body=STREAM))
    packed = from_response(
        Response(
            status=200,
            reason="OK",
            headers=(*headers, ("content-encoding", "gzip")),
            body=gzip.compress(STREAM),
        )
    )
    assert packed.plain is plain.plain is body_of(STREAM, Media.SSE)
    for values in ({"framing": "one-byte"}, {"gzip": "yes"}, {"coding": "close"}):
        assert axes.apply(plain, axes.point(values)).plain is plain.plain
    other = axes.apply(plain, axes.point({"eol": "crlf"})).plain
    assert other is not plain.plain
    assert other.blocks[0].json is plain.plain.blocks[0].json


def test_only_an_array_has_elements() -> None:
    assert [e.data for e in Body(b"[{},1]", Media.JSON_ARRAY).elements] == [b"{}", b"1"]
    assert Body(b"[{},1]", Media.OTHER).elements == ()
