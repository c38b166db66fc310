"""``tapecheck matrix``: play the most important scenarios to all third-party clients."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands import options

if TYPE_CHECKING:
    from harness.clients.interface import Adapter
    from harness.environments.listing import ThirdParty
    from harness.judge.baseline import Baseline
    from harness.plan.planning import Plan
    from mockserver.vocabulary import JsonObject

_Loaded = tuple["Adapter", "Baseline"]


@click.command()
@click.option(
    "--only",
    metavar="NAME",
    multiple=True,
    help="Only this client, those of this environment, or of this dialect. May be repeated.",
)
@click.option("--no-make", is_flag=True, help="Make no environment; play to clients that have one.")
@click.option(
    "--originals", is_flag=True, help="Also the originals of bundled clients; see docs/bugs.md."
)
@click.option("--newest", is_flag=True, help="Run the newest releases instead of the pinned ones.")
@options.level
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    metavar="FILE",
    default=Path("matrix.ndjson"),
    show_default=True,
    help="Where the records go, one JSON object per line.",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write the page that shows it all, as 'tapecheck report --format html' does.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write the transcripts of failing cases to DIR; 'tapecheck explain FILE' shows one.",
)
@click.option("--jobs", "-j", type=click.IntRange(1, 64), metavar="N", help="Number of processes.")
def command(
    only: tuple[str, ...],
    no_make: bool,
    originals: bool,
    newest: bool,
    level: str | None,
    results: Path,
    html: Path | None,
    keep: Path | None,
    jobs: int | None,
) -> int:
    """Play the most important scenarios to the SDKs that people use.

    Each client runs in an environment of its own, which is made if it is not there: see 'tapecheck
    env'. It plays the P0 scenarios and one row of each P1 table as recorded, and interrupts some
    streams after every event (specs/matrix.yaml). What a client's baseline names is known, and does
    not fail. A client that cannot start is named, and the others are played.

    \b
    tapecheck matrix
    tapecheck matrix --only openai-python-chat --only anthropic --html page.html
    tapecheck report matrix.ndjson
    """
    import asyncio

    from harness import reports
    from harness.commands.run import play
    from harness.judge.kinds import Level
    from harness.plan import matrix
    from harness.plan.planning import make_plan

    began = time.monotonic()
    clients, missing = _with_environment(
        _chosen(only, originals=originals, newest=newest), no_make=no_make
    )
    loaded, silent = _loaded(clients)
    missing += silent
    code = 0
    if loaded:
        settings = matrix.settings(
            tuple(loaded), level=None if level is None else Level(level), keep=keep
        )
        plan = _one_by_one(make_plan(settings, list(loaded.values())))
        with ExitStack() as stack:
            sink = options.opened(stack, results)
            assert sink is not None
            page = options.opened(stack, html)
            records, unwritten = asyncio.run(play(plan, [sink], jobs=jobs, fail_fast=False))
            if page is not None:
                reports.write("html", records, page)
        _show(plan, records, results, time.monotonic() - began)
        if html is not None:
            click.echo(f"the page is {html}; one case: tapecheck explain CASE --adapter sdk:NAME")
        code = records[-1]["exit_code"]
        if unwritten is not None:
            raise unwritten
    for line in missing:
        click.echo(f"not played: {line}", err=True)
    return 3 if missing else code


def _one_by_one(plan: Plan) -> Plan:
    """Return the plan with its cases in the order of clients: few have processes at a time."""
    from dataclasses import replace

    order = {adapter.name: number for number, adapter in enumerate(plan.adapters)}
    return replace(plan, cases=tuple(sorted(plan.cases, key=lambda case: order[case.adapter])))


def _chosen(only: Sequence[str], *, originals: bool, newest: bool) -> list[ThirdParty]:
    """Return the clients that names of clients, environments and dialects choose.

    Of the originals those that are named themselves, or all that are chosen with ``originals``.
    """
    from dataclasses import replace

    from harness.environments import listing
    from harness.errors import SelectionError
    from mockserver.errors import did_you_mean

    known = listing.third_parties()
    words: dict[str, list[str]] = {}
    for name, client in known.items():
        for word in (name, f"{listing.PREFIX}{name}", client.environment.name, *client.dialects):
            words.setdefault(word, []).append(name)
    for word in only:
        if word not in words:
            raise SelectionError(
                f"no third-party client {word!r}{did_you_mean(word, words)}",
                hint="'tapecheck list --what sdks' lists them",
            )
    names = {name for word in only for name in words[word]} if only else set(known)
    named = {word.removeprefix(listing.PREFIX) for word in only}
    return [
        replace(client, newest=newest)
        for name, client in known.items()
        if name in names and (originals or not client.original or name in named)
    ]


def _with_environment(
    clients: Sequence[ThirdParty], *, no_make: bool
) -> tuple[list[ThirdParty], list[str]]:
    """Return the clients whose environment is there or could be made, and why others cannot run."""
    from harness.commands.making import make_all
    from harness.environments import making
    from harness.errors import SetupError

    failed: dict[str, str] = {}
    needed = {c.environment.name: c.environment for c in clients}
    newest = any(client.newest for client in clients)
    if no_make:
        for name, environment in needed.items():
            try:
                if making.find(environment, newest=newest) is None:
                    failed[name] = f"its environment {name} is not made"
            except SetupError as exc:
                failed[name] = exc.message
    else:
        for outcome in make_all(tuple(needed.values()), newest=newest):
            if outcome.error is not None:
                failed[outcome.environment.name] = outcome.error.message
    there = [c for c in clients if c.environment.name not in failed]
    lines = [
        f"{c.reference}: {failed[c.environment.name]}"
        for c in clients
        if c.environment.name in failed
    ]
    return there, lines


def _loaded(clients: Iterable[ThirdParty]) -> tuple[dict[str, _Loaded], list[str]]:
    """Return the clients that start, by reference, and a line for each that does not."""
    from harness.clients import registry
    from harness.errors import HarnessError

    def load(client: ThirdParty) -> _Loaded | str:
        try:
            return registry.load(client.reference)
        except HarnessError as exc:
            return exc.message

    several = list(clients)
    # To start is to import the SDK: as many at once as there are cores.
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as threads:
        results = list(threads.map(load, several))
    loaded, lines = {}, []
    for client, result in zip(several, results, strict=True):
        if isinstance(result, str):
            lines.append(result)
        else:
            loaded[client.reference] = result
    return loaded, lines


def _show(plan: Plan, records: Sequence[JsonObject], results: Path, seconds: float) -> None:
    from harness.reports import client_table
    from harness.reports.console import ReportConsole
    from harness.reports.words import many

    console = ReportConsole(width=None if sys.stdout.isatty() else 200, highlight=False)
    releases = {adapter.name: adapter.version for adapter in plan.adapters}
    client_table.write(client_table.client_rows(records), releases, console)
    counts = records[-1]["counts"]
    total = sum(count for outcome, count in counts.items() if outcome != "skip")
    click.echo(f"{many(total, 'case')} in {seconds:,.0f} s; the records are in {results}")
    for problem in records[-1]["problems"]:
        click.echo(f"problem: {problem}")
