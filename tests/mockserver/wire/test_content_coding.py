from __future__ import annotations

import gzip
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from itertools import pairwise

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from mockserver.errors import CodingError, NotEncodedError, TooLargeError
from mockserver.wire import content_coding
from mockserver.wire.content_coding import (
    decode,
    decode_pieces,
    decompress,
    encoding_of,
    inflate,
    is_known,
)

Pack = Callable[[bytes], bytes]
TEXT = b'{"text": "' + bytes(range(0x20, 0x7F)) * 100 + b'"}'


def bare_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def in_two(pack: Pack) -> Pack:
    return lambda data: pack(data[: len(data) // 2]) + pack(data[len(data) // 2 :])


PACKS: dict[str, tuple[str, Pack]] = {
    "gzip": ("gzip", gzip.compress),
    "two members": ("gzip", in_two(gzip.compress)),
    "padded": ("gzip", lambda data: gzip.compress(data) + b"\0" * 2000),
    "x-gzip": ("x-gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "bare deflate": ("deflate", bare_deflate),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstd),
    "two frames": ("zstd", in_two(zstd)),
}
packed = pytest.mark.parametrize(("coding", "pack"), PACKS.values(), ids=PACKS)


@packed
@pytest.mark.parametrize("size", [0, 1, len(TEXT)])
def test_what_was_encoded_is_decoded(coding: str, pack: Pack, size: int) -> None:
    assert decode(pack(TEXT[:size]), coding.upper()) == TEXT[:size]


@packed
def test_a_body_is_decoded_piece_by_piece(coding: str, pack: Pack) -> None:
    body = pack(TEXT)
    sent = [body[:1], b"", *(body[i : i + 7] for i in range(1, len(body), 7))]
    pieces = decode_pieces(sent, coding)
    assert b"".join(pieces) == TEXT
    assert pieces[1] == b""


def test_each_piece_gives_what_a_client_can_read_by_then() -> None:
    packer = zlib.compressobj(wbits=31)
    texts = [b"data: a\n\n", b"data: b\n\n"]
    sent = [packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH) for text in texts]
    assert decode_pieces([*sent, packer.flush()], "gzip") == [*texts, b""]


@given(st.binary(), st.lists(st.integers(0, 300), max_size=5))
def test_cuts_change_nothing(data: bytes, cuts: list[int]) -> None:
    for coding, pack in PACKS.values():
        body = pack(data)
        ends = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
        pieces = [body[a:b] for a, b in pairwise(ends)]
        assert b"".join(decode_pieces(pieces, coding)) == data


def test_codings_around_each_other_are_undone_from_the_last_on() -> None:
    headers = (("Content-Encoding", "gzip, identity"), ("x", "y"), ("content-encoding", " BR "))
    assert encoding_of(headers) == "gzip, identity,  BR "
    assert decode(brotli.compress(gzip.compress(TEXT)), encoding_of(headers)) == TEXT


@pytest.mark.parametrize("encoding", ["", "identity", " , Identity"])
def test_a_body_without_coding_is_returned_itself(encoding: str) -> None:
    assert decode(TEXT, encoding) is TEXT
    assert decompress(TEXT, encoding) is TEXT
    assert decode_pieces([TEXT, b""], encoding) == [TEXT, b""]


@packed
def test_an_empty_body_is_in_every_coding(coding: str, pack: Pack) -> None:
    assert decode(b"", coding) == b""


@packed
def test_what_is_cut_off_or_has_more_behind_it_is_not_decoded(coding: str, pack: Pack) -> None:
    body = pack(TEXT).rstrip(b"\0") if pack is PACKS["padded"][1] else pack(TEXT)
    for broken in (body[:-1], body[: len(body) // 3], body + b"more", TEXT, b"\xff" + TEXT):
        with pytest.raises(NotEncodedError, match=coding):
            decode(broken, coding)
        assert decompress(broken, coding) is broken


@pytest.mark.parametrize("module", ["brotli", "zstandard"])
def test_a_missing_decoder_is_named_with_what_to_install(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    coding, pack = PACKS["br" if module == "brotli" else "zstd"]
    body = pack(TEXT)
    with pytest.raises(CodingError) as caught:
        decode(body, coding)
    assert str(caught.value) == (
        f"no decoder for {coding}; install one with: pip install 'tapecheck[codings]'"
    )
    assert not isinstance(caught.value, NotEncodedError)
    assert is_known(coding)
    assert inflate(body) == body
    # A body that is text was decoded by its recorder.
    with pytest.raises(NotEncodedError):
        decode(TEXT, coding)


def test_an_unknown_coding_is_named() -> None:
    with pytest.raises(CodingError, match=r"^no decoder for snappy$"):
        decode(b"\xff", "gzip, snappy")
    assert not is_known("gzip, snappy")
    assert is_known("GZIP, br")


# To pack them takes a second, which collecting the tests need not.
BOMBS: dict[str, tuple[str, Pack]] = {
    "gzip": ("gzip", gzip.compress),
    "members": ("gzip", lambda data: gzip.compress(data[: 2**20]) * 64),
    "deflate": ("deflate", zlib.compress),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstd),
    "twice": ("gzip, gzip", lambda data: gzip.compress(gzip.compress(data))),
}


@pytest.mark.parametrize(("coding", "pack"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_stopped_at_the_limit(coding: str, pack: Pack) -> None:
    body = pack(b"\0" * 2**26)
    assert len(body) < 2**17
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError, match="over 1048576 bytes when decoded from"):
            decode(body, coding, limit=2**20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**25
    assert decode(body, coding, limit=2**26) == b"\0" * 2**26
    assert len(inflate(body, 2**20)) <= 2**20


def test_the_limit_of_a_body_is_64_mib(monkeypatch: pytest.MonkeyPatch) -> None:
    assert content_coding.LIMIT == 64 * 2**20
    assert decompress(body := gzip.compress(b"\0" * (2**26 + 1)), "gzip") is body


def test_many_small_members_take_their_time_once() -> None:
    body = gzip.compress(b"") * 50_000 + gzip.compress(b"end")
    assert decode(body, "gzip") == b"end"


@pytest.mark.parametrize("name", ["gzip", "two members", "deflate", "zstd", "two frames"])
def test_what_begins_like_a_coding_is_inflated(name: str) -> None:
    body = PACKS[name][1](TEXT)
    assert inflate(body) == TEXT
    # What follows is searched too, and what is left of a body that was cut off.
    assert inflate(body + b"more") == TEXT + body + b"more"
    assert inflate(body[:-1]).endswith(body[:-1])
    assert inflate(body, 10) == TEXT[:10]


@pytest.mark.parametrize("data", [b"", b"x", b"xyz", b"\x1f\x8b", b"\x1f\x8bnot", b"{}"])
def test_anything_else_is_not_inflated(data: bytes) -> None:
    assert inflate(data) == data
