from __future__ import annotations

import pytest

from harness.judge.kinds import Level
from harness.reports.grouping import counted, grouped, where
from tests.harness.reports.made import FINDING, Record, case

USAGE = FINDING | {"kind": "usage", "field": "usage.total_tokens"}
MISSING = FINDING | {"kind": "usage-missing", "level": "should", "field": "usage.total_tokens"}


def test_failures_are_grouped_by_cause_over_all_scenarios() -> None:
    groups = grouped(
        [
            case("a/b/cut=1@one", "fail"),
            case("a/b/gzip=yes,eol=cr@one", "fail"),
            case("d/e/eol=cr@one", "fail", FINDING, USAGE),
            case("a/b/eol=cr@one", "fail", MISSING, FINDING | {"message": "other"}),
            case("a/b/eol=cr@two", "fail"),
        ],
        {"one": "may", "two": "must"},
    )
    assert [(g.adapter, g.name, [r["id"] for r in g.records], g.is_alike) for g in groups] == [
        (
            "one",
            "text",
            [
                "a/b/gzip=yes,eol=cr@one",
                "a/b/cut=1@one",
                "a/b/eol=cr@one",
                "d/e/eol=cr@one",
            ],
            False,
        ),
        ("two", "text", ["a/b/eol=cr@two"], True),
        ("one", "usage usage.total_tokens", ["d/e/eol=cr@one"], True),
        ("one", "usage-missing usage.total_tokens", ["a/b/eol=cr@one"], True),
    ]


def test_errors_of_the_harness_come_first() -> None:
    broken = FINDING | {"kind": "setup", "field": "", "blame": "harness"}
    groups = grouped(
        [
            case("a/b/recorded@one", "fail"),
            case("a/c/recorded@one", "error", FINDING, broken),
            case("a/d/recorded@one", "fail"),
        ],
        {},
    )
    assert [(g.name, len(g.records)) for g in groups] == [("setup", 1), ("text", 2)]


def test_one_difference_that_several_checks_found_is_one() -> None:
    first = {k: v for k, v in FINDING.items() if k != "line"} | {"check": "fold"}
    record = case("a/b/recorded@one", "fail", first, FINDING, MISSING)
    assert list(counted(record, Level.MUST)) == [FINDING]
    assert list(counted(record, Level.SHOULD)) == [FINDING, MISSING]


@pytest.mark.parametrize(
    ("failing", "passing", "says"),
    [
        ("a/b/recorded", "", ""),
        ("a/b/recorded", "d/e/recorded", ""),
        ("a/b/eol=cr a/b/eol=cr,gzip=yes", "a/b/recorded", "only eol=cr fails, 2 of 3"),
        ("a/b/cut=1 a/b/cut=2", "a/b/recorded", "faults: cut (2)"),
        ("a/b/recorded a/c/recorded", "d/e/recorded", "in 2 scenarios: a/**"),
        ("a/b/recorded a/c/recorded d/e/recorded", "", "in 3 scenarios: a/** (2), d/** (1)"),
        (
            "a/b/bom=yes d/e/bom=yes d/e/cut=1",
            "a/b/recorded d/e/recorded f/g/bom=yes",
            "in 2 scenarios: a/b, d/e; only bom=yes; faults: cut (1)",
        ),
    ],
)
def test_where_a_cause_shows(failing: str, passing: str, says: str) -> None:
    records: list[Record] = [case(f"{name}@one", "fail") for name in failing.split()]
    played = [
        (name.rpartition("/")[0], name.rpartition("/")[2])
        for name in (failing + " " + passing).split()
    ]
    (group,) = grouped(records, {})
    assert where(group, played, 4) == says
