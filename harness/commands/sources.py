"""The files that a verb makes cassettes of, and where these go."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click


@dataclass(frozen=True, slots=True)
class Conversion:
    """A file and where its cassette goes; ``named`` if the user gave the file itself."""

    source: Path
    target: Path
    named: bool


def conversions_of(
    sources: Sequence[Path], output: Path, suffixes: Sequence[str]
) -> list[Conversion]:
    """Return what is made of files, and of directories with files that have these suffixes.

    Paths below a directory are kept. A single file may be written to an ``output`` that is called
    like a cassette. Raises ``click.UsageError`` if there is nothing.
    """
    if _names_a_file(sources, output):
        return [Conversion(sources[0], output, named=True)]
    found = list(_found(sources, output, suffixes))
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


def check_targets(conversions: Sequence[Conversion], *, force: bool, verb: str) -> None:
    """Raise :class:`~mockserver.errors.CassetteError` for a target that must not be written."""
    from mockserver.errors import CassetteError

    sources = {conversion.source.resolve() for conversion in conversions}
    taken: dict[Path, Path] = {}
    for conversion in conversions:
        first = taken.setdefault(conversion.target, conversion.source)
        if first != conversion.source:
            message = f"two recordings would be written to it: {first} and {conversion.source}"
            raise CassetteError(
                conversion.target, message, hint=f"{verb} one of them to another directory"
            )
        if conversion.target.resolve() in sources:
            raise CassetteError(
                conversion.target,
                f"is one of the recordings to {verb}",
                hint="choose another directory",
            )
        if conversion.target.exists() and not force:
            raise CassetteError(conversion.target, "already exists", hint="--force replaces it")


def _found(
    sources: Sequence[Path], output: Path, suffixes: Collection[str]
) -> Iterator[Conversion]:
    inside = output.resolve()
    for source in sources:
        if not source.is_dir():
            stem = source.stem if source.suffix.lower() in suffixes else source.name
            yield Conversion(source, output / f"{stem}.yaml", named=True)
            continue
        for path in sorted(source.rglob("*")):
            relative = path.relative_to(source)
            hidden = any(part.startswith(".") for part in relative.parts)
            # The output of an earlier run below its source is not a source.
            own = inside != source.resolve() and path.resolve().is_relative_to(inside)
            if path.suffix.lower() in suffixes and path.is_file() and not hidden and not own:
                yield Conversion(path, output / relative.with_suffix(".yaml"), named=False)
