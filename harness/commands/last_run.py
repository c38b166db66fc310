"""The records of the last run in ``.tapecheck/last-run.ndjson``, for reports and baselines."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

import click

from harness.errors import ReportError
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

    Yields ``None``, with a warning, if the directory cannot be written to.
    """
    with ExitStack() as stack:
        try:
            FILE.parent.mkdir(exist_ok=True)
            FILE.with_name(".gitignore").write_text(IGNORED, encoding="utf-8")
            file = stack.enter_context(files.replacing(FILE))
        except OSError as exc:
            click.echo(f"tapecheck: cannot save the results: {FILE}: {exc.strerror}", err=True)
            yield None
            return
        text = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
        yield text
        text.detach()
