"""``tapecheck baseline``: the known failures of an adapter."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mockserver.vocabulary import JsonObject


@click.group()
def command() -> None:
    """Show or rewrite the known failures of an adapter.

    ADAPTER is a bundled name or a declaration .yaml, of which the baseline is a part.
    """


@command.command()
@click.argument("adapter")
def show(adapter: str) -> None:
    """Show the known failures of an adapter.

    \b
    tapecheck baseline show openai-compat
    """
    from harness.clients import registry
    from harness.reports.words import many

    _, baseline = registry.load(adapter)
    for entry in baseline.entries:
        click.echo(f"{entry.name}\n  in       {', '.join(entry.cases)}\n  because  {entry.reason}")
    click.echo(many(len(baseline.entries), "known cause"))


@command.command()
@click.argument("adapter")
@click.option("--reason", metavar="TEXT", help="Why the new entries are known failures.")
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The results to use. Default: the last run in this directory.",
)
def update(adapter: str, reason: str | None, results: Path | None) -> None:
    """Update the baseline from the results of the last run.

    A known failure is a cause: the kind of the finding and its field, in the cases that patterns
    select. Adds new causes with their reason and removes what the run shows to be gone; what the
    run did not play stays. The rest of the file, including comments, is not changed.

    \b
    tapecheck run --adapter adapters/mine.yaml --full
    tapecheck baseline update adapters/mine.yaml --reason 'usage is not read yet, #41'
    """
    from harness.clients import registry
    from harness.commands import last_run
    from harness.errors import BaselineError
    from harness.reports import ndjson
    from harness.reports.rebaseline import rebaseline, rewritten
    from harness.reports.summary import summarize
    from harness.reports.words import many

    loaded, baseline = registry.load(adapter)
    if baseline.path.suffix not in {".yaml", ".yml"}:
        function = loaded.name.replace("-", "_")
        raise BaselineError(
            "a baseline is part of a declaration, and this adapter has none",
            path=baseline.path,
            hint="write a .yaml file beside it with the lines 'version: 1', "
            f"'adapter: {loaded.name}' and 'entry: {baseline.path.name}:{function}', "
            "and give that to --adapter and to this command",
        )
    records = list(ndjson.read(results or last_run.existing()))
    run = summarize(records).run
    cases = [r for r in records if r["type"] == "case" and r["adapter"] == loaded.name]
    if not cases:
        raise BaselineError(
            f"the run has no case of {loaded.name}",
            hint=f"run it first: tapecheck run --adapter {adapter}",
        )
    entries = rebaseline(baseline, run, cases, _scenarios(run), reason)
    before = baseline.path.read_text(encoding="utf-8")
    _replace(baseline.path, rewritten(before, entries))
    count = many(len(baseline.entries), "known cause")
    click.echo(f"{baseline.path}: {count} before, {len(entries):,} now")


def _scenarios(run: JsonObject) -> frozenset[str]:
    """Return the ids of all scenarios of which a run could have played some."""
    from harness.plan.planning import Settings, find_outlines

    pairs = list(pairwise(run["options"]))
    if any(option == "--recordings" for option, _ in pairs):
        return frozenset()
    own = tuple(Path(value) for option, value in pairs if option == "--scenarios")
    return frozenset(outline.id for outline in find_outlines(Settings(scenarios=own)))


def _replace(path: Path, text: str) -> None:
    from harness.errors import SetupError
    from mockserver import files

    try:
        files.replace(path, text.encode())
    except OSError as exc:
        raise SetupError(f"cannot be written: {exc.strerror}", path=path) from None
