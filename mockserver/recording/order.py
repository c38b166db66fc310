"""Put exchanges into the order of a file: the same for the same client, whatever arrived first."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator

from mockserver.library.matcher import sorting_key
from mockserver.library.rule import EXACT, Rule
from mockserver.recording.exchange import Capture


def in_order(captures: Collection[Capture], rule: Rule = EXACT) -> Iterator[Capture]:
    """Yield exchanges so that one which ended before another began comes before it.

    Those that ran side by side are in the order of their requests, as far as those are compared.
    Only equal requests side by side are in the order in which they arrived.
    """
    arriving = sorted(captures, key=lambda c: (c.arrived_at, c.number), reverse=True)
    ending = sorted(captures, key=lambda c: (c.over_at, c.number), reverse=True)
    free: list[tuple[tuple[str, str, str, bytes], int, Capture]] = []
    done: set[int] = set()
    while ending:
        if ending[-1].number in done:
            ending.pop()
            continue
        # Nothing that is left ended before this; all that began before then may come next.
        while arriving and arriving[-1].arrived_at <= ending[-1].over_at:
            capture = arriving.pop()
            heapq.heappush(free, (sorting_key(capture.request, rule), capture.number, capture))
        capture = heapq.heappop(free)[2]
        done.add(capture.number)
        yield capture
