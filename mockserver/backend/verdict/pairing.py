"""Which requests repeat which: what is proved, and what any pairing would allow. Pure.

That two requests have the same body proves nothing: people ask the same twice. Proofs are a mark
of the test, a count of retries, and an idempotency key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mockserver.backend.verdict.scene import IDEMPOTENCY_KEY, Event

#: Whether the second request may rightly repeat the first.
Allowed = Callable[[Event, Event], bool]


@dataclass(frozen=True)
class Repeat:
    """A request that repeats one of several that failed before it, and what proves that."""

    event: Event
    candidates: tuple[Event, ...]
    proof: str


def repeats(group: Sequence[Event]) -> Iterator[Repeat]:
    """Yield the proved repetitions among equal requests, oldest first."""
    for place, event in enumerate(group):
        before = [e for e in group[:place] if e.failed and e.end <= event.seen.arrived]
        if event.retries:
            counted = [e for e in before if e.retries == event.retries - 1] or before
            if counted:
                yield Repeat(event, tuple(counted), f"x-stainless-retry-count: {event.retries}")
            continue
        key = event.seen.header(IDEMPOTENCY_KEY)
        keyed = [e for e in before if key and e.seen.header(IDEMPOTENCY_KEY) == key]
        if keyed:
            yield Repeat(event, tuple(keyed), "the same idempotency key")
            continue
        marked = [e for e in before if e.seen.call is not None and e.seen.call == event.seen.call]
        if marked:
            yield Repeat(event, tuple(marked), "the test says that it is one call")


def unpaired(found: Sequence[Repeat], allowed: Allowed) -> tuple[Repeat, ...]:
    """Return the repetitions that are wrong under every pairing.

    Each repetition is paired with a failed request of its own. If some pairing has only allowed
    pairs, nothing is wrong; the largest one is found by augmenting paths.
    """
    taken: dict[int, Repeat] = {}

    def place(repeat: Repeat, tried: set[int]) -> bool:
        for event in repeat.candidates:
            if event.number in tried or not allowed(event, repeat.event):
                continue
            tried.add(event.number)
            other = taken.get(event.number)
            if other is None or place(other, tried):
                taken[event.number] = repeat
                return True
        return False

    return tuple(repeat for repeat in found if not place(repeat, set()))
