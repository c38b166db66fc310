"""A whole run: the records from the first to the last."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from harness.judge.transcript import Outcome
from harness.plan.planning import Plan
from harness.reports import records as results
from harness.reports.records import Tally
from harness.run import parallel, runner
from mockserver.vocabulary.model import JsonObject


async def run(
    plan: Plan,
    *,
    jobs: int | None = None,
    width: int = 6,
    stall_width: int = 48,
    fail_fast: bool = False,
) -> AsyncGenerator[JsonObject, None]:
    """Run a plan and yield its records as they come; the last one is ``end``.

    ``jobs`` is the number of processes, by default as many as are worthwhile. In each, ``width``
    cases run side by side, and ``stall_width`` stalled ones. ``fail_fast`` stops after the first
    case that counts against the run.
    """
    yield results.start_record(plan)
    for record in results.skip_records(plan):
        yield record
    tally = Tally(problems=list(plan.problems), unreadable=plan.unreadable)
    tally.counts[Outcome.SKIP] = len(plan.skips)
    jobs = jobs or parallel.jobs_for(plan)
    if jobs == 1:
        source = runner.case_records(plan, width=width, stall_width=stall_width)
    else:
        source = parallel.case_records(plan, jobs=jobs, width=width, stall_width=stall_width)
    async with aclosing(source) as records:
        async for record in records:
            tally.add(Outcome(record["outcome"]))
            yield record
            if fail_fast and tally.exit_code:
                tally.problems.append("stopped after the first failure")
                break
    if not plan.cases:
        tally.problems.append("no case was run")
    yield results.end_record(tally)
