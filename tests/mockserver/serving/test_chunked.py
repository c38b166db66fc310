from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.serving.chunked import ChunkedBody


def framed(chunks: list[bytes]) -> bytes:
    return b"".join(b"%X\r\n%b\r\n" % (len(c), c) for c in chunks) + b"0\r\n\r\n"


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=12),
    st.lists(st.integers(1, 30), max_size=40),
)
def test_chunks_are_kept_apart_however_they_arrive(chunks: list[bytes], steps: list[int]) -> None:
    text, body = framed(chunks), ChunkedBody()
    at = 0
    for step in (*steps, len(text)):
        if text[at : at + step]:
            body.feed(text[at : at + step])
        at += step
    assert (body.chunks, body.over, body.size) == (chunks, True, sum(map(len, chunks)))


def test_what_has_come_of_a_chunk() -> None:
    body = ChunkedBody()
    for data, unfinished in ((b"5", b""), (b";x=1\r\n", b""), (b"ab", b"ab"), (b"cde\r", b"abcde")):
        body.feed(data)
        assert (body.chunks, body.unfinished) == ([], unfinished)


@pytest.mark.parametrize(
    "text",
    [
        b"x\r\n",
        b"\r\n",
        b"-1\r\n",
        b"1_0\r\n",
        b"1\r\nab\r\n",
        b"0\r\nx: y\r\n\r\n",
        b"0\r\n\r\nmore",
        b"1" * 5000,
    ],
)
def test_what_is_no_chunked_body_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        ChunkedBody().feed(text)
