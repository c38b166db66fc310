"""The options of ``tapecheck serve`` that say how it answers what nobody recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mockserver.backend import Settings


if TYPE_CHECKING:
    _Type = click.ParamType[Any]
else:
    # Older versions have no parameter for what is read.
    _Type = click.ParamType


class Notation(_Type):
    """A word of the notation that files and the control interface read too."""

    def __init__(self, name: str, reader: str) -> None:
        self.name = name
        self._reader = reader

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the word; a mistake names what can be said."""
        from mockserver.backend import notation

        try:
            return getattr(notation, self._reader)(value)
        except ValueError as exc:
            self.fail(str(exc), param, ctx)


_OPTIONS = (
    click.option(
        "--answer",
        is_flag=True,
        help="Answer requests that nothing is recorded for, instead of refusing them. The default "
        "without cassettes of your own.",
    ),
    click.option("--seed", type=int, metavar="N", help="Makes other texts and ids of the answers."),
    click.option(
        "--first",
        type=Notation("duration", "parse_duration"),
        metavar="TIME",
        help="When answers begin, such as 300ms or 2s.",
    ),
    click.option(
        "--pace",
        type=Notation("pace", "parse_pace"),
        metavar="PACE",
        help="How fast answers are sent, such as 50/s (tokens in a second) or 20ms.",
    ),
    click.option(
        "--verdict",
        is_flag=True,
        help="Judge the clients by their requests at the end; exit with 1 for a failure.",
    ),
)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add all of them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """What the options say, and the scripts among the files."""

    scripts: tuple[Path, ...]
    cassettes: tuple[Path, ...]
    answer: bool
    seed: int | None = None
    first: float | None = None
    pace: float | None = None
    verdict: bool = False

    @property
    def is_on(self) -> bool:
        """Whether requests are answered that nothing is recorded for."""
        return self.answer or bool(self.scripts) or not self.cassettes

    def settings(self) -> Settings | None:
        """Return the settings of the backend; ``None`` for recordings only.

        Raises :class:`click.UsageError` for an option that needs one, and
        :class:`~mockserver.errors.ScriptError` for a script with a mistake.
        """
        from mockserver.backend import Settings
        from mockserver.serving import load_scripts

        if not self.is_on:
            for name in ("seed", "first", "pace"):
                if getattr(self, name) is not None:
                    raise click.UsageError(f"--{name} is for answers that are made: add --answer")
            return None
        settings = Settings(seed=self.seed or 0, script=load_scripts(self.scripts))
        pace = settings.pace
        if self.first is not None:
            pace = replace(pace, first_ms=self.first * 1000)
        if self.pace is not None:
            pace = replace(pace, each_ms=self.pace)
        return replace(settings, pace=pace)


def split(files: Sequence[Path]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Return the scripts among some files and directories, and the others."""
    from mockserver.serving import is_script_file

    scripts = tuple(path for path in files if is_script_file(path))
    return scripts, tuple(path for path in files if path not in scripts)
