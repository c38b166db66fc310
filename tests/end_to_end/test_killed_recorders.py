"""Recorders killed at any moment leave the old recording or the new one, complete.

A few kills here; ``TAPECHECK_KILLS=200`` does 200 of each kind and prints what they left.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from mockserver.library import library
from tests.mockserver.live import KEY, Live, stream

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("TAPECHECK_KILLS", "3"))
EVENTS = 2000

CLIENT = """
import os, sys, urllib.request
def ask(base_url):
    request = urllib.request.Request(base_url + "/chat/completions", data=b"{}")
    return urllib.request.build_opener().open(request).read()

if __name__ == "__main__":
    ask(os.environ["OPENAI_BASE_URL"])
"""
TEST = """
from client import ask

def test_it(tapecheck):
    ask(tapecheck("local", cassette="tape").base_url)
"""
RECORD = ["harness", "record", "--providers", "providers.json", "-p", "local"]
COMMANDS = {
    "record": [*RECORD, "-o", "cassettes/tape", "--", sys.executable, "client.py"],
    "pytest": ["pytest", "--record", "-q", "-n0", "-p", "no:cacheprovider", "test_mine.py"],
}


class Numbered:
    """Answers with the number of the run, repeatedly."""

    def __init__(self) -> None:
        self.run = 0
        self.asked = threading.Event()

    def body(self, run: int) -> bytes:
        event = {"choices": [{"index": 0, "delta": {"content": f"run {run} "}}]}
        return f"data: {json.dumps(event)}\n\n".encode() * EVENTS

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.asked.set()
        body = self.body(self.run)
        step = len(body) // 50
        return await stream(request, *(body[i : i + step] for i in range(0, len(body), step)))


@pytest.fixture
def answers() -> Numbered:
    return Numbered()


@pytest.fixture
def live(answers: Numbered) -> Iterator[Live]:
    with Live(answers) as running:
        yield running


@pytest.fixture
def project(live: Live, tmp_path: Path) -> Path:
    (tmp_path / "providers.json").write_text(live.providers_file())
    (tmp_path / "client.py").write_text(CLIENT)
    (tmp_path / "test_mine.py").write_text(TEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\ntapecheck_providers = providers.json\n")
    return tmp_path


def start(project: Path, kind: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "LIVE_KEY": KEY, "PYTHONPATH": str(ROOT)}
    environment.pop("CI", None)
    return subprocess.Popen(
        [sys.executable, "-m", *COMMANDS[kind]],
        cwd=project,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
@pytest.mark.parametrize("kind", COMMANDS)
def test_no_kill_leaves_a_broken_file(
    kind: str, project: Path, live: Live, answers: Numbered
) -> None:
    path = project / "cassettes" / "tape.yaml"
    began = time.monotonic()
    process = start(project, kind)
    assert answers.asked.wait(60)
    until_asked = time.monotonic() - began
    assert process.wait() == 0
    from_there = time.monotonic() - began - until_asked
    path.unlink()
    whole: int | None = None
    seen: Counter[str] = Counter()
    for run in range(1, KILLS + 1):
        answers.run = run
        answers.asked.clear()
        process = start(project, kind)
        if run % 4:
            # Most of them while there is something to be recorded and written.
            assert answers.asked.wait(60)
            timeout = random.uniform(0, 1.5 * from_there)
        else:
            timeout = random.uniform(0, until_asked + from_there)
        try:
            process.wait(timeout)
            seen["ended"] += 1
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            seen["killed from the request on" if answers.asked.is_set() else "killed before"] += 1
        if not path.exists():
            assert whole is None
            seen["left none"] += 1
        else:
            (interaction,) = library.load(path).interactions
            body = interaction.response.body
            (found,) = (r for r in (run, whole) if r is not None and body == answers.body(r))
            seen["left the new" if found == run else "left the old"] += 1
            whole = found
        names = {f.name for f in path.parent.iterdir()} if path.parent.exists() else set()
        seen["left a temporary file"] += bool(names - {path.name, f".{path.name}.lock"})
    answers.run = KILLS + 1
    assert start(project, kind).wait() == 0
    assert [f.name for f in path.parent.iterdir()] == [path.name]
    print(f"{kind}: {KILLS} runs of about {until_asked:.1f} + {from_there:.1f} s: {dict(seen)}")
