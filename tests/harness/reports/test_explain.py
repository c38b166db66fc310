from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.reports.aligned import one_line
from harness.reports.explain import brief, difference, location, replay, sides
from harness.suite import bundled
from tests.harness.reports.made import FINDING, case

DELTA = {"type": "content_delta", "delta": "Hi"}


@pytest.mark.parametrize(
    ("file", "shown"),
    [
        (bundled.scenarios() / "x/y.yaml", "specs/scenarios/x/y.yaml:7"),
        (Path("/here/specs/y.yaml"), "specs/y.yaml:7"),
        (Path("/there/specs/y.yaml"), "/there/specs/y.yaml:7"),
    ],
)
def test_a_bundled_requirement_is_named_as_in_the_distribution(file: Path, shown: str) -> None:
    assert location({"file": str(file)}, FINDING, Path("/here")) == shown
    record = case("a/b/recorded@one", "fail", file=str(file))
    assert f"  {shown}" in list(brief(record, Path("/here")))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "(nothing)"),
        ("ü", '"ü"'),
        (DELTA, 'content_delta delta="Hi"'),
        ({"type": "usage", "usage": {"input_tokens": 1}}, "usage input_tokens=1"),
        ({"class": "timeout"}, '{"class": "timeout"}'),
    ],
)
def test_a_value_in_one_line(value: Any, text: str) -> None:
    assert one_line(value) == text


@pytest.mark.parametrize(
    ("expected", "observed", "where", "left", "right"),
    [
        ([DELTA, DELTA], [DELTA], "event 2", 'content_delta delta="Hi"', "(nothing)"),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}, "c": 0}, "a/b/1", "2", "3"),
        ("x", "y", "", '"x"', '"y"'),
        ([{"text": "x"}], [{"text": "y"}], "0/text", '"x"', '"y"'),
        ([], {}, "", "[]", "{}"),
    ],
)
def test_the_first_difference_is_found(
    expected: Any, observed: Any, where: str, left: str, right: str
) -> None:
    found = difference(FINDING | {"expected": expected, "observed": observed})
    assert found is not None
    assert (found.where, found.expected, found.observed) == (where, left, right)


def test_a_check_that_knows_the_event_is_believed() -> None:
    # The ids of made-up tool calls differ, and may.
    start = {"type": "tool_call_start", "tool_call_id": "a"}
    found = difference(
        FINDING
        | {"expected": [start, DELTA], "observed": [start | {"tool_call_id": "b"}], "event": 1}
    )
    assert found is not None
    assert found.where == "event 2"


def test_no_sides_no_difference() -> None:
    assert difference({"check": "fault", "message": "m", "blame": "client"}) is None


def test_a_late_difference_can_be_seen_in_a_narrow_place() -> None:
    same = "word " * 100
    finding = FINDING | {"expected": f"{same}left", "observed": f"{same}right"}
    lines = list(brief(case("a/b/recorded@one", "fail", finding), Path("/"), 60))
    left, right = (line.split("  ")[-1] for line in lines[-2:])
    assert left.startswith("…")
    assert left.endswith(' word left"')
    assert right.endswith(' word right"')
    assert max(map(len, lines)) <= 60


def test_only_the_first_findings_are_told_in_brief() -> None:
    findings = [FINDING | {"message": f"finding {n}", "field": str(n)} for n in range(5)]
    text = "\n".join(brief(case("a/b/recorded@one", "fail", *findings), Path("/")))
    assert "finding 2" in text
    assert "finding 3" not in text
    assert text.endswith("and 2 more findings")


def test_what_several_checks_found_is_told_once() -> None:
    found = [FINDING | {"check": check} for check in ("fold", "turn")]
    text = "\n".join(brief(case("a/b/recorded@one", "fail", *found), Path("/")))
    assert text.count("must text: ") == 1


def test_the_blame_is_named_if_it_is_not_the_client_s() -> None:
    record = case("a/b/recorded@one", "error", FINDING | {"blame": "harness"})
    assert next(brief(record, Path("/"))) == "must text (harness): content of the turn differs"


def test_sides_are_aligned_and_equal_runs_are_short() -> None:
    events = [DELTA | {"delta": str(n)} for n in range(10)]
    lines = list(sides(events, [*events[:7], *events[8:]], 65))
    assert lines == [
        "  expected                       | observed",
        "  … 5 equal lines",
        '  content_delta delta="5"        | content_delta delta="5"',
        '  content_delta delta="6"        | content_delta delta="6"',
        '> content_delta delta="7"        |',
        '  content_delta delta="8"        | content_delta delta="8"',
        '  content_delta delta="9"        | content_delta delta="9"',
    ]


def test_what_is_seen_without_an_expectation_stands_alone() -> None:
    finding = {k: v for k, v in FINDING.items() if k not in {"expected", "line"}}
    lines = list(brief(case("a/b/recorded@one", "fail", finding), Path("/")))
    assert lines == ["must text: content of the turn differs", '    observed  "Hell"']
    assert list(sides(None, "Hell", 80)) == ['  observed  "Hell"']
    assert list(sides(None, None, 80)) == []


def test_long_values_are_folded_within_their_column() -> None:
    lines = list(sides("a" * 100, "b", 45))
    assert all(len(line) <= 45 for line in lines)
    assert sum(line.count("a") for line in lines[1:]) == 100


def test_the_command_can_be_pasted() -> None:
    assert replay("a/b/eol=cr,gzip=yes@one", ["--adapter", "my adapter.py"]) == (
        "tapecheck explain a/b/eol=cr,gzip=yes@one --adapter 'my adapter.py'"
    )
