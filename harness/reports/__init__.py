"""Reports: each a fold over the records of a run, written to a stream that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from mockserver.vocabulary import JsonObject


def write(
    form: str,
    records: Sequence[JsonObject],
    stream: TextIO,
    *,
    verbose: bool = False,
    seconds: float | None = None,
    before: Sequence[JsonObject] | None = None,
) -> None:
    """Write the report named ``form`` of a whole run.

    ``seconds`` is how long the run took, where that is known; ``before`` are the records of an
    earlier run, which the format ``markdown`` compares. Raises
    :class:`~harness.errors.ReportError` for records that are not one whole run.
    """
    here = Path.cwd()
    match form:
        case "terminal":
            from harness.reports.terminal import write as write_terminal

            write_terminal(records, stream, here=here, verbose=verbose, seconds=seconds)
        case "junit":
            from harness.reports.junit import write as write_junit

            write_junit(records, stream, here=here)
        case "markdown":
            from harness.reports.markdown import write as write_markdown

            write_markdown(records, stream, here=here, before=before)
        case "html":
            from harness.reports.html import write as write_html

            write_html(records, stream, here=here)
        case "github":
            from harness.reports.github import write as write_github

            write_github(records, stream, here=here)
        case "badge":
            from harness.reports.badge import write as write_badge

            write_badge(records, stream)
        case _:
            from harness.reports import ndjson

            stream.writelines(ndjson.line(record) for record in records)
