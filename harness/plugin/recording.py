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
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.plugin.names import name_of, relative
from harness.plugin.options import adapters, directories
from harness.plugin.recording_report import (
    FAILED,
    MISSING,
    NOTE,
    PASSED,
    RAN,
    SHARED,
    UNWRITABLE,
    Reporter,
)
from mockserver.recording import NAMES, Mode, age_of, parse_age

if TYPE_CHECKING:
    from mockserver.library import Settings
    from mockserver.recording import Provider, Recorder, Result, TapeHandle

_RECORDING = pytest.StashKey["Recording"]()


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
        metavar="MODE",
        help="; ".join(f"{m}{' (default)' * (m is Mode.NONE)}: {m.meaning}" for m in Mode),
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
    config.pluginmanager.register(Reporter(config, recording), "tapecheck-recording-report")


@pytest.fixture
def tapecheck(request: pytest.FixtureRequest) -> Iterator[Tapes]:
    """Open cassettes for this test. See :class:`Tapes`."""
    tapes = Tapes(request.config.stash[_RECORDING], request.node)
    yield tapes
    tapes.close(passed=request.node.stash.get(PASSED, False))


@pytest.fixture(scope="class")
def tapecheck_class(request: pytest.FixtureRequest) -> Iterator[Tapes]:
    """Open cassettes for all tests of a class: written if all that use them passed."""
    yield from _shared(request, "class")


@pytest.fixture(scope="module")
def tapecheck_module(request: pytest.FixtureRequest) -> Iterator[Tapes]:
    """Open cassettes for all tests of a module: written if all that use them passed."""
    yield from _shared(request, "module")


@pytest.fixture(scope="session")
def tapecheck_session(request: pytest.FixtureRequest) -> Iterator[Tapes]:
    """Open cassettes for all tests of a session: written if all that use them passed."""
    yield from _shared(request, "session")


def _shared(request: pytest.FixtureRequest, scope: str) -> Iterator[Tapes]:
    tapes = Tapes(request.config.stash[_RECORDING], request.node)
    yield tapes
    stash, name = request.node.stash, SHARED[scope]
    tapes.close(passed=name in stash.get(RAN, ()) and name not in stash.get(FAILED, ()))


class Tapes:
    """Opens cassettes for one test, or for those that share a fixture.

    ``tapecheck("openai")`` is the usual call.
    """

    def __init__(self, recording: Recording, node: pytest.Item | pytest.Collector) -> None:
        self._recording = recording
        self._node = node
        self._open: list[TapeHandle] = []
        self._proxies = ExitStack()

    def __call__(
        self,
        provider: str,
        *more: str,
        cassette: str | None = None,
        upstream: str | None = None,
        ends: tuple[str, ...] = (),
        keep_opaque: bool = False,
        notes: dict[str, str] | None = None,
        match_on: Sequence[str] = (),
        ignore: Sequence[str] = (),
        proxy: bool = False,
        allow_hosts: Sequence[str] = (),
    ) -> TapeHandle:
        """Open a cassette for clients of ``provider`` and of ``more``.

        ``cassette`` is its name below the directory of cassettes, by default
        ``<module>/<test>``, for a shared fixture ``<module>/module`` and so on. ``upstream`` is
        another base URL of ``provider``. ``ends`` allows incomplete answers (``truncated``,
        ``reset``, ``timeout``, ``client_closed``).
        ``keep_opaque`` keeps encrypted reasoning and signatures. ``notes`` are written into the
        cassette. ``match_on`` and ``ignore`` say what is compared in requests, in the words of
        ``tapecheck record``; ``ignore`` adds to the project's settings. ``proxy`` opens a forward
        proxy for this cassette, for a client in a process of its own that has no base URL: give it
        ``tape.environment()``; ``allow_hosts`` are those that pass unrecorded. A wrong argument
        fails the test.
        """
        from mockserver.errors import MockServerError

        try:
            tape = self._tape(
                (provider, *more),
                cassette,
                upstream,
                ends,
                keep_opaque,
                notes,
                match_on,
                ignore,
                self._proxy(allow_hosts) if proxy else None,
            )
        except MockServerError as exc:
            problem = str(exc)
        else:
            self._open.append(tape)
            return tape
        # Not where the exception is caught, which would be shown as well.
        pytest.fail(problem, pytrace=False)

    def _tape(
        self,
        providers: Sequence[str],
        cassette: str | None,
        upstream: str | None,
        ends: Sequence[str],
        keep_opaque: bool,
        notes: dict[str, str] | None,
        match_on: Sequence[str],
        ignore: Sequence[str],
        proxy: Recorder | None,
    ) -> TapeHandle:
        from mockserver.cassettes import End
        from mockserver.errors import MockServerError
        from mockserver.library import Rule
        from mockserver.recording import providers as known_providers

        recording = self._recording
        known = recording.providers
        chosen = [known_providers.find(wanted, known) for wanted in providers]
        if upstream is not None:
            chosen[0] = chosen[0].at(upstream)
        name = cassette or name_of(self._node, len(self._open))
        path = recording.directory / f"{name}.yaml"
        if recording.mode is Mode.NONE and not path.exists():
            recording.note(MISSING, self._node.nodeid)
            shown = relative(path, recording.config.rootpath)
            pytest.fail(f"not recorded yet: {shown}", pytrace=False)
        tape = (proxy or recording.recorder).tape(
            path,
            chosen,
            mode=recording.mode,
            name=name,
            ends=[End(end) for end in ends],
            keep_opaque=keep_opaque,
            notes=notes or {},
            allowed=recording.allowed,
            leave_out=recording.config.getoption("--tapecheck-leave-out"),
            rule=Rule.of(match_on, ignore).over(recording.settings.rule),
            repeat=recording.settings.repeat,
        )
        if recording.mode is Mode.REWRITE:
            try:
                recording.claim(path, self._node.nodeid)
            except MockServerError:
                tape.close()
                raise
        return tape

    def _proxy(self, allow_hosts: Sequence[str]) -> Recorder:
        """Start a recorder that is a proxy, for one cassette: it cannot tell clients apart."""
        from mockserver.recording import Recorder

        return self._proxies.enter_context(Recorder(proxy=True, allow_hosts=allow_hosts))

    def close(self, *, passed: bool) -> None:
        """Write the open cassettes, or discard them if the test failed.

        Fails the test for what cannot be written.
        """
        with self._proxies:
            self._close(passed)

    def _close(self, passed: bool) -> None:
        from mockserver.errors import MockServerError, UnwritableError

        problems: list[str] = []
        for tape in self._open:
            try:
                if not passed:
                    tape.close()
                    self._recording.explain(tape)
                    continue
                result = tape.finish()
            except MockServerError as exc:
                problems.append(str(exc))
                if isinstance(exc, UnwritableError):
                    self._recording.note(UNWRITABLE, str(exc))
                continue
            problems += self._recording.report(result)
        if problems:
            pytest.fail("\n".join(problems), pytrace=False)


