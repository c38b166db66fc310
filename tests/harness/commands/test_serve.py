"""``tapecheck serve`` with answers of its own, and without recordings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import httpx
import pytest

from harness.commands.answering import Answering, split
from mockserver.errors import ScriptError

HELLO = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


def settings(scripts: Sequence[Path] = (), cassettes: Sequence[Path] = (), **options: object):
    given = {"answer": False, **options}
    return Answering(scripts=tuple(scripts), cassettes=tuple(cassettes), **given).settings()


def script(directory: Path, text: str) -> Path:
    path = directory / "answers.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_scripts_are_told_from_cassettes_by_what_they_say(tmp_path: Path) -> None:
    found = script(tmp_path, "answers:\n- say: a\n")
    (tmp_path / "broken.yaml").write_text("answers:\n- [")
    (tmp_path / "tape.yaml").write_text("interactions: []\n")
    files = (found, tmp_path / "tape.yaml", tmp_path / "broken.yaml", tmp_path)
    assert split(files) == ((files[0], files[2]), (files[1], files[3]))


def test_recordings_are_not_answered_unless_that_is_asked_for(tmp_path: Path) -> None:
    assert settings(cassettes=[tmp_path]) is None
    assert settings(cassettes=[tmp_path], answer=True) is not None
    assert settings() is not None
    with pytest.raises(click.UsageError, match="--seed is for answers that are made"):
        settings(cassettes=[tmp_path], seed=3)


def test_the_options_are_those_of_the_answers(tmp_path: Path) -> None:
    found = settings([script(tmp_path, "answers:\n- say: a\n")], seed=7, first=0.3, pace=20.0)
    assert found is not None
    assert (found.seed, found.pace.first_ms, found.pace.each_ms) == (7, 300.0, 20.0)
    assert [rule.steps[0].say for rule in found.script.rules] == ["a"]


def test_a_mistake_in_a_script_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"answers\.yaml:2: unknown key 'sai'"):
        settings([script(tmp_path, "answers:\n- sai: a\n")])


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(("retries", "code"), [("0", 0), ("1", 1)])
def test_the_verdict_is_the_exit_code(tmp_path: Path, retries: str, code: int) -> None:
    path = script(tmp_path, "answers:\n- fail: 429, retry 60s\n- say: ok\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "serve", str(path), "--verdict"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().split()[-1]
    with httpx.Client(base_url=url, trust_env=False) as client:
        answers = [
            client.post(
                "/v1/chat/completions", json=HELLO, headers={"x-stainless-retry-count": count}
            )
            for count in ("0", retries)
        ]
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert [answer.status_code for answer in answers] == [429, 200]
    assert process.returncode == code
    assert "tapecheck verdict: " in out
    assert ("FAIL  retry-after" in out) is bool(code)
