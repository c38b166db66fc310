"""docs/REFUSALS.md names every check, and every way to break an answer."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from mockserver.wire.faults import FaultKind

ROOT = Path(__file__).parents[3]


def checks() -> Iterator[str]:
    """Yield the ids in the calls that make objections."""
    for path in (ROOT / "mockserver").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if name in ("wrong", "objection", "_wrong") and isinstance(node, ast.Call):
                match node.args:
                    case [ast.Constant(value=str() as check), *_]:
                        yield check


def test_the_page_names_every_check() -> None:
    page = (ROOT / "docs" / "REFUSALS.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)`", page))
    found = set(checks())
    assert len(found) > 20
    assert found - named == set()
    assert set(FaultKind) - named == set()
