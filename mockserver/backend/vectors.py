"""Embeddings without a model: texts that share words and pieces of words are near. Pure."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

_WORD = re.compile(r"\w+")
#: How long the pieces of a word are, in characters.
_PIECE = 3
#: How many numbers each word or piece changes.
_SPREAD = 8
#: Whole words say more than pieces of them.
_WEIGHT = 2


def vector(text: str, size: int, *, salt: str = "") -> list[float]:
    """Return ``size`` numbers of length 1 together, the same for the same text and ``salt``.

    Words and their pieces count, not their order or case. ``size`` is at least 1.
    """
    numbers = [0.0] * size
    for feature, weight in _features(text).items():
        for place, sign in _places(salt + feature):
            numbers[place % size] += sign * weight
    length = math.sqrt(sum(number * number for number in numbers))
    if not length:
        # What changes cancelled out: the text alone decides.
        numbers[_places(salt + text)[0][0] % size] = length = 1.0
    return [number / length for number in numbers]


def _features(text: str) -> Counter[str]:
    found: Counter[str] = Counter(_pieces(text.casefold()))
    return found or Counter([f"={text}"])


def _pieces(text: str) -> Iterator[str]:
    for word in _WORD.findall(text):
        for _ in range(_WEIGHT):
            yield f"={word}"
        framed = f"<{word}>"
        for start in range(len(framed) - _PIECE + 1):
            yield framed[start : start + _PIECE]


@lru_cache(maxsize=8192)
def _places(feature: str) -> tuple[tuple[int, int], ...]:
    """Return numbers that a feature changes, and in which direction."""
    found = hashlib.blake2b(feature.encode(errors="replace"), digest_size=4 * _SPREAD).digest()
    pieces = (int.from_bytes(found[at : at + 4], "big") for at in range(0, len(found), 4))
    return tuple((piece >> 1, 1 if piece & 1 else -1) for piece in pieces)
