"""A suite that is played in no time, in place of the bundled scenarios."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.suite import bundled


def use_only(name: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make one bundled scenario the whole suite, copied to ``directory``."""
    text = (bundled.scenarios() / f"{name}.yaml").read_text(encoding="utf-8")
    cassettes = bundled.cassettes()
    suite = directory / "suite"
    suite.mkdir()
    # Its twin is not in this suite.
    kept = [line for line in text.splitlines() if not line.startswith("twin:")]
    (suite / "only.yaml").write_text("\n".join(kept), encoding="utf-8")
    monkeypatch.setattr(bundled, "scenarios", lambda: suite)
    monkeypatch.setattr(bundled, "cassettes", lambda: cassettes)
