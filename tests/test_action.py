"""The composite action, performed as a runner does it; its tapecheck only notes its calls."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
#: Stands in for every command: it notes its arguments, and writes the files that it is to write.
MADE = """\
#!/bin/bash
[ "$1" = -c ] && { echo 0123abcd; exit; }
printf '%q ' "${0##*/}" "$@" >> "$CALLS"; echo >> "$CALLS"
[ "$1 $CODE" = "run 2" ] && exit 2
while [ $# -gt 0 ]; do
  case $1 in -o|--results) echo '{}' > "$2";; run|merge) code=$CODE;; esac
  shift
done
echo '::error::of a client'
exit ${code:-0}
"""

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")


class Job:
    """Performs the steps of the action in ``folder``, where its commands end with ``code``."""

    def __init__(self, folder: Path, code: int = 0, **inputs: str) -> None:
        self.folder = folder
        self.inputs = {name: i.get("default", "") for name, i in ACTION["inputs"].items()}
        self.inputs |= {name.replace("_", "-"): value for name, value in inputs.items()}
        self.outputs: defaultdict[str, str] = defaultdict(str)
        self.used: list[dict[str, str]] = []
        self.log = ""
        self.code = 0
        (folder / "bin").mkdir()
        for name in ("python", "tapecheck"):
            path = folder / "bin" / name
            path.write_text(MADE)
            path.chmod(0o755)
        self.environment = {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "CALLS": str(folder / "calls"),
            "CODE": str(code),
            "GITHUB_ACTION_PATH": "/the action",
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "RUNNER_TEMP": str(folder / "temp"),
        }
        for step in STEPS:
            self._perform(step)

    def _perform(self, step: dict[str, Any]) -> None:
        condition = step.get("if", "success()")
        if self.code and "always()" not in condition:
            return
        if not self._holds(condition):
            return
        if "uses" in step:
            values = {k: self._value(v) for k, v in step["with"].items()}
            self.used.append({"uses": step["uses"], **values})
            return
        assert step["shell"] == "bash"
        own = {name: self._value(value) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.folder / self._value(step.get("working-directory", ".")),
            env=self.environment | own,
            capture_output=True,
            text=True,
        )
        assert done.stderr == ""
        self.log += done.stdout
        self.code = done.returncode
        output = self.folder / "output"
        if step.get("id") == "run":
            pairs = (line.split("=", 1) for line in output.read_text().splitlines())
            self.outputs.update(pairs)

    def _value(self, text: str) -> str:
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: self._named(found[1]), text)

    def _named(self, name: str) -> str:
        if name.startswith("inputs."):
            return self.inputs[name.removeprefix("inputs.")]
        return self.outputs[name.removeprefix("steps.run.outputs.")]

    def _holds(self, condition: str) -> bool:
        terms = condition.split(" && ")
        for term in terms:
            if term not in {"always()", "success()"}:
                name, operator, value = term.split(" ")
                if (self._named(name) == value.strip("'")) is not (operator == "=="):
                    return False
        return True

    @property
    def calls(self) -> list[list[str]]:
        return [shlex.split(line) for line in (self.folder / "calls").read_text().splitlines()]

    @property
    def reports(self) -> list[str]:
        return [c[c.index("--format") + 1] for c in self.calls if "--format" in c]


@pytest.mark.parametrize("code", [0, 1, 3])
def test_a_run_is_reported_and_its_exit_code_comes_last(tmp_path: Path, code: int) -> None:
    job = Job(tmp_path, code, install="openai -r 'x.txt'", adapter="a b.py\n  two.yaml\n")
    folder = str(tmp_path / "temp/tapecheck")
    results = f"{folder}/results.ndjson"
    pip, run, *reports = job.calls
    assert pip[:4] == ["python", "-m", "pip", "install"]
    assert pip[-4:] == ["/the action", "openai", "-r", "'x.txt'"]
    adapters = ["--adapter", "a b.py", "--adapter", "two.yaml"]
    assert run == ["tapecheck", "run", *adapters, "--results", results]
    assert all(call[:3] == ["tapecheck", "report", results] for call in reports)
    assert job.reports == ["github", "markdown", "html", "junit", "badge"]
    assert job.outputs["exit-code"] == str(code)
    assert job.outputs["results"] == results
    assert job.code == code
    setup, upload = job.used
    assert setup == {"uses": "actions/setup-python@v5", "python-version": "3.13"}
    assert upload == {"uses": "actions/upload-artifact@v4", "name": "tapecheck", "path": folder}
    assert (tmp_path / "summary").read_text() == "::error::of a client\n"


def test_what_a_client_prints_is_no_command(tmp_path: Path) -> None:
    log = Job(tmp_path, 1).log.splitlines()
    _, stopped, printed, resumed, *_ = log
    assert (stopped, printed, resumed) == (
        "::stop-commands::0123abcd",
        "::error::of a client",
        "::0123abcd::",
    )


def test_a_mistake_has_no_report(tmp_path: Path) -> None:
    job = Job(tmp_path, 2)
    assert job.reports == []
    assert len(job.used) == 1
    assert job.code == 2


def test_a_shard_is_uploaded_under_its_own_name_and_reported_later(tmp_path: Path) -> None:
    job = Job(tmp_path, 1, shard="2/4", args="--full --axes none 'sse/*'")
    assert job.calls[-1][4:] == [
        *("--shard", "2/4", "--full", "--axes", "none", "'sse/*'", "--results"),
        str(tmp_path / "temp/tapecheck/results.ndjson"),
    ]
    assert job.reports == []
    assert job.used[-1]["name"] == "tapecheck-shard-2"
    assert job.code == 1


def test_shards_are_merged_and_reported(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"shards/{number}").mkdir(parents=True)
        (tmp_path / f"shards/{number}/results.ndjson").write_text("{}")
    job = Job(tmp_path, 1, shards="shards/*/results.ndjson")
    results = str(tmp_path / "temp/tapecheck/results.ndjson")
    files = [f"shards/{number}/results.ndjson" for number in (1, 2)]
    assert job.calls[1] == ["tapecheck", "report", "merge", *files, "-o", results]
    assert job.calls[2] == ["tapecheck", "report", results]
    assert job.reports == ["github", "markdown", "html", "junit", "badge"]
    assert (job.code, job.used[-1]["name"]) == (1, "tapecheck")


def test_an_earlier_run_is_compared_if_it_is_there(tmp_path: Path) -> None:
    for name, expected in (("there", ["--before", "old.ndjson"]), ("gone", [])):
        (tmp_path / name).mkdir()
        if expected:
            (tmp_path / name / "old.ndjson").write_text("{}")
        calls = Job(tmp_path / name, before="old.ndjson").calls
        (markdown,) = (call for call in calls if "markdown" in call)
        assert markdown[markdown.index("markdown") + 1 :] == expected


def test_the_project_may_be_below_and_everything_may_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    job = Job(tmp_path, working_directory="below", artifact="", python_version="")
    assert job.used == []
    assert job.calls[0][-1] == "/the action"


@pytest.mark.parametrize("name", ["adapter", "install", "args", "shard", "before", "artifact"])
def test_an_input_is_never_run_as_a_script(tmp_path: Path, name: str) -> None:
    Job(tmp_path, **{name: "$(touch hacked) `touch hacked`; touch hacked; '\" * \\"})
    assert not (tmp_path / "hacked").exists()


def test_scripts_get_inputs_from_their_environment_alone() -> None:
    assert [step for step in STEPS if "${{" in step.get("run", "")] == []


def test_each_input_is_used_and_has_a_default_or_a_reason() -> None:
    text = yaml.safe_dump(STEPS)
    for name, declared in ACTION["inputs"].items():
        assert f"inputs.{name}" in text
        assert declared["description"].endswith(".")
        assert "default" in declared
