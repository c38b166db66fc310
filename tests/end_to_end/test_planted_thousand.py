"""A few of the thousand planted secrets; the module ``planted_thousand`` takes all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.end_to_end.planted_thousand import by_import, by_pytest, by_record, serve
from tests.mockserver.secrets import thousand

COUNT = 1000 if os.environ.get("TAPECHECK_EXHAUSTIVE") else 45
CASES = thousand.cases(COUNT, seed=7)


def test_a_trace_is_found_where_there_is_one() -> None:
    for case in CASES:
        sent = b"".join((case.plan.body, *case.plan.pieces, case.plan.answer))
        texts = [sent.decode("latin-1"), repr(case.plan)]
        packed = case.place in ("gzip", "deflate", "br", "zstd", "packed JSON")
        split = len(case.plan.pieces) > 2
        coded = case.place in ("Basic", "escaped JSON") or "\n" in repr(case.plan.body)
        if not (packed or split or coded):
            assert thousand.traces(texts, [case]) == [case.name]


@pytest.mark.parametrize("way", ["record", "pytest"])
def test_recording_leaves_no_trace(way: str, tmp_path: Path) -> None:
    with serve(CASES) as live:
        run = {"record": by_record, "pytest": by_pytest}[way]
        outcome = run(CASES, live, tmp_path)
    print(outcome)
    assert outcome.left == ()
    assert outcome.stored > COUNT / 2


def test_an_import_leaves_no_trace(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    outcome = by_import(CASES, made)
    print(outcome)
    assert outcome.left == ()
    assert outcome.stored > COUNT / 2
