"""``tapecheck verify``: prove that cassettes are replayed byte-exactly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click


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
    with 2 if one cannot be read or there is none.

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
    for path in paths:
        found, worst = _verified(path, _rechunk if rechunk else None)
        played += found
        code = max(code, worst)
    if not played and not code:
        raise SelectionError(
            "no interaction found, so nothing was verified",
            hint="name cassettes: *.yaml, *.yml and *.har files, or directories of them",
        )
    files = f"{len(paths)} cassette{'s' * (len(paths) != 1)}"
    click.echo(f"{files}, {played} interaction{'s' * (played != 1)} played", nl=False)
    click.echo(": every byte as recorded" if code == 0 else "")
    return code


def _verified(path: Path, fix: Callable[[Path], None] | None) -> tuple[int, int]:
    """Play one cassette; return the number of its interactions and the exit code."""
    from mockserver.errors import CassetteError, UnwritableError
    from mockserver.library import library as store
    from mockserver.serving import verify_cassette

    try:
        if fix is not None:
            fix(path)
        cassette = store.load(path)
    except UnwritableError:
        raise
    except CassetteError as exc:
        click.echo(str(exc), err=True)
        return 0, 2
    for error in cassette.left_out:
        click.echo(str(error), err=True)
    problems = verify_cassette(cassette)
    for problem in problems:
        click.echo(str(problem), err=True)
    code = 2 if cassette.left_out else 1 if problems else 0
    return len(cassette.interactions), code


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
