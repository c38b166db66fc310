"""The bundled scenarios, read once for all tests of a process."""

from __future__ import annotations

from functools import cache

from harness.plan.planning import Settings, find_scenarios
from harness.suite.scenario import Scenario


@cache
def scenarios() -> dict[str, Scenario]:
    """Return every bundled scenario by its id, in the order of the ids."""
    return {s.id: s for s in find_scenarios(Settings())[0]}
