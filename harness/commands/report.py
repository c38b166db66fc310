"""``tapecheck report``: convert the results of a run to another format."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

from harness.commands import options
from harness.commands.run import FORMATS


@click.command()
@click.argument("results", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
@click.option("--format", "form", type=click.Choice(FORMATS), default="terminal", show_default=True)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), metavar="FILE", help="Default: stdout."
)
@click.option("--verbose", "-v", is_flag=True, help="List every scenario, skip reason and failure.")
def command(results: Path | None, form: str, output: Path | None, verbose: bool) -> None:
    """Convert the results of a run to another format.

    FILE is the output of 'tapecheck run --results FILE'. Default: the last run in this
    directory. The exit code says whether the report was written.

    \b
    tapecheck report
    tapecheck report results.ndjson --format junit -o report.xml
    tapecheck report results.ndjson --format markdown >> "$GITHUB_STEP_SUMMARY"
    """
    from harness import reports
    from harness.commands import last_run
    from harness.reports import ndjson

    records = list(ndjson.read(results or last_run.existing()))
    with ExitStack() as stack:
        stream = options.opened(stack, output) or options.stdout_for(form)
        reports.write(form, records, stream, verbose=verbose)
