"""A pytest plugin that tells coverage whose tests run a line, and what to leave out.

The context is the folder of the running test, so that it seldom changes; lines that run while
modules are imported have none. To trace a line takes longer than to run it, so the engine of
Hypothesis is not traced, only what it calls with the examples; nor are the tests marked
``unmeasured``, which repeat one thing with many values.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

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
        """Call the test's function, without tracing where it is not to be measured."""
        drawn = getattr(pyfuncitem.obj, "hypothesis", None)
        if drawn is None and pyfuncitem.get_closest_marker("unmeasured") is None:
            return (yield)
        tracer, inner = sys.gettrace(), getattr(drawn, "inner_test", None)
        if inner is not None:
            drawn.inner_test = traced(inner, tracer)
        sys.settrace(None)
        try:
            return (yield)
        finally:
            sys.settrace(tracer)
            if inner is not None:
                drawn.inner_test = inner


def traced(function: Callable[..., Any], tracer: Any) -> Callable[..., Any]:
    """Return the function so that it is traced while it runs, and nothing after it."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        sys.settrace(tracer)
        try:
            return function(*args, **kwargs)
        finally:
            sys.settrace(None)

    return run


def pytest_configure(config: pytest.Config) -> None:
    """Start without a context."""
    config.pluginmanager.register(Contexts())
