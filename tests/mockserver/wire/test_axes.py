from __future__ import annotations

import gzip
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.cassettes.cassette import Chunk, Response, Wire
from mockserver.wire import axes, sse
from mockserver.wire.schedule import Coding, Schedule, Send, from_response

TEXT = (
    'event: one\ndata: {"a":"é🎉\\n\\u00e9"}\n\n'
    ': note\n\ndata:{"b":1}\ndata:  two\n\ndata: [DONE]\n\n'
)


def stream(body: bytes = TEXT.encode(), chunks: tuple[Chunk, ...] | None = None) -> Schedule:
    return from_response(
        Response(
            status=200,
            reason="OK",
            headers=(("content-type", "text/event-stream"),),
            body=body,
            wire=Wire(chunks=chunks),
        )
    )


def meaning(body: bytes) -> list[tuple[str, str | None]]:
    return [(b.event, b.data) for b in sse.decode(body)]


def at(**values: str) -> axes.Point:
    return axes.point({k.replace("_", "-"): v for k, v in values.items()})


@pytest.mark.parametrize(
    ("point", "body"),
    [
        (at(eol="crlf"), TEXT.replace("\n", "\r\n")),
        (at(eol="cr"), TEXT.replace("\n", "\r")),
        (
            at(space="none"),
            TEXT.replace("event: ", "event:").replace("data: {", "data:{").replace(": [", ":["),
        ),
        (at(comments="between"), TEXT.replace("\n\n", "\n\n: keep-alive\n\n")),
        (at(comments="inside"), TEXT.replace("data:", ":\ndata:")),
        (at(bom="yes"), "\ufeff" + TEXT),
    ],
    ids=str,
)
def test_text_axes(point: axes.Point, body: str) -> None:
    assert axes.apply(stream(), point).body == body.encode()


LINES = b'{"a":\r1}\n\n{"b":2}\r\n{"c":3}'


def lines(body: bytes = LINES) -> Schedule:
    headers = (("content-type", "application/x-ndjson"),)
    return from_response(Response(status=200, reason="OK", headers=headers, body=body))


@pytest.mark.parametrize(
    ("point", "body"),
    [
        (at(eol="crlf"), b'{"a":\r1}\r\n\r\n{"b":2}\r\n{"c":3}'),
        (at(eol="lf"), b'{"a":\r1}\n\n{"b":2}\n{"c":3}'),
        (at(comments="between"), b'{"a":\r1}\n\n\n\n{"b":2}\r\n\r\n{"c":3}'),
    ],
    ids=str,
)
def test_json_lines_have_line_ends_and_blank_lines(point: axes.Point, body: bytes) -> None:
    assert axes.apply(lines(), point).body == body


@pytest.mark.parametrize(
    "point", [at(eol="cr"), at(space="none"), at(comments="inside"), at(bom="yes")], ids=str
)
def test_what_is_of_event_streams_leaves_json_lines_alone(point: axes.Point) -> None:
    schedule = lines()
    assert axes.apply(schedule, point) is schedule


def cuts(schedule: Schedule) -> list[bytes]:
    return [s.data for s in schedule.sends]


def test_framings_cut_where_they_say() -> None:
    whole = TEXT.encode()
    assert cuts(axes.apply(stream(), at(framing="blob"))) == [whole]
    assert cuts(axes.apply(stream(), at(framing="one-byte"))) == [bytes([b]) for b in whole]
    utf8 = cuts(axes.apply(stream(), at(framing="utf8")))
    assert [c[-1:] for c in utf8[:-1]] == [b"\xc3", b"\xf0"]
    crlf = cuts(axes.apply(stream(), at(eol="crlf", framing="crlf")))
    assert all(c.endswith(b"\r") for c in crlf[:-1])
    assert len(crlf) == TEXT.count("\n") + 1
    escape = cuts(axes.apply(stream(), at(framing="escape")))
    assert [c[-2:] for c in escape[:-1]] == [b"\x89\\", b"n\\", b"u0"]


