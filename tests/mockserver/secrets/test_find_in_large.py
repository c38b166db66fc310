"""Searching large texts: in slices, and without many copies."""

from __future__ import annotations

import base64
import random
import tracemalloc

import pytest

from mockserver.secrets import find, slices
from mockserver.wire import content_coding


@pytest.mark.parametrize("size", [1, 2, 7, 64, 1000])
def test_words_are_the_same_in_slices_of_any_size(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    blanks = bytes(c if chr(c).isalnum() and c < 128 else 32 for c in range(256))
    text = "".join(random.Random(size).choices("ab \u00e9\u20ac", [40, 40, 9, 1, 1], k=999))
    monkeypatch.setattr(slices, "_SLICE", size)
    wanted = {w for w in "".join(c if c in "ab" else " " for c in text).split() if len(w) >= 5}
    found = slices.words(text, blanks, 5)
    assert sorted(found) == sorted(wanted)


@pytest.mark.parametrize("size", [14, 15, 20, 1000])
def test_a_readable_text_is_found_across_slices(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "_SLICE", size)
    for before in range(40):
        assert slices.has_string(b"\0" * before + b"x" * 14 + b"\0" * 9)
        assert not slices.has_string(b"\0" * before + b"x" * 13 + b"\0" * 9)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_text_is_told_from_bytes_in_parts_of_any_size(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content_coding, "_PART", size)
    whole = "aé€𝄞z".encode()
    assert content_coding.is_text(whole)
    assert not content_coding.is_text(whole[:-2])
    assert not content_coding.is_text(whole + b"\xff")


def test_base64_is_searched_with_few_copies() -> None:
    data = base64.b64encode(random.Random(1).randbytes(6_000_000)).decode()
    tracemalloc.start()
    assert list(find.find(data)) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # It was 5.2 times; the text itself does not count.
    assert peak < 4 * len(data)
