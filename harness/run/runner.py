"""Run cases: play each to its adapter, collect the evidence, and judge it.

The server runs in a thread of its own, so that an adapter that blocks its event loop still gets
its answer. Cases run side by side; stalled ones many at a time, because they only wait.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Self

from harness.clients.conversation import first_call, next_call
from harness.clients.in_process import Output, drive
from harness.clients.interface import Adapter, Call
from harness.judge import judge
from harness.judge.reading import facts_about
from harness.judge.transcript import (
    Blame,
    Finding,
    Outcome,
    SeenRequest,
    Transcript,
    TurnRecord,
    Verdict,
    without,
)
from harness.plan.planning import Plan, cassette_of
from harness.plan.wires import GATE, schedules_for
from harness.reports import records as results
from harness.reports.records import CaseResult
from harness.run import evidence
from harness.suite.scenario import Case, TurnSpec
from mockserver import MockServer, SessionHandle
from mockserver.dialects import base_path
from mockserver.library import Exchange
from mockserver.serving import JournalEntry
from mockserver.vocabulary import JsonObject
from mockserver.wire import FaultKind, Schedule

#: Seconds after which a case is stopped and its client blamed.
DEADLINE = 30.0
#: The client's timeout for the next byte in seconds, unless the scenario sets one: without a stall,
#: with a stall, and with a stall after the terminal event, when a whole answer must be read first.
TIMEOUT, STALL_TIMEOUT, TERMINAL_SEEN_TIMEOUT = 10.0, 0.3, 1.0
#: Seconds until a gate is released although the client has not emitted the expected event.
GATE_TIMEOUT = 5.0
_KEY_PREFIX = "sk-tapecheck-"
#: The outcomes that count against a run.
_AGAINST = frozenset({Outcome.FAIL, Outcome.STALE, Outcome.ERROR})
#: Factor for the timeouts of a case that is played again because its client must time out.
_SLACK = 8


class Runner:
    """Plays cases against one mock server. An async context manager."""

    def __init__(
        self, plan: Plan, *, deadline: float = DEADLINE, gate_timeout: float = GATE_TIMEOUT
    ) -> None:
        self.plan = plan
        self.deadline = deadline
        self.gate_timeout = gate_timeout
        self._adapters = {adapter.name: adapter for adapter in plan.adapters}
        self._server = MockServer()
        self._logs = _LogCapture()

    async def __aenter__(self) -> Self:
        self._server.__enter__()
        self._logs.install()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._logs.remove()
        self._server.__exit__(kind, exc, trace)

    async def run_case(self, case: Case) -> CaseResult:
        """Play one case and judge it. Never raises for what the client does.

        On a busy machine a client that must time out may do so before it sends its request. If
        such a case fails, it is played again with longer timeouts, and only that result counts.
        """
        began = time.perf_counter()
        adapter = self._adapters[case.adapter]
        transcript = await self._play(case, adapter, slack=1)
        verdict = judge(transcript, adapter.terms)
        if verdict.outcome is Outcome.FAIL and _waits(case):
            transcript = await self._play(case, adapter, slack=_SLACK)
            verdict = judge(transcript, adapter.terms)
        key = transcript.api_key
        if any(f.check == "secrets" for f in verdict.findings):
            verdict = without(verdict, key)
            turns, logs = without(transcript.turns, key), without(transcript.logs, key)
            transcript = replace(transcript, turns=turns, logs=logs)
        verdict, known = self.plan.baselines[case.adapter].apply(case, verdict)
        return CaseResult(
            case=case,
            verdict=verdict,
            transcript=transcript,
            known=known,
            seconds=time.perf_counter() - began,
        )

    async def _play(self, case: Case, adapter: Adapter, *, slack: int) -> Transcript:
        schedules = schedules_for(case)
        requests = [i.request for i in cassette_of(case.scenario.cassette).interactions]
        numbers = case.scenario.interactions or range(len(requests))
        played = tuple(Exchange(requests[n], s) for n, s in zip(numbers, schedules, strict=True))
        key = _KEY_PREFIX + hashlib.sha256(case.id.encode()).hexdigest()[:24]
        with self._server.session(exchanges=played) as session, self._logs.of(key) as logs:
            base_url = session.url
            if played:
                # If only a token endpoint is played, the other requests give the base URL.
                paths = [r.url.path for r in (*(e.request for e in played), *requests)]
                base_url += base_path(case.scenario.dialect, paths)
            turns, gate_timed_out = await self._converse(
                case, adapter, session, schedules, base_url, key, slack
            )
            closed = await session.wait_until_idle(self.deadline)
        answered = {r.exchange for turn in turns for r in turn.requests}
        return Transcript(
            case=case,
            api_key=key,
            base_url=base_url,
            turns=turns,
            schedules=schedules,
            unplayed=tuple(n for n in range(len(played)) if n not in answered),
            logs=tuple(logs),
            connection_closed=closed,
            gate_timed_out=gate_timed_out,
        )

    async def _converse(
        self,
        case: Case,
        adapter: Adapter,
        session: SessionHandle,
        schedules: Sequence[Schedule],
        base_url: str,
        key: str,
        slack: int,
    ) -> tuple[tuple[TurnRecord, ...], bool]:
        records: list[TurnRecord] = []
        call: Call | None = None
        gate_timed_out, seen = False, 0
        for spec in case.scenario.turns:
            call = _call_for(case, spec, call, records, base_url, key)
            if call is None:
                break
            call = replace(call, timeout=call.timeout * slack)
            output, gate_timed_out = await self._drive(case, adapter, call, session)
            entries = session.journal
            records.append(_turn_record(call, output, entries[seen:], schedules))
            seen = len(entries)
        return tuple(records), gate_timed_out

    async def _drive(
        self, case: Case, adapter: Adapter, call: Call, session: SessionHandle
    ) -> tuple[Output, bool]:
        if case.gate is None:
            return await drive(adapter, call, deadline=self.deadline), False
        gate, late = case.gate, False

        def release() -> None:
            nonlocal late
            late = True
            session.release(GATE)

        timer = asyncio.get_running_loop().call_later(self.gate_timeout, release)

        def seen(count: int) -> None:
            if count == gate.seen:
                timer.cancel()
                session.release(GATE)

        output = await drive(adapter, call, deadline=self.deadline, on_event=seen)
        timer.cancel()
        return output, late


def _waits(case: Case) -> bool:
    return case.fault is FaultKind.STALL or any(
        turn.call is not None and turn.call.timeout is not None for turn in case.scenario.turns
    )


def _timeout(case: Case) -> float:
    if case.fault is not FaultKind.STALL:
        return TIMEOUT
    facts = facts_about(case.scenario.dialect, *schedules_for(case))
    return TERMINAL_SEEN_TIMEOUT if facts is not None and facts.terminal_seen else STALL_TIMEOUT


def _call_for(
    case: Case,
    spec: TurnSpec,
    before: Call | None,
    records: Sequence[TurnRecord],
    base_url: str,
    key: str,
) -> Call | None:
    if spec.call is not None:
        return first_call(
            spec,
            dialect=case.scenario.dialect,
            base_url=base_url,
            api_key=key,
            timeout=_timeout(case),
        )
    assert before is not None
    turn = records[-1].turn
    if turn is None or turn.value is None:
        return None
    try:
        return next_call(before, turn.value, spec)
    except LookupError:
        # The checks of the previous turn report what is wrong; the conversation ends here.
        return None


def _turn_record(
    call: Call, output: Output, entries: Sequence[JournalEntry], schedules: Sequence[Schedule]
) -> TurnRecord:
    requests = tuple(
        SeenRequest(
            method=e.method,
            path=e.path,
            query=e.query,
            headers=e.headers,
            body=e.body,
            exchange=e.exchange,
            miss=e.note,
        )
        for e in entries
    )
    return TurnRecord(
        streamed=call.stream,
        events=tuple(output.events),
        turn=output.turn,
        turn_given=output.turn_given,
        raised=output.raised,
        hung=output.hung,
        requests=requests,
        schedules=tuple(schedules[r.exchange] for r in requests if r.exchange is not None),
    )


class _LogCapture(logging.Handler):
    """Collects log records that contain an API key of a case: a leak by the client."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._caught: dict[str, list[str]] = {}
        self._level = logging.WARNING

    def install(self) -> None:
        root = logging.getLogger()
        self._level = root.level
        root.setLevel(min(root.level, logging.INFO) or logging.INFO)
        root.addHandler(self)

    def remove(self) -> None:
        root = logging.getLogger()
        root.removeHandler(self)
        root.setLevel(self._level)

    @contextmanager
    def of(self, key: str):  # type: ignore[no-untyped-def]
        """Collect the records that contain ``key``."""
        caught = self._caught[key] = []
        try:
            yield caught
        finally:
            del self._caught[key]

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info:
            text += f"\n{record.exc_info[1]!r}"
        if _KEY_PREFIX not in text:
            return
        for key, caught in self._caught.items():
            if key in text:
                caught.append(f"{record.name}: {text}")


