"""``tapecheck convert``: say cassettes in the wire format of another provider."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.sources import Conversion, check_targets, conversions_of, show_unlisted

if TYPE_CHECKING:
    from mockserver.cassettes import Interaction
    from mockserver.dialects import Dialect
    from mockserver.recording import Converted


@click.command()
@click.argument(
    "sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SOURCE..."
)
@click.option("--to", "name", required=True, metavar="DIALECT", help="The dialect to say it in.")
@click.option(
    "--output",
    "-o",
    required=True,
    metavar="DIR|FILE",
    type=click.Path(path_type=Path),
    help="Where to write the cassettes. Paths below a source directory are kept; a single file may "
    "go to FILE.yaml.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be lost; write nothing.")
@click.option("--force", is_flag=True, help="Replace existing cassettes.")
def command(sources: tuple[Path, ...], name: str, output: Path, dry_run: bool, force: bool) -> int:
    """Say cassettes in the wire format of another provider.

    SOURCE is a cassette, or a directory of them. Each call is read from its request, each turn
    from its answer by the bundled client, and both are written as the other provider would send
    them; what has no place there is listed. The new cassettes say that they are converted. Exits
    with 1 if an interaction was left out, and with 2 if a file cannot be read or there is none.

    \b
    tapecheck convert cassettes/openai-chat/tools-interleaved.yaml --to anthropic -o converted
    tapecheck convert cassettes/gemini --to openai-responses -o converted --dry-run
    """
    import asyncio

    from mockserver.cassettes import Cassette
    from mockserver.dialects import find_dialect
    from mockserver.errors import CassetteError, UnwritableError
    from mockserver.library import SUFFIXES, library

    dialect = find_dialect(name)
    unlisted: list[OSError] = []
    conversions = conversions_of(sources, output, SUFFIXES, unlisted.append)
    check_targets(conversions, force=force, verb="convert")
    files = converted = left_out = 0
    broken = show_unlisted(unlisted)
    for conversion in conversions:
        try:
            result = asyncio.run(_converted(conversion, dialect))
            if result.interactions and not dry_run:
                library.write(Cassette(conversion.target, tuple(result.interactions)))
        except UnwritableError:
            raise
        except CassetteError as exc:
            click.echo(str(exc), err=True)
            broken += 1
            continue
        click.echo("".join(f"{line}\n" for line in result.lost), nl=False)
        click.echo("".join(f"{line}\n" for line in result.left_out), nl=False, err=True)
        files += bool(result.interactions)
        converted += len(result.interactions)
        left_out += len(result.left_out)
    done = "would be converted" if dry_run else "converted"
    into = f"into {files} cassette{'s' * (files != 1)} of {name}"
    click.echo(
        f"{converted} interaction{'s' * (converted != 1)} {done} {into}, {left_out} left out"
    )
    return 2 if broken else 1 if left_out else 0


@dataclass(slots=True)
class _Result:
    """What becomes of a cassette: its interactions, what they lost, and what was left out."""

    interactions: list[Interaction] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


async def _converted(conversion: Conversion, dialect: Dialect) -> _Result:
    """Convert the interactions of one cassette. Raises ``CassetteError`` if it cannot be read."""
    from mockserver.cassettes import line_of
    from mockserver.errors import CassetteError
    from mockserver.library import library
    from mockserver.recording import InconvertibleError

    cassette = library.load(conversion.source)
    if not cassette.interactions:
        raise CassetteError(conversion.source, "contains no interaction", hint="record it again")
    text = conversion.source.read_bytes()
    result = _Result()
    for number, interaction in enumerate(cassette.interactions):
        try:
            converted = await _one(interaction, dialect)
        except InconvertibleError as exc:
            line = line_of(text, ("interactions", number))
            result.left_out.append(
                f"{conversion.source}:{line}: interaction {number} is left out: {exc}"
            )
            continue
        result.interactions.append(converted.interaction)
        if converted.lost:
            line = line_of(text, ("interactions", number))
            lost = ", ".join(converted.lost)
            result.lost.append(f"{conversion.source}:{line}: interaction {number} loses {lost}")
    return result


async def _one(interaction: Interaction, dialect: Dialect) -> Converted:
    """Convert one interaction. Raises ``InconvertibleError``."""
    from harness.adapters.reference import NoReaderError, read_turn
    from mockserver.dialects import recorded_call
    from mockserver.errors import CodingError
    from mockserver.recording import Converted, InconvertibleError, convert
    from mockserver.wire import from_response

    found = recorded_call(interaction.request)
    if isinstance(found, str):
        raise InconvertibleError(found)
    spoken, call = found
    if spoken.name == dialect.name:
        return Converted(interaction, ())
    try:
        turn = await read_turn(spoken.name, call, from_response(interaction.response))
    except (NoReaderError, CodingError, ValueError) as exc:
        raise InconvertibleError(str(exc)) from None
    return convert(call, turn, interaction.response, dialect)
