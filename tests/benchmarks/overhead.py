"""What the harness adds to a run: the same cases with and without judging.

The bare script drives the same adapter over the same wires against the same server, and throws
its output away. Run it as ``python -m tests.benchmarks.overhead``; it prints the seconds of the
processor that each side used, by turns, and their ratio.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator

from harness.clients.conversation import first_call
from harness.plan.expand import Axes
from harness.plan.planning import Plan, Settings, cassette_of, make_plan, schedules_of
from harness.run.run import run
from harness.suite.scenario import Case
from mockserver import MockServer
from mockserver.dialects.registry import base_path
from mockserver.library.session import Exchange
from mockserver.wire import axes

ROUNDS = 3
WIDTH = 6


def plan() -> Plan:
    settings = Settings(
        adapters=("openai-compat",), patterns=("openai-chat", "sse"), axes=Axes(), faults=False
    )
    return make_plan(settings)


async def bare(todo: Plan) -> None:
    """Play every case without judging it."""
    (adapter,) = todo.adapters

    async def work(server: MockServer, cases: Iterator[Case]) -> None:
        for case in cases:
            recorded = cassette_of(case.scenario.cassette).interactions
            numbers = case.scenario.interactions or range(len(recorded))
            schedules = [axes.apply(s, case.point) for s in schedules_of(case.scenario)]
            exchanges = [
                Exchange(recorded[n].request, s) for n, s in zip(numbers, schedules, strict=True)
            ]
            with server.session(exchanges=exchanges) as session:
                paths = [e.request.url.path for e in exchanges]
                call = first_call(
                    case.scenario.turns[0],
                    dialect=case.scenario.dialect,
                    base_url=session.url + base_path(case.scenario.dialect, paths),
                    api_key="sk-bench",
                    timeout=10,
                )
                try:
                    async for _ in adapter.run(call):
                        pass
                except Exception:
                    pass

    with MockServer() as server:
        shared = iter(c for c in todo.cases if len(c.scenario.turns) == 1)
        await asyncio.gather(*(work(server, shared) for _ in range(WIDTH)))


async def judged(todo: Plan) -> None:
    """Run the plan like ``tapecheck run`` in one process."""
    async for _ in run(todo, jobs=1, width=WIDTH):
        pass


def seconds(play: Callable[[Plan], Awaitable[None]], todo: Plan) -> float:
    began = time.process_time()
    asyncio.run(play(todo))  # type: ignore[arg-type]
    return time.process_time() - began


def main() -> None:
    todo = plan()
    for play in (bare, judged):
        seconds(play, todo)
    print(f"{len(todo.cases)} cases, processor seconds")
    ratios = []
    for _ in range(ROUNDS):
        one, other = seconds(bare, todo), seconds(judged, todo)
        ratios.append(other / one)
        print(f"  bare {one:6.2f}   judged {other:6.2f}   ratio {other / one:.2f}")
    print(f"overhead {statistics.median(ratios) - 1:.0%}, the median of {ROUNDS} rounds")


if __name__ == "__main__":
    main()
