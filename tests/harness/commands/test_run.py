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


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_no_process_outlives_a_run_that_is_killed(tmp_path: Path) -> None:
    # The client blocks, so that the processes have nothing to say that would fail.
    command = [*RUN[:-1], f"{HOSTILE}:blocks", "openai-chat/text-*", "--jobs", "2"]
    command += ["--format", "ndjson"]
    env = {"PYTHONPATH": str(ROOT), "TAPECHECK_TEST": str(tmp_path)}
    with subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        program.stdout.readline()
        while not _running(tmp_path, b"harness.clients.worker"):
            pass
        program.kill()
    for _ in range(2000):  # They end soon, not at once.
        if not (left := _running(tmp_path)):
            break
    assert left == []


def _running(marker: Path, command: bytes = b"") -> list[Path]:
    """Return the processes that a test started and that run such a command."""
    return [
        path
        for path in Path("/proc").glob("[0-9]*")
        if f"TAPECHECK_TEST={marker}".encode() in _read(path / "environ")
        and command in _read(path / "cmdline")
    ]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_client_reaches_no_descriptor_of_the_harness(tmp_path: Path) -> None:
    client = f"{HOSTILE}:writes_everywhere"
    command = [*RUN[:-1], client, "openai-chat/text-basic", "--axes", "none", "--no-faults"]
    done = subprocess.run(
        [*command, "--jobs", "2", "--format", "ndjson"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, records[-1]["type"], done.stderr) == (1, "end", "")
    assert {r["outcome"] for r in records if r["type"] == "case"} == {"fail"}
