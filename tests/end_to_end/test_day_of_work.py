"""A test that logs in, uploads a file, polls a job and streams through two SDKs, as a team has it.

It is recorded in parallel and replayed without the provider; then something in it changes. It takes
a minute of processor time, so it runs with ``TAPECHECK_EXHAUSTIVE=1`` only.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end import day_of_work
from tests.mockserver.live import Live

ROOT = Path(__file__).parents[2]


def run(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    names = ("CI", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "PYTEST_ADDOPTS")
    inherited = {k: v for k, v in os.environ.items() if k not in names}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=project,
        env={**inherited, "PYTHONPATH": str(ROOT), "NO_PROXY": "*", **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.skipif(
    "TAPECHECK_EXHAUSTIVE" not in os.environ, reason="takes long; set TAPECHECK_EXHAUSTIVE=1"
)
def test_a_day_of_work_is_recorded_and_replayed(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(day_of_work.TEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\ntapecheck_providers = providers.json\n")
    (tmp_path / "tapecheck.toml").write_text('ignore = ["body.trace.id"]\n')
    with Live(day_of_work.Provider().handle) as live:
        (tmp_path / "providers.json").write_text(day_of_work.providers(live.url))
        recorded = run(
            tmp_path,
            "--record",
            "-n2",
            WHO="Ada",
            APP=day_of_work.CLIENT_SECRET,
            MINE_KEY=day_of_work.KEY,
            CLAUDE_KEY=day_of_work.CLAUDE_KEY,
        )
        asked = len(live.requests)
    assert recorded.returncode == 0, recorded.stdout + recorded.stderr
    stored = {path: path.read_text() for path in (tmp_path / "cassettes").rglob("*.yaml")}
    assert len(stored) == 6
    everything = "".join(stored.values()) + recorded.stdout + recorded.stderr
    assert [secret for secret in day_of_work.SECRETS if secret in everything] == []
    assert asked == sum(text.count("- request:") for text in stored.values())

    # The provider is gone, the keys are too, and the id of a trace is another one.
    replayed = run(tmp_path, "-n2", WHO="Ada", APP="any")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr

    changed = run(tmp_path, "-n0", "-k", "0", WHO="Bob", APP="any")
    assert changed.returncode == 1
    assert "nothing recorded for POST /v1/chat/completions" in changed.stdout
    assert 'body/messages/0/content: recorded "Ada 0", got "Bob 0"' in changed.stdout
    assert {path: path.read_text() for path in stored} == stored
