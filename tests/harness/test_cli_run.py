from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.plan.planning import make_plan
from harness.suite.schemas import validator
from tests.conftest import ROOT
from tests.harness.conftest import QUICK, Cli, records


def test_a_good_run(tapecheck: Cli) -> None:
    assert tapecheck("run", *QUICK) == 0
    assert "text-basic  ✓ 3/3" in tapecheck.out
    assert "3 passed" in tapecheck.out
    assert tapecheck.err == ""
    assert "\x1b" not in tapecheck.out


def test_a_failure_has_code_1_and_can_be_run_again(tapecheck: Cli, tmp_path: Path) -> None:
    broken = ("--adapter", "broken.py", "--axes", "none", "--no-faults")
    patterns = ("openai-chat/text-basic/recorded", "sse/one-byte-chunks/recorded")
    assert tapecheck("run", *patterns, *broken) == 1
    assert "  in openai-chat/text-basic/recorded@broken" in tapecheck.out
    assert "text differs at character " in tapecheck.out
    assert "tapecheck explain openai-chat/text-basic/recorded@broken --adapter broken.py" in (
        tapecheck.out
    )
    assert "✗ 1 case: must text" in tapecheck.out


def test_failures_are_run_again_until_they_pass(tapecheck: Cli, tmp_path: Path) -> None:
    source = (tmp_path / "broken.py").read_text()
    one, other = "openai-chat/text-basic/recorded", "openai-chat/text-basic/eol=crlf"
    assert tapecheck("run", one, "--adapter", "broken.py", "--no-faults") == 1
    axes = ("--axes", "eol=crlf", "--no-faults")
    assert tapecheck("run", "openai-chat/text-basic", "--adapter", "broken.py", *axes) == 1
    assert tapecheck("run", "sse/one-byte-chunks/recorded", "--adapter", "broken.py") == 0

    def played() -> list[str]:
        return [r["id"] for r in records(tmp_path / ".tapecheck/last-run.ndjson")[1:-1]]

    assert tapecheck("run", "--failed", "--adapter", "broken.py") == 1
    assert set(played()) >= {f"{one}@broken", f"{other}@broken"}
    assert tapecheck("run", "--failed", "--axes", "none", "**/recorded") == 1
    assert played() == [f"{one}@broken"]
    assert tapecheck("run", "--failed", "--priority", "P2") == 2
    assert "that failed is selected" in tapecheck.err
    (tmp_path / "broken.py").write_text(source.replace(" and smile", "nothing like it"))
    assert tapecheck("run", "--failed", one) == 0
    assert tapecheck("run", "--failed") == 0
    assert f"{one}@broken" not in played()
    assert tapecheck("run", "--failed") == 0
    assert tapecheck.out == "nothing failed that has not passed since\n"
    assert tapecheck("run", "--failed", "--adapter", "openai-compat") == 2
    assert "no earlier run of openai-compat in this directory" in tapecheck.err


def test_a_failure_that_does_not_exist_any_more_is_forgotten(
    tapecheck: Cli, tmp_path: Path
) -> None:
    (tmp_path / ".tapecheck").mkdir()
    file = tmp_path / ".tapecheck/failures.json"
    case = "openai-chat/gone/recorded@broken"
    listed = {"reference": "broken.py", "sources": [], "cases": [case]}
    file.write_text(json.dumps({"version": 1, "failures": [listed]}))
    assert tapecheck("run", "--failed") == 0
    assert tapecheck.out == "1 case that failed: none exists any more\n"
    assert json.loads(file.read_text())["failures"][0]["cases"] == []


