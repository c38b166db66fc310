"""How much may be asked for: requests and tokens in a minute, and tokens at once. Pure.

What a minute has is there at the beginning, and comes back evenly: of 60 requests in a minute, one
a second. A request that is refused takes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mockserver.dialects.refusals import Excess, Quota, QuotaKind

_MINUTE = 60.0
#: Seconds are sums of small steps, so that a full bucket may be a little short.
_TINY = 1e-6
#: How many models have quotas of their own.
_MODELS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of an account; ``None`` for none.

    ``rpm`` and ``tpm`` are requests and tokens in a minute, ``context`` the tokens of the longest
    conversation that the model takes.
    """

    rpm: int | None = None
    tpm: int | None = None
    context: int | None = None

    def over(self, others: Mapping[str, int]) -> Limits:
        """Return these limits where they are given, and others, by name, where not."""
        own = {name: getattr(self, name) for name in ("rpm", "tpm", "context")}
        return Limits(**{**others, **{name: n for name, n in own.items() if n is not None}})

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a limit that lets nothing through."""
        for name in ("rpm", "tpm", "context"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"the limit {name} is at least 1: not {value}")


#: No limits.
UNLIMITED = Limits()


class _Bucket:
    """One quota. It is below zero after an answer that was longer than what was left."""

    def __init__(self, kind: QuotaKind, limit: int) -> None:
        self.kind = kind
        self.limit = limit
        self._level = float(limit)
        self._at: float | None = None

    @property
    def _rate(self) -> float:
        return self.limit / _MINUTE

    def refill(self, now: float) -> None:
        """Add what came back since the last time. A clock that stands still adds nothing."""
        if self._at is not None and now > self._at:
            self._level = min(float(self.limit), self._level + (now - self._at) * self._rate)
        self._at = now if self._at is None else max(self._at, now)

    def quota(self) -> Quota:
        """Return what is left."""
        return Quota(
            kind=self.kind,
            limit=self.limit,
            remaining=max(0, int(self._level + _TINY)),
            reset=max(0.0, self.limit - self._level) / self._rate,
        )

    def excess(self, asked: int) -> Excess | None:
        """Return by what a request is too large, if it is."""
        if asked <= self._level + _TINY:
            return None
        wait = None if asked > self.limit else (asked - self._level) / self._rate
        return Excess(quota=self.quota(), asked=asked, wait=wait)

    def take(self, amount: int) -> None:
        """Take something out."""
        self._level -= amount


class Meter:
    """The quotas of one model, for one session."""

    def __init__(self, limits: Limits) -> None:
        named = ((QuotaKind.REQUESTS, limits.rpm), (QuotaKind.TOKENS, limits.tpm))
        self._buckets = [_Bucket(kind, limit) for kind, limit in named if limit is not None]

    def take(self, tokens: int, now: float) -> Excess | None:
        """Take a request of so many tokens, or return by what it is too much."""
        needs = {QuotaKind.REQUESTS: 1, QuotaKind.TOKENS: tokens}
        for bucket in self._buckets:
            bucket.refill(now)
            if (excess := bucket.excess(needs[bucket.kind])) is not None:
                return excess
        for bucket in self._buckets:
            bucket.take(needs[bucket.kind])
        return None

    def spend(self, tokens: int) -> None:
        """Take the tokens of an answer, which was begun before they were known."""
        for bucket in self._buckets:
            if bucket.kind is QuotaKind.TOKENS:
                bucket.take(tokens)

    def quotas(self, now: float) -> tuple[Quota, ...]:
        """Return what is left of each quota."""
        for bucket in self._buckets:
            bucket.refill(now)
        return tuple(bucket.quota() for bucket in self._buckets)


class Meters:
    """The quotas of each model of each provider: what one uses up, the others still have.

    A session that asks many models shares those of the last names, so that names that a client
    makes up take no memory.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._meters: dict[tuple[str, str], Meter] = {}

    def of(self, provider: str, model: str) -> Meter:
        """Return the quotas of a model."""
        key = provider, model
        if key not in self._meters and len(self._meters) >= _MODELS:
            key = "", ""
        return self._meters.setdefault(key, Meter(self._limits))
