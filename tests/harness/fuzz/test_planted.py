"""The fuzzer finds faults that no bundled scenario shows, each with a seed of its own."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing

import pytest

from harness.adapters.chat.stream import ChatStream
from harness.adapters.openai_compat import client
from harness.fuzz.planning import call_of, make_plan
from harness.fuzz.searching import Search
from harness.judge.transcript import Outcome
from harness.plan import planning
from harness.plan.planning import Settings
from harness.run.lanes import judged
from harness.run.runner import Runner
from tests.harness.fuzz import planted

PLAN = make_plan(Settings(adapters=("openai-compat",)))
ASKED = call_of(PLAN.adapters[0], "openai-chat")
#: The kind and the field of what each fault shows, and a seed with which that comes early.
SEEDS = {
    planted.DropsCombining: ("text", "text", 3),
    planted.LosesEscaped: ("false-failure", "ending", 9),
    planted.CountsTheInputTwice: ("usage", "usage.total_tokens", 2),
    planted.PlainNames: ("tool-call", "tool_calls.name", 6),
    planted.DropsTheDigitZero: ("text", "text", 0),
}


@pytest.mark.parametrize("fault", planted.PLANTED)
def test_the_fault_is_found(fault: type[ChatStream], monkeypatch: pytest.MonkeyPatch) -> None:
    kind, field, seed = SEEDS[fault]
    monkeypatch.setattr(client, "ChatStream", fault)
    # Short turns are played sooner. A new version of hypothesis may draw other wires, so there is
    # room for more of them.
    with Search(PLAN, "openai-chat", ASKED, seed=seed, most=1, shrinks=1) as search:
        found = next(search.found(seconds=1e9, examples=400))
        print("PLAYED", fault.__name__, search.tally.played)
    assert (found.cause.kind, found.cause.field) == (kind, field)


@pytest.mark.skipif("TAPECHECK_EXHAUSTIVE" not in os.environ, reason="minutes")
@pytest.mark.parametrize("fault", planted.PLANTED)
def test_no_bundled_scenario_shows_it(
    fault: type[ChatStream], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planning.make_plan(Settings(adapters=("openai-compat",)))
    monkeypatch.setattr(client, "ChatStream", fault)

    async def failing() -> list[str]:
        async with Runner(plan) as runner, aclosing(judged(runner, plan.cases)) as results:
            return [r.case.id async for r in results if r.verdict.outcome is not Outcome.PASS]

    assert asyncio.run(failing()) == []
