"""``tapecheck fuzz``: draw wires that no scenario has, and play them to a client."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from harness.commands import options

if TYPE_CHECKING:
    from harness.fuzz.searching import Tally
    from harness.plan.planning import Plan


@click.command()
@click.option(
    "--adapter",
    "-a",
    required=True,
    metavar="REF",
    help="The client: a bundled name, a .py file, file.py:name, package.module:name, a "
    "declaration .yaml, 'cmd: COMMAND' for a program, or sdk:NAME of 'list --what sdks'.",
)
@click.option(
    "--dialect",
    "-d",
    "names",
    multiple=True,
    metavar="NAME",
    help="A wire format that the client speaks. May be repeated. Default: all of them in turn.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    help="How long, for all dialects together.",
)
@click.option(
    "--examples",
    type=click.IntRange(min=1),
    metavar="N",
    help="Draw so many wires of each dialect, however long that takes.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Draws the same wires again.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".tapecheck/fuzz"),
    show_default=True,
    metavar="DIR",
    help="Where to write the scenario and the cassette of each failure.",
)
@options.level
@options.in_process
def command(
    adapter: str,
    names: tuple[str, ...],
    minutes: float,
    examples: int | None,
    seed: int,
    output: Path,
    **chosen: Any,
) -> int:
    """Draw answers that a provider may send, play them to a client, and shrink what fails.

    Each failure is written as a scenario with its cassette, as small as it can be, with the command
    that plays it again. The verdict is that of 'tapecheck run'. Causes in the baseline of the
    client are counted only.

    \b
    tapecheck fuzz --adapter my_client.py --minutes 1
    tapecheck fuzz --adapter openai-compat --dialect openai-chat --examples 500 --seed 7
    """
    from harness.errors import SetupError

    if importlib.util.find_spec("hypothesis") is None:
        raise SetupError(
            "fuzzing needs the extra fuzz", hint="install it: pip install 'tapecheck[fuzz]'"
        )
    # Read when hypothesis is imported: what it keeps for itself stands with our own files.
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path(".tapecheck", "hypothesis")))
    from harness.fuzz import telling
    from harness.fuzz.keeping import keep, keep_wire
    from harness.fuzz.planning import make_plan, speaks
    from harness.fuzz.searching import OurFaultError

    settings = options.settings_of(adapters=(adapter,), **chosen)
    plan = make_plan(settings)
    dialects = speaks(plan, names)
    found = 0
    tallies: dict[str, Tally] = {}
    for name in dialects:
        with _Progress(name) as progress, progress.search(plan, name, seed) as search:
            tallies[name] = search.tally
            try:
                seconds = minutes * 60 / len(dialects)
                for failure in search.found(seconds=seconds, examples=examples):
                    found += 1
                    kept = keep(failure, output, telling.run_options(settings))
                    progress.tell(telling.failure(failure, kept))
            except OurFaultError as exc:
                kept = keep_wire(exc.wire, exc.message, output)
                raise OurFaultError(exc.wire, f"{exc.message}\n  {kept.cassette}") from None
    click.echo(telling.summary(tallies, found, seed))
    if not any(tally.judged for tally in tallies.values()):
        raise SetupError("no wire was played", hint="give it more --minutes, or --examples")
    return 1 if found else 0


class _Progress:
    """How far a search has come, on stderr; nothing if that is not a terminal."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self._status = None
        if sys.stderr.isatty():
            from rich.console import Console

            self._status = Console(stderr=True).status(f"{dialect}: 0 wires")

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def search(self, plan: Plan, dialect: str, seed: int) -> Any:
        """Return a search that reports here."""
        from harness.fuzz.planning import call_of
        from harness.fuzz.searching import Search

        asked = call_of(plan.adapters[0], dialect)
        return Search(plan, dialect, asked, seed=seed, progress=self._update)

    def _update(self, tally: Tally) -> None:
        if self._status is not None and tally.played % 10 == 0:
            causes = f", {len(tally.again)} causes" if tally.again else ""
            self._status.update(f"{self._dialect}: {tally.played:,} wires{causes}")

    def tell(self, text: str) -> None:
        """Write something to stdout, whatever stands on the terminal."""
        if self._status is not None:
            self._status.stop()
        click.echo(text)
        if self._status is not None:
            self._status.start()
