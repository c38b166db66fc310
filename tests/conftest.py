from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something about the machine, not about the code.
settings.register_profile(
    "unhurried",
    deadline=None,
    max_examples=int(os.environ.get("TAPECHECK_EXAMPLES", "50")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unhurried")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "unmeasured: repeats one thing so often that tracing it costs more than it tells; "
        "no floor of tests/floors.py counts it",
    )


ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def recordings() -> Path:
    """A directory of real recordings with an index of what they say; optional."""
    path = Path(os.environ.get("TAPECHECK_RECORDINGS", ROOT.parent / "shared" / "recordings"))
    if not (path / "index.json").is_file():
        pytest.skip("no recordings here (set TAPECHECK_RECORDINGS)")
    return path
