"""The suite's own test: every broken client is caught, by the check that is meant to catch it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

from harness import Call
from harness.clients.interface import Adapter
from harness.judge import CHECKS
from harness.judge.baseline import Baseline
from harness.judge.kinds import KINDS, Level
from harness.judge.terms import PROFILES
from harness.judge.transcript import Outcome
from harness.plan.expand import Axes, expand
from harness.plan.planning import Plan, Settings, schedules_of
from harness.reports.records import CaseResult
from harness.run.runner import Runner
from harness.suite.scenario import Case
from harness.suite.schemas import schema
from tests import saboteurs
from tests.harness import bundled
from tests.saboteurs.broken import SABOTEURS, Saboteur
from tests.saboteurs.client import SimpleClient
from tests.saboteurs.native import NativeClient

for _module in iter_modules(saboteurs.__path__, f"{saboteurs.__name__}."):
    if not _module.name.endswith(".test_saboteurs"):
        import_module(_module.name)

SCENARIOS = bundled.scenarios()


def adapter_of(client: type[SimpleClient]) -> Adapter:
    async def run(call: Call) -> AsyncIterator[Any]:
        async for item in client(call).run():
            yield item

    return Adapter(
        name="client",
        run=run,
        dialects=frozenset({client.dialect}),
        features=frozenset(schema("scenario")["$defs"]["feature"]["enum"])
        - (set() if issubclass(client, NativeClient) else {"native_responses"}),
        exposes=PROFILES["everything"],
        errors="class",
        granularity="exact",
        level=Level.MAY,
    )


def case_of(case_id: str) -> Case:
    scenario = SCENARIOS[case_id.rpartition("/")[0]]
    cases = expand(scenario, "client", schedules_of(scenario), Axes(mode="all"), faults=True)
    return next(c for c in cases if c.id == f"{case_id}@client")


def played(client: type[SimpleClient], case: Case) -> CaseResult:
    adapter = adapter_of(client)
    plan = Plan(
        settings=Settings(),
        adapters=(adapter,),
        baselines={"client": Baseline.empty(case.scenario.file)},
        cases=(case,),
        skips=(),
    )

    async def play() -> CaseResult:
        async with Runner(plan, deadline=3, gate_timeout=2) as runner:
            return await runner.run_case(case)

    return asyncio.run(play())


@pytest.mark.parametrize("saboteur", SABOTEURS, ids=lambda s: s.name)
def test_a_saboteur_is_caught_by_its_check(saboteur: Saboteur) -> None:
    result = played(saboteur.client, case_of(saboteur.case))
    assert result.verdict.outcome is Outcome.FAIL
    found = {(f.check, f.kind) for f in result.verdict.findings}
    assert (saboteur.check, saboteur.kind) in found
    # A run at this level fails, and one at a level above would not.
    assert result.verdict.level is KINDS[saboteur.kind].level


def unbroken(saboteur: Saboteur) -> type[SimpleClient]:
    broken = {s.client for s in SABOTEURS}
    return next(kind for kind in saboteur.client.__mro__[1:] if kind not in broken)


@pytest.mark.parametrize(
    ("client", "case_id"),
    sorted(
        {(unbroken(s), s.case) for s in SABOTEURS}, key=lambda pair: (pair[0].__name__, pair[1])
    ),
)
def test_the_unbroken_client_passes_where_the_saboteurs_fail(
    client: type[SimpleClient], case_id: str
) -> None:
    verdict = played(client, case_of(case_id)).verdict
    assert [f"{f.check}: {f.message}" for f in verdict.findings] == []
    assert verdict.outcome is Outcome.PASS


def test_every_check_of_a_client_has_a_saboteur() -> None:
    # A cassette that is empty is the harness's business, not a client's.
    assert {s.check for s in SABOTEURS} == set(CHECKS) - {"cassette"}


def test_few_saboteurs_break_a_convention_only() -> None:
    by_level = {
        level: {s.name for s in SABOTEURS if KINDS[s.kind].level is level} for level in Level
    }
    assert by_level[Level.MAY] == {
        "AsksForNoUsage",
        "BelievesStopDespiteCalls",
        "CountsSilenceAsZero",
        "EmitsHalfACharacter",
        "LosesThePlan",
        "MakesTheSameIdInEveryTurn",
        "SendsEmptyDeltas",
        "SendsEveryResultInAMessage",
    }
    assert len(by_level[Level.MUST]) >= 50


def test_there_are_enough_of_them() -> None:
    assert len({s.name for s in SABOTEURS}) >= 30
