"""Runs all tests, each once, and fails where a critical room's own tests cover too little of it.

The tests of these rooms run in one call under coverage, with the test's folder as context: a line
counts for its room only if it ran while a test of that room did, or when it was imported. What
``tests.contexts`` leaves out counts for nothing. All other tests run in a second call, at full
speed. Run it as ``python -m tests.floors [PYTEST OPTIONS]``; ``make test`` does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import coverage

ROOT = Path(__file__).parent.parent
#: What pytest says when no test was selected, such as by ``-k``.
NO_TESTS = 5
#: Our own plugins are imported before coverage starts, and what they import with them.
NO_PLUGINS = ("-p", "no:tapecheck", "-p", "no:tapecheck-record")
MEASURING = ("--cov", "--cov-report=", "-p", "tests.contexts")


@dataclass(frozen=True)
class Room:
    """A folder of code with its own tests. ``floor``: percent of its branches and lines."""

    folder: str
    tests: tuple[str, ...]
    floor: float


ROOMS = (
    Room("harness/judge", ("tests/harness/judge", "tests/saboteurs"), 95),
    Room("mockserver/dialects", ("tests/mockserver/dialects",), 95),
    Room("mockserver/wire", ("tests/mockserver/wire",), 97),
    Room("mockserver/secrets", ("tests/mockserver/secrets",), 98),
    Room("mockserver/backend/verdict", ("tests/mockserver/backend/verdict",), 97),
    Room("mockserver/recording", ("tests/mockserver/recording",), 97),
)


def contexts(room: Room) -> list[str]:
    """Return patterns of the contexts that count for a room: its tests, and imports."""
    return [*(f"^{folder}(/|$)" for folder in room.tests), "^$"]


def too_low(covered: Mapping[str, float], rooms: Iterable[Room] = ROOMS) -> list[str]:
    """Say which rooms are below their floors, and what to do about it."""
    return [
        f"{room.folder}: its own tests cover {covered[room.folder]:.1f} %, the floor is "
        f"{room.floor:g} %; add tests to {room.tests[0]} for the lines named above"
        for room in rooms
        if covered[room.folder] < room.floor
    ]


def measure(data_file: Path, rooms: Iterable[Room] = ROOMS) -> dict[str, float]:
    """Return how much of each room its own tests cover; print what they miss where it is low."""
    data = coverage.Coverage(data_file=str(data_file))
    data.load()
    covered = {}
    for room in rooms:
        report = StringIO()
        covered[room.folder] = data.report(
            include=[f"{room.folder}/*"],
            contexts=contexts(room),
            show_missing=True,
            skip_covered=True,
            file=report,
        )
        if covered[room.folder] < room.floor:
            print(report.getvalue())
        print(f"{room.folder}: {covered[room.folder]:.1f} % covered by its own tests")
    return covered


def _pytest(*arguments: str, **variables: str) -> bool:
    """Run pytest with more environment variables; return whether no test failed."""
    command = [sys.executable, "-m", "pytest", *arguments]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **variables})
    return done.returncode in (0, NO_TESTS)


def main(options: Sequence[str]) -> int:
    """Run the rooms' tests under coverage, then the others; return the exit code."""
    folders = [folder for room in ROOMS for folder in room.tests]
    with tempfile.TemporaryDirectory() as scratch:
        data_file = Path(scratch, "coverage")
        measuring = (*MEASURING, *NO_PLUGINS, *folders)
        green = _pytest(*options, *measuring, COVERAGE_FILE=str(data_file))
        green &= _pytest(*options, *(f"--ignore={folder}" for folder in folders))
        # What a failed test did not reach says nothing.
        low = too_low(measure(data_file)) if green else []
    for line in low:
        print(line, file=sys.stderr)
    return 0 if green and not low else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
