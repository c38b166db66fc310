"""The pytest plugin for recording: ``--record``, and the fixture ``tapecheck``.

    def test_my_client(tapecheck):
        tape = tapecheck("openai")
        client = openai.OpenAI(base_url=tape.base_url, api_key=tape.api_key)
        ...

Without options, the test replays ``cassettes/<module>/<test>.yaml`` and uses no network. With
``--record``, it calls the provider, and the cassette is written if the test passes. The names of
the options differ from those of pytest-recording, so that both can be installed.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.plugin.options import adapters, directories
from mockserver.recording import NAMES, Mode, age_of, allowed_texts, parse_age

if TYPE_CHECKING:
    from mockserver.recording import Provider, Recorder, Result, TapeHandle

_PASSED = pytest.StashKey[bool]()
_RECORDING = pytest.StashKey["Recording"]()
_NOTE = "tapecheck_recording"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and ini values of recording."""
    group = parser.getgroup("tapecheck-record", "recording from live endpoints")
    group.addoption(
        "--record",
        action="store_true",
        help="re-record the cassettes of the selected tests; the same as "
        "--tapecheck-record-mode=rewrite",
    )
    group.addoption(
        "--tapecheck-record-mode",
        choices=NAMES,
        help="none (default): replay only; once: record missing cassettes; "
        "new_episodes: replay what is recorded and record the rest; rewrite: re-record; "
        "diff: call the endpoint, compare, write nothing; live: pass through",
    )
    group.addoption("--record-in-ci", action="store_true", help="use the network even if CI is set")
    group.addoption(
        "--tapecheck-allow",
        action="append",
        default=[],
        metavar="TEXT",
        help="a text that looks like a secret and is none, or the mark that a refusal shows for "
        "it; also a line of .tapecheck-allow; may be repeated",
    )
    group.addoption(
        "--tapecheck-leave-out",
        action="store_true",
        help="record the other exchanges of a test where one has a secret that cannot be "
        "replaced; the test still fails",
    )
    group.addoption("--tapecheck-providers", metavar="FILE", help="providers of your own, in YAML")
    group.addoption(
        "--tapecheck-max-age", metavar="AGE", help="warn about older cassettes, such as 30d"
    )
    group.addoption(
        "--tapecheck-strict-age", action="store_true", help="fail tests whose cassette is too old"
    )
    parser.addini("tapecheck_providers", "providers of your own, in YAML", default="")
    parser.addini("tapecheck_max_age", "warn about older cassettes, such as 30d", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Read the options. Raises ``pytest.UsageError`` if they contradict."""
    named = config.getoption("--tapecheck-record-mode")
    mode = "rewrite" if config.getoption("--record") else named or "none"
    if named not in (None, "rewrite", "all") and mode == "rewrite":
        raise pytest.UsageError(
            f"--record and --tapecheck-record-mode={named} contradict: use one of them"
        )
    in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    if mode != "none" and in_ci and not config.getoption("--record-in-ci"):
        raise pytest.UsageError(
            f"CI is set, and record mode {mode} uses the network: add --record-in-ci"
        )
    recording = config.stash[_RECORDING] = Recording(config, mode)
    if mode in ("rewrite", "all", "diff") and adapters(config):
        from harness.plugin.recording_items import RecordItems

        config.pluginmanager.register(RecordItems(recording), "tapecheck-recording-items")
    config.pluginmanager.register(_Reporter(config), "tapecheck-recording-report")


@pytest.fixture
def tapecheck(request: pytest.FixtureRequest) -> Iterator[Tapes]:
    """Open cassettes for this test. See :class:`Tapes`."""
    tapes = Tapes(request.config.stash[_RECORDING], request.node)
    yield tapes
    tapes.close(passed=request.node.stash.get(_PASSED, False))


class Tapes:
    """Opens cassettes for one test; ``tapecheck("openai")`` is the usual call."""

    def __init__(self, recording: Recording, item: pytest.Item) -> None:
        self._recording = recording
        self._item = item
        self._open: list[TapeHandle] = []

    def __call__(
        self,
        provider: str,
        *more: str,
        cassette: str | None = None,
        upstream: str | None = None,
        ends: tuple[str, ...] = (),
        keep_opaque: bool = False,
        notes: dict[str, str] | None = None,
    ) -> TapeHandle:
        """Open a cassette for clients of ``provider`` and of ``more``.

        ``cassette`` is its name below the directory of cassettes, by default
        ``<module>/<test>``. ``upstream`` is another base URL of ``provider``. ``ends`` allows
        incomplete answers (``truncated``, ``reset``, ``timeout``, ``client_closed``).
        ``keep_opaque`` keeps encrypted reasoning and signatures. ``notes`` are written into the
        cassette. A wrong argument fails the test.
        """
        from mockserver.errors import MockServerError

        try:
            tape = self._tape((provider, *more), cassette, upstream, ends, keep_opaque, notes)
        except MockServerError as exc:
            pytest.fail(str(exc), pytrace=False)
        self._open.append(tape)
        return tape

    def _tape(
        self,
        providers: Sequence[str],
        cassette: str | None,
        upstream: str | None,
        ends: Sequence[str],
        keep_opaque: bool,
        notes: dict[str, str] | None,
    ) -> TapeHandle:
        from mockserver.cassettes import End
        from mockserver.errors import MockServerError
        from mockserver.recording import providers as known_providers

        recording = self._recording
        known = recording.providers
        chosen = [known_providers.find(wanted, known) for wanted in providers]
        if upstream is not None:
            chosen[0] = chosen[0].at(upstream)
        name = cassette or _name(self._item, len(self._open))
        path = recording.directory / f"{name}.yaml"
        tape = recording.recorder.tape(
            path,
            chosen,
            mode=recording.mode,
            name=name,
            ends=[End(end) for end in ends],
            keep_opaque=keep_opaque,
            notes=notes or {},
            allowed=recording.allowed,
            leave_out=recording.config.getoption("--tapecheck-leave-out"),
        )
        if recording.mode is Mode.REWRITE:
            try:
                recording.claim(path, self._item.nodeid)
            except MockServerError:
                tape.close()
                raise
        return tape

    def close(self, *, passed: bool) -> None:
        """Write the open cassettes, or discard them if the test failed.

        Fails the test for what cannot be written.
        """
        from mockserver.errors import MockServerError

        problems: list[str] = []
        for tape in self._open:
            try:
                if not passed:
                    tape.close()
                    continue
                result = tape.finish()
            except MockServerError as exc:
                problems.append(str(exc))
                continue
            problems += self._recording.report(self._item, result)
        if problems:
            pytest.fail("\n".join(problems), pytrace=False)


@dataclass(frozen=True, slots=True)
class _Note:
    """The lines about one cassette in the report at the end."""

    path: str
    lines: tuple[str, ...]


class Recording:
    """The recorder of one pytest process, its mode and its providers."""

    def __init__(self, config: pytest.Config, mode: str) -> None:
        self.config = config
        self._mode = mode
        self._recorder: Recorder | None = None
        self._began = time.time()
        self._claimed: dict[Path, str] = {}

    @property
    def mode(self) -> Mode:
        """The record mode."""
        return Mode.of(self._mode)

    @property
    def recorder(self) -> Recorder:
        """The recorder of this process, started on first use."""
        if self._recorder is None:
            from mockserver.recording import Recorder, no_proxy

            self._recorder = Recorder().__enter__()
            if any(name.lower().endswith("_proxy") for name in os.environ):
                os.environ.update(no_proxy(os.environ))
        return self._recorder

    def stop(self) -> None:
        """Stop the recorder if it was started."""
        if self._recorder is not None:
            self._recorder.__exit__(None, None, None)
            self._recorder = None

    @property
    def directory(self) -> Path:
        """The project's directory of cassettes."""
        found = directories(self.config, "cassettes")
        return found[0] if found else self.config.rootpath / "cassettes"

    @property
    def providers(self) -> dict[str, Provider]:
        """The providers by name. Raises :class:`~mockserver.errors.ProviderError`."""
        from mockserver.recording import providers

        named = self.config.getoption("--tapecheck-providers")
        base = self.config.invocation_params.dir
        if not named:
            named, base = self.config.getini("tapecheck_providers"), self.config.rootpath
        return providers.load(base / named) if named else dict(providers.PROVIDERS)

    @property
    def allowed(self) -> tuple[str, ...]:
        """The texts that look like secrets and are none."""
        return allowed_texts(self.config.rootpath, self.config.getoption("--tapecheck-allow"))

    def claim(self, path: Path, nodeid: str) -> None:
        """Reserve a cassette for one test. Raises ``RecordingError`` if another test has it."""
        from mockserver.errors import RecordingError

        owner = self._claimed.get(path)
        # A file changed since the start was written by a test in another process.
        written = path.is_file() and path.stat().st_mtime > self._began
        if owner != nodeid and (owner is not None or written):
            raise RecordingError(
                path, ["another test of this run records into it; name one cassette per test"]
            )
        self._claimed[path] = nodeid

    def report(self, item: pytest.Item, result: Result) -> list[str]:
        """Attach the lines about a cassette to ``item``; return what must fail the test."""
        lines = []
        if result.written:
            unchanged = f", {result.unchanged} unchanged" if result.unchanged else ""
            lines.append(f"wrote {result.interactions} interactions{unchanged}")
        if result.drift is not None:
            lines += str(result.drift).splitlines()
        failures = [f"{result.path}: {problem}" for problem in result.problems]
        if result.mode == "diff" and result.drift is not None and result.drift.shapes:
            failures.append(f"{result.path}: the live endpoint has drifted\n{result.drift}")
        old = self._too_old(result.path)
        if old is not None:
            lines.append(old)
            if self.config.getoption("--tapecheck-strict-age"):
                failures.append(f"{result.path}: {old}")
        item.user_properties.append((_NOTE, json.dumps([str(result.path), *lines])))
        return failures

    def _too_old(self, path: Path) -> str | None:
        from mockserver.library import library

        limit = self.max_age
        if limit is None or not path.is_file():
            return None
        age = age_of(library.load(path), datetime.now(UTC))
        if age is None or age <= limit:
            return None
        return f"last recorded or confirmed {age.days} days ago; re-record it"

    @property
    def max_age(self) -> timedelta | None:
        """The age that a cassette may have. Raises ``pytest.UsageError``."""
        text = self.config.getoption("--tapecheck-max-age") or self.config.getini(
            "tapecheck_max_age"
        )
        try:
            return parse_age(text) if text else None
        except ValueError as exc:
            raise pytest.UsageError(f"tapecheck max age: {exc}") from None


class _Reporter:
    """Collects the notes of tests in all processes and prints them."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._notes: list[_Note] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Remember for the fixture whether the test itself passed."""
        report = yield
        if report.when == "call":
            item.stash[_PASSED] = report.passed
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the notes of a test."""
        if report.when == "teardown":
            for name, value in report.user_properties:
                if name == _NOTE:
                    path, *lines = json.loads(str(value))
                    self._notes.append(_Note(path, tuple(lines)))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print one block for each cassette."""
        orphans = self._orphans(terminalreporter.stats)
        notes = sorted((n for n in self._notes if n.lines), key=lambda n: n.path)
        if not notes and not orphans:
            return
        terminalreporter.section("tapecheck recordings")
        for note in notes:
            terminalreporter.line(_relative(note.path, self._config.rootpath))
            for line in note.lines:
                terminalreporter.line(f"  {line}")
        for orphan in orphans:
            terminalreporter.line(f"{_relative(orphan, self._config.rootpath)}: no test uses it")

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

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Stop the recorder."""
        config.stash[_RECORDING].stop()


def _name(item: pytest.Item, number: int) -> str:
    """Return ``<module>/<test>`` in characters that every file system allows."""
    module = re.sub(r"[^\w.-]+", "-", item.path.stem)
    test = re.sub(r"[^\w.-]+", "-", item.nodeid.partition("::")[2]).strip("-")
    return f"{module}/{test}" + (f".{number + 1}" if number else "")


def _relative(path: str, root: Path) -> str:
    return str(Path(path).relative_to(root)) if Path(path).is_relative_to(root) else path
