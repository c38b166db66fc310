"""The records of the last run in ``.tapecheck/last-run.ndjson``, for ``--failed`` and others."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TextIO

import click

from harness.errors import ReportError
from harness.reports import ndjson
from harness.reports.summary import AGAINST
from mockserver import files

FILE = Path(".tapecheck") / "last-run.ndjson"


def existing() -> Path:
    """Return the file of the last run. Raises :class:`ReportError` if there is none."""
    if not FILE.is_file():
        raise ReportError(
            "no earlier run in this directory", path=FILE, hint="run 'tapecheck run' here first"
        )
    return FILE


def failed_cases() -> frozenset[str]:
    """Return the ids of the cases that failed in the last run. Raises :class:`ReportError`."""
    return frozenset(
        r["id"] for r in ndjson.read(existing()) if r["type"] == "case" and r["outcome"] in AGAINST
    )


def adapters() -> frozenset[str]:
    """Return the names of the adapters of the last run, and the references it was given."""
    (run,) = (r for r in ndjson.read(existing()) if r["type"] == "run")
    options: list[str] = run["options"]
    given = {value for option, value in pairwise(options) if option == "--adapter"}
    return frozenset(given | {adapter["name"] for adapter in run["adapters"]})


@contextmanager
def new_records() -> Iterator[TextIO | None]:
    """Yield a file for the records of a run; it replaces the last one when it is complete.

    Yields ``None``, with a warning, if the directory cannot be written to.
    """
    with ExitStack() as stack:
        try:
            FILE.parent.mkdir(exist_ok=True)
            FILE.with_name(".gitignore").write_text("*\n", encoding="utf-8")
            file = stack.enter_context(files.replacing(FILE))
        except OSError as exc:
            click.echo(f"tapecheck: cannot save the results: {FILE}: {exc.strerror}", err=True)
            yield None
            return
        text = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
        yield text
        text.detach()
