"""One cassette in the recorder: what it replays, what it captured, and its result."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from mockserver.cassettes.cassette import Cassette, End, Interaction, Request
from mockserver.errors import RecordingError
from mockserver.library import nearest, streams
from mockserver.library.bodies import with_fixed_boundary
from mockserver.library.matcher import accepts
from mockserver.library.refusal import RefusalError
from mockserver.library.rule import EXACT, Rule
from mockserver.library.session import POLLS, Exchange, Found, exchanges
from mockserver.recording import drift, memory
from mockserver.recording.drift import Drift
from mockserver.recording.exchange import Capture
from mockserver.recording.modes import Mode
from mockserver.recording.order import in_order
from mockserver.recording.writer import NO_REQUEST, Check, how_to_allow, leaks, merge, save
from mockserver.secrets import find
from mockserver.secrets.find import Known
from mockserver.secrets.scan import Hit, scan_cassette
from mockserver.secrets.scrub import Scrubber, SplitSecretError

#: The most bytes of requests and answers that one recording may have, while it is in memory.
MOST_KEPT = 512 * 1024 * 1024
#: How many hosts that are blocked a message names.
_SHOWN = 3
#: Of smaller recordings, what is left in cycles does not matter.
_LARGE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of a tape.

    ``live`` counts the exchanges with a provider, ``interactions`` those in the cassette, and
    ``unchanged`` those among them that are as before. ``problems`` are requests without an
    answer, recordings that were never requested, and exchanges left out for a secret in them.
    ``notes`` are those of them that are no mistake.
    """

    path: Path
    mode: Mode
    written: bool = False
    live: int = 0
    interactions: int = 0
    unchanged: int = 0
    drift: Drift | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Tape:
    """Replays ``old`` if ``mode`` allows it, and collects live exchanges.

    ``allowed`` are texts that look like secrets and are none. ``leave_out`` writes the other
    exchanges where one has a secret that cannot be replaced. ``known`` are secrets by value.
    ``if_empty`` is said of a recording without a request.
    Methods up to :meth:`finish` belong to the event loop's thread.
    """

    def __init__(
        self,
        path: Path,
        mode: Mode,
        old: Cassette | None,
        *,
        ends: frozenset[End],
        keep_opaque: bool,
        notes: Mapping[str, str],
        allowed: Collection[str] = (),
        leave_out: bool = False,
        rule: Rule = EXACT,
        repeat: bool = True,
        if_empty: str = NO_REQUEST,
    ) -> None:
        self.path = path
        self.mode = mode
        self.old = old
        self.known: frozenset[str] = frozenset()
        self.captures: list[Capture] = []
        #: Why requests got an error of the recorder instead of an answer.
        self.refused: list[str] = []
        #: Hosts that the client asked for in vain, in order.
        self.blocked: dict[str, None] = {}
        self.idle = asyncio.Event()
        self.idle.set()
        #: Whether requests may reach a live endpoint, and whether the file may change.
        self.uses_network = mode.uses_network and not (mode is Mode.ONCE and old is not None)
        self.writes = self.uses_network and mode.may_write
        self._ends = ends
        self._keep_opaque = keep_opaque
        self._notes = notes
        self._allowed = frozenset(allowed)
        self._leave_out = leave_out
        self._rule = rule
        self._repeat = repeat
        self._if_empty = if_empty
        self._arrived = 0
        self._kept = 0
        self._fetching: set[asyncio.Task[None]] = set()
        #: Locks the file as long as it may be written.
        self.lock = ExitStack()
        replayed = old if mode.replays else None
        self._exchanges: tuple[Exchange, ...] = exchanges(replayed) if replayed else ()
        self._played = [False] * len(self._exchanges)

    def arrive(self) -> int:
        """Return the position of a request in the order of arrival."""
        self._arrived += 1
        return self._arrived

    def keep(self, size: int) -> None:
        """Count bytes that stay in memory. Raises :class:`RefusalError` if they are too many."""
        self._kept += size
        if self._kept > MOST_KEPT:
            raise RefusalError(
                413,
                "too_large",
                f"the recording is over {MOST_KEPT >> 20} MiB; split it into several cassettes",
            )

    def find(self, received: Request, *, has_base_url: bool = True) -> Found | None:
        """Return the recorded answer; ``None`` if the request must be sent to the provider.

        ``has_base_url`` is as for :func:`~mockserver.library.nearest.explain`.
        Raises :class:`RefusalError` for a request that was not recorded and must not be sent.
        """
        if not self.mode.replays or self.old is None:
            return None
        equal = [
            number
            for number, exchange in enumerate(self._exchanges)
            if accepts(exchange.request, received, self._rule)
        ]
        fitting = [n for n in equal if streams.fits(self._exchanges[n], received)]
        number = next((n for n in fitting if not self._played[n]), None)
        if number is None and fitting and received.method in POLLS and self._repeat:
            # A client polls a job until it is done, as often as it takes this time.
            number = None if self.uses_network else fitting[-1]
        if number is not None:
            self._played[number] = True
            return Found(self._exchanges[number], str(self.path), number)
        if self.uses_network:
            return None
        if equal and not fitting:
            raise streams.refusal(received, str(self.path))
        asked = self._scrubber().request(received)
        raise nearest.explain(
            asked,
            nearest.among(asked, self._exchanges, str(self.path), self._rule),
            where=f"in {self.path}",
            hint=f"Mode {self.mode} replays each interaction once and contacts no provider.",
            has_base_url=has_base_url,
        )

    def begin(
        self, capture: Capture, fetch: Coroutine[Any, Any, None], over: Callable[[Capture], None]
    ) -> asyncio.Task[None]:
        """Start a live exchange; ``over`` is called when it has ended."""

        def done(task: asyncio.Task[None]) -> None:
            if not capture.over:
                error = None if task.cancelled() else task.exception()
                capture.failed(f"the recorder failed: {type(error).__name__}")
            self._kept += capture.size
            self._fetching.discard(task)
            self.known |= capture.credentials()
            if not self._fetching:
                self.idle.set()
            over(capture)

        self.captures.append(capture)
        self.idle.clear()
        task = asyncio.create_task(fetch)
        self._fetching.add(task)
        task.add_done_callback(done)
        return task

    def cancel(self) -> None:
        """Cancel the exchanges that are still in progress."""
        for task in self._fetching:
            task.cancel()

    def finish(self, check: Check | None = None) -> Result:
        """Write or compare the captured exchanges, as the mode asks.

        Raises :class:`RecordingError` or what ``check`` raises, and then nothing was written.
        """
        refused = tuple(dict.fromkeys(self.refused))
        if refused and self.writes:
            raise RecordingError(
                self.path, [find.mask(line, Known.of(self.known)) for line in refused]
            )
        unplayed = tuple(self._unplayed())
        # What only adds to a file may well be a part of what the client does.
        grows = self.mode is Mode.NEW_EPISODES
        problems = refused if grows else (*refused, *unplayed)
        result = Result(
            path=self.path,
            mode=self.mode,
            live=len(self.captures),
            interactions=len(self._exchanges),
            problems=problems,
            notes=tuple(f"{line}; it is kept" for line in unplayed) if grows else (),
        )
        if not self.uses_network or self.mode is Mode.LIVE:
            return result
        if self._kept > _LARGE:
            memory.drop_cycles()
        new, left_out = self._scrub_captures()
        result = replace(result, problems=(*problems, *left_out))
        before = self.old.interactions if self.old else ()
        if self.mode is Mode.DIFF:
            if self.old is None:
                raise RecordingError(
                    self.path, ["no such cassette to compare with; record it first"]
                )
            if found := leaks(Cassette(self.path, new), self.known, self._allowed):
                # Differences are shown to people, so they must have no secret.
                raise RecordingError(self.path, found)
            return replace(
                result, interactions=len(new), drift=drift.compare(before, new, self._rule)
            )
        if self.mode is Mode.NEW_EPISODES:
            if not new and any(self._played):
                return result
            whole, unchanged = (*before, *new), len(before)
        else:
            whole, unchanged = merge(self.old, new, self._rule) if self.old else (new, 0)
        save(
            Cassette(self.path, whole),
            self.known,
            ends=self._ends,
            check=check,
            allowed=self._allowed,
            if_empty=self._only_blocked() or self._if_empty,
        )
        return replace(
            result,
            written=True,
            interactions=len(whole),
            unchanged=unchanged,
            drift=drift.compare(before, whole, self._rule) if self.old else None,
        )

    def _scrub_captures(self) -> tuple[tuple[Interaction, ...], list[str]]:
        """Return the exchanges as they may be stored, and why others are left out."""
        captures = list(in_order(self.captures, self._rule))
        known = Known.of(self.known)
        failures = self._failed(captures)
        if failures:
            # What cannot be written need not be searched.
            raise RecordingError(self.path, failures)
        scrubber = self._scrubber()
        facts = {"by": f"tapecheck/{metadata.version('tapecheck')}", "via": "proxy", **self._notes}
        done: list[Interaction] = []
        refused: list[str] = []
        marks: list[str] = []
        for capture in captures:
            if capture.failure is not None:
                continue
            try:
                # A large upload shall be in memory once.
                capture.request = with_fixed_boundary(capture.request)
                interaction = scrubber.interaction(capture.interaction(facts))
            except SplitSecretError as exc:
                refused.append(_failure_line(capture, str(exc), known))
                marks.append(exc.mark)
                continue
            # Without permission to leave out, the whole cassette is searched before it is written.
            hits = self._left_in(interaction) if self._leave_out else []
            if not hits:
                done.append(interaction)
            for hit in hits:
                refused.append(_failure_line(capture, f"{hit.place}: {hit.kind}", known))
                marks.append(hit.mark)
        if refused and self._leave_out:
            refused = [f"left out: {line}" for line in refused]
        if failures or (refused and not self._leave_out):
            raise RecordingError(self.path, [*failures, *refused, *how_to_allow(marks)])
        return tuple(done), [*refused, *how_to_allow(marks)]

    def _failed(self, captures: Iterable[Capture]) -> list[str]:
        """Return why exchanges have no whole answer, and were not meant to be like that."""
        known = Known.of(self.known)
        return [
            _failure_line(c, c.failure, known)
            for c in captures
            if c.failure and not (c.client_disconnected and End.CLIENT_CLOSED in self._ends)
        ]

    def failures(self) -> list[str]:
        """Return why requests so far got no answer, without secrets."""
        known = Known.of(self.known)
        refused = [find.mask(line, known) for line in dict.fromkeys(self.refused)]
        return [*refused, *self._failed(self.captures)]

    def _left_in(self, interaction: Interaction) -> list[Hit]:
        return scan_cassette(Cassette(self.path, (interaction,)), self.known, self._allowed)

    def _scrubber(self) -> Scrubber:
        before = self.old.interactions if self.old and self.mode is Mode.NEW_EPISODES else ()
        return Scrubber(
            self.known, keep_opaque=self._keep_opaque, before=before, allowed=self._allowed
        )

    def _only_blocked(self) -> str:
        """Return what is said if all requests were for hosts that are blocked."""
        hosts = ", ".join(itertools.islice(self.blocked, _SHOWN))
        if not hosts:
            return ""
        more = f" and {len(self.blocked) - _SHOWN} more" if len(self.blocked) > _SHOWN else ""
        return (
            f"all requests that came in were for hosts that are blocked: {hosts}{more}; to record "
            "such a host, name its provider, or add --upstream with its URL"
        )

    def _unplayed(self) -> list[str]:
        return [
            f"interaction {number} was never requested: {' '.join(exchange.route)}"
            for number, exchange in enumerate(self._exchanges)
            if not self._played[number]
        ]


def _failure_line(capture: Capture, why: str, known: Known) -> str:
    return find.mask(f"{capture.route}: {why}", known)