def test_the_first_run_of_a_client_is_short_and_says_what_is_next(
    tapecheck: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def planned(settings: Any) -> Any:
        asked.append(settings)
        return make_plan(replace(settings, patterns=("openai-chat/text-basic/recorded",)))

    monkeypatch.setattr("harness.plan.planning.make_plan", planned)
    assert tapecheck("run", "--adapter", "broken.py") == 1
    assert (asked[-1].priorities, asked[-1].axes.mode, asked[-1].faults) == ({"P0"}, "none", False)
    assert tapecheck.out.endswith(
        "these are the P0 scenarios as recorded; next: tapecheck run --adapter broken.py --full\n"
    )
    for arguments in (
        ["--adapter", "broken.py", "--full"],
        ["--adapter", "broken.py", "--axes", "pairwise"],
        ["--adapter", "broken.py", "openai-chat"],
        ["--adapter", "openai-compat"],
    ):
        assert tapecheck("run", *arguments) in {0, 1}
        assert not asked[-1].priorities
        assert "next:" not in tapecheck.out


def test_records_are_valid_and_written_everywhere(tapecheck: Cli, tmp_path: Path) -> None:
    assert tapecheck("run", *QUICK, "--format", "ndjson", "--results", "results.ndjson") == 0
    lines = tapecheck.out.splitlines()
    for line in lines:
        validator("run_record").validate(json.loads(line))
    assert (tmp_path / "results.ndjson").read_text().splitlines() == lines
    assert (tmp_path / ".tapecheck/last-run.ndjson").read_text().splitlines() == lines
    assert (tmp_path / ".tapecheck/.gitignore").read_text().startswith("*\n!exposes/")
    assert {file.name for file in (tmp_path / ".tapecheck").iterdir()} == {
        ".gitignore",
        "failures.json",
        "last-run.ndjson",
    }


@pytest.mark.parametrize(
    ("form", "begins"), [("junit", "<?xml"), ("markdown", "## tapecheck"), ("terminal", "scenario")]
)
def test_formats_of_the_report(tapecheck: Cli, tmp_path: Path, form: str, begins: str) -> None:
    assert tapecheck("run", *QUICK, "--format", form, "-o", "report") == 0
    assert tapecheck.out == ""
    assert (tmp_path / "report").read_text().startswith(begins)
    assert tapecheck("report", "--format", form) == 0
    assert tapecheck.out.startswith(begins)


def test_a_terminal_without_utf_8_gets_words_and_a_program_utf_8(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}

    def shown(*arguments: str) -> bytes:
        command = [sys.executable, "-m", "harness", *arguments]
        done = subprocess.run(command, capture_output=True, cwd=tmp_path, env=environment)
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout

    text = shown("run", *QUICK).decode("ascii")
    assert "text-basic  ok 3/3" in text
    assert "?" not in text
    assert "✓ 3/3" in shown("report", "--format", "markdown").decode()


def test_the_first_failure_can_end_the_run(tapecheck: Cli) -> None:
    every = ("openai-chat/text-basic", "--adapter", "broken.py", "--no-faults")
    assert tapecheck("run", *every, "-x") == 1
    assert "✗ stopped after the first failure" in tapecheck.out


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupted_run_does_not_replace_the_last(
    tapecheck: Cli, tmp_path: Path, jobs: str
) -> None:
    assert tapecheck("run", *QUICK) == 0
    before = (tmp_path / ".tapecheck/last-run.ndjson").read_text()
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "run", "sse", "--format", "ndjson", "--jobs", jobs],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["type"] == "case":
            break
    # A terminal sends it to all processes of the run.
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert (process.returncode, error.strip()) == (130, "")
    assert (tmp_path / ".tapecheck/last-run.ndjson").read_text() == before
    assert {file.name for file in (tmp_path / ".tapecheck").iterdir()} == {
        ".gitignore",
        "failures.json",
        "last-run.ndjson",
    }


def test_half_a_file_of_results_is_rejected(tapecheck: Cli, tmp_path: Path) -> None:
    assert tapecheck("run", *QUICK, "--results", "results.ndjson") == 0
    whole = (tmp_path / "results.ndjson").read_text().splitlines(keepends=True)
    (tmp_path / "half.ndjson").write_text("".join(whole[:-1]))
    assert tapecheck("report", "half.ndjson") == 2
    assert "the run did not finish" in tapecheck.err


def test_colour_is_for_terminals_only(tapecheck: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert tapecheck("run", *QUICK) == 0
    assert "\x1b[" in tapecheck.out
    monkeypatch.setenv("NO_COLOR", "1")
    for arguments in (["report"], ["explain", "openai-chat/text-basic/recorded@openai-compat"]):
        assert tapecheck(*arguments) == 0
        assert re.search(r"\x1b\[(?!1m|2m|0m)", tapecheck.out) is None


# --- explain and baseline ------------------------------------------------------------------
