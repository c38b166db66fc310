"""Who gets which answer: playback state, without I/O.

A session plays the exchanges of one cassette once, in recorded order for each method and path.
Traffic without a session uses :class:`Rotation`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from mockserver.cassettes.cassette import Cassette, Request
from mockserver.errors import SessionError
from mockserver.library import locations
from mockserver.library.locations import Place
from mockserver.library.matcher import plain_path, same_path
from mockserver.wire import axes, faults, variation
from mockserver.wire.axes import RECORDED, Point
from mockserver.wire.faults import Fault
from mockserver.wire.http1 import Message
from mockserver.wire.schedule import Schedule, from_response
from mockserver.wire.variation import Variation


@dataclass(frozen=True)
class Exchange:
    """A recorded request with the schedule that answers it, at ``other_path`` too if it has one."""

    request: Request
    schedule: Schedule
    other_path: str = ""

    @cached_property
    def message(self) -> Message:
        """The answer as it is sent."""
        return Message(self.schedule)

    @cached_property
    def has_address(self) -> bool:
        """Whether a client may follow a header of the answer."""
        return locations.has_address(self.schedule.headers)

    @cached_property
    def route(self) -> tuple[str, str]:
        """Method and path, as they are compared."""
        return self.request.method.upper(), plain_path(self.request.url.path)

    def answers(self, method: str, path: str) -> bool:
        """Return whether it has that method and plain path; placeholders fit any value."""
        ours, recorded = self.route
        if ours != method:
            return False
        if same_path(recorded, path):
            return True
        return bool(self.other_path) and same_path(plain_path(self.other_path), path)

    def with_header(self, name: str, value: str) -> Exchange:
        """Return the exchange with one more header in its answer."""
        made = self._headed.get((name, value))
        if made is None:
            schedule = replace(self.schedule, headers=(*self.schedule.headers, (name, value)))
            made = self._headed[name, value] = replace(self, schedule=schedule)
        return made

    @cached_property
    def _headed(self) -> dict[tuple[str, str], Exchange]:
        return {}

    def message_at(self, place: Place) -> Message:
        """Return the answer for a client that shall stay below ``place``."""
        if not self.has_address:
            return self.message
        headers = locations.moved(self.schedule.headers, self.request.uri, place)
        return Message(replace(self.schedule, headers=headers))


def exchanges(
    cassette: Cassette, *, point: Point = RECORDED, fault: Fault | None = None
) -> tuple[Exchange, ...]:
    """Make the exchanges of a cassette, sent at ``point`` and interrupted at ``fault``.

    The point applies to every exchange, the fault to the last one that is a stream. Raises
    :class:`SessionError` for a fault without a stream, or outside of its body.
    """
    schedules = [axes.apply(from_response(i.response), point) for i in cassette.interactions]
    if fault is not None:
        at = variation.last_stream(schedules)
        if at is None:
            raise SessionError(f"{cassette.path}: no streamed answer to interrupt at {fault}")
        try:
            schedules[at] = faults.apply(schedules[at], fault)
        except ValueError as exc:
            raise SessionError(f"{cassette.path}: {exc}") from None
    return tuple(
        Exchange(interaction.request, schedule)
        for interaction, schedule in zip(cassette.interactions, schedules, strict=True)
    )


def varied(cassette: Cassette, wanted: Variation) -> tuple[tuple[int, Exchange], ...]:
    """Make the exchanges of a variation, each with its interaction's number in the cassette.

    Raises ``ValueError`` for an interaction or an interruption that is not possible, and
    :class:`~mockserver.errors.CodingError` for a body that cannot be decoded here.
    """
    recorded = cassette.interactions
    sent = variation.apply([from_response(i.response) for i in recorded], wanted)
    numbers = wanted.interactions or range(len(recorded))
    return tuple((n, Exchange(recorded[n].request, s)) for n, s in zip(numbers, sent, strict=True))


#: Whether an exchange can answer a request that has its method and path.
Fits = Callable[[Exchange], bool]


@dataclass(frozen=True, slots=True)
class Found:
    """The exchange that answers a request: its cassette's name, and its number from 0.

    Both are ``None`` for an answer that nobody recorded.
    """

    exchange: Exchange
    cassette: str | None = None
    number: int | None = None

    @property
    def label(self) -> str:
        """What the answer is, in words for people."""
        return f"cassette {self.cassette}#{self.number}"

    @property
    def note(self) -> str | None:
        """What somebody who reads the journal should know of it."""
        return None


#: Requests that a session answers again, so that a client which never stops asking gets an end.
_AGAIN = 10


#: Methods by which clients poll a job until it is done.
POLLS = frozenset({"GET", "HEAD"})


class Session:
    """The playback of one list of exchanges for one client.

    With ``repeat_last`` a request beyond the recorded ones gets the last answer again, a few times;
    with ``repeat_polls`` a request of :data:`POLLS` gets it always.
    """

    def __init__(
        self,
        session_id: str,
        exchanges: Sequence[Exchange],
        *,
        repeat_last: bool = False,
        repeat_polls: bool = False,
    ) -> None:
        self.id = session_id
        self.exchanges = tuple(exchanges)
        self._played = [False] * len(self.exchanges)
        self._again = _AGAIN if repeat_last else 0
        self._repeat_polls = repeat_polls

    def take(self, method: str, path: str, fits: Fits = lambda _: True) -> int | None:
        """Play the first unplayed exchange with that method and path and return its number.

        Those that do not fit are left out.
        """
        method, path = method.upper(), plain_path(path)
        last = None
        for number, exchange in enumerate(self.exchanges):
            if exchange.answers(method, path) and fits(exchange):
                last = number
                if not self._played[number]:
                    self._played[number] = True
                    return number
        if last is not None and self._repeat_polls and method in POLLS:
            return last
        if last is None or not self._again:
            return None
        self._again -= 1
        return last

    @property
    def unplayed(self) -> tuple[Exchange, ...]:
        """The exchanges that no request has consumed."""
        return tuple(e for n, e in enumerate(self.exchanges) if not self._played[n])


class Rotation:
    """Recorded order among equal requests.

    After the last it starts over, but with ``repeat`` :data:`POLLS` repeat the last: a job that is
    done stays so, until what made it starts over. ``once``: nothing is played again.
    """

    def __init__(self, *, once: bool = False, repeat: bool = True) -> None:
        self.once = once
        self._repeated = POLLS if repeat else frozenset()
        self._taken: defaultdict[Hashable, int] = defaultdict(int)
        #: The keys of polls with their paths, by cassette.
        self._polls: defaultdict[str, dict[Hashable, str]] = defaultdict(dict)

    def take(
        self,
        key: Hashable,
        choices: Sequence[int],
        route: tuple[str, str],
        cassette: str = "",
        wanted: Callable[[int], bool] | None = None,
    ) -> int | None:
        """Return the next of the ``choices`` recorded for ``key``; ``None`` if none is left.

        ``route`` is the method and the plain path of the request. One that is not ``wanted`` is
        left where it is.
        """
        taken = self._taken[key]
        if self.once and taken >= len(choices):
            return None
        method, path = route
        polled = method in self._repeated
        choice = choices[min(taken, len(choices) - 1) if polled else taken % len(choices)]
        if wanted is not None and not wanted(choice):
            return None
        self._taken[key] = taken + 1
        if polled:
            self._polls[cassette][key] = path
        elif taken and taken % len(choices) == 0 and self._polls:
            self._restart(cassette, path)
        return choice

    def _restart(self, cassette: str, path: str) -> None:
        """Start again with what is polled below ``path``: it was made once more."""
        below = path.partition(":")[0].rstrip("/") + "/"
        polls = self._polls[cassette]
        for key in [k for k, polled in polls.items() if polled.startswith(below)]:
            del polls[key], self._taken[key]

    def clear(self) -> None:
        """Start again with the first recorded answers."""
        self._taken.clear()
        self._polls.clear()
