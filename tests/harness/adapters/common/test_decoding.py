import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Iterable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.common.decoding import GzipMembers, decoded

REQUEST = httpx.Request("GET", "http://models.test/")


@given(
    st.lists(st.binary(max_size=40), min_size=1, max_size=5), st.integers(1, 30), st.integers(0, 3)
)
def test_members_are_joined_wherever_the_pieces_end(texts: list[bytes], size: int, zeros: int):
    data = b"".join(gzip.compress(text) + bytes(zeros) for text in texts)
    members = GzipMembers()
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert b"".join(map(members.feed, pieces)) == b"".join(texts)


def test_each_member_is_decoded_as_it_arrives():
    members = GzipMembers()
    assert [members.feed(gzip.compress(text)) for text in (b"a", b"", b"b")] == [b"a", b"", b"b"]


def test_what_is_no_gzip_is_an_error():
    for data in (b"plain", gzip.compress(b"a") + b"plain"):
        with pytest.raises(zlib.error):
            GzipMembers().feed(data)


class Pieces(httpx.AsyncByteStream):
    """A body that arrives in these pieces; ``sent`` counts them."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = pieces
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            self.sent += 1
            yield piece


def read(coding: str, *pieces: bytes) -> list[tuple[int, bytes]]:
    """Decode a body; each piece of it with how many pieces had arrived."""

    async def run() -> list[tuple[int, bytes]]:
        body = Pieces(pieces)
        headers = {"content-encoding": coding}
        response = httpx.Response(200, headers=headers, stream=body, request=REQUEST)
        return [(body.sent, data) async for data in decoded(response)]

    return asyncio.run(run())


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", " GZIP"])
def test_a_body_is_decoded_before_it_ends(coding: str):
    pieces = [gzip.compress(b"a"), gzip.compress(b"b")]
    assert read(coding, *pieces) == [(1, b"a"), (2, b"b")]


def test_other_codings_are_decoded_too():
    assert b"".join(data for _, data in read("deflate", zlib.compress(b"ab"))) == b"ab"
    assert read("", b"ab") == [(1, b"ab")]


def test_a_truncated_member_gives_what_arrived():
    begun = zlib.compressobj(wbits=31)
    data = begun.compress(b"ab") + begun.flush(zlib.Z_SYNC_FLUSH)
    assert read("gzip", gzip.compress(b"x"), data) == [(1, b"x"), (2, b"ab")]


def test_a_body_that_does_not_decode_is_an_error_of_httpx():
    with pytest.raises(httpx.DecodingError) as caught:
        read("gzip", gzip.compress(b"a"), b"plain")
    assert caught.value.request is REQUEST


def test_a_body_that_was_read_already_is_not_decoded_twice():
    data = gzip.compress(b"a")
    response = httpx.Response(200, headers={"content-encoding": "gzip"}, content=data)

    async def run() -> bytes:
        return b"".join([piece async for piece in decoded(response)])

    assert asyncio.run(run()) == b"a"
