"""``tapecheck run``: play cases, write the records, and print the report."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ExitStack, aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from harness.commands import options

if TYPE_CHECKING:
    from harness.plan.planning import Plan
    from mockserver.vocabulary import JsonObject

FORMATS = ("terminal", "ndjson", "junit", "markdown")


@click.command()
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@options.adapters
@options.level
@options.selection
@options.directories
@click.option("--format", "form", type=click.Choice(FORMATS), default="terminal", show_default=True)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), metavar="FILE", help="Default: stdout."
)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write the records, one JSON object per line.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write the transcripts of failing cases to DIR; 'tapecheck explain FILE' shows one.",
)
@click.option("--fail-fast", "-x", is_flag=True, help="Stop after the first failure.")
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Number of processes. Default: one per core, or one for a short run.",
)
@click.option("--verbose", "-v", is_flag=True, help="List every scenario, skip reason and failure.")
@options.in_process
@click.option("--failed", is_flag=True, help="Run only cases that failed in the last run.")
def command(
    patterns: tuple[str, ...],
    form: str,
    output: Path | None,
    results: Path | None,
    keep: Path | None,
    fail_fast: bool,
    jobs: int | None,
    verbose: bool,
    failed: bool,
    **chosen: Any,
) -> int:
    """Play scenarios to adapters and judge the results.

    A PATTERN is a glob over case ids or a leading part of one; !PATTERN excludes cases.

    \b
    tapecheck run
    tapecheck run --adapter my_adapter.py
    tapecheck run openai-chat/tools-* '!**/framing=one-byte'
    tapecheck run --axes none --no-faults --priority P0
    tapecheck run --axes eol=crlf,framing=one-byte
    tapecheck run --recordings cassettes/
    tapecheck run --format junit -o report.xml
    tapecheck run --failed -x
    """
    import asyncio

    from harness.commands import last_run
    from harness.errors import SelectionError
    from harness.plan.planning import make_plan

    settings = options.settings_of(patterns=patterns, **chosen)
    wanted = last_run.failed_cases() if failed else None
    if failed and not wanted:
        if other := sorted(set(settings.adapters) - last_run.adapters()):
            raise SelectionError(
                f"the last run did not play {other[0]}, so nothing of it can have failed",
                hint="run it without --failed first; each run replaces the last one",
            )
        click.echo("nothing failed in the last run")
        return 0
    plan = make_plan(replace(settings, keep=keep))
    if wanted:
        plan = _narrowed(plan, wanted)
    with ExitStack() as stack:
        stream = options.opened(stack, output) or options.stdout_for(form)
        last = stack.enter_context(last_run.new_records())
        sinks = [s for s in (options.opened(stack, results), last) if s]
        if form == "ndjson":
            sinks.append(stream)
        began = time.monotonic()
        records = asyncio.run(_play(plan, sinks, jobs=jobs, fail_fast=fail_fast))
        if form != "ndjson":
            from harness import reports

            elapsed = time.monotonic() - began
            reports.write(form, records, stream, verbose=verbose, seconds=elapsed)
    code: int = records[-1]["exit_code"]
    return code


def _narrowed(plan: Plan, wanted: frozenset[str]) -> Plan:
    from harness.errors import SelectionError

    cases = tuple(case for case in plan.cases if case.id in wanted)
    if not cases:
        raise SelectionError(
            f"none of the {len(wanted)} cases that failed in the last run is selected",
            hint="use --failed with the options of that run",
        )
    # The records name the cases, so that they do not pass for a whole run.
    settings = replace(plan.settings, patterns=tuple(case.id for case in cases))
    return replace(plan, settings=settings, cases=cases, skips=(), problems=())


async def _play(
    plan: Plan, sinks: Iterable[TextIO], *, jobs: int | None, fail_fast: bool
) -> list[JsonObject]:
    import asyncio

    from harness.commands.progress import Progress
    from harness.reports.ndjson import line
    from harness.reports.records import interrupted_record
    from harness.run.run import run

    records: list[JsonObject] = []
    with Progress(len(plan.cases)) as progress:

        def add(record: JsonObject) -> None:
            text = line(record)
            for sink in sinks:
                sink.write(text)
                sink.flush()
            records.append(record)
            progress.update(record)

        try:
            async with aclosing(run(plan, jobs=jobs, fail_fast=fail_fast)) as produced:
                async for record in produced:
                    add(record)
        except asyncio.CancelledError:
            # Ctrl-C. What was found so far is reported; a second one ends the program at once.
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
            if records[-1]["type"] != "end":
                add(interrupted_record(plan, records))
    return records
