"""What the embeddings of several providers share: their inputs, sizes and encodings. Pure."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence

from mockserver.dialects.side import refused
from mockserver.vocabulary.model import Json

#: The most numbers that an embedding can be asked to have.
MOST = 4096
#: Decimal places of a number, so that an answer is no longer than it has to be.
_PLACES = 7


def size_of(asked: Json, default: int, name: str) -> int:
    """Return how many numbers are asked for. Raises for a size that cannot be."""
    if asked is None:
        return default
    if isinstance(asked, bool) or not isinstance(asked, int) or not 1 <= asked <= MOST:
        raise refused(f"{name} is a whole number from 1 to {MOST}, not {asked!r:.80}")
    return asked


def texts_of(given: Json, name: str) -> list[str]:
    """Return a text or a list of texts as a list. Raises for anything else, or an empty list."""
    texts = [given] if isinstance(given, str) else given
    if isinstance(texts, list) and texts and all(isinstance(text, str) for text in texts):
        return texts
    raise refused(f"{name} is a text or a list of texts, at least one")


def rounded(vector: Sequence[float]) -> list[float]:
    """Return the numbers as they are sent."""
    return [round(number, _PLACES) for number in vector]


def packed(vector: Sequence[float]) -> str:
    """Return the numbers as base64 of 32-bit floats, the low byte first."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def product(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the scalar product: of vectors of length 1, how near they are."""
    return sum(a * b for a, b in zip(one, other, strict=True))
