from __future__ import annotations

from dataclasses import replace

import pytest

from harness.plan.planning import Plan, Settings
from harness.plan.sharding import parse_shard, sharded
from harness.suite.scenario import Case
from tests.harness.plan.test_expand import SCENARIO

CASES = tuple(
    Case(scenario=replace(SCENARIO, id=f"a/s{n}"), adapter=name)
    for n in range(50)
    for name in ("one", "two")
)
PLAN = Plan(
    settings=Settings(),
    adapters=(),
    baselines={},
    cases=CASES,
    skips=(),
    problems=("nothing exercises it",),
    unreadable=True,
)


def test_the_shards_are_all_cases_once_and_about_as_many_each() -> None:
    shards = [sharded(PLAN, number, 3).cases for number in (1, 2, 3)]
    assert sorted(map(len, shards)) == [33, 33, 34]
    assert {case.id for cases in shards for case in cases} == {case.id for case in CASES}
    for cases in shards:
        assert list(cases) == [case for case in CASES if case in cases]
        # No shard has one adapter's cases only, though every second case is one's.
        assert {case.adapter for case in cases} == {"one", "two"}


def test_a_shard_depends_on_the_ids_alone() -> None:
    backwards = replace(PLAN, cases=CASES[::-1])
    one, other = (sharded(plan, 2, 5) for plan in (PLAN, backwards))
    assert {c.id for c in one.cases} == {c.id for c in other.cases}
    assert one.share == other.share


def test_what_is_known_of_the_whole_plan_is_kept_for_the_merge() -> None:
    plan = sharded(PLAN, 2, 3)
    assert (plan.problems, plan.unreadable) == ((), False)
    assert plan.share is not None
    assert (plan.share.number, plan.share.of, plan.share.cases) == (2, 3, 100)
    assert (plan.share.problems, plan.share.unreadable) == (PLAN.problems, True)
    fewer = sharded(replace(PLAN, cases=CASES[:-1]), 2, 3).share
    assert fewer is not None
    assert fewer.digest != plan.share.digest


def test_there_may_be_more_shards_than_cases() -> None:
    shards = [sharded(replace(PLAN, cases=CASES[:2]), n, 3).cases for n in (1, 2, 3)]
    assert [len(cases) for cases in shards] == [1, 1, 0]


def test_a_shard_is_read() -> None:
    assert parse_shard("2/3") == (2, 3)
    assert parse_shard("1/1") == (1, 1)


@pytest.mark.parametrize(
    "text", ["", "2", "0/3", "4/3", "1/0", "-1/3", "1/3/3", " 1/3", "a/b", "١/٣"]
)
def test_any_other_text_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="such as 2/3, not"):
        parse_shard(text)
