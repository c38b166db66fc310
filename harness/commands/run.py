"""``tapecheck run``: play cases, write the records, and print the report."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from harness.commands import options

if TYPE_CHECKING:
    from harness.errors import SetupError
    from harness.plan.planning import Plan, Settings
    from mockserver.vocabulary import JsonObject

#: Cases that a user who names some scenarios does not expect.
_MANY = 200
FORMATS = ("terminal", "ndjson", "junit", "markdown", "html", "github", "badge")


def _shard(_ctx: click.Context, _param: click.Parameter, text: str | None) -> Any:
    from harness.plan.sharding import parse_shard

    if text is None:
        return None
    try:
        return parse_shard(text)
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from None


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
@click.option(
    "--shard",
    metavar="I/N",
    callback=_shard,
    help="Play the I-th of N parts of the cases; 'tapecheck report merge' joins the results.",
)
@click.option(
    "--failed", is_flag=True, help="Run only cases that have not passed since they failed."
)
@click.option(
    "--full",
    is_flag=True,
    help="Run everything. Without it and without a selection, an adapter of yours runs the P0 "
    "scenarios as recorded.",
)
def command(
    patterns: tuple[str, ...],
    form: str,
    output: Path | None,
    results: Path | None,
    keep: Path | None,
    fail_fast: bool,
    jobs: int | None,
    verbose: bool,
    shard: tuple[int, int] | None,
    failed: bool,
    full: bool,
    **chosen: Any,
) -> int:
    """Play scenarios to adapters and judge the results.

    A PATTERN is a glob over case ids or a leading part of one; !PATTERN excludes cases.

    \b
    tapecheck run
    tapecheck run --adapter my_adapter.py
    tapecheck run --adapter my_adapter.py --full
    tapecheck run openai-chat/tools-* '!**/framing=one-byte'
    tapecheck run --axes none --no-faults --priority P0
    tapecheck run --axes eol=crlf,framing=one-byte
    tapecheck run --recordings cassettes/
    tapecheck run --format junit -o report.xml
    tapecheck run --failed -x
    tapecheck run --full --adapter my_adapter.py --shard 1/4 --results shard-1.ndjson
    """
    import asyncio

    from harness.commands import failures, last_run
    from harness.commands.making import make_for
    from harness.plan.planning import make_plan
    from harness.plan.sharding import sharded
    from harness.reports.records import INTERRUPTED
    from harness.reports.words import many

    if failed and shard is not None:
        raise click.UsageError("--shard splits a whole selection: leave out --failed")
    settings = replace(options.settings_of(patterns=patterns, **chosen), keep=keep)
    make_for(settings.adapters)
    gone: frozenset[str] = frozenset()
    quick = not (full or failed) and _is_open(settings, chosen)
    if failed:
        narrowed = _failed(settings)
        if narrowed is None:
            click.echo("nothing failed that has not passed since")
            return 0
        plan, gone = narrowed
        if not plan.cases:
            failures.update((), plan, gone)
            click.echo(f"{many(len(gone), 'case')} that failed: none exists any more")
            return 0
    else:
        plan = make_plan(_quick(settings) if quick else settings)
        if _is_large_selection(plan, chosen):
            click.echo(
                f"tapecheck: {many(len(plan.cases), 'case')} on many wires and with faults; as "
                "recorded: --axes none --no-faults",
                err=True,
            )
    if shard is not None:
        plan = sharded(plan, *shard)
    with ExitStack() as stack:
        stream = options.opened(stack, output) or options.stdout_for(form)
        last = stack.enter_context(last_run.new_records())
        sinks: list[TextIO] = [s for s in (options.opened(stack, results), last) if s]
        if form == "ndjson":
            sinks.append(stream)
        began = time.monotonic()
        records, unwritten = asyncio.run(play(plan, sinks, jobs=jobs, fail_fast=fail_fast))
        if form != "ndjson":
            from harness import reports

            elapsed = time.monotonic() - began
            reports.write(form, records, stream, verbose=verbose, seconds=elapsed)
        code: int = records[-1]["exit_code"]
        if code == INTERRUPTED:
            raise KeyboardInterrupt  # half a run does not replace the last one
        if unwritten is not None:
            raise unwritten
    failures.update(records, plan, gone)
    if quick and form == "terminal" and output is None:
        click.echo(f"these are the P0 scenarios as recorded; next: {_whole(settings)}")
    if plan.settings.is_whole and plan.share is None and not fail_fast:
        _write_down(plan, records)
    return code


def _write_down(plan: Plan, records: Iterable[JsonObject]) -> None:
    """Keep what the clients exposed of which nothing is declared."""
    from harness.clients import exposes
    from harness.reports.exposure import Exposure

    undeclared = [adapter.name for adapter in plan.adapters if adapter.exposes is None]
    exposure = Exposure()
    for record in records if undeclared else ():
        if record["type"] == "case":
            exposure.add(record)
    for name in undeclared:
        if words := exposure.found(name):
            path = exposes.write(name, words)
            click.echo(f"tapecheck: wrote to {path} what {name} exposes", err=True)


def _is_open(settings: Settings, chosen: Mapping[str, Any]) -> bool:
    """Return whether the user names adapters of their own, and nothing that selects cases."""
    from harness.clients.registry import bundled_names

    selecting = ("axes", "no_faults", "priorities", "recordings", "scenarios")
    return (
        bool(settings.adapters)
        and set(settings.adapters).isdisjoint(bundled_names())
        and not settings.patterns
        and not any(chosen[name] for name in selecting)
    )


def _is_large_selection(plan: Plan, chosen: Mapping[str, Any]) -> bool:
    """Return whether patterns select many more cases of a user's client than they name."""
    from harness.clients.registry import bundled_names

    own = set(plan.settings.adapters) - set(bundled_names())
    wide = not (chosen["axes"] or chosen["no_faults"])
    return bool(own and plan.settings.patterns and wide and len(plan.cases) > _MANY)


