"""Run one case: play it to its adapter, collect the evidence, and judge it.

The server runs in a thread of its own, so that an adapter that blocks its event loop still gets
its answer.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from harness.clients.conversation import first_call, next_call
from harness.clients.giving_up import is_content
from harness.clients.hosts import Client, Host, host_of, is_in_worker
from harness.clients.in_process import Output
from harness.clients.interface import Adapter, Call
from harness.clients.logs import KEY_PREFIX, LogCapture
from harness.clients.workers import DisturbedError
from harness.judge import judge
from harness.judge.reading import facts_about
from harness.judge.transcript import (
    Emitted,
    Outcome,
    SeenRequest,
    Transcript,
    TurnRecord,
    Verdict,
    without,
)
from harness.plan.planning import Plan, cassette_of
from harness.plan.wires import GATE, gate_name, schedules_for
from harness.reports.records import CaseResult
from harness.run.again import waits
from harness.run.gates import HandedOn
from harness.run.requests import by_call, credentials
from harness.suite.scenario import Case, TurnSpec
from harness.wrapping.sdks import ProviderSdks
from mockserver import MockServer, SessionHandle
from mockserver.dialects import asks_aside, base_path, other_path
from mockserver.library import Exchange
from mockserver.serving import JournalEntry
from mockserver.vocabulary import Event
from mockserver.wire import FaultKind, Schedule

#: Seconds after which a case is stopped and its client blamed.
DEADLINE = 30.0
#: The client's timeout for the next byte in seconds, unless the scenario sets one: without a stall,
#: with a stall, and with a stall after the terminal event, when a whole answer must be read first.
TIMEOUT, STALL_TIMEOUT, TERMINAL_SEEN_TIMEOUT = 10.0, 0.3, 1.0
#: Seconds until a gate is released although the client has not emitted the expected event.
GATE_TIMEOUT = 5.0
#: Factor for the timeouts of a case that is played again.
_SLACK = 8
#: Seconds for the connection of a client that was stopped to end, and of one whose caller left.
_STOPPED, _LET_GO = 1.0, 3.0


class Runner:
    """Plays cases against one mock server. An async context manager."""

    def __init__(
        self, plan: Plan, *, deadline: float = DEADLINE, gate_timeout: float = GATE_TIMEOUT
    ) -> None:
        self.plan = plan
        self.deadline = deadline
        self.gate_timeout = gate_timeout
        self._adapters = {adapter.name: adapter for adapter in plan.adapters}
        # A client must reach neither the sessions of others nor its own gates.
        self._server = MockServer(control=False, keep_clients=False)
        self._salt = secrets.token_hex(8)
        self._logs = LogCapture()
        self._hosts = {
            name: host_of(a, self._logs, ProviderSdks()) for name, a in self._adapters.items()
        }
        self._have_sent: set[str] = set()

    async def __aenter__(self) -> Self:
        self._server.__enter__()
        self._logs.__enter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for host in self._hosts.values():
            await host.close()
        self._logs.__exit__()
        self._server.__exit__(kind, exc, trace)

    async def release(self, adapter: str) -> None:
        """End the processes of a client whose cases are over. A later case starts a new one."""
        await self._hosts[adapter].close()

    def in_worker(self, case: Case) -> bool:
        """Return whether the client of a case runs in processes of its own."""
        return is_in_worker(self._adapters[case.adapter])

    def has_sent(self, adapter: str) -> bool:
        """Return whether any request of that client has arrived."""
        return adapter in self._have_sent

    async def run_case(self, case: Case, *, alone: bool = False) -> CaseResult:
        """Play one case and judge it. Never raises for what the client does.

        On a busy machine a client that must time out may do so too early, and one that streams may
        be too late for a gate. If such a case fails, it is played again with longer timeouts, and
        only that result counts. ``alone`` says that nothing else runs: then the timeouts are long
        at once.
        """
        began = time.perf_counter()
        adapter = self._adapters[case.adapter]
        transcript = await self._play(case, adapter, slack=_SLACK if alone else 1, again=alone)
        verdict = judge(transcript, adapter.terms)
        hung = any(turn.hung for turn in transcript.turns)
        timed = waits(case) or case.scenario.choreographed or transcript.gate_timed_out
        if verdict.outcome is Outcome.FAIL and timed and not alone and not hung:
            transcript = await self._play(case, adapter, slack=_SLACK, again=True)
            verdict = judge(transcript, adapter.terms)
        if transcript.requests:
            self._have_sent.add(case.adapter)
        for secret in _secrets_in(transcript, verdict):
            verdict = without(verdict, secret)
            turns, logs = without(transcript.turns, secret), without(transcript.logs, secret)
            transcript = replace(transcript, turns=turns, logs=logs)
        baseline = self.plan.baselines[case.adapter]
        verdict, known = baseline.apply(case, verdict, adapter.level)
        return CaseResult(
            case=case,
            verdict=verdict,
            transcript=transcript,
            known=known,
            seconds=time.perf_counter() - began,
            version=adapter.version,
        )

    def _key_of(self, case: Case) -> str:
        """Return a key from which no client can tell which case it is in."""
        salted = f"{self._salt} {case.id}".encode()
        return KEY_PREFIX + hashlib.sha256(salted).hexdigest()[:24]

    async def _play(self, case: Case, adapter: Adapter, *, slack: int, again: bool) -> Transcript:
        """Play one case. Stalled ones may share a process, unless they are played ``again``."""
        host = self._hosts[adapter.name]
        try:
            shared = case.fault is FaultKind.STALL and not again
            fresh = again and case.fault is None
            return await self._attempt(case, host, slack=slack, shared=shared, fresh=fresh)
        except DisturbedError:
            return await self._attempt(case, host, slack=slack, fresh=True)

    async def _attempt(
        self, case: Case, host: Host, *, slack: int, shared: bool = False, fresh: bool = False
    ) -> Transcript:
        schedules = schedules_for(case)
        requests = [i.request for i in cassette_of(case.scenario.cassette).interactions]
        numbers = case.scenario.interactions or range(len(requests))
        dialect = case.scenario.dialect
        played = tuple(
            Exchange(requests[n], s, other_path(dialect, requests[n].url.path))
            for n, s in zip(numbers, schedules, strict=True)
        )
        key = self._key_of(case)
        with self._server.session(exchanges=played, repeat_last=True) as session:
            base_url = session.url
            if played:
                # If only a token endpoint is played, the other requests give the base URL.
                paths = [r.url.path for r in (*(e.request for e in played), *requests)]
                base_url += base_path(dialect, paths)
            conversation = _Conversation(case, session, schedules, base_url, key, slack)
            async with host.client(shared=shared, fresh=fresh) as client:
                if case.scenario.together:
                    await self._call_together(conversation, client)
                else:
                    await self._converse(conversation, client)
            turns = tuple(conversation.records)
            stopped = any(turn.hung for turn in turns)
            closed = await session.wait_until_idle(_STOPPED if stopped else self.deadline)
        return Transcript(
            case=case,
            api_key=key,
            base_url=base_url,
            turns=turns,
            schedules=schedules,
            unplayed=tuple(n for n in range(len(played)) if n not in conversation.answered),
            logs=tuple(conversation.logs),
            connection_closed=closed,
            gate_timed_out=conversation.gate_timed_out,
        )

    async def _converse(self, conversation: _Conversation, client: Client) -> None:
        session, seen = conversation.session, 0
        call: Call | None = None
        for number, spec in enumerate(conversation.case.scenario.turns):
            call = conversation.call_for(spec, call)
            if call is None:
                break
            let_go = True
            if spec.cancel_after is None:
                output = await self._call(conversation, client, call, spec)
            else:
                output = await self._cancel(session, client, call, number, spec.cancel_after.seen)
                if output.late is not None:
                    let_go = await session.wait_until_idle(_LET_GO)
                session.release(gate_name(number))
            entries = session.journal
            conversation.add(call, output, entries[seen:], let_go=let_go)
            seen = len(entries)

    async def _call(
        self, conversation: _Conversation, client: Client, call: Call, spec: TurnSpec
    ) -> Output:
        gate, session = conversation.case.gate, conversation.session
        if gate is None:
            return await client.call(call, deadline=self.deadline)
        expect = (
            spec.expect if spec.expect is None or not spec.expect.any_of else spec.expect.any_of[0]
        )
        expected = (expect.events if expect is not None else None) or ()
        terms = self._adapters[conversation.case.adapter].terms
        handed_on = HandedOn(expected, gate.seen, terms)
        conversation.gate_timed_out = False

        def release() -> None:
            conversation.gate_timed_out = True
            session.release(GATE)

        def emitted(event: Emitted[Event]) -> None:
            handed_on.add(event)
            if handed_on.is_enough:
                timer.cancel()
                session.release(GATE)

        if handed_on.is_enough:
            session.release(GATE)
        timer = asyncio.get_running_loop().call_later(self.gate_timeout, release)
        if handed_on.is_enough:
            timer.cancel()
        try:
            return await client.call(call, deadline=self.deadline, on_event=emitted)
        finally:
            timer.cancel()

    async def _cancel(
        self, session: SessionHandle, client: Client, call: Call, number: int, after: int
    ) -> Output:
        """Make a call whose caller stops reading while the server waits at the gate."""
        # A client that hands on nothing before the end cannot be given up in the middle.
        timer = asyncio.get_running_loop().call_later(
            self.gate_timeout, session.release, gate_name(number)
        )
        missing = after

        def emitted(event: Emitted[Event]) -> None:
            nonlocal missing
            missing -= is_content(event.data)
            if missing <= 0:
                timer.cancel()

        try:
            return await client.call(
                call, deadline=self.deadline, on_event=emitted, stop_after=after
            )
        finally:
            timer.cancel()

    async def _call_together(self, conversation: _Conversation, client: Client) -> None:
        """Make all calls at once. Each waits behind its first event until all have begun.

        They begin one after the other, so that it is known which answer each of them gets. A client
        that makes them one by one gets its answers without waiting.
        """
        session, turns = conversation.session, conversation.case.scenario.turns
        calls = [call for turn in turns if (call := conversation.call_for(turn, None)) is not None]
        tasks: list[asyncio.Task[Output]] = []

        def release() -> None:
            for number in range(len(turns)):
                session.release(gate_name(number))

        def has_begun() -> bool:
            return tasks[-1].done() or len(session.journal) >= len(tasks)

        try:
            # If one cannot be played, the others are stopped.
            async with asyncio.TaskGroup() as group:
                for call in calls:
                    tasks.append(group.create_task(client.call(call, deadline=self.deadline)))
                    if not await _holds(has_begun, self.gate_timeout):
                        release()
                release()
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        entries = session.journal
        for call, task, own in zip(calls, tasks, by_call(entries, len(calls)), strict=True):
            conversation.add(call, task.result(), own)


def _secrets_in(transcript: Transcript, verdict: Verdict) -> list[str]:
    """Return what may stand in no report: the case's key if it leaked, and what a client sent.

    A client may have a key of its own, from its environment or from a token endpoint.
    """
    if not verdict.findings:
        return []
    key = transcript.api_key
    leaked = [key] if any(f.check == "secrets" for f in verdict.findings) else []
    sent = credentials(r for turn in transcript.turns for r in turn.requests)
    return leaked + [secret for secret in sent if key not in secret]


@dataclass(slots=True)
class _Conversation:
    """The calls of one case, and what came of them.

    ``answered`` has for each exchange that was played the number of its first request.
    """

    case: Case
    session: SessionHandle
    schedules: Sequence[Schedule]
    base_url: str
    key: str
    slack: int
    records: list[TurnRecord] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    answered: dict[int, int] = field(default_factory=dict)
    gate_timed_out: bool = False
    first: Call | None = None

    def call_for(self, spec: TurnSpec, before: Call | None) -> Call | None:
        """Return the next call; ``None`` if the client's answer leaves none."""
        if spec.call is not None:
            call = first_call(
                spec,
                dialect=self.case.scenario.dialect,
                base_url=self.base_url,
                api_key=self.key,
                timeout=_timeout(self.case),
            )
            call = replace(call, timeout=call.timeout * self.slack)
            self.first = self.first or call
            return call
        if spec.again:
            return self.first
        assert before is not None
        turn = self.records[-1].turn
        if turn is None or turn.value is None:
            return None
        try:
            return next_call(before, turn.value, spec)
        except LookupError:
            # The checks of the previous turn report what is wrong; the conversation ends here.
            return None

    def add(
        self, call: Call, output: Output, entries: Sequence[JournalEntry], *, let_go: bool = True
    ) -> None:
        """Add what came of a call, with the requests that the server got."""
        for entry in self.session.journal:
            if entry.exchange is not None:
                self.answered.setdefault(entry.exchange, entry.number)
        record = _turn_record(call, output, entries, self.schedules, self.answered)
        self.records.append(replace(record, let_go=let_go))
        self.logs += output.logs


