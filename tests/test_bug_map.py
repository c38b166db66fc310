"""The tables of docs/bugs.md lead to cases and checks that exist."""

from __future__ import annotations

import pytest

from harness.judge import CHECKS
from harness.plan.planning import Settings, make_plan
from tests.known_bugs.rows import ROWS, Row, selects

#: How many faults of each client are known.
FAULTS = {
    "chatgpt-oauth": 15,
    "chatcmpl-to-responses": 19,
    "inner-thoughts": 17,
    "response-strategies": 13,
    "openai-compat": 25,
}


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
        assert link.endswith(f"@{row.client}")
    for pattern in row.patterns:
        assert selects(pattern, planned), pattern


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_cases_are_named_with_the_checks_that_judge_them(row: Row) -> None:
    assert row.checks
    assert set(row.checks) <= set(CHECKS)
