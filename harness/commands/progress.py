"""The progress bar of a run, on stderr."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from harness.reports.summary import AGAINST
from mockserver.vocabulary import JsonObject


class Progress:
    """A bar that counts finished cases; nothing if stderr is not a terminal."""

    def __init__(self, total: int) -> None:
        self._bar = None
        self._failed = 0
        if sys.stderr.isatty():
            from rich import progress
            from rich.console import Console

            self._bar = progress.Progress(
                progress.BarColumn(),
                progress.MofNCompleteColumn(),
                progress.TimeElapsedColumn(),
                progress.TextColumn("{task.description}"),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, record: JsonObject) -> None:
        """Count a record."""
        if self._bar is None or record["type"] != "case":
            return
        self._failed += record["outcome"] in AGAINST
        failed = f"[red]{self._failed} failed[/]  " if self._failed else ""
        self._bar.update(self._task, advance=1, description=f"{failed}{record['scenario']}")
