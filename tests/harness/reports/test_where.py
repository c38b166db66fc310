from __future__ import annotations

import pytest

from harness.reports.where import narrowest, patterns
from harness.suite.selection import matches

KNOWN = ("a/b", "a/c/x", "a/c/y", "d/e", "d/f")


@pytest.mark.parametrize(
    ("wanted", "few", "paths"),
    [
        (["a/b"], 9, ["a/b"]),
        (["a/c/x", "a/c/y"], 9, ["a/c"]),
        (["a/b", "a/c/x", "a/c/y"], 9, ["a"]),
        (KNOWN, 9, [""]),
        (["a/c/x", "d/e"], 9, ["a/c/x", "d/e"]),
        (["a/b", "a/c/x", "d/e"], 2, ["a", "d/e"]),
        (["a/b", "d/e"], 1, [""]),
    ],
)
def test_paths_are_exact_until_they_are_too_many(
    wanted: list[str], few: int, paths: list[str]
) -> None:
    assert narrowest(wanted, KNOWN, few) == paths


@pytest.mark.parametrize(
    ("cases", "others", "found"),
    [
        ("a/b/recorded a/b/eol=cr", "d/e/recorded", ["a/b/**"]),
        ("a/b/eol=cr", "a/b/recorded", ["a/b/**/*eol=cr*"]),
        (
            "a/b/eol=cr,gzip=yes d/e/eol=cr,gzip=yes",
            "a/b/eol=cr a/b/gzip=yes d/e/eol=cr d/e/gzip=yes",
            ["a/b/**/*eol=cr*gzip=yes*", "d/e/**/*eol=cr*gzip=yes*"],
        ),
        ("a/b/recorded", "a/b/eol=cr", ["a/b/**/recorded"]),
        ("a/b/cut=1 a/b/reset=2", "a/b/stall=1", ["a/b/**/{cut,reset}=*"]),
        ("a/b/hold=2 a/b/hold=4", "a/b/recorded", ["a/b/**/hold=*"]),
        ("a/b/cut=1 a/b/bom=yes", "a/b/recorded", ["a/b/**/*bom=yes*", "a/b/**/cut=*"]),
        ("a/c/x/recorded a/c/y/recorded", "a/b/recorded", ["a/c/**"]),
    ],
)
def test_patterns_select_the_cases_and_leave_out_others(
    cases: str, others: str, found: list[str]
) -> None:
    named = [
        [(name.rpartition("/")[0], name.rpartition("/")[2]) for name in text.split()]
        for text in (cases, others)
    ]
    assert list(patterns(*named, KNOWN)) == found
    for text, wanted in ((cases, True), (others, False)):
        for name in text.split():
            assert any(matches(f"{name}@one", pattern) for pattern in found) is wanted
