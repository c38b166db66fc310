"""The pytest plugin for recording: ``--record``, and the fixture ``tapecheck``.

    def test_my_client(tapecheck):
        tape = tapecheck("openai")
        client = openai.OpenAI(base_url=tape.base_url, api_key=tape.api_key)
        ...

Without options, the test replays ``cassettes/<module>/<test>.yaml`` and never goes out. With
``--record``, it talks to the provider, and the cassette is written when the test has passed.
The options have names of their own, so that pytest-recording can be there as well.
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
from mockserver.recording import NAMES, Mode, age_of, parse_age

if TYPE_CHECKING:
    from mockserver.recording import Provider, Recorder, Result, TapeHandle

_PASSED = pytest.StashKey[bool]()
_STATE = pytest.StashKey["State"]()
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
    """Read the options. Raises ``pytest.UsageError`` for what does not go together."""
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
    state = config.stash[_STATE] = State(config, mode)
    if mode in ("rewrite", "all", "diff") and adapters(config):
        from harness.plugin.recording_items import Recording

        config.pluginmanager.register(Recording(state), "tapecheck-recording-items")
    config.pluginmanager.register(_Reporter(config), "tapecheck-recording-report")


@pytest.fixture
def tapecheck(request: pytest.FixtureRequest) -> Iterator[Tapes]:
    """Open cassettes for this test: a base URL in, a cassette out. See :class:`Tapes`."""
    tapes = Tapes(request.config.stash[_STATE], request.node)
    yield tapes
    tapes.close(passed=request.node.stash.get(_PASSED, False))


class Tapes:
    """Opens cassettes for one test; ``tapecheck("openai")`` is the usual call."""

    def __init__(self, state: State, item: pytest.Item) -> None:
        self._state = state
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
        """Open a cassette for clients of ``provider``, and perhaps of ``more``.

        ``cassette`` names it below the directory of cassettes; by default it has the names of
        module and test. ``upstream`` is another base URL of ``provider``. ``ends`` allows
        answers that are not whole (``truncated``, ``reset``, ``timeout``, ``client_closed``);
        ``keep_opaque`` keeps encrypted reasoning and signatures; ``notes`` are kept as facts
        about the recording. What is wrong with any of this fails the test.
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

        state = self._state
        known = state.providers
        chosen = [known_providers.find(wanted, known) for wanted in providers]
        if upstream is not None:
            chosen[0] = chosen[0].at(upstream)
        name = cassette or _name(self._item, len(self._open))
        path = state.directory / f"{name}.yaml"
        tape = state.recorder.tape(
            path,
            chosen,
            mode=state.mode,
            name=name,
            ends=[End(end) for end in ends],
            keep_opaque=keep_opaque,
            notes=notes or {},
        )
        if state.mode is Mode.REWRITE:
            try:
                state.claim(path, self._item.nodeid)
            except MockServerError:
                tape.close()
                raise
        return tape

    def close(self, *, passed: bool) -> None:
        """Write or give up all that was opened; fails the test for what cannot be kept."""
        from mockserver.errors import MockServerError

        said: list[str] = []
        for tape in self._open:
            try:
                if not passed:
                    tape.close()
                    continue
                result = tape.finish()
            except MockServerError as exc:
                said.append(str(exc))
                continue
            said += self._state.told(self._item, result)
        if said:
            pytest.fail("\n".join(said), pytrace=False)


@dataclass(frozen=True, slots=True)
class _Told:
    """What the report at the end says of one cassette."""

    path: str
    lines: tuple[str, ...]


class State:
    """What one pytest process knows of recording."""

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
        """The recorder of this process, started when it is first needed."""
        if self._recorder is None:
            from mockserver.recording import Recorder, no_proxy

            self._recorder = Recorder().__enter__()
            if any(name.lower().endswith("_proxy") for name in os.environ):
                os.environ.update(no_proxy(os.environ))
        return self._recorder

    def stop(self) -> None:
        """Stop the recorder if it was needed."""
        if self._recorder is not None:
            self._recorder.__exit__(None, None, None)
            self._recorder = None

    @property
    def directory(self) -> Path:
        """Where the project keeps its cassettes."""
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

    def claim(self, path: Path, nodeid: str) -> None:
        """See to it that only one test of a run records anew into a cassette that it holds."""
        from mockserver.errors import RecordingError

        owner = self._claimed.get(path)
        # The time tells what a test in another process has written since the start.
        written = path.is_file() and path.stat().st_mtime > self._began
        if owner != nodeid and (owner is not None or written):
            raise RecordingError(
                path, ["another test of this run records into it; name one cassette per test"]
            )
        self._claimed[path] = nodeid

    def told(self, item: pytest.Item, result: Result) -> list[str]:
        """Pass what became of a cassette on to the report; return what fails the test."""
        lines = []
        if result.written:
            kept = f", {result.unchanged} unchanged" if result.unchanged else ""
            lines.append(f"wrote {result.interactions} interactions{kept}")
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
        """How old a cassette may be. Raises ``pytest.UsageError``."""
        text = self.config.getoption("--tapecheck-max-age") or self.config.getini(
            "tapecheck_max_age"
        )
        try:
            return parse_age(text) if text else None
        except ValueError as exc:
            raise pytest.UsageError(f"tapecheck max age: {exc}") from None


class _Reporter:
    """Collects what tests say of their cassettes, also from other processes, and prints it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._told: list[_Told] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Remember for the fixture whether the test itself has passed."""
        report = yield
        if report.when == "call":
            item.stash[_PASSED] = report.passed
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a test has left."""
        if report.when == "teardown":
            for name, value in report.user_properties:
                if name == _NOTE:
                    path, *lines = json.loads(str(value))
                    self._told.append(_Told(path, tuple(lines)))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print one block for each cassette."""
        orphans = self._orphans(terminalreporter.stats)
        told = sorted((t for t in self._told if t.lines), key=lambda t: t.path)
        if not told and not orphans:
            return
        terminalreporter.section("tapecheck recordings")
        for each in told:
            terminalreporter.line(_relative(each.path, self._config.rootpath))
            for line in each.lines:
                terminalreporter.line(f"  {line}")
        for orphan in orphans:
            terminalreporter.line(f"{_relative(orphan, self._config.rootpath)}: no test uses it")

    def _orphans(self, stats: Mapping[str, Any]) -> list[str]:
        """The cassettes beside those that were opened, if every test there is has passed."""
        option = self._config.option
        chosen = (
            self._config.args_source is pytest.Config.ArgsSource.ARGS
            or option.keyword
            or option.markexpr
            or stats.keys() & {"failed", "error", "deselected", "skipped"}
        )
        if chosen:
            return []
        opened = {Path(t.path) for t in self._told}
        beside = {f for d in {p.parent for p in opened} for f in d.glob("*.yaml")}
        return sorted(str(path) for path in beside - opened)

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Stop the recorder."""
        config.stash[_STATE].stop()


def _name(item: pytest.Item, number: int) -> str:
    """The names of module and test, in characters that every file system has."""
    module = re.sub(r"[^\w.-]+", "-", item.path.stem)
    test = re.sub(r"[^\w.-]+", "-", item.nodeid.partition("::")[2]).strip("-")
    return f"{module}/{test}" + (f".{number + 1}" if number else "")


def _relative(path: str, root: Path) -> str:
    return str(Path(path).relative_to(root)) if Path(path).is_relative_to(root) else path
