"""Where the specs and cassettes that come with tapecheck are."""

from __future__ import annotations

from pathlib import Path

from harness.errors import SetupError


def root() -> Path:
    """Return the directory that contains ``specs`` and ``cassettes``: wheel or checkout."""
    package = Path(__file__).parent.parent
    for candidate in (package / "_bundled", package.parent):
        if (candidate / "specs" / "schemas").is_dir():
            return candidate
    raise SetupError(
        "the bundled specs are missing from this installation", hint="install tapecheck again"
    )


def schemas() -> Path:
    """Return the directory of the JSON Schemas."""
    return root() / "specs" / "schemas"


def scenarios() -> Path:
    """Return the directory of the bundled scenarios."""
    return root() / "specs" / "scenarios"


def adapters() -> Path:
    """Return the directory of the bundled adapter declarations."""
    return root() / "specs" / "adapters"


def cassettes() -> Path:
    """Return the directory of the bundled cassettes."""
    return root() / "cassettes"


def third_party() -> Path:
    """Return the directory of the third-party clients, their environments, pins and shims."""
    return Path(__file__).parent.parent / "adapters" / "third_party"


def matrix() -> Path:
    """Return the file that says what the matrix of third-party clients plays."""
    return root() / "specs" / "matrix.yaml"