async def _holds(condition: Callable[[], bool], timeout: float) -> bool:
    """Wait until something holds in the server's thread; ``False`` after ``timeout`` seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout):
            while not condition():  # noqa: ASYNC110 - it becomes true in another thread
                await asyncio.sleep(0.005)
            return True
    return False


def _timeout(case: Case) -> float:
    if case.fault is not FaultKind.STALL:
        return TIMEOUT
    facts = facts_about(case.scenario.dialect, *schedules_for(case))
    return TERMINAL_SEEN_TIMEOUT if facts is not None and facts.terminal_seen else STALL_TIMEOUT


def _turn_record(
    call: Call,
    output: Output,
    entries: Sequence[JournalEntry],
    schedules: Sequence[Schedule],
    answered: Mapping[int, int],
) -> TurnRecord:
    """Return the record of a turn; ``answered`` has the first request of each exchange.

    A client may look up what it needs to know of a model: that is no request of the call.
    """
    requests = [
        SeenRequest(
            method=e.method,
            path=e.path,
            query=e.query,
            headers=e.headers,
            body=e.body,
            exchange=e.exchange,
            miss=e.note,
            again=e.exchange is not None and answered[e.exchange] != e.number,
        )
        for e in entries
        if e.exchange is not None or not asks_aside(call.dialect, e.method, e.path)
    ]
    return TurnRecord(
        streamed=call.stream,
        events=tuple(output.events),
        turn=output.turn,
        turn_given=output.turn_given,
        turn_read=output.turn_read,
        raised=output.raised,
        traceback=output.traceback,
        hung=output.hung,
        cancelled=output.late is not None,
        late=output.late or 0,
        ended=output.ended,
        printed=output.printed,
        requests=tuple(requests),
        schedules=tuple(
            schedules[r.exchange] for r in requests if r.exchange is not None and not r.again
        ),
    )
