"""Failures that come by chance or by number. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mockserver.wire.faults import FaultKind


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
