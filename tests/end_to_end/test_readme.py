from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from harness import cli
from mockserver import MockServer
from mockserver.library import library
from mockserver.serving.verify import verify

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```\n", README, re.DOTALL))
COMMANDS = [
    line.split("#")[0]
    for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("tapecheck ")
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with all the files that the README shows."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def tapecheck(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness", *arguments]
    return subprocess.run(
        command,
        cwd=project,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_exists_with_its_options(command: str) -> None:
    words = shlex.split(command)[1:]
    context = cli.tapecheck.make_context("tapecheck", words, resilient_parsing=True)
    group: click.Command = cli.tapecheck
    while isinstance(group, click.Group):
        name, found, words = group.resolve_command(context, words)
        assert found is not None
        assert name is not None
        group = found
    group.make_context(name, words)


def test_the_adapter_does_what_is_said_of_it(project: Path) -> None:
    first = next(c for c in COMMANDS if "--adapter my_adapter.py" in c)
    done = tapecheck(project, *shlex.split(first)[1:])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "openai-chat    ✓ " in done.stdout
    cut = "openai-chat/text-basic/cut=3@my-adapter"
    done = tapecheck(project, "explain", cut, "--adapter", "my_adapter.py")
    assert done.returncode == 1
    assert "an error" in done.stdout


def test_the_scenario_and_its_cassette_are_sound(project: Path) -> None:
    lint, run = (shlex.split(c)[1:] for c in COMMANDS if "--cassettes cassettes" in c)
    done = tapecheck(project, *lint)
    assert (done.returncode, done.stdout) == (0, "1 scenarios, 1 cassettes: 0 problems\n")
    done = tapecheck(project, *run, "--no-faults")
    assert done.returncode == 0, done.stdout + done.stderr
    assert verify(library.load(project / "cassettes/my/hello.yaml")) == []


def test_the_openai_sdk_talks_to_the_server(project: Path) -> None:
    with MockServer(ROOT / "cassettes") as server:
        code = FILES["client.py"].replace("http://127.0.0.1:8080", server.url)
        assert "/c/openai-chat/text-basic/v1" in code
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=project, capture_output=True, check=True
        )
    assert done.stdout.decode() == "Say “Servus, schön dich zu sehen” and smile. 👋\n"


def test_the_list_of_verbs_is_told() -> None:
    for verb in cli.VERBS:
        assert f"tapecheck {verb}" in README, verb
