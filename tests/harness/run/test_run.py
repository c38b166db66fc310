from __future__ import annotations

import asyncio
import inspect
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import SetupError
from harness.plan.expand import Axes
from harness.plan.planning import Plan, Settings, make_plan
from harness.run.run import jobs_for, run
from harness.suite.schemas import definition
from mockserver.vocabulary.model import JsonObject

SILENT = """\
from harness import adapter

@adapter(dialects=["openai-chat"], features=["streaming"])
def silent(call):
    return []
"""


def played(plan: Plan, **options: object) -> list[JsonObject]:
    async def play() -> list[JsonObject]:
        return [record async for record in run(plan, **options)]  # type: ignore[arg-type]

    return asyncio.run(play())


def plan_of(adapter: str = "openai-compat", *patterns: str) -> Plan:
    patterns = patterns or ("openai-chat/text-basic", "openai-chat/tools-interleaved")
    return make_plan(Settings(adapters=(adapter,), patterns=patterns, axes=Axes(mode="none")))


def test_records_obey_the_schema_and_end_with_the_end() -> None:
    records = played(plan_of())
    for record in records:
        check = definition("run_record", record["type"])
        assert check is not None
        check.validate(record)
    assert [r["type"] for r in records[:1]] == ["run"]
    assert records[-1]["type"] == "end"
    assert records[-1]["exit_code"] == 0
    assert records[-1]["counts"]["pass"] == records[0]["cases"] == len(plan_of().cases)


def test_several_processes_give_the_same_records() -> None:
    def outcomes(records: list[JsonObject]) -> list[tuple[str, str]]:
        return sorted((r["id"], r["outcome"]) for r in records if r["type"] == "case")

    plan = plan_of()
    assert outcomes(played(plan, jobs=2)) == outcomes(played(plan, jobs=1))


def test_what_a_process_that_died_did_not_play_is_an_error() -> None:
    plan = plan_of("openai-compat", "openai-chat/text-basic")
    # Each of two processes cannot load what the plan names.
    plan = replace(plan, settings=replace(plan.settings, adapters=("no-such",)))
    records = played(plan, jobs=2)
    cases = [r for r in records if r["type"] == "case"]
    assert sorted(c["id"] for c in cases) == sorted(c.id for c in plan.cases)
    assert {c["outcome"] for c in cases} == {"error"}
    assert "ended (exit code 1)" in cases[0]["findings"][0]["message"]
    assert (records[-1]["type"], records[-1]["exit_code"]) == ("end", 3)


def test_a_run_that_cannot_go_on_still_has_its_end(tmp_path: Path) -> None:
    path = tmp_path / "silent.py"
    path.write_text(SILENT)
    plan = plan_of(str(path), "openai-chat/text-basic/recorded")
    plan = replace(plan, settings=replace(plan.settings, keep=path / "below"))
    records: list[JsonObject] = []

    async def play() -> None:
        async for record in run(plan):
            records.append(record)  # noqa: PERF401 - kept although it raises

    with pytest.raises(SetupError, match="cannot write the transcript"):
        asyncio.run(play())
    assert (records[-1]["type"], records[-1]["exit_code"]) == ("end", 3)
    assert "the run could not go on" in records[-1]["problems"][0]


def test_a_client_that_does_nothing_fails_every_case(tmp_path: Path) -> None:
    path = tmp_path / "silent.py"
    path.write_text(SILENT)
    records = played(plan_of(str(path), "openai-chat/text-basic/recorded"))
    (case,) = (r for r in records if r["type"] == "case")
    assert case["outcome"] == "fail"
    assert {"evidence"} <= {f["check"] for f in case["findings"]}
    assert records[-1]["exit_code"] == 1


MALFORMED = """\
from harness import adapter

@adapter(dialects=["openai-chat"], features=["streaming"])
def malformed(call):
    yield {"type": "message_start", "response_id": "x", "model": "m"}
    yield %s
    yield {"type": "message_stop", "finish_reason": "stop", "raw_finish_reason": "stop"}
"""


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (
            '{"type": "content_delta", "delta": None}',
            "event 2, content_delta: delta: None is not of type 'string'",
        ),
        (
            '{"type": "usage", "usage": 7}',
            "event 2, usage: usage: 7 is not of type 'object'",
        ),
    ],
)
def test_a_wrong_type_counts_against_the_client(tmp_path: Path, event: str, message: str) -> None:
    path = tmp_path / "malformed.py"
    path.write_text(MALFORMED % event)
    records = played(plan_of(str(path), "openai-chat/text-basic"))
    cases = [r for r in records if r["type"] == "case"]
    assert {c["outcome"] for c in cases} == {"fail"}
    for case in cases:
        assert message in [f["message"] for f in case["findings"]]
    assert records[-1]["exit_code"] == 1


def test_stopping_after_the_first_failure(tmp_path: Path) -> None:
    path = tmp_path / "silent.py"
    path.write_text(SILENT)
    records = played(plan_of(str(path), "openai-chat/text-basic"), fail_fast=True)
    assert sum(r["type"] == "case" for r in records) == 1
    assert "stopped after the first failure" in records[-1]["problems"]


def test_short_runs_stay_in_one_process() -> None:
    assert jobs_for(plan_of()) == 1


def test_a_run_that_is_stopped_leaves_no_client_behind() -> None:
    async def left() -> set[object]:
        async with aclosing(run(plan_of(), jobs=1)) as records:
            async for record in records:
                if record["type"] == "case":
                    break
        # The HTTP library's own generators are closed by the loop, in tasks that do nothing else.
        return {task for task in asyncio.all_tasks() if inspect.iscoroutine(task.get_coro())} - {
            asyncio.current_task()
        }

    assert asyncio.run(left()) == set()
