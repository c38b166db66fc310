"""The requests of one session as the checks read them. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from mockserver.backend.asked import Asked
from mockserver.backend.evidence import Seen
from mockserver.backend.verdict.finding import Statements
from mockserver.dialects.facts import Facts
from mockserver.dialects.registry import facts_of
from mockserver.library.outcome import Outcome
from mockserver.wire import faults
from mockserver.wire.body import Media
from mockserver.wire.faults import Fault, FaultKind
from mockserver.wire.schedule import Ending

#: Headers by which clients send a key.
KEY_HEADERS = ("authorization", "x-api-key", "x-goog-api-key", "api-key")
_RETRY_COUNT, IDEMPOTENCY_KEY = "x-stainless-retry-count", "idempotency-key"


@dataclass(frozen=True)
class Event:
    """One request with what its answer says, as far as that was sent."""

    seen: Seen

    @property
    def number(self) -> int:
        """The number of the request in the journal."""
        return self.seen.number

    @property
    def route(self) -> str:
        """The method and the path of the request."""
        return f"{self.seen.request.method} {self.seen.request.url.path}"

    @property
    def asked(self) -> Asked | None:
        """What the request asks for, if that can be read."""
        return self.seen.asked

    @cached_property
    def identity(self) -> tuple[str, str, bytes, str]:
        """What equal requests have in common: method, address, body and key."""
        request = self.seen.request
        key = next((v for name in KEY_HEADERS if (v := self.seen.header(name))), "")
        return request.method, request.uri, request.body, key

    @property
    def retries(self) -> int:
        """How often the client says that it has tried before; 0 if it does not say."""
        text = self.seen.header(_RETRY_COUNT) or ""
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0

    @property
    def counts_retries(self) -> bool:
        """Whether the client says how often it has tried."""
        return self.seen.header(_RETRY_COUNT) is not None

    @property
    def status(self) -> int:
        """The status of the answer; 0 if there was none."""
        return self.seen.schedule.status if self.seen.schedule else 0

    @property
    def end(self) -> float:
        """When the answer had ended; for one that goes on, when it began."""
        times = (self.seen.ended, self.seen.began, self.seen.arrived)
        return next(t for t in times if t is not None)

    @cached_property
    def retry_after(self) -> float | None:
        """The seconds for which the answer asks the client to wait."""
        schedule = self.seen.schedule
        if schedule is None or self.status < 400:
            return None
        for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
            try:
                return float(schedule.header(name) or "") / unit
            except ValueError:
                continue
        return None

    @cached_property
    def facts(self) -> Facts | None:
        """What was sent says; ``None`` for an error, and for what no dialect reads."""
        schedule, asked = self.seen.schedule, self.asked
        if schedule is None or asked is None or self.status >= 400:
            return None
        if self.seen.sent < len(schedule.body) and self.seen.outcome is not Outcome.FINISHED:
            if schedule.header("content-encoding") is not None:
                return None
            schedule = faults.apply(schedule, Fault(FaultKind.CUT, self.seen.sent))
        return facts_of(asked.dialect.name, schedule)

    @property
    def is_stream(self) -> bool:
        """Whether the answer is sent event by event."""
        schedule = self.seen.schedule
        return schedule is not None and schedule.media is not Media.OTHER

    @cached_property
    def stalls(self) -> bool:
        """Whether the answer falls silent without an end."""
        schedule = self.seen.schedule
        return schedule is not None and schedule.ending is Ending.STALL

    @cached_property
    def incomplete(self) -> bool:
        """Whether an answer with status 200 was sent that has no end."""
        facts = self.facts
        return facts is not None and not facts.terminal_seen and self.seen.outcome.is_over

    @cached_property
    def failed(self) -> bool:
        """Whether the answer is none that a client may take for one."""
        facts = self.facts
        return self.status >= 400 or (
            facts is not None and (self.incomplete or facts.error is not None or facts.broken)
        )


@dataclass(frozen=True)
class Scene:
    """All requests of a session in the order in which they came."""

    events: tuple[Event, ...]
    statements: Statements
    #: When the verdict is asked for, on the clock of the requests.
    now: float = math.inf

    def after(self, event: Event) -> Iterator[Event]:
        """Yield the requests that came after the answer to ``event`` had ended."""
        return (e for e in self.events if e.seen.arrived >= event.end and e is not event)

    @cached_property
    def equal(self) -> tuple[tuple[Event, ...], ...]:
        """The requests that are equal, in groups of at least two."""
        groups: dict[tuple[str, str, bytes, str], list[Event]] = {}
        for event in self.events:
            groups.setdefault(event.identity, []).append(event)
        return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def scene(seen: Sequence[Seen], statements: Statements, now: float = math.inf) -> Scene:
    """Order the evidence."""
    events = sorted((Event(s) for s in seen), key=lambda e: (e.seen.arrived, e.number))
    return Scene(tuple(events), statements, now)


def same_json(one: str, other: str) -> bool:
    """Return whether two texts say the same JSON value."""
    try:
        return bool(json.loads(one) == json.loads(other))
    except (ValueError, RecursionError):
        return one == other
