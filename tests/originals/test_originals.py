"""docs/bugs.md says where the original shows each fault, as the kept records of a run do."""

from __future__ import annotations

import pytest

from harness.environments import listing
from harness.judge.kinds import KINDS
from harness.plan.planning import Settings, plan_cases
from tests.known_bugs.rows import ROWS, Row, selects
from tests.originals import records
from tests.originals.expected import BUNDLED, NOT_SEEN, REMARKS, SIGHTS

KEPT = records.read()
SEEN_ROWS = {seen.row for seen in KEPT.seen if seen.client.startswith("original-")}
OF_ORIGINALS = [row for row in ROWS if row.client in BUNDLED]


@pytest.mark.parametrize("row", OF_ORIGINALS, ids=str)
def test_every_fault_is_seen_in_the_original_or_it_says_why_not(row: Row) -> None:
    assert (str(row) in SEEN_ROWS) is not (str(row) in NOT_SEEN)
    assert REMARKS.keys() <= SEEN_ROWS


def test_the_document_says_what_the_records_say() -> None:
    text = records.DOCUMENT.read_text(encoding="utf-8")
    # If it does not: python -m tests.originals
    assert records.with_column(text, KEPT) == text
    assert text.count(f" {records.HEADING} |") == len(BUNDLED)


def test_every_record_was_looked_for_in_a_client_that_there_is() -> None:
    looked_for = {(s.row, name, s.case, s.kind): s.says for s in SIGHTS for name in s.clients}
    assert {sight.row for sight in SIGHTS} | NOT_SEEN.keys() == {str(row) for row in OF_ORIGINALS}
    for seen in KEPT.seen:
        says = looked_for[seen.row, seen.client, seen.case, seen.kind]
        assert says in f"{seen.field}: {seen.message}"
        assert listing.third_parties()[seen.client].original
        assert KEPT.releases[seen.client]


@pytest.mark.parametrize("row", OF_ORIGINALS, ids=str)
def test_what_was_seen_is_among_the_cases_of_the_row(row: Row) -> None:
    for seen in KEPT.seen:
        if seen.row == str(row):
            case = f"{seen.case}@{row.client}"
            assert any(selects(pattern, [case]) for pattern in row.patterns), case


@pytest.mark.parametrize("bundled", BUNDLED)
def test_the_cases_and_kinds_exist(bundled: str) -> None:
    seen = [one for one in KEPT.seen if one.row.startswith(f"{bundled}-")]
    assert {one.kind for one in seen} <= KINDS.keys()
    cases = {f"{one.case}@{bundled}" for one in seen}
    _, gone = plan_cases(Settings(adapters=(bundled,)), cases)
    assert gone == frozenset()
