"""``tapecheck(…, proxy=True)``, for clients in processes of their own that have no base URL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from mockserver.library import library
from tests.mockserver.live import EVENT, KEY, Live, stream
from tests.mockserver.tls import ca_file, server_context

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]

TEST = '''
import os, subprocess, sys

CLIENT = """
import sys, urllib.request
print(urllib.request.urlopen(urllib.request.Request(sys.argv[1], b"{}")).read())
"""

def ask(tape, path):
    environment = {**os.environ, **tape.environment()}
    command = [sys.executable, "-c", CLIENT, "URL/v1" + path]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    return done.stdout + done.stderr

def test_one(tapecheck):
    assert "Hello" in ask(tapecheck("local", proxy=True), "/one")

def test_two_at_a_time(tapecheck):
    first, second = tapecheck("local", proxy=True), tapecheck("local", proxy=True)
    assert "Hello" in ask(first, "/first")
    assert "Hello" in ask(second, "/second")
'''


@pytest.fixture
def live() -> Iterator[Live]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await stream(request, EVENT % b"Hello", b"data: [DONE]\n\n")

    with Live(answer, server_context()) as running:
        yield running


@pytest.fixture
def project(
    pytester: pytest.Pytester, live: Live, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> pytest.Pytester:
    monkeypatch.setenv("LIVE_KEY", KEY)
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file(tmp_path)))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("CI", raising=False)
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    (pytester.path / "providers.yaml").write_text(live.providers_file())
    pytester.makeini("[pytest]\ntapecheck_providers = providers.yaml\n")
    pytester.makepyfile(test_fixed=TEST.replace("URL", live.url))
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


def test_record_then_replay(project: pytest.Pytester, live: Live) -> None:
    run(project, "--record").assert_outcomes(passed=2)
    sent = [request[1] for request in live.requests]
    assert sorted(sent) == ["/v1/first", "/v1/one", "/v1/second"]
    directory = project.path / "cassettes" / "test_fixed"
    recorded = {p.name: library.load(p).interactions for p in directory.iterdir()}
    assert {name: len(found) for name, found in recorded.items()} == dict.fromkeys(recorded, 1)
    assert len(recorded) == 3
    run(project).assert_outcomes(passed=2)
    assert len(live.requests) == 3
