"""Sessions being played: answers in progress, and the gates at which they wait."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mockserver.backend import Backend, Seen, Settings
from mockserver.backend.script import EMPTY
from mockserver.backend.verdict import Statements, Verdict
from mockserver.cassettes.cassette import Request
from mockserver.dialects.addresses import DUMMY_KEY
from mockserver.errors import SessionError, did_you_mean
from mockserver.library import nearest, streams
from mockserver.library.matcher import plain_path
from mockserver.library.outcome import Outcome
from mockserver.library.rule import ROUTE
from mockserver.library.session import Exchange, Fits, Found, Session
from mockserver.serving.journal import Journal, Record


def answering(settings: Settings) -> Backend:
    """Return a backend on the clock of the requests."""
    return Backend(settings, time.time() - time.monotonic())


class Answers:
    """The answers in progress, each in its own task."""

    def __init__(self) -> None:
        self._tasks: dict[Record, asyncio.Task[Any] | None] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    def begin(self, record: Record) -> None:
        """Count the current task's answer until its record ends."""
        self._tasks[record] = asyncio.current_task()
        self._idle.clear()
        record.on_end = self._end

    def _end(self, record: Record) -> None:
        del self._tasks[record]
        if not self._tasks:
            self._idle.set()

    async def wait_until_idle(self, timeout: float) -> bool:
        """Wait until no answer is in progress; ``False`` after ``timeout`` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def cancel(self) -> None:
        """Interrupt all answers."""
        for record, task in list(self._tasks.items()):
            record.end(Outcome.SERVER_CLOSED)
            if task is not None:
                task.cancel()


class LiveSession:
    """A session with its journal and its answers in progress.

    ``checks_kind``: a call for a stream gets no whole answer, nor the reverse. ``backend`` answers
    what no exchange does.
    """

    def __init__(
        self,
        session_id: str,
        exchanges: Sequence[Exchange],
        *,
        name: str,
        journal: Journal,
        repeat_last: bool = False,
        repeat_polls: bool = False,
        checks_kind: bool = False,
        backend: Backend | None = None,
    ) -> None:
        self.session = Session(
            session_id, exchanges, repeat_last=repeat_last, repeat_polls=repeat_polls
        )
        self._checks_kind = checks_kind
        self.backend = backend
        self.name = name
        #: Bytes of all answers.
        self.size = 0
        self.journal = journal
        self.answers = Answers()
        #: The number of the call that the test has marked, while it runs.
        self.call: int | None = None
        self._calls = itertools.count(1)
        self.statements = Statements()
        self._gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def find(self, got: Request) -> Found:
        """Play the exchange for a request.

        Raises :class:`~mockserver.library.refusal.RefusalError`.
        """
        session = self.session
        kind: Fits = (lambda e: streams.fits(e, got)) if self._checks_kind else (lambda _: True)
        number = session.take(got.method, got.url.path, kind)
        if number is None and self.backend is not None:
            return self.backend.answer(got, time.monotonic())
        if number is None:
            method, path = got.method.upper(), plain_path(got.url.path)
            recorded = [e for e in session.exchanges if e.answers(method, path)]
            if recorded and not any(map(kind, recorded)):
                raise streams.refusal(got, self.name)
            raise nearest.explain(
                got,
                nearest.among(got, session.exchanges, self.name, ROUTE),
                where=f"in session {session.id} ({self.name})",
                hint="A session plays each exchange once, by method and path in recorded order.",
            )
        return Found(session.exchanges[number], self.name, number)

    def begin_call(self) -> int:
        """Take the requests from now on for one call, and return its number.

        Raises :class:`SessionError` while another one is open.
        """
        if self.call is not None:
            raise SessionError(
                f"call {self.call} is still open; requests of two calls cannot be distinguished"
            )
        self.call = next(self._calls)
        return self.call

    def end_call(self) -> None:
        """Take the requests from now on for calls of their own."""
        self.call = None

    def state(
        self,
        *,
        answer: str | None = None,
        cancelled: bool = False,
        timeout: float | None = None,
        excuse: tuple[str, str] | None = None,
    ) -> None:
        """Note what the test says: an answer that the application gave out, that a call was
        cancelled just now, the longest silence to bear in seconds, or a check and why its finding
        is accepted. Raises :class:`SessionError` for a check that does not exist.
        """
        said = self.statements
        if answer is not None:
            said = replace(said, answers=(*said.answers, answer))
        if cancelled:
            said = replace(said, cancelled=(*said.cancelled, time.monotonic()))
        if timeout is not None:
            said = replace(said, timeout=timeout)
        if excuse is not None:
            check, reason = excuse
            from mockserver.backend.verdict import CHECKS

            known = [name for names in CHECKS.values() for name in names]
            if check not in known:
                raise SessionError(
                    f"unknown check {check!r:.60}{did_you_mean(check, known)}; "
                    f"known: {', '.join(known)}"
                )
            if not reason.strip():
                raise SessionError(f"an excuse for {check} needs a reason")
            said = replace(said, excuses={**said.excuses, check: reason})
        self.statements = said

    def reset(self) -> None:
        """Forget requests, scripts, statements and marks; answers in progress go on."""
        self.journal.clear()
        self.statements = Statements()
        self.call = None
        if self.backend is not None:
            self.backend = answering(replace(self.backend.settings, script=EMPTY))

    def verdict(self) -> Verdict:
        """Judge the client by its requests so far."""
        from mockserver.backend.verdict import judge

        key = self.backend.settings.key if self.backend is not None else None
        statements = replace(self.statements, keys={"": key or DUMMY_KEY})
        forgotten = self.journal.dropped
        return judge(self.seen, statements, now=time.monotonic(), forgotten=forgotten)

    @property
    def seen(self) -> list[Seen]:
        """The requests so far, numbered from 0 within the session."""
        return [replace(record.seen, number=place) for place, record in self.journal.numbered]

    def release(self, name: str) -> None:
        """Release answers at the gate ``name``, now and in future."""
        self._gates[name].set()

    async def wait(self, name: str) -> None:
        """Wait until the gate ``name`` is released."""
        await self._gates[name].wait()