def test_recorded_chunks_move_with_the_text() -> None:
    body = b"data: ab\n\ndata: cd\n\n"
    schedule = stream(body, (Chunk(1, 7), Chunk(2, 5), Chunk(3, 8)))
    moved = axes.apply(schedule, at(eol="crlf"))
    assert moved.steps == (
        Send(b"data: a", 1),
        Send(b"b\r\n\r\nda", 2),
        Send(b"ta: cd\r\n\r\n", 3),
    )


def test_gzip_is_flushed_per_piece_and_names_itself() -> None:
    packed = axes.apply(stream(), at(gzip="yes"))
    assert packed.header("content-encoding") == "gzip"
    assert len(packed.sends) == len(stream().sends)
    assert gzip.decompress(packed.body) == TEXT.encode()


def test_coding() -> None:
    assert axes.apply(stream(), at(coding="close")).coding is Coding.CLOSE


@pytest.mark.parametrize(
    ("body", "point"),
    [
        (b"data: a\n\n", at(framing="utf8")),
        (b"data: a\n\n", at(framing="crlf")),
        (b"data: a\n\n", at(framing="event")),
        (b"data: a\n\n", at(eol="lf")),
        (b"data:a\n\n", at(space="none")),
        (b"\xef\xbb\xbfdata: a\n\n", at(bom="yes")),
        (b"data: a\n\n", at(coding="chunked")),
        (b"", at(gzip="yes")),
        (b'{"a":1}', at(eol="crlf")),
    ],
    ids=str,
)
def test_a_point_that_changes_nothing_returns_the_schedule_itself(
    body: bytes, point: axes.Point
) -> None:
    schedule = stream(body)
    assert axes.apply(schedule, point) is schedule


def test_every_combination_means_the_same() -> None:
    names = [a for a in axes.AXES if a != "coding"]
    expected = meaning(TEXT.encode())
    for values in product(*(axes.AXES[name] for name in names)):
        sent = axes.apply(stream(), axes.point(dict(zip(names, values, strict=True))))
        assert meaning(sent.decoded().body) == expected, values


@given(st.integers(0, 10**6))
def test_a_random_framing_can_be_repeated(seed: int) -> None:
    once, again = (axes.apply(stream(), axes.point({"framing": "random"}, seed)) for _ in "ab")
    assert once == again
    assert once.body == TEXT.encode()


def test_random_framings_differ_by_seed() -> None:
    assert len({axes.apply(stream(), axes.point({"framing": "random"}, n)) for n in range(9)}) > 5


def test_large_bodies_are_cut_by_bytes_only_where_it_hurts() -> None:
    body = b"data: " + b"x" * 300_000 + "é".encode() + b"y" * 300_000 + b"\n\n"
    sizes = [len(s.data) for s in axes.apply(stream(body), at(framing="one-byte")).sends]
    assert sum(sizes) == len(body)
    assert len(sizes) < 3 * axes.ONE_BYTE_LIMIT
    at_e = body.index("é".encode())
    starts = {sum(sizes[:n]) for n in range(len(sizes))}
    assert {at_e, at_e + 1, at_e + 2} <= starts


@pytest.mark.parametrize(
    ("values", "says"),
    [({"eols": "cr"}, "unknown axis 'eols'"), ({"eol": "crcr"}, "unknown value eol=crcr")],
)
def test_unknown_names(values: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        axes.point(values)


def test_points_have_one_spelling() -> None:
    assert str(axes.point({"framing": "blob", "eol": "cr", "gzip": "recorded"})) == (
        "eol=cr,framing=blob"
    )
    assert str(axes.RECORDED) == "recorded"


@pytest.mark.parametrize("value", axes.AXES["framing"][1:])
@pytest.mark.parametrize(
    "body", [b"", b"x", b"data: a\n\n", b"\r\n" * 3, TEXT.encode(), b"\\u00e9" * 2000]
)
def test_what_reframes_is_what_is_cut_otherwise(value: str, body: bytes) -> None:
    for before in (stream(body), axes.apply(stream(body), at(gzip="yes"))):
        changed = axes.apply(before, axes.point({"framing": value}, 3)) is not before
        assert axes.reframes(before, value, 3) is changed
