"""The console that reports are printed on."""

from __future__ import annotations

from rich.console import Console


class ReportConsole(Console):
    """A console that says when its reader went away, where rich would end the program with 1."""

    def on_broken_pipe(self) -> None:
        """Raise ``BrokenPipeError``, which the command line knows."""
        raise BrokenPipeError
