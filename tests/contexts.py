"""A pytest plugin that tells coverage whose tests run a line, and which of them to leave out.

The context is the folder of the running test, so that it seldom changes; lines that run while
modules are imported have none. Tests that repeat one thing with many values run without being
traced, as this takes half of their time: those of Hypothesis, whose values differ from run to run,
so that no floor may rest on them, and those marked ``unmeasured``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import coverage
import pytest


def context_of(nodeid: str) -> str:
    """Return the folder of a test: ``tests/a/b`` for ``tests/a/b/test_x.py::test_y``."""
    file = nodeid.partition("::")[0]
    return file.rpartition("/")[0]


class Contexts:
    """Switches the context of the measurement that is under way in this process, if any."""

    def __init__(self) -> None:
        self._now = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Name the folder before the first of a test's fixtures is made."""
        measured = coverage.Coverage.current()
        if measured is not None and (folder := context_of(item.nodeid)) != self._now:
            measured.switch_context(folder)
            self._now = folder

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Iterator[None]:
        """Call the test's function, with tracing only if it is to be measured."""
        if not is_unmeasured(pyfuncitem):
            return (yield)
        tracer = sys.gettrace()
        sys.settrace(None)
        try:
            return (yield)
        finally:
            sys.settrace(tracer)


def is_unmeasured(item: pytest.Function) -> bool:
    """Return whether a test counts for no floor."""
    by_hypothesis = getattr(item.function, "is_hypothesis_test", False)
    return by_hypothesis or item.get_closest_marker("unmeasured") is not None


def pytest_configure(config: pytest.Config) -> None:
    """Start without a context."""
    config.pluginmanager.register(Contexts())
