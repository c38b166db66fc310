"""``tapecheck lint``: check that specs and cassettes are valid and fit together."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("scenarios", nargs=-1, type=click.Path(path_type=Path), metavar="[DIR]...")
@click.option(
    "--cassettes",
    metavar="DIR",
    type=click.Path(path_type=Path),
    multiple=True,
    help="The cassettes of the scenarios. The bundled ones are searched as well.",
)
def command(scenarios: tuple[Path, ...], cassettes: tuple[Path, ...]) -> int:
    """Check that specs and cassettes are valid and fit together.

    Checks the scenarios below each DIR, by default the bundled ones with their cassettes and
    adapters. Finds files that cannot be read, cassettes and interactions that no scenario
    plays, scenarios that expect different results of the same cassette, events that contradict
    their turn, and cassettes without an origin. Exits with 2 if there is a problem, or nothing
    to check.

    \b
    tapecheck lint
    tapecheck lint specs/scenarios --cassettes cassettes
    """
    from harness.clients import registry
    from harness.errors import SelectionError
    from harness.plan.lint import lint, unrequired
    from harness.reports.explain import relative
    from harness.suite import bundled
    from mockserver.recording import allowed_texts

    own = bool(scenarios or cassettes)
    found = lint(
        scenarios if own else (bundled.scenarios(),),
        cassettes if own else (bundled.cassettes(),),
        (bundled.cassettes(),) if own else (),
        allowed_texts(Path()),
    )
    if not (found.scenarios or found.cassettes or found.problems):
        raise SelectionError("no scenario and no cassette found", hint="both are *.yaml files")
    here = Path.cwd()
    for problem in found.problems:
        line = "" if problem.line is None else f":{problem.line}"
        click.echo(f"{relative(str(problem.path), here)}{line}: {problem.message}", err=True)
    adapters = () if own else registry.bundled_names()
    for name in adapters:
        registry.load(name)
    for feature in () if own else unrequired(found.scenarios):
        click.echo(f"note: no scenario requires the feature {feature!r}")
    checked = f"{len(found.scenarios)} scenarios, {len(found.cassettes)} cassettes"
    checked += "" if own else f", {len(adapters)} adapters"
    wrong = len(found.problems)
    click.echo(f"{checked}: {wrong} {'problem' if wrong == 1 else 'problems'}")
    return 2 if found.problems else 0
