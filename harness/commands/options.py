"""Options that several verbs share, and the settings made from them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from harness.reports.glyphs import ERRORS

if TYPE_CHECKING:
    from harness.plan.planning import Settings
    from mockserver.library import Rule

_DIRECTORY = click.Path(path_type=Path)


def adapters(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--adapter``."""
    return click.option(
        "--adapter",
        "-a",
        "adapters",
        metavar="REF",
        multiple=True,
        help="A bundled name, a .py file, file.py:name, package.module:name, a declaration "
        ".yaml, 'cmd: COMMAND' for a program, or sdk:NAME of 'list --what sdks'. May be repeated. "
        "Default: all bundled ones.",
    )(command)


def rule_of(match_on: Iterable[str], ignore: Iterable[str]) -> Rule:
    """Return the rule of ``--match-on`` and ``--ignore``, whose words may be joined by commas."""
    from mockserver.errors import MatchError
    from mockserver.library import Rule

    words = [[w.strip() for text in texts for w in text.split(",")] for texts in (match_on, ignore)]
    try:
        return Rule.of(*words)
    except MatchError as exc:
        raise click.UsageError(str(exc)) from None


def directories(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--scenarios``, ``--cassettes`` and ``--recordings``."""
    for option in (
        click.option(
            "--recordings",
            metavar="PATH",
            type=_DIRECTORY,
            help="Run every cassette and HTTP archive below PATH, or the one file PATH, instead "
            "of scenarios, judged by the rules that need no expectation.",
        ),
        click.option(
            "--cassettes",
            metavar="DIR",
            type=_DIRECTORY,
            multiple=True,
            help="Where to look for cassettes, before the bundled ones.",
        ),
        click.option(
            "--scenarios",
            metavar="DIR",
            type=_DIRECTORY,
            multiple=True,
            help="Your own scenarios, instead of the bundled ones.",
        ),
    ):
        command = option(command)
    return command


def selection(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--axes``, ``--seed``, ``--priority`` and ``--no-faults``."""
    for option in (
        click.option(
            "--no-faults", is_flag=True, help="Skip the sweep of cuts, resets and stalls."
        ),
        click.option(
            "--priority",
            "priorities",
            type=click.Choice(["P0", "P1", "P2"]),
            multiple=True,
            help="Only scenarios of this priority. May be repeated.",
        ),
        click.option(
            "--seed",
            type=int,
            default=0,
            show_default=True,
            help="Seed of framing=random.",
        ),
        click.option(
            "--axes",
            metavar="MODE",
            help="none, pairwise (the default), all, or a point such as eol=crlf,framing=one-byte.",
        ),
    ):
        command = option(command)
    return command


def level(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--level``."""
    return click.option(
        "--level",
        type=click.Choice(["must", "should", "may"]),
        help="Fail for findings of this level and those above. Default: what the adapter "
        "declares, else must.",
    )(command)


def in_process(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--in-process``."""
    return click.option(
        "--in-process",
        is_flag=True,
        help="Run your clients in this process, for a debugger or coverage: no gate, since a "
        "client can end the run.",
    )(command)


def opened(stack: ExitStack, path: Path | None) -> TextIO | None:
    """Open a report file that ``stack`` closes. Raises :class:`SetupError`, also while writing."""
    from harness.commands.output import Output, naming

    if path is None:
        return None
    with naming(path):
        return stack.enter_context(Output(path, path.open("wb"), errors=ERRORS))


def stdout_for(form: str) -> TextIO:
    """Return stdout for a report. Formats for programs are UTF-8 on every terminal."""
    if form != "terminal" and isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    return sys.stdout


def settings_of(
    *,
    adapters: Iterable[str] = (),
    scenarios: Iterable[Path] = (),
    cassettes: Iterable[Path] = (),
    recordings: Path | None = None,
    patterns: Iterable[str] = (),
    priorities: Iterable[str] = (),
    axes: str | None = None,
    seed: int = 0,
    no_faults: bool = False,
    level: str | None = None,
    in_process: bool = False,
) -> Settings:
    """Make settings from the options. Raises ``click.UsageError`` for a wrong axis."""
    from harness.judge.kinds import Level
    from harness.plan.expand import parse_axes
    from harness.plan.planning import Settings

    if in_process:
        click.echo("in process: no gate", err=True)
    try:
        chosen = parse_axes(axes or "pairwise", seed)
    except ValueError as exc:
        raise click.UsageError(str(exc)) from None
    return Settings(
        adapters=tuple(adapters),
        scenarios=tuple(scenarios),
        cassettes=tuple(cassettes),
        recordings=recordings,
        patterns=tuple(patterns),
        priorities=frozenset(priorities),
        axes=chosen,
        faults=not no_faults,
        level=None if level is None else Level(level),
        in_process=in_process,
    )
