"""Whole runs of hostile clients: each ends by itself, is red, and has a whole report."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from harness.judge.transcript import Outcome, Transcript, Verdict
from harness.plan.expand import Axes
from harness.plan.planning import Settings, make_plan
from harness.reports.records import CaseResult
from harness.run.lanes import judged
from harness.run.run import run
from harness.run.runner import Runner
from harness.suite.scenario import Case
from mockserver.vocabulary import JsonObject

HOSTILE = Path(__file__).parents[1] / "clients/hostile.py"
TEXT = ("openai-chat/text-basic/recorded", "openai-chat/text-basic/hold=2")


def played(name: str, *patterns: str, deadline: float = 20.0) -> list[CaseResult]:
    settings = Settings(
        adapters=(f"{HOSTILE}:{name}",), patterns=patterns or TEXT, axes=Axes(mode="none")
    )
    plan = make_plan(settings)

    async def play() -> list[CaseResult]:
        async with Runner(plan, deadline=deadline) as runner:
            return [result async for result in judged(runner, plan.cases)]

    results = asyncio.run(play())
    assert sorted(r.case.id for r in results) == sorted(case.id for case in plan.cases)
    return results


def messages(result: CaseResult) -> list[str]:
    return [f.message for f in result.verdict.findings]


def test_a_right_client_passes_in_its_own_process() -> None:
    for result in played("good", "openai-chat/text-basic"):
        assert messages(result) == []
        assert result.verdict.outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("exits", "the client ended its process (exit code 0)"),
        ("terminates", "the client was ended by SIGTERM"),
        ("raises_system_exit", "the client raised an exception that it does not document"),
        ("blocks", "the client did not return before the deadline and was stopped"),
        ("swallows", "the client did not return before the deadline and was stopped"),
    ],
)
def test_a_hostile_client_fails_its_cases(name: str, message: str) -> None:
    for result in played(name, deadline=1 if "did not return" in message else 20):
        assert message in messages(result)
        assert result.verdict.outcome is Outcome.FAIL


def test_stalled_cases_that_share_a_process_are_judged_each_by_itself() -> None:
    results = played("good", "openai-chat/text-basic/stall=*")
    assert len(results) > 5
    assert {r.verdict.outcome for r in results} == {Outcome.PASS}
    for result in played("exits", "openai-chat/text-basic/stall=[1-3]"):
        assert "the client ended its process (exit code 0)" in messages(result)


def test_a_key_in_the_output_of_a_process_that_ended_is_found_and_goes_no_further() -> None:
    (result,) = played("terminates", TEXT[0])
    assert "the API key appears in its output" in messages(result)
    assert "sk-tapecheck-" not in str(result.verdict) + str(result.transcript.turns)


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_records_of_a_client_that_ends_its_process_are_whole(jobs: int) -> None:
    settings = Settings(adapters=(f"{HOSTILE}:exits",), patterns=TEXT, axes=Axes(mode="none"))
    plan = make_plan(settings)

    async def play() -> list[JsonObject]:
        return [record async for record in run(plan, jobs=jobs)]

    records = asyncio.run(play())
    assert {r["id"] for r in records if r["type"] == "case"} == {c.id for c in plan.cases}
    assert (records[-1]["type"], records[-1]["exit_code"]) == ("end", 1)


def test_a_request_beyond_the_recorded_ones_is_one_finding(tmp_path: Path) -> None:
    path = tmp_path / "twice.py"
    path.write_text(
        "import dataclasses\n"
        "from harness import adapter\n"
        "from harness.adapters.openai_compat import openai_compat\n\n"
        "@adapter(dialects=['openai-chat'], features=['streaming'])\n"
        "async def twice(call):\n"
        "    async for _ in openai_compat.run(call):\n"
        "        pass\n"
        "    async for item in openai_compat.run(call):\n"
        "        yield item\n"
    )
    plan = make_plan(Settings(adapters=(str(path),), patterns=TEXT[:1], axes=Axes(mode="none")))

    async def play() -> list[CaseResult]:
        async with Runner(plan) as runner:
            return [result async for result in judged(runner, plan.cases)]

    (result,) = asyncio.run(play())
    (finding,) = result.verdict.findings
    assert (finding.check, finding.kind, finding.observed) == ("request", "extra-request", 2)
    assert [r.again for r in result.transcript.requests] == [False, True]


def test_the_processes_of_a_client_end_with_its_cases() -> None:
    plan = make_plan(
        Settings(
            adapters=("openai-compat", "response-strategies"),
            patterns=("openai-chat/text-basic",),
            axes=Axes(mode="none"),
        )
    )
    played: list[str] = []

    class Watched(Runner):
        async def run_case(self, case: Case, *, alone: bool = False) -> CaseResult:
            played.append(case.adapter)
            return CaseResult(
                case=case,
                verdict=Verdict(outcome=Outcome.PASS),
                transcript=Transcript(case=case, api_key="", base_url="", turns=(), schedules=()),
            )

        async def release(self, adapter: str) -> None:
            assert played.count(adapter) == sum(c.adapter == adapter for c in plan.cases)
            played.append(f"end of {adapter}")

    async def play(*adapters: str) -> None:
        cases = [case for case in plan.cases if case.adapter in adapters]
        results = [result async for result in judged(Watched(plan), cases)]
        assert len(results) == len(cases)

    asyncio.run(play("openai-compat", "response-strategies"))
    ends = {f"end of {adapter.name}" for adapter in plan.adapters}
    assert ends < set(played)
    # A client that is alone may be asked again, as by 'tapecheck explain'.
    played.clear()
    asyncio.run(play("openai-compat"))
    assert set(played) == {"openai-compat"}
