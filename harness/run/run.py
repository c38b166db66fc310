"""Run a plan, from the first record to the last, in this process or in several.

A Python process uses one core. Each process has its own server and its own clients: it loads those
that run in it by the references in the plan's settings. It receives cases and sends records back.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import replace
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

from harness.clients import registry
from harness.clients.hosts import is_in_worker
from harness.plan.planning import Plan, load_adapters
from harness.reports import records as results
from harness.reports.ending import Ending
from harness.run.lanes import Width, case_records
from harness.suite.scenario import Case
from mockserver.serving import loop_factory
from mockserver.vocabulary import JsonObject

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

#: With fewer cases, starting processes takes longer than running the cases here.
WORTHWHILE = 400
#: Seconds for a process to end its clients when it is stopped.
_STOPPING = 10.0


async def run(
    plan: Plan, *, jobs: int | None = None, width: Width | None = None, fail_fast: bool = False
) -> AsyncGenerator[JsonObject, None]:
    """Run a plan and yield its records as they arrive; the last one is ``end``.

    ``jobs`` is the number of processes; by default :func:`jobs_for` chooses. ``width`` is how
    many cases run side by side in each. ``fail_fast`` stops after the first case that counts
    against the run. If the harness itself cannot go on, the exception follows the last record.
    """
    start = results.start_record(plan)
    yield start
    for record in results.skip_records(plan):
        yield record
    ending = Ending(
        start,
        baselines=plan.baselines,
        listed=plan.listed if plan.share is None else {},
        skips=len(plan.skips),
        problems=plan.problems,
        unreadable=plan.unreadable,
    )
    jobs = jobs or jobs_for(plan)
    width = width or Width()
    source = case_records(plan, width) if jobs == 1 else _in_processes(plan, jobs, width)
    failure: Exception | None = None
    try:
        async with aclosing(source) as records:
            async for record in records:
                ending.add(record)
                yield record
                if fail_fast and ending.tally.exit_code:
                    ending.stop("stopped after the first failure")
                    break
    except Exception as exc:
        failure = exc
        ending.stop(f"the run could not go on: {exc}", failed_itself=True)
    yield ending.record()
    if failure is not None:
        raise failure


def jobs_for(plan: Plan) -> int:
    """Return the default number of processes for a plan."""
    if len(plan.cases) < WORTHWHILE:
        return 1
    return min(os.cpu_count() or 1, 8)


async def _in_processes(plan: Plan, jobs: int, width: Width) -> AsyncGenerator[JsonObject, None]:
    """Run the cases in ``jobs`` processes and yield each record when it arrives.

    If a process ends before its cases do, those are errors. Closing the generator stops the
    processes.
    """
    import multiprocessing  # Slow to import, and not needed for one process.

    context = multiprocessing.get_context("spawn")
    arrived: asyncio.Queue[JsonObject | BaseProcess] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    # Clients that run in processes of their own need not be loaded again to be declared.
    remote = tuple(adapter for adapter in plan.adapters if is_in_worker(adapter))
    empty = replace(plan, cases=(), adapters=remote, scenarios=())
    left: dict[BaseProcess, dict[str, Case]] = {}
    readers = []
    for number in range(jobs):
        # Neighbouring cases take about as long, so each process gets every ``jobs``-th one.
        cases = plan.cases[number::jobs]
        ours, theirs = context.Pipe(duplex=False)
        process: BaseProcess = context.Process(
            target=_work, args=(empty, cases, width, theirs), daemon=True
        )
        with _uninterrupted():
            process.start()
        theirs.close()
        left[process] = {case.id: case for case in cases}
        readers.append(loop.run_in_executor(None, _read, process, ours, loop, arrived))
    processes = list(left)
    owners = {case: process for process, cases in left.items() for case in cases}
    try:
        while left:
            record = await arrived.get()
            if isinstance(record, BaseProcess):
                why = await asyncio.to_thread(_how_ended, record)
                for case in left.pop(record).values():
                    yield results.unplayed_record(case, why)
                continue
            left[owners[record["id"]]].pop(record["id"])
            yield record
    finally:
        for process in processes:
            process.terminate()
        await asyncio.wait(readers, timeout=_STOPPING)
        for process in processes:
            process.kill()
            process.join()
        await asyncio.gather(*readers)


def _how_ended(process: BaseProcess) -> str:
    process.join(_STOPPING)
    return (
        f"not played: the process that was to play it ended (exit code {process.exitcode}); "
        "'--jobs 1' shows why"
    )


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
    process: BaseProcess,
    pipe: Connection,
    loop: asyncio.AbstractEventLoop,
    arrived: asyncio.Queue[JsonObject | BaseProcess],
) -> None:
    """Hand on the records of a process, and at last the process itself."""
    try:
        while True:
            loop.call_soon_threadsafe(arrived.put_nowait, pipe.recv())
    except (EOFError, OSError):
        loop.call_soon_threadsafe(arrived.put_nowait, process)


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, even if that was killed."""
    import multiprocessing

    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _keep_descriptors() -> None:
    """Keep the descriptors of this process from clients' processes, whatever the event loop does.

    What comes through its pipes is trusted, so that no client may write to them.
    """
    for number in range(3, 256):
        with suppress(OSError):
            os.set_inheritable(number, False)


def _work(plan: Plan, cases: Sequence[Case], width: Width, pipe: Connection) -> None:
    _keep_descriptors()
    settings = plan.settings
    references = settings.adapters or registry.bundled_names()
    here = tuple(r for r in references if settings.in_process or r in registry.bundled_names())
    loaded = load_adapters(replace(settings, adapters=here)) if here else []
    adapters = (*plan.adapters, *(adapter for adapter, _ in loaded))
    own_plan = replace(plan, cases=tuple(cases), adapters=adapters)

    threading.Thread(target=_end_with_parent, daemon=True).start()

    async def play() -> None:
        # Ended from outside, this process must still end the clients' processes.
        task = asyncio.current_task()
        assert task is not None
        with suppress(NotImplementedError):  # not on Windows
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        async with aclosing(case_records(own_plan, width)) as records:
            async for record in records:
                pipe.send(record)

    # Only the plan lives long. Keep the garbage collector from scanning it again and again.
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    with asyncio.Runner(loop_factory=loop_factory()) as loop, suppress(asyncio.CancelledError):
        loop.run(play())
