"""The table of kinds and the code agree: no kind without a row, no row without a use and a test."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.judge.kinds import KINDS, Level

ROOT = Path(__file__).parents[3]
#: What makes findings.
SOURCES = [
    path
    for folder in ("judge", "clients", "run", "reports", "plugin", "plan")
    for path in (ROOT / "harness" / folder).rglob("*.py")
    if path.name != "kinds.py"
]


def texts(node: ast.AST) -> set[str]:
    return {
        n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)
    }


def results(node: ast.expr) -> Iterator[ast.expr]:
    """Yield what an expression can be, without the conditions."""
    if isinstance(node, ast.IfExp):
        yield from results(node.body)
        yield from results(node.orelse)
    else:
        yield node


def named_kinds(tree: ast.AST) -> set[str]:
    """Return the words that are given as the kind of a finding or of a difference."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        values = [k.value for k in node.keywords if k.arg == "kind"]
        if isinstance(node.func, ast.Name) and node.func.id == "Difference":
            values += node.args[:1]
        for value in values:
            found |= {
                one.value
                for one in results(value)
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
    return found


def test_every_kind_that_a_check_names_is_a_row() -> None:
    named = {kind for path in SOURCES for kind in named_kinds(ast.parse(path.read_text()))}
    assert {"stale", "setup", "call-id", "no-ending"} <= named  # the search works
    assert named - set(KINDS) == set()


def test_every_row_is_used_by_a_check() -> None:
    used = {text for path in SOURCES for text in texts(ast.parse(path.read_text()))}
    assert set(KINDS) - used == set()


def test_every_row_has_a_test() -> None:
    folders = ("harness/judge", "saboteurs")
    tests = [p for f in folders for p in (ROOT / "tests" / f).glob("*.py")]
    used = {
        text
        for path in tests
        if path.name != Path(__file__).name
        for text in texts(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert set(KINDS) - used == set()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_row_says_what_and_why(kind: object) -> None:
    what, reason = kind.what, kind.reason  # type: ignore[attr-defined]
    assert what
    assert reason
    assert what != reason


def test_a_level_includes_those_above() -> None:
    assert [one.includes(Level.MUST) for one in Level] == [True, True, True]
    assert [one.includes(Level.SHOULD) for one in Level] == [False, True, True]
    assert [one.includes(Level.MAY) for one in Level] == [False, False, True]
