"""The tables of docs/bugs.md lead to cases, checks and tests that exist."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import bracex
import pytest

from harness.judge import CHECKS
from harness.plan.planning import Settings, make_plan
from harness.suite.selection import matches

ROOT = Path(__file__).parent.parent
#: How many faults of each client are known.
FAULTS = {
    "chatgpt-oauth": 15,
    "chatcmpl-to-responses": 19,
    "inner-thoughts": 17,
    "response-strategies": 13,
    "openai-compat": 25,
}


@dataclass(frozen=True)
class Row:
    """One fault. ``links`` are patterns of cases, or tests as ``file::name``."""

    client: str
    number: int
    links: tuple[str, ...]
    checks: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.client}-{self.number}"


def read() -> list[Row]:
    rows, client = [], ""
    for line in (ROOT / "docs" / "bugs.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            client = line.removeprefix("## ")
        elif re.match(r"\| \d", line):
            number, _, cases, checks = (cell.strip() for cell in line.strip("|").split(" | "))
            rows.append(Row(client, int(number), quoted(cases), quoted(checks)))
    return rows


def quoted(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", cell))


ROWS = read()


@pytest.fixture(scope="module")
def planned() -> list[str]:
    return [case.id for case in make_plan(Settings()).cases]


def test_every_fault_has_a_row() -> None:
    numbers: dict[str, list[int]] = {}
    for row in ROWS:
        numbers.setdefault(row.client, []).append(row.number)
    assert numbers == {client: list(range(1, n + 1)) for client, n in FAULTS.items()}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_row_leads_somewhere(row: Row, planned: list[str]) -> None:
    assert row.links
    for link in row.links:
        if "::" in link:
            assert is_test(link), link
        else:
            assert link.endswith(f"@{row.client}")
            for pattern in bracex.expand(link):
                assert selects(pattern, planned), pattern


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_cases_are_named_with_the_checks_that_judge_them(row: Row) -> None:
    assert set(row.checks) <= set(CHECKS)
    assert bool(row.checks) is any("::" not in link for link in row.links)


def selects(pattern: str, ids: list[str]) -> bool:
    """Whether a case is selected; only those that begin as the pattern does are tried."""
    plain = re.split(r"[*?\[@]", pattern)[0]
    return any(case.startswith(plain) and matches(case, pattern) for case in ids)


def is_test(link: str) -> bool:
    file, _, name = link.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body)
