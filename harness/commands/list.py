"""``tapecheck list``: list what can be run."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from harness.commands import options


@click.command()
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@click.option(
    "--what",
    "-w",
    type=click.Choice(
        ["scenarios", "cases", "cassettes", "adapters", "sdks", "dialects", "features"]
    ),
    default="scenarios",
    show_default=True,
)
@options.adapters
@options.selection
@options.directories
def command(patterns: tuple[str, ...], what: str, **chosen: Any) -> None:
    """List scenarios, cases, cassettes, adapters, SDKs, dialects or features, one per line.

    \b
    tapecheck list
    tapecheck list 'openai-chat/tool*'
    tapecheck list --what cases openai-chat/text-basic --adapter my_adapter.py
    tapecheck list --what features
    """
    settings = options.settings_of(patterns=patterns, **chosen)
    lines = {
        "scenarios": _scenarios,
        "cases": _cases,
        "cassettes": _cassettes,
        "adapters": _adapters,
        "sdks": _sdks,
        "dialects": _dialects,
        "features": _features,
    }[what](settings)
    for line in lines:
        click.echo(line)


def _scenarios(settings: Any) -> Iterator[str]:
    from harness.errors import SelectionError
    from harness.plan.planning import find_outlines

    scenarios = find_outlines(settings)
    if not scenarios:
        raise SelectionError("no scenario matches", hint="'tapecheck list' lists all of them")
    width = max(len(s.id) for s in scenarios)
    for scenario in scenarios:
        yield f"{scenario.id:{width}}  {scenario.priority}  {scenario.title}"


def _cases(settings: Any) -> Iterator[str]:
    from harness.plan.planning import make_plan

    return (case.id for case in make_plan(settings).cases)


def _cassettes(settings: Any) -> Iterator[str]:
    from harness.errors import SelectionError
    from harness.suite import bundled
    from harness.suite.selection import select
    from mockserver.library import Library

    library = Library(settings.cassettes or (bundled.cassettes(),))
    if not library.paths:
        raise SelectionError(
            "no cassette found", hint="cassettes are *.yaml, *.yml and *.har files"
        )
    for name in select(tuple(library.paths), settings.patterns, lambda name: f"{name}@"):
        yield f"{name}  {_relative(library.paths[name])}"


def _adapters(settings: Any) -> Iterator[str]:
    from harness.clients import registry

    for reference in settings.adapters or registry.bundled_names():
        adapter, baseline = registry.load(reference)
        yield adapter.name
        yield f"  dialects  {', '.join(sorted(adapter.dialects))}"
        yield f"  features  {', '.join(sorted(adapter.features))}"
        if baseline.entries:
            yield f"  baseline  {len(baseline.entries)} known failures"


def _sdks(_settings: Any) -> Iterator[str]:
    from harness.environments import listing, pins

    known = listing.third_parties().values()
    for client in known:
        reference = f"{listing.PREFIX}{client.name}"
        environment = client.environment
        yield f"{reference}  {client.title}"
        yield f"  dialects  {', '.join(client.dialects)}"
        yield f"  packages  {pins.main_versions(environment, pins.pinned(environment))}"


def _dialects(_settings: Any) -> Iterator[str]:
    from mockserver.dialects import dialects

    known = dialects()
    for name, dialect in sorted(known.items()):
        judged = "judged" if dialect.reads_facts else "served and recorded, not judged"
        written = "" if dialect.capacity is None else ", written"
        yield f"{name:{max(map(len, known))}}  {judged}{written}"
        if dialect.capacity is not None and dialect.capacity.lacks:
            words = ", ".join(word.replace(" ", "\xa0") for word in dialect.capacity.lacks)
            for line in textwrap.wrap(
                f"cannot express: {words}",
                width=shutil.get_terminal_size().columns,
                initial_indent="  ",
                subsequent_indent="    ",
                break_on_hyphens=False,
            ):
                yield line.replace("\xa0", " ")


def _features(settings: Any) -> Iterator[str]:
    from collections import Counter
    from dataclasses import replace

    from harness.plan.planning import find_scenarios
    from harness.suite import schemas

    scenarios, _ = find_scenarios(replace(settings, patterns=()))
    required = Counter(f for s in scenarios for f in s.requires)
    means = schemas.schema("scenario")["$defs"]["feature"]["descriptions"]
    for feature, text in means.items():
        yield f"{feature}  {required[feature]} scenarios"
        yield f"  {text}"


def _relative(path: Path) -> str:
    from harness.reports.explain import relative

    return relative(str(path), Path.cwd())
