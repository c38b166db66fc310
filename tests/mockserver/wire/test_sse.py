from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.wire import sse
from mockserver.wire.body import Media, media_of
from tests.mockserver.wire.wpt_cases import CASES, Case


def dispatched(blocks: list[sse.Block]) -> list[tuple[str, str, str]]:
    return [(b.event, b.data, b.id) for b in blocks if b.data is not None]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_web_platform_case_at_every_split_point(case: Case) -> None:
    if media_of(case.content_type, case.body) is not Media.SSE:
        assert case.events == []
        return
    for at in range(len(case.body) + 1):
        decoder = sse.Decoder()
        blocks = decoder.feed(case.body[:at]) + decoder.feed(case.body[at:])
        assert dispatched(blocks) == case.events, at
        if case.retry is not None:
            assert [b.retry for b in blocks if b.retry is not None] == [case.retry]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_web_platform_case_byte_by_byte(case: Case) -> None:
    if media_of(case.content_type, case.body) is not Media.SSE:
        return
    decoder = sse.Decoder()
    blocks = [b for i in range(len(case.body)) for b in decoder.feed(case.body[i : i + 1])]
    assert dispatched(blocks) == case.events


def test_unfinished_block_is_only_given_by_close() -> None:
    decoder = sse.Decoder()
    assert decoder.feed(b"data: a\n\ndata: [DONE]") != []
    last = decoder.close()
    assert last is not None
    assert last.data == "[DONE]"
    assert last.span == (9, 21)
    assert decoder.close() is None


def test_spans_cover_the_body_without_gaps() -> None:
    body = b"\xef\xbb\xbfdata: a\r\n\r\n: note\n\ndata: b\rdata: c\r\r"
    blocks = sse.decode(body)
    assert [body[slice(*b.span)] for b in blocks] == [
        b"\xef\xbb\xbfdata: a\r\n\r\n",
        b"data: b\rdata: c\r\r",
    ]


def test_fields_that_the_standard_ignores_are_kept_apart() -> None:
    (block,) = sse.decode(b'error: {"code":400}\nfoo\n\n')
    assert block.data is None
    assert block.ignored == ('error: {"code":400}', "foo")


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1e"])
def test_only_cr_and_lf_end_a_line(separator: str) -> None:
    (block,) = sse.decode(f"data: a{separator}b\n\n".encode())
    assert block.data == f"a{separator}b"


def test_bytes_that_are_not_utf8_are_replaced_and_noted() -> None:
    bad, good = sse.decode(b"data: \xff\n\ndata: \xef\xbf\xbd\n\n")
    assert (bad.data, bad.malformed) == ("�", True)
    assert (good.data, good.malformed) == ("�", False)


def test_a_long_line_in_small_pieces_is_linear() -> None:
    # A million appends that each copied the line so far would not come to an end here.
    decoder = sse.Decoder()
    for _ in range(200_000):
        assert decoder.feed(b"xxxxx") == []
    assert decoder.feed(b"\n\n")[0].ignored == ("xxxxx" * 200_000,)


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\r", codec="utf-8"))))
def test_what_is_encoded_comes_back(texts: list[str]) -> None:
    body = b"".join(sse.encode(text, event="delta", event_id="7") for text in texts)
    assert [(b.event, b.data, b.id) for b in sse.decode(body)] == [
        ("delta", text, "7") for text in texts
    ]


def test_encode_writes_the_documented_form() -> None:
    assert sse.encode("a\nb", event="e", event_id="1", retry=5) == (
        b"event: e\nid: 1\nretry: 5\ndata: a\ndata: b\n\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"data": "a\rb"},
        {"data": "a", "event": "x\ny"},
        {"data": "a", "event_id": "x\r"},
        {"data": "a", "event_id": "\0"},
    ],
)
def test_encode_refuses_what_the_format_cannot_carry(arguments: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="event"):
        sse.encode(**arguments)  # type: ignore[arg-type]


@given(st.binary(max_size=60), st.data())
def test_decoding_does_not_depend_on_how_bytes_arrive(body: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    whole, parts = sse.Decoder(), sse.Decoder()
    expected = [*whole.feed(body), whole.close()]
    seen: list[sse.Block | None] = []
    for begin, end in zip([0, *cuts], [*cuts, len(body)], strict=True):
        seen += parts.feed(body[begin:end])
    seen.append(parts.close())
    # A CR at the end of a piece ends its line before the LF is known, which moves a span by one.
    strip = [(b.event, b.data, b.id, b.retry, b.ignored, b.malformed) if b else None for b in seen]
    assert strip == [
        (b.event, b.data, b.id, b.retry, b.ignored, b.malformed) if b else None for b in expected
    ]


@pytest.mark.parametrize(
    ("body", "ends"),
    [
        (b"", []),
        (b"data: a\n\ndata: b\n\n", [9, 18]),
        (b"data: a\r\n\r\ndata: b", [11]),
        (b"data: a\r\rdata: b\r\r", [9, 18]),
        (b": note\n\n\n\ndata: a\n\n", [10, 19]),
    ],
)
def test_event_ends(body: bytes, ends: list[int]) -> None:
    assert sse.event_ends(body) == ends


@pytest.mark.parametrize(
    ("block", "is_keepalive"),
    [
        ("data: : ping", True),
        ("data::", True),
        ("data: :a\ndata: :b", True),
        ("data: :a\ndata: {}", False),
        ("event: ping\ndata: 12:01", True),
        ("event: Keep-Alive\ndata: 7", True),
        ("event: heartbeat\ndata", True),
        ("event: ping\ndata: {}", False),
        ("event: ping\ndata: []", False),
        ("event: ping\ndata: [DONE]", False),
        ("event: ping", False),
        ("event: other\ndata: ping", False),
        ("data: x", False),
    ],
)
def test_keepalives_that_are_sent_as_events(block: str, is_keepalive: bool) -> None:
    assert sse.decode(f"{block}\n\n".encode())[0].is_keepalive is is_keepalive
