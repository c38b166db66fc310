from __future__ import annotations

from pathlib import Path

import pytest

from harness.judge.baseline import Baseline, Entry
from harness.reports.stale import Strictness
from tests.harness.reports.made import FINDING, Record, case, run_of

USAGE = FINDING | {"kind": "usage", "field": "usage.input_tokens"}


def problems(pattern: str, *cases: Record, **narrowed: object) -> list[str]:
    entry = Entry(kind="text", field="text", cases=(pattern,), reason="r", line=7)
    run = run_of(*cases, **narrowed)[0]
    strictness = Strictness({"one": Baseline(Path("one.yaml"), (entry,))}, run)
    for record in cases:
        strictness.add(record)
    return list(strictness.problems())


def test_a_pattern_that_covers_nothing_is_stale() -> None:
    (problem,) = problems("a/**", case("a/b/recorded@one"), case("a/c/recorded@one", "fail", USAGE))
    assert problem.startswith(
        "one.yaml:7: stale baseline entry: text text covers nothing in 'a/**'"
    )


@pytest.mark.parametrize(
    "cases",
    [
        [case("a/b/recorded@one"), case("a/c/recorded@one", "fail")],
        [case("a/b/recorded@one"), case("a/c/recorded@one", "error")],
        [case("d/e/recorded@one")],
        [case("a/b/recorded@two")],
    ],
)
def test_one_that_covers_a_case_or_selects_none_is_not(cases: list[Record]) -> None:
    assert problems("a/**", *cases) == []


@pytest.mark.parametrize(
    ("pattern", "narrowed", "is_judged"),
    [
        ("a/**", {"patterns": ["a"]}, True),
        ("a/**", {"patterns": ["a/b"]}, False),
        ("a/b/**", {"patterns": ["a/*"]}, True),
        ("a/b/**", {"patterns": ["a/*@one"]}, True),
        ("a/b/**", {"patterns": ["@one"]}, True),
        ("a/b/**", {"patterns": ["a", "!a/c"]}, False),
        ("a/**", {"priorities": ["P0"]}, False),
        ("a/b/**", {"priorities": ["P0"]}, True),
        ("a/**", {"axes": "none"}, False),
        ("a/**", {"faults": False}, False),
        ("a/**", {"cases": 2}, False),
        ("a/**", {"shard": {}}, False),
    ],
)
def test_a_pattern_outside_of_the_selection_is_not_judged(
    pattern: str, narrowed: Record, is_judged: bool
) -> None:
    assert bool(problems(pattern, case("a/b/recorded@one"), **narrowed)) is is_judged


def test_a_pattern_that_names_a_case_is_judged_by_the_case() -> None:
    assert problems("a/b/recorded", case("a/b/recorded@one")) == []


def test_a_long_list_is_counted() -> None:
    entries = tuple(Entry(kind="text", cases=(f"a/s{n}/**",), reason="r") for n in range(8))
    cases = [case(f"a/s{n}/recorded@one") for n in range(8)]
    strictness = Strictness({"one": Baseline(Path("one.yaml"), entries)}, run_of(*cases)[0])
    for record in cases:
        strictness.add(record)
    assert list(strictness.problems())[-1] == "one.yaml: 3 more stale baseline entries"
