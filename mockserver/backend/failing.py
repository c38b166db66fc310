"""Failures that come by chance or by number. Pure.

Chance is drawn from the seed and the number of the request: the same requests in the same order
fail in the same way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from mockserver.errors import CodingError
from mockserver.wire import variation
from mockserver.wire.body import Media
from mockserver.wire.faults import FaultKind
from mockserver.wire.schedule import Schedule
from mockserver.wire.variation import Break


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A way in which answers fail, and how many do.

    It has a ``status`` or a ``kind``. ``status``: the provider's error of that HTTP status, with a
    wait of ``retry`` seconds if that is given. ``kind``: the answer is interrupted after so many
    ``events``, ``None`` for somewhere. ``rate`` is the share of the answers that fail, 0 to 1;
    ``times`` is after how many failures it is over, ``None`` for never.
    """

    status: int | None = None
    retry: float | None = None
    kind: FaultKind | None = None
    events: int | None = None
    rate: float = 1.0
    times: int | None = None

    def __str__(self) -> str:
        """Return the words that the notation reads."""
        what = str(self.status or self.kind)
        if self.retry is not None:
            what += f":{self.retry:g}s"
        if self.events is not None:
            what += f"@{self.events}"
        if self.rate < 1:
            what += f"={self.rate * 100:g}%"
        return what if self.times is None else f"{what}={self.times}x"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A failure that an answer has; ``luck`` says where it breaks if that is left open, 0 to 1."""

    failure: Failure
    luck: float

    def broken(self, schedule: Schedule) -> Break | None:
        """Return where an answer is interrupted: inside of it, wherever its end is."""
        failure = self.failure
        if failure.kind is None:
            return None
        events = failure.events
        if events is None:
            events = 1 + int(self.luck * max(_events(schedule) - 1, 1))
        return variation.within(schedule, Break(failure.kind, events))


class Failing:
    """Says of each answer of a session whether and how it fails."""

    def __init__(self, failures: Sequence[Failure], seed: int) -> None:
        self._failures = tuple(failures)
        self._left = [failure.times for failure in failures]
        self._seed = seed
        self._count = 0

    def next(self) -> Drawn | None:
        """Return how the next answer fails, ``None`` if it does not.

        Failures that come for certain are first. The others share the answers: of ``429=10%`` and
        ``cut=5%`` at most one hits.
        """
        if not self._failures:
            return None
        self._count += 1
        luck = self._drawn("which")
        for number, failure in enumerate(self._failures):
            left = self._left[number]
            if left == 0:
                continue
            if failure.rate >= 1 or luck < failure.rate:
                if left is not None:
                    self._left[number] = left - 1
                return Drawn(failure, self._drawn("where"))
            luck -= failure.rate
        return None

    def _drawn(self, what: str) -> float:
        """Return a number of 0 to 1, without 1."""
        text = f"{self._seed}:{self._count}:{what}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) / 2**48


def _events(schedule: Schedule) -> int:
    if schedule.media is Media.OTHER:
        return 0
    try:
        return len(schedule.plain.event_ends)
    except CodingError:
        return 0
