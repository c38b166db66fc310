"""The harness's errors, one class for each step at which a user can go wrong.

Each says what is wrong, where, and what to do; the command line prints it and exits with
``exit_code``. What a client under test does wrong is not an exception but a finding.
"""

from __future__ import annotations

from pathlib import Path


class HarnessError(Exception):
    """Base of all errors of this package. ``hint`` says what to do."""

    exit_code = 3

    def __init__(
        self,
        message: str,
        *,
        path: Path | str | None = None,
        line: int | None = None,
        hint: str | None = None,
    ) -> None:
        self.message = message
        self.path = path
        self.line = line
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        place = "" if self.path is None else f"{self.path}: "
        if self.path is not None and self.line is not None:
            place = f"{self.path}:{self.line}: "
        return place + self.message + (f"\n  {self.hint}" if self.hint else "")


class SpecError(HarnessError):
    """A scenario or adapter file is wrong."""

    exit_code = 2


class SelectionError(HarnessError):
    """A pattern selects nothing, or is not a pattern."""

    exit_code = 2


class AdapterError(HarnessError):
    """An adapter cannot be loaded or declares what does not exist."""

    exit_code = 2


class BaselineError(HarnessError):
    """A baseline entry is wrong."""

    exit_code = 2


class ReportError(HarnessError):
    """A results file cannot be read, or lacks its end."""

    exit_code = 2


class SetupError(HarnessError):
    """The machine is in the way: a port, a disk, a missing directory."""

    exit_code = 3