def _quick(settings: Settings) -> Settings:
    from harness.plan.expand import Axes

    axes = Axes(mode="none", seed=settings.axes.seed)
    return replace(settings, priorities=frozenset({"P0"}), axes=axes, faults=False)


def _whole(settings: Settings) -> str:
    import shlex

    from harness.reports.records import options_of

    return shlex.join(["tapecheck", "run", *options_of(settings), "--full"])


def _failed(settings: Settings) -> tuple[Plan, frozenset[str]] | None:
    """Return a plan of the cases that failed, and those that are gone; ``None`` for no failure.

    Without adapters, those count that have failures.
    """
    from harness.commands import failures
    from harness.errors import SelectionError
    from harness.plan.planning import plan_cases
    from harness.reports.words import many

    sources = failures.sources_of(settings)
    known = {f.reference: f for f in failures.existing() if f.sources == sources}
    if unknown := [name for name in settings.adapters if name not in known]:
        raise SelectionError(
            f"no earlier run of {unknown[0]} in this directory with these options",
            hint="run it without --failed first",
        )
    names = settings.adapters or tuple(name for name, f in known.items() if f.cases)
    cases = [case for name in names for case in known[name].cases]
    if not cases:
        return None
    plan, gone = plan_cases(replace(settings, adapters=names), cases)
    if not plan.cases and len(gone) < len(cases):
        raise SelectionError(
            f"none of the {many(len(cases), 'case')} that failed is selected",
            hint="leave out --axes, --priority and --no-faults",
        )
    return plan, gone


async def play(
    plan: Plan, sinks: list[TextIO], *, jobs: int | None, fail_fast: bool
) -> tuple[list[JsonObject], SetupError | None]:
    """Play a plan; return the records, and why not all are in the files, if they are not."""
    import asyncio

    from harness.commands.progress import Progress
    from harness.errors import SetupError
    from harness.reports.ndjson import line
    from harness.reports.records import interrupted_record
    from harness.run.run import run

    records: list[JsonObject] = []
    unwritten: SetupError | None = None
    with Progress(len(plan.cases)) as progress:

        def add(record: JsonObject) -> None:
            nonlocal unwritten
            text = line(record)
            for sink in list(sinks):
                try:
                    sink.write(text)
                    sink.flush()
                except SetupError as exc:
                    # The run goes on, and is reported: the disk is full, or the file is gone.
                    unwritten = unwritten or exc
                    sinks.remove(sink)
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
    return records, unwritten
