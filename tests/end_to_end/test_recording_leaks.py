"""Planted secrets, recorded by whole processes: none in a file, none in their output.

A few cases here; ``TAPECHECK_EXHAUSTIVE=1`` takes all.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.end_to_end.planted_client import PROGRAM
from tests.mockserver.live import KEY, Live
from tests.mockserver.secrets.planted import CASES, answer, planted, texts, traces

ROOT = Path(__file__).parents[2]
EXHAUSTIVE = bool(os.environ.get("TAPECHECK_EXHAUSTIVE"))
PLANS = [planted(*case) for case in CASES]
#: Plans in which the command itself could leak.
SOME = [
    CASES.index((place, "plain", "the key itself"))
    for place in ("path", "query by name", "error text", "nearly whole", "gzip")
]

TEST = """
import pytest
from client import ask

@pytest.mark.parametrize("number", {numbers})
def test_it(tapecheck, number):
    ask("{control}", tapecheck("local").base_url, number)
"""


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    async def handle(request: web.Request) -> web.StreamResponse:
        match request.path.split("/"):
            case ["", "plans", number]:
                plan = PLANS[int(number)]
                return web.json_response(
                    {
                        "path": plan.path,
                        "query": plan.query,
                        "headers": plan.headers,
                        "body": base64.b64encode(plan.body).decode(),
                    }
                )
            case ["", "v1", number, *_]:
                return await answer(request, PLANS[int(number)])
        return web.Response(status=404)

    with Live(handle) as running:
        yield running


@pytest.fixture
def project(live: Live, tmp_path: Path) -> Path:
    (tmp_path / "providers.json").write_text(live.providers_file())
    (tmp_path / "client.py").write_text(PROGRAM)
    return tmp_path


def run(project: Path, *arguments: str | Path) -> str:
    environment = {**os.environ, "LIVE_KEY": KEY, "PYTHONPATH": str(ROOT)}
    environment.pop("CI", None)
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=project,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    return f"exit {done.returncode}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("number", range(len(CASES)) if EXHAUSTIVE else SOME)
def test_the_command_leaks_nothing(number: int, project: Path, live: Live) -> None:
    options = ["--providers", "providers.json", "-p", "local", "-o", "cassettes/tape"]
    output = run(
        project, "harness", "record", *options, "--", sys.executable, "client.py", live.url, number
    )
    assert f"POST /v1/{number}/chat/completions" in output
    assert output.startswith(("exit 0\n", "exit 1\n"))
    assert ("wrote" in output) == (project / "cassettes/tape.yaml").exists()
    _, encoding, secret = CASES[number]
    assert traces(texts(project, output), secret, encoding) == []


def test_pytest_leaks_nothing(project: Path, live: Live) -> None:
    numbers = list(range(0, len(CASES), 1 if EXHAUSTIVE else 8))
    (project / "test_mine.py").write_text(TEST.format(numbers=numbers, control=live.url))
    (project / "pytest.ini").write_text("[pytest]\ntapecheck_providers = providers.json\n")
    output = run(
        project, "pytest", "--record", "-rA", "--log-cli-level=DEBUG", "--junitxml=junit.xml", "-n0"
    )
    assert f"{len(numbers)} passed" in output
    written = len(list((project / "cassettes").rglob("*.yaml")))
    refused = output.count(": not written:\n")
    print(f"{len(numbers)} planted: {written} recordings written, {refused} refused")
    assert written > 0
    assert written + refused >= len(numbers)
    found = texts(project, output)
    sought = {CASES[number][1:] for number in numbers}
    assert {s: places for s in sought if (places := traces(found, s[1], s[0]))} == {}
