"""AWS event streams: frames of all header types, in pieces of any size, exact to the byte."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.cassettes.cassette import Response
from mockserver.wire import Media, axes, eventstream, from_response
from mockserver.wire.body import body_of, media_of
from mockserver.wire.documents import documents
from mockserver.wire.eventstream import (
    CONTENT_TYPE,
    Frame,
    FrameDecoder,
    Header,
    Kind,
    encode,
    frame_ends,
    frames,
)
from mockserver.wire.schedule import Schedule
from mockserver.wire.variation import Break, FaultKind, Variation
from mockserver.wire.variation import apply as vary

#: The first frame of a real stream, as AWS sends it.
FIRST = base64.b64decode(
    "AAAAgAAAAFJRoV8jCzpldmVudC10eXBlBwAMbWVzc2FnZVN0YXJ0DTpjb250ZW50LXR5cGUHABBhcHBsaWNhdGlvbi9q"
    "c29uDTptZXNzYWdlLXR5cGUHAAVldmVudHsicCI6ImFiYyIsInJvbGUiOiJhc3Npc3RhbnQifQ=="
) + bytes.fromhex("f29ed8da")


def test_a_frame_of_aws_is_read_and_written() -> None:
    (frame,) = frames(FIRST)
    assert frame.problem is None
    assert frame.text(":event-type") == "messageStart"
    assert frame.text(":content-type") == "application/json"
    assert frame.text(":message-type") == "event"
    assert frame.text(":exception-type") == ""
    assert json.loads(frame.payload) == {"p": "abc", "role": "assistant"}
    assert frame.span == (0, 128)
    assert FIRST[frame.payload_start :].startswith(b"{")
    assert encode(frame.headers, frame.payload) == FIRST


HEADERS = (
    Header("t", True, Kind.TRUE),
    Header("f", False, Kind.FALSE),
    Header("b", -3, Kind.BYTE),
    Header("s", 300, Kind.SHORT),
    Header("i", -70000, Kind.INTEGER),
    Header("l", 2**40, Kind.LONG),
    Header("raw", b"\x00\xff", Kind.BYTES),
    Header("text", "grün"),
    Header("when", 1763712000123, Kind.TIMESTAMP),
    Header("id", UUID(int=7), Kind.UUID),
)


def test_headers_of_every_type() -> None:
    data = encode(HEADERS, b"")
    (frame,) = frames(data)
    assert frame.headers == HEADERS
    assert frame.text("raw") == ""


def test_boto_reads_the_same_headers() -> None:
    botocore = pytest.importorskip("botocore.eventstream")
    buffer = botocore.EventStreamBuffer()
    buffer.add_data(encode(HEADERS, b"payload"))
    message = buffer.next()
    assert message.payload == b"payload"
    given = {h.name: h.value.bytes if isinstance(h.value, UUID) else h.value for h in HEADERS}
    assert message.headers == given


_VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.TRUE: st.just(True),
    Kind.FALSE: st.just(False),
    Kind.BYTE: st.integers(-(2**7), 2**7 - 1),
    Kind.SHORT: st.integers(-(2**15), 2**15 - 1),
    Kind.INTEGER: st.integers(-(2**31), 2**31 - 1),
    Kind.LONG: st.integers(-(2**63), 2**63 - 1),
    Kind.BYTES: st.binary(max_size=20),
    Kind.TEXT: st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    Kind.TIMESTAMP: st.integers(-(2**63), 2**63 - 1),
    Kind.UUID: st.uuids(),
}
headers = st.sampled_from(list(Kind)).flatmap(
    lambda kind: st.builds(
        Header,
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
        _VALUES[kind],
        st.just(kind),
    )
)
streams = st.lists(
    st.tuples(st.lists(headers, max_size=4, unique_by=lambda h: h.name), st.binary(max_size=60)),
    min_size=1,
    max_size=4,
)


@given(streams, st.data())
def test_frames_come_out_as_they_went_in_however_they_are_cut(
    stream: list[tuple[list[Header], bytes]], data: st.DataObject
) -> None:
    sent = [encode(found, payload) for found, payload in stream]
    body = b"".join(sent)
    decoder = FrameDecoder()
    found: list[Frame] = []
    at = 0
    while at < len(body):
        size = data.draw(st.integers(1, 40))
        found += decoder.feed(body[at : at + size])
        at += size
    assert [(list(f.headers), f.payload) for f in found] == stream
    assert [f.problem for f in found] == [None] * len(stream)
    assert decoder.pending == 0
    assert tuple(found) == frames(body)
    assert [f.span[1] for f in found] == frame_ends(body)
    assert [body[slice(*f.span)] for f in found] == sent


@given(streams, st.data())
def test_a_changed_byte_is_always_noticed(
    stream: list[tuple[list[Header], bytes]], data: st.DataObject
) -> None:
    body = bytearray(b"".join(encode(found, payload) for found, payload in stream))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    found = frames(bytes(body))
    assert any(f.problem for f in found)


@given(st.binary(max_size=80))
def test_any_bytes_are_read_without_an_exception(data: bytes) -> None:
    decoder = FrameDecoder()
    found = decoder.feed(data)
    assert sum(f.span[1] - f.span[0] for f in found) + decoder.pending == len(data)
    assert all(end <= len(data) for end in frame_ends(data))


def prelude(total: int, size: int) -> bytes:
    lengths = struct.pack("!II", total, size)
    return lengths + struct.pack("!I", zlib.crc32(lengths))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (prelude(15, 0) + b"xxxx", "cannot be"),
        (prelude(20, 5) + bytes(8), "cannot be"),
        (prelude(2**31, 0), "cannot be"),
        (prelude(200000, 131073), "cannot be"),
        (prelude(20, 0)[:-1] + b"\x00" + bytes(8), "prelude"),
    ],
)
def test_a_prelude_that_cannot_be_ends_the_frames(data: bytes, problem: str) -> None:
    found = frames(FIRST + data + FIRST)
    assert [f.problem is None for f in found] == [True, False]
    assert problem in (found[1].problem or "")
    assert frame_ends(FIRST + data + FIRST) == [128]
    decoder = FrameDecoder()
    decoder.feed(FIRST + data)
    assert decoder.feed(FIRST) == []


def test_the_largest_frame_is_allowed() -> None:
    limit = eventstream.PRELUDE + eventstream.MOST_PAYLOAD + eventstream.CHECKSUM
    assert frames(prelude(limit, 0)) == ()
    assert frames(prelude(limit + 1, 0))[0].problem is not None
    assert frames(prelude(16 + 131072, 131072)) == ()


def test_a_wrong_checksum_does_not_hide_the_next_frame() -> None:
    bad = FIRST[:-1] + b"\x00"
    found = frames(bad + FIRST)
    assert [f.problem is None for f in found] == [False, True]
    assert "checksum" in (found[0].problem or "")
    assert found[0].headers == ()


def with_headers(data: bytes) -> bytes:
    begin = prelude(16 + len(data), len(data)) + data
    return begin + struct.pack("!I", zlib.crc32(begin))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\x01a\x0a", "not known"),
        (b"\x01a\x07\x00\x05ab", "beyond the end"),
        (b"\x05a", "beyond the end"),
        (b"\x01a\x00\x01a\x01", "twice"),
        (b"\x01\xff\x00", "not UTF-8"),
        (b"\x01a\x07\x00\x01\xff", "not UTF-8"),
        (b"\x01a", "beyond the end"),
    ],
)
def test_headers_that_cannot_be_read_are_a_problem(data: bytes, problem: str) -> None:
    (frame,) = frames(with_headers(data))
    assert problem in (frame.problem or "")


@pytest.mark.parametrize(
    "header",
    [
        Header("", "x"),
        Header("n" * 256, "x"),
        Header("n", "x" * 40000),
        Header("n", True, Kind.FALSE),
        Header("n", True, Kind.LONG),
        Header("n", "x", Kind.BYTES),
        Header("n", 200, Kind.BYTE),
        Header("n", b"x"),
    ],
)
def test_a_header_that_cannot_be_written_is_refused(header: Header) -> None:
    with pytest.raises(ValueError, match="header"):
        encode([header], b"")


def test_frames_that_are_too_long_are_refused() -> None:
    many = [Header(f"n{i}", "x" * 30000) for i in range(5)]
    with pytest.raises(ValueError, match="do not fit"):
        encode(many, b"")


# --- as the body of an answer


def test_a_body_of_frames_is_known_by_its_content_type() -> None:
    assert media_of(CONTENT_TYPE, FIRST) is Media.AWS_FRAMES
    assert media_of(f"{CONTENT_TYPE}; charset=utf-8", b"") is Media.AWS_FRAMES
    assert media_of(CONTENT_TYPE, b'{"message":"no"}') is Media.OTHER
    assert media_of(CONTENT_TYPE, b"<html>") is Media.OTHER
    body = body_of(FIRST + FIRST[:9], Media.AWS_FRAMES)
    assert body.event_ends == (128,)
    assert body.spans == ((0, 128), (128, 137))
    assert len(body.frames) == 1
    assert body_of(FIRST, Media.OTHER).frames == ()
    assert body.blocks == ()


def test_a_payload_is_a_document_at_its_place() -> None:
    body = FIRST * 2 + encode((Header(":exception-type", "x"),), b'{"message":"no"}')
    found = documents(body + encode((Header(":error-code", "y"),), b""), CONTENT_TYPE)
    assert [d.event for d in found] == ["messageStart", "messageStart", "x"]
    (_, start, stop), *_ = found[1].strings()
    assert body[start:stop] == b"abc"


def answer(body: bytes = FIRST * 5) -> Schedule:
    headers = (("content-type", CONTENT_TYPE),)
    return from_response(Response(status=200, reason="OK", headers=headers, body=body))


def test_framing_cuts_inside_each_part_of_a_frame() -> None:
    plain = answer(FIRST)
    assert [len(s.data) for s in answer().sends] == [128] * 5
    cut = axes.apply(plain, axes.point({"framing": "frame"}))
    ends = []
    for send in cut.sends:
        ends.append((ends[-1] if ends else 0) + len(send.data))
    start = frames(FIRST)[0].payload_start
    assert cut.body == FIRST
    assert any(0 < end < 12 for end in ends)
    assert any(12 < end < start for end in ends)
    assert start in ends
    assert any(start < end < 124 for end in ends)
    assert any(124 < end < 128 for end in ends)
    assert axes.reframes(plain, "frame", 0)


def test_framing_inside_frames_is_for_frames_alone() -> None:
    headers = (("content-type", "text/event-stream"),)
    sse = from_response(Response(status=200, reason="OK", headers=headers, body=b"data: a\n\n"))
    assert not axes.reframes(sse, "frame", 0)
    zipped = axes.apply(answer(), axes.point({"gzip": "yes"}))
    assert not axes.reframes(zipped, "frame", 0)
    assert zipped.plain.data == FIRST * 5


@pytest.mark.parametrize("events", range(5))
def test_a_cut_comes_inside_the_next_frame(events: int) -> None:
    broken = Break(FaultKind.CUT, events)
    (cut,) = vary((answer(),), Variation(broken=broken))
    rest = len(cut.body) - events * 128
    start = frames(FIRST)[0].payload_start
    low, high = ((0, 12), (12, start), (start, 124), (124, 128))[events % 4]
    assert low < rest < high
    assert len(cut.plain.frames) == events


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.STALL])
def test_other_breaks_come_between_frames(kind: FaultKind) -> None:
    (broken,) = vary((answer(),), Variation(broken=Break(kind, 2)))
    assert len(broken.body) == 256


def test_a_cut_behind_the_last_frame_is_the_whole_answer() -> None:
    (whole,) = vary((answer(),), Variation(broken=Break(FaultKind.CUT, 5)))
    assert whole.body == FIRST * 5
