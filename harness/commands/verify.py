"""``tapecheck verify``: prove that cassettes are replayed byte-exactly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mockserver.cassettes import Cassette


@click.command()
@click.argument("library", nargs=-1, type=click.Path(path_type=Path), metavar="[DIR|FILE]...")
@click.option(
    "--rechunk",
    is_flag=True,
    help="Drop chunk lengths that no longer add up after a body was edited.",
)
def command(library: tuple[Path, ...], rechunk: bool) -> int:
    """Replay cassettes over a socket and compare every byte and every chunk.

    Default: the bundled cassettes. Exits with 1 if a cassette is not replayed byte-exactly, and
    with 2 if one cannot be read or there is none. In a directory, files that are no recordings are
    skipped.

    \b
    tapecheck verify
    tapecheck verify cassettes/
    tapecheck verify cassettes/chat.yaml --rechunk
    """
    from harness.errors import SelectionError
    from harness.suite import bundled
    from mockserver.library import Library

    code, played = 0, 0
    paths: dict[Path, None] = {}
    # Each by itself: in a library of several, the first with a name hides the others.
    for root in library or (bundled.cassettes(),):
        found_in = Library([root])
        paths |= dict.fromkeys(found_in.paths.values())
        for error in found_in.problems.values():
            click.echo(str(error), err=True)
            code = 2
    read = 0
    for path in paths:
        found, worst = _verified(path, _rechunk if rechunk else None, named=path in library)
        read += found is not None
        played += found or 0
        code = max(code, worst)
    if not played and not code:
        raise SelectionError(
            "no interaction found, so nothing was verified",
            hint="name cassettes: *.yaml, *.yml and *.har files, or directories of them",
        )
    files = f"{read} cassette{'s' * (read != 1)}"
    click.echo(f"{files}, {played} interaction{'s' * (played != 1)} played", nl=False)
    click.echo(": every byte as recorded" if code == 0 else "")
    return code


def _verified(
    path: Path, fix: Callable[[Path], None] | None, *, named: bool
) -> tuple[int | None, int]:
    """Play one cassette; return the number of its interactions and the exit code.

    There is no number for what cannot be read. Unless the user has ``named`` the file, one of
    another kind is skipped.
    """
    from mockserver.errors import CassetteError, NoRecordingError, UnwritableError
    from mockserver.serving import verify_cassette

    try:
        cassette = _loaded(path, fix)
    except UnwritableError:
        raise
    except CassetteError as exc:
        skipped = isinstance(exc, NoRecordingError) and not named
        click.echo(f"{exc}{'; skipped' * skipped}", err=True)
        return None, 0 if skipped else 2
    for error in cassette.left_out:
        click.echo(str(error), err=True)
    problems = verify_cassette(cassette)
    for problem in problems:
        click.echo(str(problem), err=True)
    code = 2 if cassette.left_out else 1 if problems else 0
    return len(cassette.interactions), code


def _loaded(path: Path, fix: Callable[[Path], None] | None) -> Cassette:
    """Read a cassette, or what was made of it where it has a mistake."""
    from mockserver.errors import CassetteError, NoRecordingError
    from mockserver.library import library as store

    try:
        return store.load(path)
    except CassetteError as exc:
        if fix is None or isinstance(exc, NoRecordingError):
            raise
    fix(path)
    return store.load(path)


def _rechunk(path: Path) -> None:
    from mockserver.cassettes import rechunk
    from mockserver.library import library as store

    if path.suffix.lower() == ".har":
        return
    before = path.read_bytes()
    after = rechunk(before, path)
    if after != before:
        store.replace(path, after)
        click.echo(f"{path}: chunk lengths dropped; each event is a chunk now")
