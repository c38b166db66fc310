from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HOSTILE = ROOT / "tests/harness/clients/hostile.py"
RUN = [sys.executable, "-P", "-m", "harness", "run", "--adapter", f"{HOSTILE}:good"]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupted_run_reports_what_it_found(jobs: str, tmp_path: Path) -> None:
    command = [*RUN, "openai-chat/**", "--format", "ndjson", "--jobs", jobs]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        records = []
        for line in program.stdout:
            records.append(json.loads(line))
            if records[-1]["type"] == "case" and not any(r["type"] == "case" for r in records[:-1]):
                program.send_signal(signal.SIGINT)
        assert program.wait() == 130
    cases = [r for r in records if r["type"] == "case"]
    end = records[-1]
    assert (end["type"], end["exit_code"]) == ("end", 130)
    assert end["problems"] == [f"interrupted after {len(cases)} of {records[0]['cases']} cases"]
    assert end["counts"]["pass"] == len(cases)


def test_in_process_says_that_it_is_no_gate(tmp_path: Path) -> None:
    command = [*RUN, "openai-chat/text-basic/recorded", "--in-process", "--format", "ndjson"]
    env = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "in process: no gate\n")
    first = json.loads(done.stdout.splitlines()[0])
    assert first["in_process"] is True
    assert "--in-process" in first["options"]
