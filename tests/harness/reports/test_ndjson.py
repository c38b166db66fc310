from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ReportError
from harness.reports import ndjson
from tests.harness.reports.made import FINDING, case, run_of


def test_what_was_written_is_read(tmp_path: Path) -> None:
    records = run_of(case("a/b/recorded@one", title="Grüße\u2028aus\n"))
    path = tmp_path / "results.ndjson"
    path.write_text("".join(map(ndjson.line, records)), encoding="utf-8")
    assert list(ndjson.read(path)) == records


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("half \ud83d a pair", r"half \ud83d a pair"),
        ("\udc00\ud800", r"\udc00\ud800"),
        (r"\ud83d in letters", r"\ud83d in letters"),
        ({"\ud800": ["\udfff"]}, {r"\ud800": [r"\udfff"]}),
        ([float("nan"), (float("-inf"), 1.5)], ["nan", ["-inf", 1.5]]),
    ],
)
def test_every_reader_takes_what_a_client_put_into_a_record(given: Any, read: Any) -> None:
    finding = FINDING | {"observed": given}
    text = ndjson.line(case("a/b/recorded@one", "fail", finding))
    assert text.isascii()
    # A strict reader: no NaN, and no escape of half a pair.
    assert not re.search(r"(?<!\\)(?:\\\\)*\\ud[89a-f]", text)
    record = json.loads(text, parse_constant=pytest.fail)
    assert record["findings"][0]["observed"] == read


@pytest.mark.parametrize(
    "bad",
    [
        *("{", "[]", '{"type": "other"}', "", "[" * 100_000, '{"type": []}'),
        '{"type": "case", "id": "a", "outcome": []}',
        '{"type": "case", "id": "a", "outcome": "good"}',
        '{"type": "case", "id": "a", "outcome": "fail", "seconds": "x"}',
        '{"type": "case", "id": "a", "outcome": "fail", "findings": "x"}',
        '{"type": "case", "id": "a", "outcome": "fail", "findings": [{"level": "zzz"}]}',
        '{"type": "run", "adapters": "x"}',
        '{"type": "run", "adapters": ["x"]}',
        '{"type": "end", "counts": null}',
    ],
)
def test_a_line_that_is_no_record_is_named(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "results.ndjson"
    path.write_text(ndjson.line(run_of()[0]) + f"{bad}\n")
    with pytest.raises(ReportError, match=r"results\.ndjson:2: not a record of a run"):
        list(ndjson.read(path))


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "results.ndjson"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ReportError, match=r"results\.ndjson: "):
        list(ndjson.read(path))
