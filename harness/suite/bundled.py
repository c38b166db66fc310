"""Where the specs and cassettes that come with tapecheck are."""

from __future__ import annotations

from pathlib import Path

from harness.errors import SetupError


def root() -> Path:
    """The directory that holds ``specs`` and ``cassettes``: in the wheel, or the checkout."""
    package = Path(__file__).parent.parent
    for candidate in (package / "_bundled", package.parent):
        if (candidate / "specs" / "schemas").is_dir():
            return candidate
    raise SetupError(
        "the bundled specs are missing from this installation", hint="install tapecheck again"
    )


def schemas() -> Path:
    """The directory of the JSON Schemas."""
    return root() / "specs" / "schemas"


def scenarios() -> Path:
    """The directory of the bundled scenarios."""
    return root() / "specs" / "scenarios"


def adapters() -> Path:
    """The directory of the bundled adapter declarations."""
    return root() / "specs" / "adapters"


def cassettes() -> Path:
    """The directory of the bundled cassettes."""
    return root() / "cassettes"
