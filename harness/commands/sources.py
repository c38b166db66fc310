"""The files that a verb makes cassettes of, and where these go."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from mockserver import files


@dataclass(frozen=True, slots=True)
class Conversion:
    """A file and where its cassette goes; ``named`` if the user gave the file itself."""

    source: Path
    target: Path
    named: bool


def conversions_of(
    sources: Sequence[Path],
    output: Path,
    suffixes: Sequence[str],
    unlisted: Callable[[OSError], None],
) -> list[Conversion]:
    """Return what is made of files, and of directories with files that have these suffixes.

    Paths below a directory are kept. A single file may be written to an ``output`` that is called
    like a cassette. ``unlisted`` gets the error of each directory that cannot be listed. Raises
    ``click.UsageError`` if there is nothing.
    """
    if _names_a_file(sources, output):
        return [Conversion(sources[0], output, named=True)]
    found = list(_found(sources, output, suffixes, unlisted))
    if not found:
        raise none_found(suffixes)
    return found


def _names_a_file(sources: Sequence[Path], output: Path) -> bool:
    is_one = len(sources) == 1 and not sources[0].is_dir()
    return is_one and output.suffix.lower() in (".yaml", ".yml") and not output.is_dir()


def none_found(suffixes: Sequence[str]) -> click.UsageError:
    """Return the error for sources without a recording."""
    *most, last = (f"*{suffix}" for suffix in suffixes)
    return click.UsageError(f"no recording found; looked for {', '.join(most)} and {last}")


def show_unlisted(unlisted: Sequence[OSError]) -> int:
    """Print a line for each directory that cannot be listed; return how many there are."""
    for exc in unlisted:
        click.echo(f"{exc.filename}: cannot be listed: {exc.strerror}", err=True)
    return len(unlisted)


def check_targets(conversions: Sequence[Conversion], *, force: bool, verb: str) -> None:
    """Raise :class:`~mockserver.errors.CassetteError` for a target that must not be written."""
    from mockserver.errors import CassetteError

    sources = {_real(conversion.source) for conversion in conversions}
    taken: dict[Path, Path] = {}
    for conversion in conversions:
        first = taken.setdefault(conversion.target, conversion.source)
        if first != conversion.source:
            message = f"two recordings would be written to it: {first} and {conversion.source}"
            raise CassetteError(
                conversion.target, message, hint=f"{verb} one of them to another directory"
            )
        if _real(conversion.target) in sources:
            raise CassetteError(
                conversion.target,
                f"is one of the recordings to {verb}",
                hint="choose another directory",
            )
        if conversion.target.exists() and not force:
            raise CassetteError(conversion.target, "already exists", hint="--force replaces it")


def _found(
    sources: Sequence[Path],
    output: Path,
    suffixes: Collection[str],
    unlisted: Callable[[OSError], None],
) -> Iterator[Conversion]:
    inside = _real(output)
    for source in sources:
        if not source.is_dir():
            stem = source.stem if source.suffix.lower() in suffixes else source.name
            yield Conversion(source, output / f"{stem}.yaml", named=True)
            continue
        taken: set[Path] = set()
        for path in files.below(source, unlisted):
            relative = path.relative_to(source)
            hidden = any(part.startswith(".") for part in relative.parts)
            # The output of an earlier run below its source is not a source.
            own = inside != _real(source) and _real(path).is_relative_to(inside)
            if path.suffix.lower() not in suffixes or hidden or own:
                continue
            # A directory with a name like a recording's is none; a pipe is a mistake to name.
            if path.is_dir():
                continue
            target = _unzipped(relative).with_suffix(".yaml")
            if target in taken:
                # Two that differ in what their names end with.
                target = relative.with_name(f"{relative.name}.yaml")
            taken.add(target)
            yield Conversion(path, output / target, named=False)


def _real(path: Path) -> Path:
    # Path.resolve() fails on a link to itself.
    return Path(os.path.realpath(path))


def _unzipped(path: Path) -> Path:
    return path.with_suffix("") if path.suffix.lower() == ".gz" else path
