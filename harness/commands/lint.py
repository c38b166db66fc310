"""``tapecheck lint``: whether specs and cassettes are sound and fit together."""

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
    help="The cassettes that belong to the scenarios. Others may be found among the bundled.",
)
def command(scenarios: tuple[Path, ...], cassettes: tuple[Path, ...]) -> int:
    """Check that specs and cassettes are sound and fit together.

    Looks at the scenarios below each DIR, by default the bundled ones with their cassettes and
    adapters: files that cannot be read, cassettes and interactions that nobody plays, twins
    that disagree, events that contradict their turn, and cassettes that do not say where they
    come from. Exits with 2 if anything is wrong, or there is nothing to check.

    \b
    tapecheck lint
    tapecheck lint specs/scenarios --cassettes cassettes
    """
    from harness.clients import registry
    from harness.errors import SelectionError
    from harness.plan.lint import lint, unrequired
    from harness.reports.explain import relative
    from harness.suite import bundled

    own = bool(scenarios or cassettes)
    found = lint(
        scenarios if own else (bundled.scenarios(),),
        cassettes if own else (bundled.cassettes(),),
        (bundled.cassettes(),) if own else (),
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
    said = f"{len(found.scenarios)} scenarios, {len(found.cassettes)} cassettes"
    said += "" if own else f", {len(adapters)} adapters"
    wrong = len(found.problems)
    click.echo(f"{said}: {wrong} {'problem' if wrong == 1 else 'problems'}")
    return 2 if found.problems else 0
