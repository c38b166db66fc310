from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from harness.commands import greeting, workers
from harness.commands.answering import Answering
from harness.errors import SetupError
from mockserver import MockServer
from tests.harness.conftest import Cli

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no fork")


def test_workers_listen_when_the_block_begins_and_end_with_it(tmp_path: Path) -> None:
    def serve(listening) -> None:
        def stop(*_: object) -> None:
            raise InterruptedError

        signal.signal(signal.SIGTERM, stop)
        (tmp_path / str(os.getpid())).write_text("began")
        try:
            listening()
            signal.pause()
        except InterruptedError:
            (tmp_path / str(os.getpid())).write_text("ended")

    with workers.started(2, serve):
        files = list(tmp_path.iterdir())
        assert len(files) == 2
    assert [f.read_text() for f in files] == ["ended"] * 2


def test_a_worker_that_does_not_start_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    def serve(_: object) -> None:
        raise ValueError("no such thing")

    with pytest.raises(SetupError, match="has ended with 1"), workers.started(1, serve):
        raise AssertionError("it has not started")
    assert "a worker failed: no such thing" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--once"], "--workers and --once do not go together"),
        (["--verdict"], "--workers and --verdict do not go together"),
        ([], "made answers need the state of one process"),
    ],
)
def test_what_needs_one_process_is_refused(tapecheck: Cli, options: list[str], reason: str) -> None:
    assert tapecheck("serve", "--workers", "2", *options) == 2
    assert reason in tapecheck.err.replace("\n", " ")


def test_the_greeting_names_only_what_workers_answer(tmp_path: Path) -> None:
    asked = Answering(scripts=(), cassettes=(tmp_path,), answer=False, verdict=False, words={})
    texts = []
    for shared in (True, False):
        with MockServer(tmp_path, shared=shared) as server:
            texts.append("\n".join(greeting.lines(server, asked)))
    shared, alone = texts
    assert "/__tapecheck/cassettes" in shared
    for path in ("/__tapecheck/\n", "/__tapecheck/journal"):
        assert path in alone
        assert path not in shared
