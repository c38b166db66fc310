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


def test_what_was_judged_is_counted_in_words() -> None:
    summary = summarize(
        run_of(
            case("a/b/recorded@one", judged=["text", "model"], unexposed=["citations"]),
            case("a/c/recorded@one", judged=["text"], unexposed=["model", "images"]),
        )
    )
    facts = summary.facts["one"]
    assert (facts.text, facts.unjudged) == ("2 of 4", ["citations", "images"])


USAGE = FINDING | {"kind": "usage-missing", "level": "should", "field": "usage.input_tokens"}


@pytest.mark.parametrize(
    ("level", "lines"),
    [
        (
            "must",
            [
                "findings: 1 must, 1 should, 0 may; fails for must; --level should fails for more",
                "not counted at this level: usage-missing (2)",
            ],
        ),
        ("should", ["findings: 1 must, 1 should, 0 may; fails for must and should"]),
    ],
)
def test_the_levels_are_counted_apart(level: str, lines: list[str]) -> None:
    passed = case("a/c/recorded@one") | {"findings": [USAGE], "level": "should"}
    run = run_of(case("a/b/recorded@one", "fail", FINDING, USAGE), passed, level=level)
    assert list(summarize(run).level_lines()) == lines


def test_half_a_run_is_refused() -> None:
    records = run_of(case("a/b/recorded@one"))
    with pytest.raises(ReportError, match="did not finish"):
        summarize(records[:-1])
    with pytest.raises(ReportError, match="not the records of a run"):
        summarize(records[1:])
