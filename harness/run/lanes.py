"""Play the cases of a plan side by side, in this process.

Each lane plays one case after the other. Stalled cases have lanes of their own, because they only
wait. A case that lacks evidence is played again at the end, when nothing else runs.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Coroutine, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from harness.judge.transcript import Blame, Finding, Outcome, Transcript, Verdict
from harness.plan.planning import Plan
from harness.reports import records as results
from harness.reports.records import CaseResult
from harness.run import evidence
from harness.run.again import environment_failed, lacks_evidence
from harness.run.runner import Runner
from harness.suite.scenario import Case
from mockserver.vocabulary import JsonObject
from mockserver.wire import FaultKind

#: The outcomes that count against a run.
_AGAINST = frozenset({Outcome.FAIL, Outcome.STALE, Outcome.ERROR})
#: How many cases of a client lack evidence again before no more of them is played again. One is
#: enough of a client that sent nothing in any case.
_ENOUGH = 5


@dataclass(frozen=True, slots=True)
class Width:
    """How many cases run side by side: clients in this process, and in processes of their own.

    A client in a process of its own may need long to start a call, so few of its stalled cases
    run at once.
    """

    here: int = 6
    here_stalled: int = 48
    workers: int = 3
    workers_stalled: int = 8


async def case_records(plan: Plan, width: Width) -> AsyncGenerator[JsonObject, None]:
    """Run the cases of ``plan`` in this process and yield each record when it is ready."""
    # Closed here: clients must end before the server, even if the caller stops early.
    async with Runner(plan) as runner, aclosing(judged(runner, plan.cases, width)) as finished:
        async for result in finished:
            yield _record_of(plan, result)


def _record_of(plan: Plan, result: CaseResult) -> JsonObject:
    """Return the record of a case. Write its transcript if it failed and ``--keep`` is set."""
    keep = plan.settings.keep
    if keep is not None and result.verdict.outcome in _AGAINST:
        evidence.write(keep, result, tuple(results.options_of(plan.settings)))
    return results.case_record(result)


async def judged(
    runner: Runner, cases: Sequence[Case], width: Width | None = None
) -> AsyncGenerator[CaseResult, None]:
    """Run cases side by side and yield each result when it is ready."""
    done: asyncio.Queue[CaseResult] = asyncio.Queue()
    lanes = [asyncio.create_task(lane) for lane in _lanes(runner, cases, width or Width(), done)]
    unproven: list[CaseResult] = []
    try:
        for _ in cases:
            result = await done.get()
            if lacks_evidence(result.transcript):
                unproven.append(result)
            else:
                yield result
    finally:
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)
    async with aclosing(_alone(runner, unproven)) as settled:
        async for result in settled:
            yield result


def _lanes(
    runner: Runner, cases: Sequence[Case], width: Width, done: asyncio.Queue[CaseResult]
) -> Iterator[Coroutine[Any, Any, None]]:
    """Return the lanes. Those of one kind share an iterator: each takes the next case."""
    kinds: dict[tuple[bool, bool], list[Case]] = defaultdict(list)
    for case in cases:
        kinds[runner.in_worker(case), case.fault is FaultKind.STALL].append(case)
    left = Counter(case.adapter for case in cases)
    # The first call of a process is slow. It should not be one that must time out.
    warm, at_once = asyncio.Event(), asyncio.Event()
    at_once.set()
    if not kinds[True, False]:
        warm.set()

    async def play(lane: Iterator[Case], ready: asyncio.Event) -> None:
        await ready.wait()
        for case in lane:
            result = await _guarded(runner, case)
            left[case.adapter] -= 1
            if not left[case.adapter] and len(left) > 1:
                # The processes of many clients would fill the memory.
                await runner.release(case.adapter)
            done.put_nowait(result)
            if runner.in_worker(case):
                warm.set()

    for kind, ready, count in (
        ((False, False), at_once, width.here),
        ((False, True), at_once, width.here_stalled),
        ((True, False), at_once, width.workers),
        ((True, True), warm, width.workers_stalled),
    ):
        lane = iter(kinds[kind])
        yield from (play(lane, ready) for _ in range(min(count, len(kinds[kind]))))


async def _alone(runner: Runner, results: Sequence[CaseResult]) -> AsyncGenerator[CaseResult, None]:
    """Play cases again, one after the other, and yield what counts."""
    in_vain: Counter[str] = Counter()
    for result in results:
        adapter = result.case.adapter
        if in_vain[adapter] < (_ENOUGH if runner.has_sent(adapter) else 1):
            result = await _guarded(runner, result.case, alone=True)
            in_vain[adapter] += lacks_evidence(result.transcript)
        if lacks_evidence(result.transcript) and runner.has_sent(adapter):
            yield environment_failed(result)
        else:
            yield result


async def _guarded(runner: Runner, case: Case, *, alone: bool = False) -> CaseResult:
    """Run a case; an exception of the harness becomes an error of that case alone."""
    try:
        return await runner.run_case(case, alone=alone)
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
