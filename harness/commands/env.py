"""``tapecheck env``: the environments of third-party clients."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from harness.environments.listing import Environment
    from harness.environments.store import Made


@click.group()
def command() -> None:
    """Show, make, update or remove the environments of third-party clients.

    A client that is not part of tapecheck, such as sdk:openai-python-chat, runs in an environment
    of its own, with pinned releases. NAME is one of 'tapecheck env list', or a client's name; no
    name means all. They are kept in a cache, or where TAPECHECK_ENVS says.

    \b
    tapecheck env list
    tapecheck env make openai-python anthropic-node
    tapecheck run --adapter sdk:openai-python-chat
    """


@command.command("list")
def list_() -> None:
    """List the environments: what is in each, whether it is made, and which clients need it."""
    from rich.table import Table
    from rich.text import Text

    from harness.commands.making import megabytes, size
    from harness.environments import listing, pins, store
    from harness.reports.console import ReportConsole
    from harness.reports.words import many

    table = Table(box=None, pad_edge=False, show_edge=False)
    for heading in ("environment", "made", "packages", "clients"):
        table.add_column(heading, header_style="bold", overflow="fold")
    others = total = 0
    for environment in listing.environments().values():
        made, state = _state(environment)
        everything = store.all_found(environment)
        others += len(everything) - (made is not None)
        total += sum(one.size for one in everything)
        versions = pins.pinned(environment) if made is None else made.versions
        table.add_row(
            Text(environment.name),
            Text(state if made is None else size(made), "yellow" if made is None else "green"),
            Text(pins.main_versions(environment, versions)),
            Text(", ".join(listing.clients_of(environment))),
        )
    terminal = sys.stdout.isatty()
    ReportConsole(width=None if terminal else 400).print(table)
    click.echo(f"{megabytes(total)} in {store.root()}")
    if others:
        click.echo(
            f"{many(others, 'environment')} with other pins, another interpreter or the newest "
            "releases among them; 'tapecheck env remove --other' removes these"
        )


def _state(environment: Environment) -> tuple[Made | None, str]:
    """Return the environment if it is made, and a word for what it is if not."""
    from harness.environments import making
    from harness.errors import SetupError

    try:
        return making.find(environment), "no"
    except SetupError:
        return None, f"no {environment.kind.shown}"


@command.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--verbose", "-v", is_flag=True, help="Print all that pip, uv or npm say.")
def make(names: tuple[str, ...], verbose: bool) -> int:
    """Make environments that are not there yet.

    \b
    tapecheck env make
    tapecheck env make openai-python anthropic-node
    """
    from harness.environments import listing

    return _make(listing.chosen(names), verbose=verbose, newest=False, again=False)


@command.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--newest",
    is_flag=True,
    help="Install the newest releases beside the pinned ones, and print what differs; "
    "sdk:NAME@newest runs with them.",
)
@click.option(
    "--pin",
    is_flag=True,
    help="With --newest: write them to the pins. For a checkout of tapecheck.",
)
@click.option("--verbose", "-v", is_flag=True, help="Print all that pip, uv or npm say.")
def update(names: tuple[str, ...], newest: bool, pin: bool, verbose: bool) -> int:
    """Make environments again, from the pins or with the newest releases.

    \b
    tapecheck env update openai-python
    tapecheck env update --newest openai-python
    tapecheck run --adapter sdk:openai-python-chat@newest
    """
    from harness.environments import listing

    if pin and not newest:
        raise click.UsageError("--pin needs --newest")
    return _make(listing.chosen(names), verbose=verbose, newest=newest, again=True, pin=pin)


def _make(
    environments: Sequence[Environment],
    *,
    verbose: bool,
    newest: bool,
    again: bool,
    pin: bool = False,
) -> int:
    from harness.commands.making import make_all, megabytes
    from harness.environments import store
    from harness.reports.words import many

    outcomes = list(make_all(environments, newest=newest, again=again, verbose=verbose))
    made = [o.made for o in outcomes if o.made is not None]
    for outcome in outcomes if newest else ():
        if outcome.made is not None:
            _show_changes(outcome.environment, outcome.made)
            if pin:
                _pin(outcome.environment, outcome.made)
    total = sum(one.size for one in made)
    click.echo(f"{many(len(made), 'environment')}, {megabytes(total)}, in {store.root()}")
    failed = [o.environment.name for o in outcomes if o.error is not None]
    if failed:
        click.echo(f"not made: {', '.join(failed)}", err=True)
    return 3 if failed else 0


def _show_changes(environment: Environment, made: Made) -> None:
    from harness.environments import pins

    lines = list(pins.changes(pins.pinned(environment), made.versions))
    click.echo(f"{environment.name}: {'as pinned' if not lines else ''}".rstrip())
    for line in lines:
        click.echo(f"  {line}")


def _pin(environment: Environment, made: Made) -> None:
    """Write what is installed to the pins. Raises ``OSError``."""
    from harness.environments import pins
    from harness.environments.listing import Kind
    from mockserver import files

    if environment.kind is Kind.PYTHON:
        text = pins.write_python(made.versions)
    else:
        lock = made.directory / "package-lock.json"
        text = pins.write_node(lock.read_text(encoding="utf-8"))
    files.replace(environment.pins, text.encode())
    click.echo(f"  written to {environment.pins}")


@command.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--other",
    is_flag=True,
    help="Only those of other pins, of other interpreters, and of the newest releases.",
)
def remove(names: tuple[str, ...], other: bool) -> None:
    """Remove environments.

    \b
    tapecheck env remove litellm
    tapecheck env remove
    """
    from harness.commands.making import megabytes
    from harness.environments import listing, store
    from harness.reports.words import many

    removed: list[Made] = []
    for environment in listing.chosen(names):
        if not (store.root() / environment.name).is_dir():
            continue
        current = _state(environment)[0]
        waiting = f"{environment.name}: another process makes it; waiting"
        with store.locked(environment, lambda: click.echo(waiting, err=True)) as directory:  # noqa: B023
            for made in store.all_found(environment):
                if not (other and made == current):
                    store.remove(made)
                    removed.append(made)
            store.remove_leftovers(directory)
    freed = megabytes(sum(made.size for made in removed))
    click.echo(f"removed {many(len(removed), 'environment')}, {freed}, in {store.root()}")
