"""Standard streams that are closed, or whose reader leaves, change no verdict."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("close", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_standard_stream_changes_no_verdict(close: str) -> None:
    line = f"{sys.executable} -m harness run sse/bom-at-start --axes none --no-faults -j 1"
    done = subprocess.run(
        ["/bin/sh", "-c", f"{line} -a openai-compat {close}"], cwd=ROOT, capture_output=True
    )
    assert done.returncode == 0


def test_a_reader_that_leaves_is_no_failure_of_a_client() -> None:
    line = f"{sys.executable} -m harness run sse --axes none --no-faults -j 1 -v -a openai-compat"
    done = subprocess.run(
        ["/bin/bash", "-c", f"{line} | true; echo ${{PIPESTATUS[0]}}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "141"
