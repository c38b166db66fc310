"""``tapecheck import``: makes cassettes of other tools' recordings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mockserver.recording import Imported

#: What is looked at in a directory; any file can be named.
_SUFFIXES = {".yaml", ".yml", ".json", ".har"}
_NONE_FOUND = "no recording found; looked for *.yaml, *.yml, *.json and *.har"


@dataclass(frozen=True, slots=True)
class _Job:
    """A recording and the cassette to make of it; ``named`` if the user has named the file."""

    source: Path
    target: Path
    named: bool


@click.command()
@click.argument(
    "sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SOURCE..."
)
@click.option(
    "--output",
    "-o",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where to write the cassettes. Paths below a source directory are kept.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done; write nothing.")
@click.option("--force", is_flag=True, help="Replace existing cassettes.")
@click.option(
    "--keep-signatures",
    is_flag=True,
    help="Keep encrypted reasoning and signatures; by default they are replaced.",
)
@click.option("--verbose", "-v", is_flag=True, help="List each header and field that was changed.")
def command(
    sources: tuple[Path, ...],
    output: Path,
    dry_run: bool,
    force: bool,
    keep_signatures: bool,
    verbose: bool,
) -> int:
    """Convert other tools' recordings to cassettes.

    SOURCE is a file of vcrpy, pydantic-ai or Ruby VCR (YAML or JSON), an HTTP archive, or a
    directory of them. Drops headers that clients do not need, replaces secrets, and stores
    compressed text decoded. Exits with 1 if an interaction was left out, and with 2 if a file
    cannot be read or there is no recording.

    \b
    tapecheck import tests/cassettes -o cassettes/imported
    tapecheck import session.har -o cassettes --dry-run --verbose
    """
    import os

    from mockserver.errors import CassetteError, UnwritableError
    from mockserver.library import library
    from mockserver.recording import PROVIDERS, Kind

    jobs = list(_jobs(sources, output))
    _check_targets(jobs, force=force)
    variables = {name for p in PROVIDERS.values() for name in p.key_variables}
    known = [os.environ[name] for name in variables if name in os.environ]
    counts: Counter[Kind] = Counter()
    files = interactions = left_out = broken = 0
    for job in jobs:
        try:
            imported = _convert(job, known, keep_signatures)
            if imported is None:
                click.echo(f"{job.source}: not a recording; skipped")
                continue
            if imported.cassette.interactions and not dry_run:
                library.write(imported.cassette)
        except UnwritableError:
            raise
        except CassetteError as exc:
            click.echo(str(exc), err=True)
            broken += 1
            continue
        _tell(job, imported, verbose)
        files += bool(imported.cassette.interactions)
        interactions += len(imported.cassette.interactions)
        left_out += len(imported.left_out)
        counts += imported.counts
    if not interactions and not left_out and not broken:
        raise click.UsageError(_NONE_FOUND)
    for kind in filter(counts.get, Kind):
        click.echo(f"{kind.times(counts[kind])}: {kind.reason}")
    done = "would be imported" if dry_run else "imported"
    into = f"into {files} cassette{'s' * (files != 1)}"
    click.echo(f"{_interactions(interactions)} {done} {into}, {left_out} left out")
    return 2 if broken else 1 if left_out else 0


def _convert(job: _Job, known: Sequence[str], keep_signatures: bool) -> Imported | None:
    from mockserver.cassettes import foreign
    from mockserver.errors import CassetteError
    from mockserver.recording import importing

    try:
        text = job.source.read_bytes()
    except OSError as exc:
        raise CassetteError(job.source, f"cannot be read: {exc.strerror}") from None
    found = foreign.read(text, job.source)
    if found is None and not job.named:
        return None
    if found is None:
        raise CassetteError(
            job.source,
            "not a recording in a known format",
            remedy="import files of vcrpy, pydantic-ai or Ruby VCR, or HTTP archives",
        )
    if not found.items:
        raise CassetteError(job.source, "contains no interaction", remedy="record it again")
    return importing.convert(found, job.target, known, keep_opaque=keep_signatures)


def _jobs(sources: Sequence[Path], output: Path) -> Iterator[_Job]:
    inside = output.resolve()
    for source in sources:
        if not source.is_dir():
            stem = source.stem if source.suffix.lower() in _SUFFIXES else source.name
            yield _Job(source, output / f"{stem}.yaml", named=True)
            continue
        for path in sorted(source.rglob("*")):
            relative = path.relative_to(source)
            hidden = any(part.startswith(".") for part in relative.parts)
            # What an earlier import has put below its own source is none.
            own = inside != source.resolve() and path.resolve().is_relative_to(inside)
            if path.suffix.lower() in _SUFFIXES and path.is_file() and not hidden and not own:
                yield _Job(path, output / relative.with_suffix(".yaml"), named=False)


def _check_targets(jobs: Sequence[_Job], *, force: bool) -> None:
    """Raise :class:`CassetteError` before anything is written that must not be."""
    from mockserver.errors import CassetteError

    if not jobs:
        raise click.UsageError(_NONE_FOUND)
    sources = {job.source.resolve() for job in jobs}
    taken: dict[Path, Path] = {}
    for job in jobs:
        first = taken.setdefault(job.target, job.source)
        if first != job.source:
            message = f"two recordings would be written to it: {first} and {job.source}"
            raise CassetteError(
                job.target, message, remedy="import one of them to another directory"
            )
        if job.target.resolve() in sources:
            raise CassetteError(
                job.target, "is one of the recordings to import", remedy="choose another directory"
            )
        if job.target.exists() and not force:
            raise CassetteError(job.target, "already exists", remedy="--force replaces it")


def _tell(job: _Job, imported: Imported, verbose: bool) -> None:
    said = [_interactions(len(imported.cassette.interactions))]
    said += [kind.times(count) for kind, count in imported.counts.items()]
    click.echo(f"{job.source}: {', '.join(said)}")
    for kind in imported.counts if verbose else ():
        places = dict.fromkeys(c.place for c in imported.changes if c.kind is kind)
        click.echo(f"  {kind}: {', '.join(places)}")
    for error in imported.left_out:
        click.echo(f"  left out: {error}", err=True)


def _interactions(count: int) -> str:
    return f"{count} interaction{'s' * (count != 1)}"
