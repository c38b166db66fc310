from __future__ import annotations

import pytest
import yaml

from harness.errors import BaselineError
from harness.judge.baseline import Entry
from harness.reports.rebaseline import is_whole, rebaseline, rewritten
from harness.suite.selection import matches
from tests.harness.reports.made import FINDING, Record, case, run_of

WIRES = ("recorded", "eol=cr", "gzip=yes,coding=close", "space=none,bom=yes")


def failing(*variations: str, scenario: str = "a/b") -> list[Record]:
    return [case(f"{scenario}/{v}@one", "fail") for v in variations]


def passing(*variations: str, scenario: str = "a/b") -> list[Record]:
    return [case(f"{scenario}/{v}@one") for v in variations]


@pytest.mark.parametrize(
    ("failed", "passed", "patterns"),
    [
        (WIRES, (), {"a/b"}),
        ((*WIRES, "cut=1"), (), {"a/b"}),
        (("eol=cr",), ("recorded",), {"a/b/eol=cr"}),
        (
            WIRES,
            ("cut=1", "hold=2"),
            {"a/b/{recorded,{eol,space,comments,bom,gzip,framing,coding}=*}"},
        ),
        (
            ("cut=1", "cut=2", "reset=1", "reset=2", "stall=2"),
            ("recorded", "cut=0", "reset=0", "stall=0"),
            {"a/b/{cut,reset}={1,2}", "a/b/stall=2"},
        ),
        (("cut=9", "cut=10"), ("recorded",), {"a/b/cut=*"}),
    ],
)
def test_entries_are_few_and_exact(
    failed: tuple[str, ...], passed: tuple[str, ...], patterns: set[str]
) -> None:
    entries = rebaseline((), [*failing(*failed), *passing(*passed)], "as agreed")
    assert {e.cases for e in entries} == patterns
    assert {(e.signature, e.reason) for e in entries} == {("turn", "as agreed")}
    for variation in (*failed, *passed):
        named = any(matches(f"a/b/{variation}@one", e.cases) for e in entries)
        assert named is (variation in failed)


def test_a_case_keeps_its_reason_and_may_change_its_signature() -> None:
    stale = case(
        "a/b/recorded@one",
        "stale",
        FINDING | {"check": "baseline"},
        FINDING | {"check": "usage"},
        known="an old reason",
    )
    entries = rebaseline((), [stale], None)
    assert entries == (Entry(cases="a/b", signature="usage", reason="an old reason"),)


def test_what_passes_goes_out_and_what_was_not_run_stays() -> None:
    before = [Entry(cases=c, signature="turn", reason="r") for c in ("a/b", "c/d", "e/f")]
    problems = ["x.yaml: baseline entry 'e/f' of one matches no case"]
    assert rebaseline(before, passing("recorded"), None, problems) == (before[1],)


def test_a_new_failure_needs_a_reason() -> None:
    with pytest.raises(BaselineError, match="--reason"):
        rebaseline((), failing("recorded"), None)


def test_a_broken_harness_is_no_known_failure() -> None:
    with pytest.raises(BaselineError, match="is a harness error"):
        rebaseline((), [case("a/b/recorded@one", "error")], "r")


@pytest.mark.parametrize(
    "narrowed",
    [
        {"patterns": ["a"]},
        {"priorities": ["P0"]},
        {"faults": False},
        {"axes": "none"},
        {"cases": 2},
    ],
)
def test_a_part_of_the_cases_is_not_enough(narrowed: Record) -> None:
    records = run_of(*passing("recorded"))
    assert is_whole(records[0], records)
    assert not is_whole(records[0] | narrowed, records)


ENTRY = Entry(cases="a/{b,c}", signature="turn", reason="weil’s so ist: #1")


@pytest.mark.parametrize(
    "text",
    [
        "adapter: one  # mine\nentry: a.py:one\n",
        "adapter: one\nentry: a.py:one",
        "# Mine.\nadapter: one\nbaseline: []\n# Where.\nentry: a.py:one\n",
        "baseline:\n- cases: x\n  signature: y\n  reason: |\n    several\n\n    lines\n\n# Where.\n"
        "entry: a.py:one\n",
        "adapter: one\nbaseline:\n  - {cases: x, signature: y, reason: z}\n  # within\n\n",
    ],
)
def test_only_the_baseline_is_rewritten(text: str) -> None:
    after = rewritten(text, [ENTRY])
    without = {k: v for k, v in yaml.safe_load(text).items() if k != "baseline"}
    assert yaml.safe_load(after) == without | {
        "version": 1,
        "baseline": [{"cases": ENTRY.cases, "signature": "turn", "reason": ENTRY.reason}],
    }
    assert [line in after for line in ("# Mine.", "# mine", "# Where.")] == [
        line in text for line in ("# Mine.", "# mine", "# Where.")
    ]
    assert rewritten(after, [ENTRY]) == after
    assert yaml.safe_load(rewritten(after, [])) == without | {"version": 1}
