from __future__ import annotations

from pathlib import Path

import pytest

from harness.reports.ndjson import line
from tests.harness.conftest import QUICK, Cli, records
from tests.harness.reports.made import case, run_of, shard


def test_shards_are_merged_to_the_whole_run(tapecheck: Cli, tmp_path: Path) -> None:
    for number in (1, 2):
        options = ("--shard", f"{number}/2", "--results", f"{number}.ndjson")
        assert tapecheck("run", *QUICK, *options) == 0
        assert f" of shard {number}/2 in " in tapecheck.out
    assert tapecheck("report", "merge", "1.ndjson", "2.ndjson", "-o", "all.ndjson") == 0
    assert tapecheck.out == "all.ndjson: 3 cases: 3 passed, 0 failed\n"
    whole = records(tmp_path / "all.ndjson")
    assert "shard" not in whole[0]
    assert whole[0]["cases"] == len({r["id"] for r in whole if r["type"] == "case"}) == 3
    assert tapecheck("report", "all.ndjson") == 0
    assert "3 cases: 3 passed" in tapecheck.out


def test_a_merge_ends_with_the_exit_code_of_the_run(tapecheck: Cli, tmp_path: Path) -> None:
    file, made = shard(1, 1, [case("a/b/recorded@one", "fail")], problems=["no good"])
    (tmp_path / file).write_text("".join(map(line, made)))
    assert tapecheck("report", "merge", "1.ndjson", "-o", "all.ndjson") == 1
    assert tapecheck.out.startswith("all.ndjson: 1 case: 0 passed, 1 failed")
    assert tapecheck.out.endswith("\n  no good\n")


def test_a_merge_of_what_is_missing_is_a_mistake_of_the_user(tapecheck: Cli) -> None:
    assert tapecheck("report", "merge", "none.ndjson", "-o", "all.ndjson") == 2
    assert "none.ndjson: cannot be read: No such file" in tapecheck.err
    assert tapecheck("report", "merge", "none.ndjson") == 2
    assert "Missing option '--output'" in tapecheck.err
    assert "Usage: tapecheck report merge [OPTIONS] FILE..." in tapecheck.err


@pytest.mark.parametrize("options", [("--shard", "4/3"), ("--shard", "1/2", "--failed")])
def test_a_wrong_shard_is_a_mistake_of_the_user(tapecheck: Cli, options: tuple[str, ...]) -> None:
    assert tapecheck("run", *options) == 2
    assert "shard" in tapecheck.err


def test_markdown_says_what_changed_since_an_earlier_run(tapecheck: Cli, tmp_path: Path) -> None:
    for name, outcome in (("old", "pass"), ("new", "fail")):
        records_of = run_of(case("a/b/recorded@one", outcome))
        (tmp_path / f"{name}.ndjson").write_text("".join(map(line, records_of)))
    arguments = ("report", "new.ndjson", "--before", "old.ndjson")
    assert tapecheck(*arguments, "--format", "markdown") == 0
    assert "| newly failing | 1 | 1 |" in tapecheck.out
    assert tapecheck(*arguments) == 2
    assert "--before is for --format markdown" in tapecheck.err
