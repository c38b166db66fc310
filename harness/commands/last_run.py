"""The records of the last run in ``.tapecheck/last-run.ndjson``, for reports and baselines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

import click

from harness.commands.output import Output
from harness.errors import ReportError, SetupError
from mockserver import files

#: What version control ignores here: all but what clients were found to expose.
IGNORED = "*\n!exposes/\n!exposes/*.yaml\n"
FILE = Path(".tapecheck") / "last-run.ndjson"


def existing() -> Path:
    """Return the file of the last run. Raises :class:`ReportError` if there is none."""
    if not FILE.is_file():
        raise ReportError(
            "no earlier run in this directory", path=FILE, hint="run 'tapecheck run' here first"
        )
    return FILE


@contextmanager
def new_records() -> Iterator[TextIO | None]:
    """Yield a file for the records of a run; it replaces the last one when it is complete.

    Yields ``None``, with a warning, if the directory cannot be written to. Raises
    :class:`SetupError` if the disk is full.
    """
    with ExitStack() as stack:
        try:
            FILE.parent.mkdir(exist_ok=True)
            FILE.with_name(".gitignore").write_text(IGNORED, encoding="utf-8")
            file = stack.enter_context(files.replacing(FILE))
        except OSError as exc:
            if files.is_full(exc):
                raise SetupError(f"cannot be written: {exc.strerror}", path=FILE) from None
            click.echo(f"tapecheck: cannot save the results: {FILE}: {exc.strerror}", err=True)
            yield None
            return
        text = Output(FILE, file)
        yield text
        text.flush()
        text.detach()
