"""``tapecheck report``: convert the results of a run, or merge those of its shards."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from harness.commands import options
from harness.commands.run import FORMATS


class _Report(click.Command):
    """The command, with ``merge`` as a first argument that has arguments of its own."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **more: Any,
    ) -> click.Context:
        if args[:1] == ["merge"]:
            return merge.make_context(f"{info_name} merge", args[1:], parent, **more)
        return super().make_context(info_name, args, parent, **more)


@click.command(cls=_Report)
@click.argument("results", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
@click.option("--format", "form", type=click.Choice(FORMATS), default="terminal", show_default=True)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), metavar="FILE", help="Default: stdout."
)
@click.option(
    "--before",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The results of an earlier run; markdown says what changed since.",
)
@click.option("--verbose", "-v", is_flag=True, help="List every scenario, skip reason and failure.")
def command(
    results: Path | None, form: str, output: Path | None, before: Path | None, verbose: bool
) -> None:
    """Convert the results of a run to another format.

    FILE is the output of 'tapecheck run --results FILE'. Default: the last run in this
    directory. The exit code says whether the report was written. 'tapecheck report merge' joins
    the results of shards, or of several clients.

    \b
    tapecheck report
    tapecheck report results.ndjson --format junit -o report.xml
    tapecheck report results.ndjson --format github
    tapecheck report results.ndjson --format markdown --before old.ndjson
    tapecheck report merge shard-*.ndjson -o results.ndjson
    """
    from harness import reports
    from harness.commands import last_run
    from harness.reports import ndjson

    if before is not None and form != "markdown":
        raise click.UsageError("--before is for --format markdown")
    records = list(ndjson.read(results or last_run.existing()))
    earlier = None if before is None else list(ndjson.read(before))
    with ExitStack() as stack:
        stream = options.opened(stack, output) or options.stdout_for(form)
        reports.write(form, records, stream, verbose=verbose, before=earlier)


@click.command()
@click.argument(
    "shards", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    metavar="FILE",
    required=True,
    help="Where to write the results of the whole run.",
)
def merge(shards: tuple[Path, ...], output: Path) -> int:
    """Join the results of all shards of a run, or of whole runs of different clients.

    Each FILE is the output of 'tapecheck run --shard I/N --results FILE', or of a run without
    --shard. Says what no shard alone can tell, and ends with the exit code that the whole run would
    have had.

    \b
    tapecheck report merge shard-*.ndjson -o results.ndjson
    tapecheck report merge openai.ndjson anthropic.ndjson -o results.ndjson
    tapecheck report results.ndjson
    """
    from harness.reports import ndjson
    from harness.reports.merge import merged
    from harness.reports.summary import summarize

    records = merged((path, ndjson.read(path)) for path in shards)
    with ExitStack() as stack:
        stream = options.opened(stack, output)
        assert stream is not None
        stream.writelines(ndjson.line(record) for record in records)
    click.echo(f"{output}: {summarize(records).sentence}")
    end = records[-1]
    for problem in end["problems"]:
        click.echo(f"  {problem}")
    code: int = end["exit_code"]
    return code
