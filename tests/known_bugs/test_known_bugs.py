"""A bundled client with a fault of docs/bugs.md fails, at must where something is at stake."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from harness.judge.kinds import Level
from harness.judge.transcript import Outcome, Verdict
from harness.plan.planning import Plan, Settings, plan_cases
from harness.run.runner import Runner
from tests.known_bugs import (
    chatcmpl_to_responses,
    chatgpt_oauth,
    inner_thoughts,
    openai_compat,
    response_strategies,
)
from tests.known_bugs.bug import KnownBug
from tests.known_bugs.rows import ROWS, Row, selects

MODULES = (
    chatgpt_oauth,
    chatcmpl_to_responses,
    inner_thoughts,
    response_strategies,
    openai_compat,
)
BUGS: list[KnownBug] = [bug for module in MODULES for bug in module.BUGS]
CASES = sorted({bug.case for bug in BUGS})
CLIENTS = sorted({bug.client for bug in BUGS})
#: Rows in which something is at stake, and why they are shown below must all the same.
BELOW_MUST = {
    "chatcmpl-to-responses-1": "usage that is missing, not wrong, is a should",
    "chatgpt-oauth-1": "usage that is missing, not wrong, is a should",
    "openai-compat-16": "usage that is missing, not wrong, is a should",
}


@pytest.fixture(scope="module")
def plan() -> Plan:
    plan, gone = plan_cases(Settings(adapters=tuple(CLIENTS)), CASES)
    assert gone == frozenset()
    return plan


def played(plan: Plan, case_id: str, level: Level) -> Verdict:
    case = next(case for case in plan.cases if case.id == case_id)
    adapters = tuple(replace(adapter, level=level) for adapter in plan.adapters)

    async def play() -> Verdict:
        settings = replace(plan, adapters=adapters)
        async with Runner(settings, deadline=3, gate_timeout=0.5) as runner:
            return (await runner.run_case(case)).verdict

    return asyncio.run(play())


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_a_client_with_the_fault_fails(
    plan: Plan, bug: KnownBug, monkeypatch: pytest.MonkeyPatch
) -> None:
    bug.break_(monkeypatch)
    verdict = played(plan, bug.case, bug.level)
    found = {f"{f.level} {f.kind}": f.message for f in verdict.findings}
    assert f"{bug.level} {bug.kind}" in found, found
    assert verdict.outcome is Outcome.FAIL


@pytest.mark.parametrize("case_id", CASES)
def test_the_client_passes_without_it(plan: Plan, case_id: str) -> None:
    verdict = played(plan, case_id, Level.MAY)
    assert [f"{f.check}: {f.message}" for f in verdict.findings] == []
    assert verdict.outcome is Outcome.PASS


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_row_is_shown_by_a_case_that_it_names(row: Row) -> None:
    bugs = [bug for bug in BUGS if (bug.client, bug.row) == (row.client, row.number)]
    assert bugs
    for bug in bugs:
        assert any(selects(pattern, [bug.case]) for pattern in row.patterns), bug.case


def test_what_is_at_stake_is_shown_at_must() -> None:
    rows: dict[str, bool] = {}
    for bug in BUGS:
        if bug.at_stake:
            rows[bug.name] = rows.get(bug.name, False) or bug.level is Level.MUST
    assert {name for name, is_shown in rows.items() if not is_shown} == set(BELOW_MUST)
