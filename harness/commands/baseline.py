"""``tapecheck baseline``: the known failures of an adapter."""

from __future__ import annotations

from pathlib import Path

import click


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

    _, baseline = registry.load(adapter)
    for entry in baseline.entries:
        click.echo(f"{entry.cases}\n  fails by  {entry.signature}\n  because   {entry.reason}")
    click.echo(f"{len(baseline.entries)} known failures")


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

    Adds new failures with their reason and removes those that pass now. The run must cover all
    cases. The rest of the file, including comments, is not changed.

    \b
    tapecheck run --adapter adapters/mine.yaml
    tapecheck baseline update adapters/mine.yaml --reason 'usage is not read yet, #41'
    """
    from harness.clients import registry
    from harness.commands import last_run
    from harness.errors import BaselineError
    from harness.reports import ndjson
    from harness.reports.rebaseline import is_whole, rebaseline, rewritten
    from harness.reports.summary import summarize

    loaded, baseline = registry.load(adapter)
    if baseline.path.suffix not in {".yaml", ".yml"}:
        raise BaselineError(
            "a baseline is part of a declaration, and this adapter has none",
            path=baseline.path,
            hint=f"write a .yaml file with 'adapter: {loaded.name}' and "
            f"'entry: {baseline.path.name}:{loaded.run.__name__}' beside it",
        )
    records = list(ndjson.read(results or last_run.existing()))
    summary = summarize(records)
    problems = summary.end["problems"]
    cases = [r for r in records if r["type"] == "case" and r["adapter"] == loaded.name]
    if not cases:
        raise BaselineError(
            f"the run has no case of {loaded.name}",
            hint=f"run it first: tapecheck run --adapter {adapter}",
        )
    if not is_whole(summary.run, records):
        raise BaselineError(
            "the results cover only some of the cases",
            hint=f"run all of them: tapecheck run --adapter {adapter}",
        )
    entries = rebaseline(baseline.entries, cases, reason, problems)
    before = baseline.path.read_text(encoding="utf-8")
    _replace(baseline.path, rewritten(before, entries))
    click.echo(
        f"{baseline.path}: {len(baseline.entries)} known failures before, {len(entries)} now"
    )


def _replace(path: Path, text: str) -> None:
    from harness.errors import SetupError
    from mockserver import files

    try:
        files.replace(path, text.encode())
    except OSError as exc:
        raise SetupError(f"cannot be written: {exc.strerror}", path=path) from None
