from __future__ import annotations

import io
from pathlib import Path

from harness.reports import markdown
from tests.harness.reports.made import FINDING, Record, case, run_of


def written(records: list[Record]) -> str:
    stream = io.StringIO()
    markdown.write(records, stream, here=Path("/specs"))
    return stream.getvalue()


def test_a_good_run_is_short() -> None:
    assert written(run_of(case("a/b/recorded@one"), case("a/b/cut=1@one"))) == (
        "## tapecheck: all as expected\n\n"
        "2 passed, 0 failed, 0 known failures, 0 skipped.\n\n"
        "| scenarios | `one` |\n| --- | --- |\n| **a** | ✓ 1/1 |\n\n"
        "✓ Fault sweep of `one`: 1 fault in 1 stream, all reported.\n"
    )


def test_failures_and_problems_follow() -> None:
    finding = FINDING | {"message": "<b> differs", "observed": "```\n# Not a heading"}
    text = written(run_of(case("a/b/recorded@one", "fail", finding), problems=("a | b",)))
    assert "## tapecheck: failed" in text
    assert "| `a/b` | ✗ 0/1 |" in text
    assert "- a \\| b" in text
    assert "turn: &lt;b&gt; differs</summary>" in text
    assert text.count("```") == 2


def test_a_comment_does_not_grow_without_end() -> None:
    records = run_of(*(case(f"a/s{n}/recorded@one", "fail") for n in range(500)))
    text = written(records)
    assert "… and 480 more." in text
    assert len(text) < 65_536
