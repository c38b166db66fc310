"""Look at large texts in slices, so that little of them is in memory twice."""

from __future__ import annotations

#: How many characters are looked at at a time.
_SLICE = 256 * 1024


def words(text: str, blanks: bytes, shortest: int) -> list[str]:
    """Return each word of a text once; ``blanks`` turns what is between words into blanks."""
    unique: set[bytes] = set()
    # A word that goes on in the next slice. Not all at once: a text may be large, and a list of
    # all its words takes ten times its memory.
    begun = bytearray()
    for start in range(0, len(text), _SLICE):
        piece = text[start : start + _SLICE].encode("latin-1", "replace").translate(blanks)
        first, blank, rest = piece.partition(b" ")
        begun += first
        if not blank:
            continue
        between, _, last = rest.rpartition(b" ")
        unique.add(bytes(begun))
        unique.update(word for word in between.split() if len(word) >= shortest)
        begun = bytearray(last)
    unique.add(bytes(begun))
    del begun
    found: list[str] = []
    while unique:
        # One by one, so that none is in memory twice.
        word = unique.pop()
        if len(word) >= shortest:
            found.append(word.decode("latin-1"))
    return found


def has_string(data: bytes) -> bool:
    """Return whether bytes have a readable text that is long enough for a secret."""
    length = len(_SHORTEST_STRING) - 1
    return any(
        _SHORTEST_STRING in data[start : start + _SLICE + length].translate(_SHOWN)
        for start in range(0, len(data), _SLICE)
    )


_SHORTEST_STRING = b"x" * 14
#: Turns what can be read into one letter, since looking for a text is faster than a pattern.
_SHOWN = bytes(0x78 if 0x20 <= c < 0x7F else 0 for c in range(256))
