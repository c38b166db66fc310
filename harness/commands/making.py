"""Make environments and show how it goes, on stderr: a line that changes, or plain lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from harness.judge.visible import visible

if TYPE_CHECKING:
    from harness.environments.listing import Environment, Kind
    from harness.environments.making import Telling
    from harness.environments.store import Made
    from harness.errors import SetupError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an environment: ``made``, or the ``error`` that says why not."""

    environment: Environment
    made: Made | None = None
    error: SetupError | None = None


def make_all(
    environments: Sequence[Environment],
    *,
    newest: bool = False,
    again: bool = False,
    verbose: bool = False,
) -> Iterator[Outcome]:
    """Make environments one after the other and yield what became of each.

    One that cannot be made does not stop the others, but those that need the same package index, if
    that cannot be reached. ``verbose`` prints all that the tools say.
    """
    from harness.environments import making
    from harness.environments.failing import UnreachableError
    from harness.errors import SetupError

    unreachable: dict[Kind, SetupError] = {}
    for number, environment in enumerate(environments, 1):
        label = f"{environment.name} ({number} of {len(environments)})"
        try:
            if not again and (made := making.find(environment, newest=newest)) is not None:
                yield Outcome(environment, made)
                continue
            if (earlier := unreachable.get(environment.kind)) is not None:
                yield Outcome(environment, error=earlier)
                continue
            began = time.monotonic()
            with _shown(label, verbose=verbose) as telling:
                made = making.make(environment, telling, newest=newest, again=again)
            took = time.monotonic() - began
            click.echo(f"made {line_of(environment, made)} ({took:.0f} s)", err=True)
            yield Outcome(environment, made)
        except SetupError as exc:
            if isinstance(exc, UnreachableError):
                unreachable[environment.kind] = exc
            click.echo(f"tapecheck: {exc}", err=True)
            yield Outcome(environment, error=exc)


def make_for(references: Iterable[str]) -> None:
    """Make the environments that are not there of third-party clients among the references.

    Raises :class:`~harness.errors.SetupError` if one cannot be made.
    """
    from harness.environments import listing

    clients = [listing.third_party(r) for r in references if r.startswith(listing.PREFIX)]
    for newest in (False, True):
        needed = {c.environment.name: c.environment for c in clients if c.newest is newest}
        for outcome in make_all(tuple(needed.values()), newest=newest):
            if outcome.error is not None:
                raise outcome.error


def line_of(environment: Environment, made: Made) -> str:
    """Return a line about an environment: its name, its packages, its size."""
    from harness.environments import pins

    return f"{environment.name}: {pins.main_versions(environment, made.versions)}, {size(made)}"


def size(made: Made) -> str:
    """Return the size of an environment for people."""
    return megabytes(made.size)


def megabytes(count: int) -> str:
    """Return a number of bytes for people."""
    return f"{count / 1e6:,.0f} MB" if count >= 1e6 else f"{count / 1e3:,.0f} kB"


@contextmanager
def _shown(label: str, *, verbose: bool) -> Iterator[Telling]:
    from harness.environments.making import Telling

    waiting = f"{label}: another process makes it; waiting"
    if verbose or not sys.stderr.isatty():
        click.echo(f"making {label}", err=True)
        yield Telling(
            line=(lambda text: click.echo(f"  {visible(text)}", err=True))
            if verbose
            else (lambda _: None),
            waiting=lambda: click.echo(waiting, err=True),
        )
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)

    def line(text: str) -> str:
        room = console.width - len(label) - 12
        return f"making {label}: {visible(text):.{max(room, 10)}}"

    with console.status(Text(f"making {label}")) as status:
        yield Telling(
            # A warning says nothing of how far it is.
            line=lambda text: (
                None if text.startswith("WARNING") else status.update(Text(line(text)))
            ),
            waiting=lambda: status.update(Text(waiting)),
        )
