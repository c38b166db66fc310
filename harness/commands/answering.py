"""The options of ``tapecheck serve`` that say how it answers what nobody recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mockserver.backend import Settings


_OPTIONS = (
    click.option(
        "--answer",
        is_flag=True,
        help="Answer requests that nothing is recorded for, instead of refusing them. The default "
        "without cassettes of your own.",
    ),
    click.option(
        "--fail",
        metavar="FAILURES",
        help="Let answers fail by chance or by number, such as 429=10%,cut=5% or 503:2s=2x.",
    ),
    click.option("--seed", type=int, metavar="N", help="Makes other texts, ids and failures."),
    click.option("--rpm", type=int, metavar="N", help="Requests a minute, then 429."),
    click.option("--tpm", type=int, metavar="N", help="Tokens a minute, then 429."),
    click.option(
        "--context", type=int, metavar="N", help="Tokens of the longest request that is taken."
    ),
    click.option("--first", metavar="TIME", help="When answers begin, such as 300ms or 2s."),
    click.option(
        "--pace",
        metavar="PACE",
        help="How fast answers are sent, such as 50/s (tokens in a second) or 20ms.",
    ),
    click.option(
        "--jitter",
        metavar="SHARE",
        help="By how much these waits are longer or shorter, such as 30%.",
    ),
    click.option("--key", metavar="KEY", help="The only API key to let in. Default: any, or none."),
    click.option(
        "--lenient",
        is_flag=True,
        default=None,
        help="Answer requests that the provider would refuse, and only note what is wrong.",
    ),
    click.option(
        "--save",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Write the answers that were made to cassettes at the end, without keys.",
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
    """What the options say, and the scripts among the files.

    ``words`` are the settings of the backend; ``None`` for an option that is not given.
    """

    scripts: tuple[Path, ...]
    cassettes: tuple[Path, ...]
    answer: bool
    verdict: bool
    words: Mapping[str, Any]

    @property
    def is_on(self) -> bool:
        """Whether requests are answered that nothing is recorded for."""
        return self.answer or bool(self.scripts) or not self.cassettes

    def settings(self) -> Settings | None:
        """Return the settings of the backend; ``None`` for recordings only.

        Raises :class:`click.UsageError` for an option that needs one, and
        :class:`~mockserver.errors.ScriptError` for a mistake in an option or a script.
        """
        from mockserver.backend import settings_of
        from mockserver.serving import load_scripts

        if self.is_on:
            return settings_of(self.words, lambda p: f"--{p[0]}", load_scripts(self.scripts))
        for name, value in self.words.items():
            if value is not None:
                raise click.UsageError(f"--{name} is for answers that are made: add --answer")
        return None


def split(files: Sequence[Path]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Return the scripts among some files and directories, and the others."""
    from mockserver.serving import is_script_file

    scripts = tuple(path for path in files if is_script_file(path))
    return scripts, tuple(path for path in files if path not in scripts)
