"""The files of the twins are what the table and the dialects say now."""

from __future__ import annotations

import pytest

from mockserver.dialects import Dialect
from tests.twins.files import cassette_text, scenario_text
from tests.twins.table import Twin, Unsayable, place, table, twins, writing_dialects

DIALECTS = writing_dialects()


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
def test_the_files_are_up_to_date(dialect: Dialect) -> None:
    scenario, cassette = place(dialect)
    assert scenario.read_bytes() == scenario_text(dialect), "run python -m tests.twins"
    assert cassette.read_bytes() == cassette_text(dialect), "run python -m tests.twins"


def test_every_row_is_said_by_some_dialect() -> None:
    said = {t.name for d in DIALECTS for t in twins(d) if isinstance(t, Twin)}
    assert {row["name"] for row in table()["rows"]} - said == set()


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
def test_what_a_dialect_cannot_say_has_a_reason(dialect: Dialect) -> None:
    assert all(t.why for t in twins(dialect) if isinstance(t, Unsayable))


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
def test_every_dialect_says_the_plain_rows(dialect: Dialect) -> None:
    said = {t.name for t in twins(dialect) if isinstance(t, Twin)}
    assert said >= {"text", "text-whole", "length", "tool-call", "tools-three", "http-rate-limit"}
