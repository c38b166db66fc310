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
    assert "<summary>1 case: <b>must text</b>\n&lt;b&gt; differs</summary>" in text
    assert text.count("```") == 2


def test_levels_and_facts_are_said() -> None:
    one = case("a/b/recorded@one", "fail", judged=["text"], unexposed=["model"])
    text = written(run_of(one, case("a/c/recorded@one", "fail")))
    assert "findings: 2 must, 0 should, 0 may; fails for must.\n" in text
    assert "`one`: 1 of 2 facts judged; not exposed, so not judged: model.\n" in text
    assert "<summary>2 cases: <b>must text</b>" in text
    assert "in 2 scenarios: a/** (2)\n" in text


def test_a_comment_does_not_grow_without_end() -> None:
    findings = [FINDING | {"field": f"f{n}"} for n in range(500)]
    records = run_of(*(case(f"a/s{n}/recorded@one", "fail", f) for n, f in enumerate(findings)))
    text = written(records)
    assert "… and 480 more causes." in text
    assert len(text) < 65_536
