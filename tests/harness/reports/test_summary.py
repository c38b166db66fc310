from __future__ import annotations

import pytest

from harness.errors import ReportError
from harness.reports.summary import NOT_RUN, Cell, summarize
from harness.suite.schemas import validator
from tests.harness.reports.made import FINDING, case, run_of, skip


def test_the_made_records_are_like_real_ones() -> None:
    records = run_of(
        case("a/b/recorded@one"), case("a/b/cut=1@one", "fail"), skip("a/c", "one", "no")
    )
    for record in records:
        validator("run_record").validate(record)


def test_wires_and_faults_are_counted_apart() -> None:
    summary = summarize(
        run_of(
            case("a/b/recorded@one"),
            case("a/b/eol=cr@one", "fail"),
            case("a/b/hold=2@one"),
            case("a/b/cut=1@one"),
            case("a/b/reset=1@one", "fail"),
            case("a/c/cut=1@one"),
        )
    )
    assert summary.wires["a/b"]["one"].text == "✗ 2/3"
    assert summary.wires["a/c"]["one"].text == NOT_RUN
    assert summary.sweeps["one"].text == "3 faults in 2 streams, 1 failed in 1 stream"


@pytest.mark.parametrize(
    ("outcomes", "text"),
    [
        ({"pass": 3}, "✓ 3/3"),
        ({"pass": 2, "known": 1}, "~ 2/3"),
        ({"pass": 1, "known": 1, "fail": 1}, "✗ 1/3"),
        ({"known": 1, "stale": 1}, "✗ 0/2"),
        ({"fail": 1, "error": 1}, "! 0/2"),
        ({}, "–"),
    ],
)
def test_the_mark_is_that_of_the_worst_outcome(outcomes: dict[str, int], text: str) -> None:
    cell = Cell()
    cell.counts.update(outcomes)
    assert cell.text == text


def test_scenarios_of_one_file_share_a_row() -> None:
    file = {"file": "/specs/a/b.yaml"}
    summary = summarize(
        run_of(
            case("a/b/x/recorded@one", **file),
            case("a/b/y/recorded@one", "fail", **file),
            case("a/c/recorded@one"),
            case("d/e/recorded@one"),
        )
    )
    groups = list(summary.groups())
    assert [(g.name, g.cells["one"].text) for g in groups] == [("a", "✗ 2/3"), ("d", "✓ 1/1")]
    assert [row.name for row in groups[0].rows] == ["b", "c"]
    assert list(groups[0].rows[0].scenarios) == ["x", "y"]


def test_failures_that_are_alike_are_one_failure() -> None:
    other = FINDING | {"check": "sequence"}
    summary = summarize(
        run_of(
            case("a/b/cut=1@one", "fail"),
            case("a/b/gzip=yes,eol=cr@one", "fail"),
            case("a/b/eol=cr@one", "fail"),
            case("a/b/eol=lf@one", "fail", other),
            case("a/b/eol=cr@two", "fail"),
        )
    )
    assert [[r["id"] for r in f.records] for f in summary.failures] == [
        ["a/b/eol=cr@one", "a/b/gzip=yes,eol=cr@one", "a/b/cut=1@one"],
        ["a/b/eol=lf@one"],
        ["a/b/eol=cr@two"],
    ]


def test_a_failure_says_which_wires_it_depends_on() -> None:
    summary = summarize(
        run_of(
            case("a/b/recorded@one"),
            case("a/b/gzip=yes@one"),
            case("a/b/eol=cr@one", "fail"),
            case("a/b/eol=cr,gzip=yes@one", "fail"),
            case("a/b/hold=1@one", "fail"),
        )
    )
    assert summary.alike(summary.failures[0]) == "only eol=cr fails, 2 of 4; the same at hold=1"


def test_a_single_case_has_nothing_to_be_compared_with() -> None:
    summary = summarize(run_of(case("a/b/recorded@one", "fail")))
    assert summary.alike(summary.failures[0]) == ""


def test_half_a_run_is_refused() -> None:
    records = run_of(case("a/b/recorded@one"))
    with pytest.raises(ReportError, match="did not finish"):
        summarize(records[:-1])
    with pytest.raises(ReportError, match="not the records of a run"):
        summarize(records[1:])
