"""Keep what was found in the last texts, by their digest: scrubbing and the last scan ask twice.

Only digests and places are kept, never a text.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import suppress
from hashlib import blake2b
from typing import Generic, TypeVar

T = TypeVar("T")

#: Looking up a shorter text would take as long as searching it.
SHORTEST = 2048


class Recent(Generic[T]):
    """The results of the last ``size`` computations. Safe to use from several threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._results: dict[Hashable, T] = {}

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return the result for ``key``, computed unless it is known."""
        found = self._results.get(key)
        if found is None:
            found = compute()
            self._results[key] = found
            with suppress(KeyError, RuntimeError, StopIteration):
                # Two threads may remove at once; neither minds.
                while len(self._results) > self._size:
                    del self._results[next(iter(self._results))]
        return found


def digest(data: bytes) -> bytes:
    """Return what tells texts apart."""
    return blake2b(data, digest_size=16).digest()
