"""Run a plan, from the first record to the last, in this process or in several.

A Python process uses one core. Each process has its own server and its own adapters, which it
loads by the references in the plan's settings; it receives cases and sends records back.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.judge.transcript import Outcome
from harness.plan.planning import Plan, load_adapters
from harness.reports import records as results
from harness.reports.records import Tally
from harness.run.runner import case_records
from harness.suite.scenario import Case
from mockserver.serving import loop_factory
from mockserver.vocabulary import JsonObject

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

#: With fewer cases, starting processes takes longer than running the cases here.
WORTHWHILE = 400


async def run(
    plan: Plan,
    *,
    jobs: int | None = None,
    width: int = 6,
    stall_width: int = 48,
    fail_fast: bool = False,
) -> AsyncGenerator[JsonObject, None]:
    """Run a plan and yield its records as they arrive; the last one is ``end``.

    ``jobs`` is the number of processes; by default :func:`jobs_for` chooses. In each, ``width``
    cases run side by side, and ``stall_width`` stalled ones. ``fail_fast`` stops after the first
    case that counts against the run.
    """
    yield results.start_record(plan)
    for record in results.skip_records(plan):
        yield record
    tally = Tally(problems=list(plan.problems), unreadable=plan.unreadable)
    tally.counts[Outcome.SKIP] = len(plan.skips)
    jobs = jobs or jobs_for(plan)
    if jobs == 1:
        source = case_records(plan, width=width, stall_width=stall_width)
    else:
        source = _in_processes(plan, jobs=jobs, width=width, stall_width=stall_width)
    async with aclosing(source) as records:
        async for record in records:
            tally.add(record)
            yield record
            if fail_fast and tally.exit_code:
                tally.problems.append("stopped after the first failure")
                break
    if not plan.cases:
        tally.problems.append("no case was run")
    yield results.end_record(tally)


def jobs_for(plan: Plan) -> int:
    """Return the default number of processes for a plan."""
    if len(plan.cases) < WORTHWHILE:
        return 1
    return min(os.cpu_count() or 1, 8)


async def _in_processes(
    plan: Plan, *, jobs: int, width: int, stall_width: int
) -> AsyncGenerator[JsonObject, None]:
    """Run the cases in ``jobs`` processes and yield each record when it arrives.

    Raises :class:`HarnessError` if a process ends before its cases do. Closing the generator
    stops the processes.
    """
    import multiprocessing  # Slow to import, and not needed for one process.

    context = multiprocessing.get_context("spawn")
    arrived: asyncio.Queue[JsonObject | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    workers, pipes = [], []
    for number in range(jobs):
        # Neighbouring cases take about as long, so each process gets every ``jobs``-th one.
        empty = replace(plan, cases=(), baselines={}, adapters=(), scenarios=())
        ours, theirs = context.Pipe(duplex=False)
        cases = plan.cases[number::jobs]
        worker = context.Process(
            target=_work, args=(empty, cases, width, stall_width, theirs), daemon=True
        )
        with _uninterrupted():
            worker.start()
        theirs.close()
        workers.append(worker)
        pipes.append(ours)
    readers = [loop.run_in_executor(None, _read, pipe, loop, arrived) for pipe in pipes]
    try:
        running = jobs
        count = 0
        while running:
            record = await arrived.get()
            if record is None:
                running -= 1
                continue
            count += 1
            yield record
        if count < len(plan.cases):
            raise HarnessError(
                f"a worker process ended early: {count} of {len(plan.cases)} cases were run",
                hint="run again with --jobs 1 to see why",
            )
    finally:
        for worker in workers:
            worker.terminate()
        await asyncio.gather(*readers)
        for worker in workers:
            worker.join()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Make processes started here ignore SIGINT: this process stops them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _read(
    pipe: Connection, loop: asyncio.AbstractEventLoop, arrived: asyncio.Queue[JsonObject | None]
) -> None:
    try:
        while True:
            loop.call_soon_threadsafe(arrived.put_nowait, pipe.recv())
    except (EOFError, OSError):
        loop.call_soon_threadsafe(arrived.put_nowait, None)


def _work(
    plan: Plan, cases: Sequence[Case], width: int, stall_width: int, pipe: Connection
) -> None:
    loaded = load_adapters(plan.settings)
    own_plan = replace(
        plan,
        cases=tuple(cases),
        adapters=tuple(adapter for adapter, _ in loaded),
        baselines={adapter.name: baseline for adapter, baseline in loaded},
    )

    async def play() -> None:
        source = case_records(own_plan, width=width, stall_width=stall_width)
        async with aclosing(source) as records:
            async for record in records:
                pipe.send(record)

    # Only the plan lives long. Keep the garbage collector from scanning it again and again.
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    with asyncio.Runner(loop_factory=loop_factory()) as loop:
        loop.run(play())