class Recording:
    """The recorder of one pytest process, its mode and its providers."""

    def __init__(self, config: pytest.Config, mode: str) -> None:
        self.config = config
        self._mode = mode
        self._recorder: Recorder | None = None
        self._began = time.time()
        self._claimed: dict[Path, str] = {}
        #: The test that runs now. What is torn down after it is reported with it.
        self.item: pytest.Item | None = None

    @property
    def mode(self) -> Mode:
        """The record mode."""
        return Mode.of(self._mode)

    @property
    def recorder(self) -> Recorder:
        """The recorder of this process, started on first use."""
        if self._recorder is None:
            from mockserver.recording import Recorder
            from mockserver.serving import no_proxy

            self._recorder = Recorder().__enter__()
            if any(name.lower().endswith("_proxy") for name in os.environ):
                os.environ.update(no_proxy(os.environ))
        return self._recorder

    @cached_property
    def settings(self) -> Settings:
        """The settings of the project about recordings."""
        from mockserver.library import settings

        return settings.find(self.config.rootpath)

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
        from mockserver.recording import allowed_texts

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

    def note(self, kind: str, text: str) -> None:
        """Attach a fact to the test that runs now, so that it reaches the report at the end."""
        if self.item is not None:
            self.item.user_properties.append((kind, text))

    def explain(self, tape: TapeHandle) -> None:
        """Note why requests of a test that failed got no answer: its error may not say so."""
        if tape.failures:
            self.note(NOTE, json.dumps([str(tape.path), *tape.failures]))

    def report(self, result: Result) -> list[str]:
        """Note the lines about a cassette; return what must fail the test."""
        lines = []
        if result.written:
            unchanged = f", {result.unchanged} unchanged" if result.unchanged else ""
            many = "s" * (result.interactions != 1)
            lines.append(f"wrote {result.interactions} interaction{many}{unchanged}")
        if result.drift is not None:
            lines += str(result.drift).splitlines()
        lines += result.notes
        failures = [f"{result.path}: {problem}" for problem in result.problems]
        if result.mode == "diff" and result.drift is not None and result.drift.shapes:
            failures.append(f"{result.path}: the live endpoint has drifted\n{result.drift}")
        old = self._too_old(result.path)
        if old is not None:
            lines.append(old)
            if self.config.getoption("--tapecheck-strict-age"):
                failures.append(f"{result.path}: {old}")
        self.note(NOTE, json.dumps([str(result.path), *lines]))
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
