"""What the jobs of CI name is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
JOBS: dict[str, Any] = yaml.safe_load(
    (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
)["jobs"]


def commands(job: str) -> list[str]:
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


def test_linux_runs_what_a_change_has_to_pass_on_every_python() -> None:
    versions = JOBS["linux"]["strategy"]["matrix"]["python"]
    assert commands("linux") == [".ci/run"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == f">={versions[0]}"
    assert [f"Programming Language :: Python :: {version}" for version in versions] == [
        c for c in project["classifiers"] if re.search(r":: 3\.\d+$", c)
    ]


def test_the_package_is_built_and_installed_afresh() -> None:
    *_, build, venv, install, run, verify = commands("package")
    assert build == "python -m build"
    assert venv == 'python -m venv "$RUNNER_TEMP/fresh"'
    assert install == "$RUNNER_TEMP/fresh/bin/pip install dist/*.whl"
    assert run.endswith("tapecheck run --priority P0 --axes none --no-faults")
    assert verify.endswith("tapecheck verify")


def test_the_other_systems_run_the_suite_and_tests_that_exist() -> None:
    assert JOBS["elsewhere"]["strategy"]["matrix"]["system"] == ["windows-latest", "macos-latest"]
    *_, run, tests = commands("elsewhere")
    assert run == "tapecheck run --priority P0 --axes none --no-faults"
    paths = re.findall(r"tests/\S+", tests)
    assert len(paths) > 10
    assert [path for path in paths if not (ROOT / path).exists()] == []
