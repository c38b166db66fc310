"""What the matrix of third-party clients plays, from ``specs/matrix.yaml``."""

from __future__ import annotations

from pathlib import Path

from harness.judge.kinds import Level
from harness.plan.expand import Axes
from harness.plan.planning import Settings
from harness.suite import bundled
from harness.suite.loader import read_yaml


def settings(
    adapters: tuple[str, ...], *, level: Level | None = None, keep: Path | None = None
) -> Settings:
    """Return the settings of a matrix of these adapters. Raises :class:`SpecError`."""
    stated = read_yaml(bundled.matrix(), "matrix").data
    return Settings(
        adapters=adapters,
        priorities=frozenset(stated["priorities"]),
        first_rows=frozenset(stated["first_rows"]),
        axes=Axes(mode="none"),
        sweep=tuple(stated["sweep"]),
        level=level,
        keep=keep,
    )
