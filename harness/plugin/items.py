"""The collectors and items of the pytest plugin; imported if there is an adapter to test.

Scenario files of a project are collected as files. The bundled scenarios belong to a collector
named ``tapecheck``, because they are outside of the project.
"""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Generator, Iterator, Sequence
from contextlib import aclosing
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import pytest

from harness.errors import HarnessError, SelectionError
from harness.judge.kinds import Level
from harness.judge.transcript import Outcome
from harness.plan.expand import parse_axes
from harness.plan.planning import Plan, Settings, make_plan
from harness.plugin.options import adapters, directories
from harness.reports import explain
from harness.reports.records import CaseResult, case_record, options_of
from harness.run.lanes import judged
from harness.run.runner import Runner
from harness.suite import bundled
from harness.suite.scenario import Case, CaseKind
from mockserver.errors import MockServerError

NAME = "tapecheck"
_T = TypeVar("_T")


class FailedCaseError(Exception):
    """A case or a sweep failed. The message is shown to the user."""


class Collection:
    """The tapecheck part of a pytest session; registered as a plugin."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.own = directories(config, "scenarios")
        #: Bundled cases to run: ``None`` for none, an empty list for all, or their names.
        self.wanted: list[str] | None = None
        config.addinivalue_line("markers", f"{NAME}: a case of tapecheck")

    @cached_property
    def plan(self) -> Plan:
        """All cases: those of the project, and the bundled ones if they are wanted.

        Raises what :func:`make_plan` raises.
        """
        config = self.config
        axes = config.getoption("--tapecheck-axes") or config.getini("tapecheck_axes")
        try:
            chosen = parse_axes(axes)
        except ValueError as exc:
            raise SelectionError(str(exc)) from None
        level = config.getoption("--tapecheck-level") or config.getini("tapecheck_level")
        if level and level not in list(Level):
            raise SelectionError(
                f"tapecheck level {level!r} does not exist", hint=f"known are {', '.join(Level)}"
            )
        scenarios = self.own
        if scenarios and self.wanted is not None:
            scenarios = tuple(dict.fromkeys((bundled.scenarios().resolve(), *scenarios)))
        return make_plan(
            Settings(
                adapters=adapters(config),
                scenarios=scenarios,
                cassettes=directories(config, "cassettes"),
                axes=chosen,
                faults=not config.getoption("--no-tapecheck-faults"),
                in_process=config.getoption("--tapecheck-in-process"),
                level=Level(level) if level else None,
            )
        )

    def is_own(self, path: Path) -> bool:
        """Return whether a scenario file belongs to the project."""
        return any(path.resolve().is_relative_to(directory) for directory in self.own)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Find out whether to run bundled scenarios: without paths, or by name."""
        config = session.config
        if config.args_source is not pytest.Config.ArgsSource.ARGS:
            self.wanted = []
            inside = [Path(arg.partition("::")[0]).resolve() for arg in config.args]
            # A run without paths includes the own scenarios even if testpaths does not.
            config.args += [
                str(own) for own in self.own if not any(own.is_relative_to(path) for path in inside)
            ]
            return
        named = [a for a in config.args if a.partition("::")[0] == NAME and not Path(a).exists()]
        if named:
            self.wanted = [a.partition("::")[2] for a in named if "::" in a]
            config.args = [a for a in config.args if a not in named]

    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> pytest.Collector | None:
        """Collect a scenario file of the project."""
        if file_path.suffix in {".yaml", ".yml"} and self.is_own(file_path):
            return ScenarioFile.from_parent(parent, path=file_path, collection=self)
        return None

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Add the bundled scenarios to what the session has collected."""
        report = yield
        if isinstance(collector, pytest.Session) and self.wanted is not None and report.passed:
            mine = Bundled.from_parent(collector, name=NAME, nodeid=NAME, collection=self)
            report.result.append(mine)
        return report


class _Collector(pytest.Collector, ABC):
    """Collects cases and starts a mock server when the first of them runs."""

    @abstractmethod
    def belongs(self, path: Path) -> bool:
        """Return whether the scenarios of that file are collected here."""

    def __init__(self, *, collection: Collection, **kw: Any) -> None:
        super().__init__(**kw)
        self.collection = collection
        self.engine: Engine

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item for each case, each sweep, and each skipped scenario."""
        plan = self.collection.plan
        mine = {s.id for s in plan.scenarios if self.belongs(s.file)}
        sweeps: dict[tuple[str, str], list[Case]] = {}
        for case in plan.cases:
            if case.scenario.id not in mine:
                continue
            if case.kind is CaseKind.FAULT:
                sweeps.setdefault((case.scenario.id, case.adapter), []).append(case)
            else:
                yield CaseItem.from_parent(self, name=case.id, cases=[case])
        for (scenario, adapter), cases in sweeps.items():
            yield CaseItem.from_parent(self, name=f"{scenario}/faults@{adapter}", cases=cases)
        for skip in plan.skips:
            if skip.scenario in mine:
                item = SkippedItem.from_parent(self, name=f"{skip.scenario}@{skip.adapter}")
                item.add_marker(pytest.mark.skip(reason=skip.reason))
                yield item

    def setup(self) -> None:
        """Start the server. pytest calls this before the first item of a collector runs."""
        self.engine = Engine(self.collection.plan)
        self.addfinalizer(self.engine.stop)

    def repr_failure(  # type: ignore[override]
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> Any:
        """Show a usage error without a traceback."""
        if isinstance(excinfo.value, HarnessError | MockServerError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


class ScenarioFile(_Collector, pytest.File):
    """A scenario file of the project."""

    def belongs(self, path: Path) -> bool:
        """Return whether it is this file."""
        return path.resolve() == self.path.resolve()


class Bundled(_Collector):
    """The scenarios that come with tapecheck."""

    def belongs(self, path: Path) -> bool:
        """Return whether the file is outside of the project."""
        return not self.collection.is_own(path)

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the items, or those that the command line names, and the plan's problems."""
        wanted = self.collection.wanted
        left = set(wanted or ())
        for item in super().collect():
            if not wanted or item.name in left:
                left.discard(item.name)
                yield item
        if left:
            raise SelectionError(
                f"no case {sorted(left)[0]!r}", hint="'tapecheck list --what cases' lists them"
            )
        if not wanted and self.collection.plan.problems:
            yield ProblemsItem.from_parent(self, name="problems")


class _PlanItem(pytest.Item):
    def __init__(self, **kw: Any) -> None:
        super().__init__(**kw)
        self.add_marker(NAME)

    def runtest(self) -> None:
        """Do nothing."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show a failed case as its explanation, without a traceback."""
        if isinstance(excinfo.value, FailedCaseError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def add_report_section(self, when: str, key: str, content: str) -> None:
        """Drop the log: the runner's log level would show every request."""
        if key != "log":
            super().add_report_section(when, key, content)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the location that pytest prints: the file that the node id begins with."""
        return self.config.rootpath / self.nodeid.partition("::")[0], 0, self.name


class SkippedItem(_PlanItem):
    """A scenario that an adapter does not run."""


class ProblemsItem(_PlanItem):
    """The problems of a plan as a whole."""

    parent: _Collector

    def runtest(self) -> None:
        """Fail: the item exists only if the plan has problems."""
        raise FailedCaseError("\n".join(self.parent.collection.plan.problems))


class CaseItem(_PlanItem):
    """One case, or all faults of one scenario."""

    parent: _Collector

    def __init__(self, *, cases: Sequence[Case], **kw: Any) -> None:
        super().__init__(**kw)
        self.cases = cases

    def runtest(self) -> None:
        """Play and judge."""
        results = self.parent.engine.play(self.cases)
        against = [r for r in results if r.verdict.outcome not in {Outcome.PASS, Outcome.KNOWN}]
        if against:
            raise FailedCaseError(self._message(against, len(results)))
        if known := [r for r in results if r.known is not None]:
            pytest.xfail(known[0].known or "")

    def _message(self, against: Sequence[CaseResult], total: int) -> str:
        shown = min(against, key=lambda r: (len(r.case.variation), r.case.variation))
        options = tuple(options_of(self.parent.collection.plan.settings))
        text = explain.explain(shown, here=self.config.rootpath, width=96, options=options)
        summary = explain.headline(case_record(shown)["findings"][0])
        if total > 1:
            others = ", ".join(r.case.variation for r in against)
            summary = f"{len(against)} of {total} faults failed: {summary}\n{others}"
        return f"{summary}\n\n{text}"


class Engine:
    """A mock server and a runner in an event loop of their own."""

    def __init__(self, plan: Plan) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=NAME, daemon=True)
        self._thread.start()
        self._runner = self._await(Runner(plan).__aenter__())

    def play(self, cases: Sequence[Case]) -> list[CaseResult]:
        """Play cases side by side and return the results in the order of the cases."""
        results = {r.case.id: r for r in self._await(self._play(cases))}
        return [results[case.id] for case in cases]

    def stop(self) -> None:
        """Stop the server and the loop."""
        self._await(self._runner.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _play(self, cases: Sequence[Case]) -> list[CaseResult]:
        async with aclosing(judged(self._runner, cases)) as results:
            return [result async for result in results]

    def _await(self, work: Coroutine[Any, Any, _T]) -> _T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # Ctrl-C arrives in this thread, not in the loop's.
            raise
