"""Collects what tests in all processes say about their recordings, and prints it at the end."""

from __future__ import annotations

import json
import shlex
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.plugin.names import relative

if TYPE_CHECKING:
    from harness.plugin.recording import Recording

PASSED = pytest.StashKey[bool]()
NOTE = "tapecheck_recording"
MISSING = "tapecheck_not_recorded"
UNWRITABLE = "tapecheck_not_written"
#: The exit code where the environment fails, such as a full disk. To pytest it is a failure, too.
_ENVIRONMENT = 3
#: The fixtures that several tests share, by scope; and those whose tests failed, or passed.
SHARED = {s: f"tapecheck_{s}" for s in ("class", "module", "session")}
FAILED = pytest.StashKey[set[str]]()
RAN = pytest.StashKey[set[str]]()


@dataclass(frozen=True, slots=True)
class _Note:
    """The lines about one cassette in the report at the end."""

    path: str
    lines: tuple[str, ...]


class Reporter:
    """Collects the notes of tests in all processes and prints them."""

    def __init__(self, config: pytest.Config, recording: Recording) -> None:
        self._config = config
        self._recording = recording
        self._notes: list[_Note] = []
        self._missing: dict[str, None] = {}
        self._unwritable = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Remember the test that runs now."""
        self._recording.item = item

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Remember for the fixtures whether the tests that use them passed."""
        report = yield
        if report.when == "call":
            item.stash[PASSED] = report.passed
        key = FAILED if report.failed else RAN if report.when == "call" else None
        used = set(SHARED.values()).intersection(getattr(item, "fixturenames", ()))
        if key is not None and used:
            for node in item.listchain():
                node.stash.setdefault(key, set()).update(used)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the notes of a test."""
        if report.when == "teardown":
            for name, value in report.user_properties:
                if name == NOTE:
                    path, *lines = json.loads(str(value))
                    self._notes.append(_Note(path, tuple(lines)))
                elif name == MISSING:
                    self._missing[str(value)] = None
                elif name == UNWRITABLE:
                    self._unwritable = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Say by the exit code that a recording could not be written, as other verbs do."""
        if self._unwritable:
            session.exitstatus = _ENVIRONMENT

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print one block for each cassette."""
        orphans = self._orphans(terminalreporter.stats)
        notes = sorted((n for n in self._notes if n.lines), key=lambda n: n.path)
        if not notes and not orphans and not self._missing:
            return
        terminalreporter.section("tapecheck recordings")
        for note in notes:
            terminalreporter.line(relative(note.path, self._config.rootpath))
            for line in note.lines:
                terminalreporter.line(f"  {line}")
        for orphan in orphans:
            terminalreporter.line(f"{relative(orphan, self._config.rootpath)}: no test uses it")
        if self._missing:
            named = dict.fromkeys(
                shlex.quote(node if len(self._missing) == 1 else node.partition("::")[0])
                for node in self._missing
            )
            count = (
                "1 recording is"
                if len(self._missing) == 1
                else (f"{len(self._missing)} recordings are")
            )
            terminalreporter.line(f"{count} missing; run: pytest --record {' '.join(named)}")

    def _orphans(self, stats: Mapping[str, Any]) -> list[str]:
        """Return the cassettes that no test uses, if all tests were run and passed."""
        option = self._config.option
        chosen = (
            self._config.args_source is pytest.Config.ArgsSource.ARGS
            or option.keyword
            or option.markexpr
            or stats.keys() & {"failed", "error", "deselected", "skipped"}
        )
        if chosen:
            return []
        used = {Path(n.path) for n in self._notes}
        beside = {f for d in {p.parent for p in used} for f in d.glob("*.yaml")}
        return sorted(str(path) for path in beside - used)

    def pytest_unconfigure(self) -> None:
        """Stop the recorder."""
        self._recording.stop()
