"""Requests that were answered before and get the same answer again, but for its ids. Pure.

Such an answer need not be written again: whoever sends it puts other ids into its bytes. So only
what depends on the request alone is kept here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mockserver.backend.reply import Given
from mockserver.cassettes.cassette import Request

#: So many requests are kept, with at most so many bytes of body each.
_MOST, _SMALL = 512, 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """The answers to one request, by their numbers; ``first`` and the next are two of these.

    ``take`` returns the number of the next one, ``make`` writes one, and ``own`` is what its ids
    end in, in which alone it differs from the others. ``is_current`` says whether the next one is
    still of these.
    """

    first: int
    take: Callable[[], int]
    make: Callable[[int], Given]
    own: Callable[[int], str]
    is_current: Callable[[], bool]


class Repeats:
    """The last requests that were answered so."""

    def __init__(self) -> None:
        self._known: dict[Request, Repeat] = {}

    def keep(self, request: Request, repeat: Repeat) -> None:
        """Remember a request. All of it counts: its headers may change the answer."""
        if len(request.body) > _SMALL:
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[request] = repeat

    def find(self, request: Request) -> Repeat | None:
        """Return the answers to a request that was answered before."""
        found = self._known.get(request)
        return found if found is not None and found.is_current() else None