async def case_records(
    plan: Plan, *, width: int, stall_width: int
) -> AsyncGenerator[JsonObject, None]:
    """Run the cases of ``plan`` in this process and yield each record when it is ready."""
    async with Runner(plan) as runner:
        source = judged(runner, plan.cases, width=width, stall_width=stall_width)
        # Close it here: clients must end before the server, even if the caller stops early.
        async with aclosing(source) as finished:
            async for result in finished:
                yield _record_of(plan, result)


def _record_of(plan: Plan, result: CaseResult) -> JsonObject:
    """Return the record of a case. Write its transcript if it failed and ``--keep`` is set."""
    keep = plan.settings.keep
    if keep is not None and result.verdict.outcome in _AGAINST:
        evidence.write(keep, result, tuple(results.options_of(plan.settings)))
    return results.case_record(result)


async def judged(
    runner: Runner, cases: Sequence[Case], *, width: int, stall_width: int
) -> AsyncGenerator[CaseResult, None]:
    """Run cases side by side and yield each result when it is ready."""
    done: asyncio.Queue[CaseResult] = asyncio.Queue()

    async def work(lane: Iterator[Case]) -> None:
        for case in lane:
            done.put_nowait(await _guarded(runner, case))

    # The workers of a lane share one iterator: each takes the next case.
    stalled = iter([c for c in cases if c.fault is FaultKind.STALL])
    others = iter([c for c in cases if c.fault is not FaultKind.STALL])
    lanes = [others] * width + [stalled] * stall_width
    workers = [asyncio.create_task(work(lane)) for lane in lanes]
    try:
        for _ in cases:
            yield await done.get()
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def _guarded(runner: Runner, case: Case) -> CaseResult:
    """Run a case; an exception of the harness becomes an error of that case alone."""
    try:
        return await runner.run_case(case)
    except Exception as exc:
        finding = Finding(
            check="harness",
            kind="setup",
            message=f"{type(exc).__name__}: {exc}",
            blame=Blame.HARNESS,
        )
        empty = Transcript(case=case, api_key="", base_url="", turns=(), schedules=())
        return CaseResult(
            case=case,
            verdict=Verdict(outcome=Outcome.ERROR, findings=(finding,)),
            transcript=empty,
        )
