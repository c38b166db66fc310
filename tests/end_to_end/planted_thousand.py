"""Plant secrets, record them by whole processes, and count what is left on disk and screen.

``python -m tests.end_to_end.planted_thousand [COUNT] [SEED]`` takes 1,000 by default, through
``tapecheck record``, ``pytest --record`` and ``tapecheck import``. A test takes a few of them.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from aiohttp import web

from mockserver.library import library
from tests.end_to_end.planted_client import PROGRAM
from tests.mockserver.live import KEY, Live
from tests.mockserver.secrets import thousand
from tests.mockserver.secrets.planted import Plan, answer
from tests.mockserver.secrets.thousand import Case

ROOT = Path(__file__).parents[2]

TEST = """
import pytest
from client import ask

@pytest.mark.parametrize("number", range({count}))
def test_it(tapecheck, number):
    ask("{control}", tapecheck("local").base_url, number)
"""


@dataclass(frozen=True)
class Outcome:
    """What became of the cases in one way: stored, refused, and those that left a trace."""

    way: str
    stored: int
    refused: int
    left: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.way}: {self.stored} stored, {self.refused} refused, {len(self.left)} left"


def serve(cases: Sequence[Case]) -> Live:
    """Return a live endpoint that hands out the plans and answers as they say."""

    async def handle(request: web.Request) -> web.StreamResponse:
        match request.path.split("/"):
            case ["", "plans", number]:
                plan = cases[int(number)].plan
                body = base64.b64encode(plan.body).decode()
                return web.json_response(
                    {"path": plan.path, "query": plan.query, "headers": plan.headers, "body": body}
                )
            case ["", "v1", number, *_]:
                return await answer(request, cases[int(number)].plan)
        return web.Response(status=404)

    return Live(handle)


def by_record(cases: Sequence[Case], live: Live, directory: Path) -> Outcome:
    """Record all cases into one cassette; what is refused is left out."""
    (directory / "providers.json").write_text(live.providers_file())
    (directory / "client.py").write_text(PROGRAM)
    options = ["--providers", "providers.json", "-p", "local", "-o", "tape", "--leave-out"]
    command = [sys.executable, "client.py", live.url, *map(str, range(len(cases)))]
    output = _run(directory, "harness", "record", *options, "--", *command)
    stored = _count(directory / "tape.yaml")
    return Outcome("record", stored, len(cases) - stored, _left(cases, directory, output))


def by_pytest(cases: Sequence[Case], live: Live, directory: Path) -> Outcome:
    """Record each case by a test of its own."""
    (directory / "providers.json").write_text(live.providers_file())
    (directory / "client.py").write_text(PROGRAM)
    (directory / "test_mine.py").write_text(TEST.format(count=len(cases), control=live.url))
    (directory / "pytest.ini").write_text("[pytest]\ntapecheck_providers = providers.json\n")
    output = _run(directory, "pytest", "--record", "-rA", "--junitxml=junit.xml", "-n0")
    stored = sum(_count(path) for path in (directory / "cassettes").rglob("*.yaml"))
    return Outcome("pytest --record", stored, len(cases) - stored, _left(cases, directory, output))


def by_import(cases: Sequence[Case], directory: Path) -> Outcome:
    """Import all cases from one file as vcrpy would have written it."""
    source = directory.parent / f"{directory.name}-source.yaml"
    items = [_vcrpy(number, case.plan) for number, case in enumerate(cases)]
    source.write_text(yaml.dump({"version": 1, "interactions": items}))
    output = _run(directory, "harness", "import", "--verbose", str(source), "-o", "out")
    stored = sum(_count(path) for path in (directory / "out").rglob("*.yaml"))
    return Outcome("import", stored, len(cases) - stored, _left(cases, directory, output))


def _vcrpy(number: int, plan: Plan) -> dict[str, object]:
    headers = {"content-type": "application/json", **plan.headers}
    kind = "text/event-stream" if plan.pieces else "application/json"
    answered = {"content-type": kind, **plan.answer_headers}
    uri = f"http://127.0.0.1/v1/{number}/chat/completions{plan.path}{plan.query}"
    return {
        "request": {
            "method": "POST",
            "uri": uri,
            "headers": {name: [value] for name, value in headers.items()},
            "body": plan.body,
        },
        "response": {
            "status": {"code": plan.status, "message": "OK"},
            "headers": {name: [value] for name, value in answered.items()},
            "body": {"string": b"".join(plan.pieces) or plan.answer},
        },
    }


def _count(path: Path) -> int:
    return len(library.load(path).interactions) if path.exists() else 0


def _left(cases: Sequence[Case], directory: Path, output: str) -> tuple[str, ...]:
    files = [path for path in directory.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    texts = [output, *(text for path in files for text in thousand.readings(path))]
    return tuple(thousand.traces(texts, list(cases)))


def _run(directory: Path, *arguments: str) -> str:
    environment = {**os.environ, "LIVE_KEY": KEY, "PYTHONPATH": str(ROOT)}
    environment.pop("CI", None)
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=directory,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


def measure(count: int, seed: int, directory: Path) -> list[Outcome]:
    """Return the outcomes of all three ways."""
    cases = thousand.cases(count, seed)
    places = [directory / name for name in ("record", "pytest", "import")]
    for place in places:
        place.mkdir()
    with serve(cases) as live:
        outcomes = [by_record(cases, live, places[0]), by_pytest(cases, live, places[1])]
    return [*outcomes, by_import(cases, places[2])]


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as made:
        for outcome in measure(*(*numbers, *(1000, 1)[len(numbers) :]), Path(made)):
            print(outcome)
            for name in outcome.left:
                print(f"  {name}")
