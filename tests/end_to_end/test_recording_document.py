"""What docs/RECORDING.md says of modes, of the fixture and of providers: its files are run."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from harness.commands.record import ENDS
from harness.plugin.recording import Tapes
from mockserver.library import library
from mockserver.recording.modes import Mode
from tests.mockserver.live import EVENT, KEY, Live, stream

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "RECORDING.md").read_text(encoding="utf-8")
OPTIONS = ["-p", "no:cacheprovider", "-o", "tapecheck_providers=providers.yaml"]


@pytest.fixture
def live() -> Iterator[Live]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await stream(request, EVENT % b"Hello", b"data: [DONE]\n\n")

    with Live(answer) as running:
        yield running


def shown(name: str) -> str:
    """Return a file that the document shows."""
    (found,) = re.findall(rf"<!-- file: {name} -->\n```\w+\n(.*?)```", TEXT, re.DOTALL)
    return str(found)


def pytest_run(directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    kept = {n: v for n, v in os.environ.items() if n != "CI" and not n.startswith("PYTEST")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, *options, "test_recorded.py"],
        cwd=directory,
        env={**kept, "PYTHONPATH": str(ROOT), "GATEWAY_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_tests_are_recorded_and_replayed(live: Live, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_recorded.py").write_text(shown("test_recorded.py"))
    providers = shown("providers.yaml").replace("https://llm.example.com", live.url)
    (tmp_path / "providers.yaml").write_text(providers)
    done = pytest_run(tmp_path, "--record")
    assert done.returncode == 0, done.stdout
    asked = [headers["x-api-key"] for _, _, headers, _ in live.requests]
    assert asked == [KEY] * 3
    cassettes = tmp_path / "cassettes"
    counts = {
        str(path.relative_to(cassettes)): len(library.load(path).interactions)
        for path in cassettes.rglob("*.yaml")
    }
    assert counts == {"greetings/hello.yaml": 1, "test_recorded/module.yaml": 2}
    done = pytest_run(tmp_path)
    assert done.returncode == 0, done.stdout
    assert len(live.requests) == 3


def rows(heading: str) -> list[str]:
    """Return the first cells of the first table of a section."""
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    table = section.partition("| --- ")[2].partition("\n\n")[0]
    return [line.split("|")[1].strip() for line in table.splitlines()[1:]]


def test_every_mode_is_explained() -> None:
    assert [row.split("`")[1] for row in rows("Modes")] == list(Mode)
    for mode in Mode:
        assert f"| {mode.meaning} |" in TEXT


def test_every_end_that_needs_an_option_is_explained() -> None:
    assert [row.strip("`") for row in rows("Answers that end too early")] == list(ENDS)


def test_every_argument_of_the_fixture_is_explained() -> None:
    named = set(re.findall(r"`(\w+)`", " ".join(rows("In tests"))))
    wanted = set(inspect.signature(Tapes.__call__).parameters) - {"self", "provider", "more"}
    assert named == wanted
