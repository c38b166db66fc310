"""The records of the last run in ``.tapecheck/last-run.ndjson``, for ``--failed`` and others."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

import click

from harness.errors import ReportError
from harness.reports import ndjson
from harness.reports.summary import AGAINST
from mockserver import files

FILE = Path(".tapecheck") / "last-run.ndjson"


def existing() -> Path:
    """The file of the last run. Raises :class:`ReportError` if there was none here."""
    if not FILE.is_file():
        raise ReportError(
            "no earlier run in this directory", path=FILE, hint="run 'tapecheck run' here first"
        )
    return FILE


def failed_cases() -> frozenset[str]:
    """The ids of the cases that counted against the last run. Raises :class:`ReportError`."""
    return frozenset(
        r["id"] for r in ndjson.read(existing()) if r["type"] == "case" and r["outcome"] in AGAINST
    )


@contextmanager
def kept() -> Iterator[TextIO | None]:
    """Give a file for the records of a run, which takes the place of the last when it is whole.

    A directory that cannot be written to is no reason to stop: then there is no file.
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
