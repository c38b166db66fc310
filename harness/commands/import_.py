"""``tapecheck import``: convert other tools' recordings to cassettes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.sources import (
    Conversion,
    check_targets,
    conversions_of,
    none_found,
    show_unlisted,
)

if TYPE_CHECKING:
    from mockserver.recording import Imported

#: The files that are read in a directory. A file of any name can be given.
_SUFFIXES = (".yaml", ".yml", ".json", ".har", ".gz", ".flow", ".flows", ".mitm", ".vcr")


@click.command()
@click.argument(
    "sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SOURCE..."
)
@click.option(
    "--output",
    "-o",
    required=True,
    metavar="DIR|FILE",
    type=click.Path(path_type=Path),
    help="Where to write the cassettes. Paths below a source directory are kept; a single file may "
    "go to FILE.yaml.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done; write nothing.")
@click.option("--force", is_flag=True, help="Replace existing cassettes.")
@click.option(
    "--keep-signatures",
    is_flag=True,
    help="Keep encrypted reasoning and signatures; by default they are replaced.",
)
@click.option(
    "--allow",
    "allowed",
    multiple=True,
    metavar="TEXT",
    help="A text that looks like a secret and is none, or the mark that a refusal shows for it; "
    "also a line of .tapecheck-allow. May be repeated.",
)
@click.option("--verbose", "-v", is_flag=True, help="List each header and field that was changed.")
def command(
    sources: tuple[Path, ...],
    output: Path,
    dry_run: bool,
    force: bool,
    keep_signatures: bool,
    allowed: tuple[str, ...],
    verbose: bool,
) -> int:
    """Convert other tools' recordings to cassettes.

    SOURCE is a file of vcrpy, pydantic-ai, LangChain, the VCR of Ruby and of R, betamax, go-vcr,
    php-vcr, httpmock, nock, WireMock, dd-apm-test-agent, llm-vcr, llm-recorder or mitmproxy, an
    HTTP archive (also Polly's), or a directory of them; each may be gzip. Drops headers that
    clients do not need, replaces secrets, and stores compressed text decoded. Exits with 1 if an
    interaction was left out, and with 2 if a file cannot be read or there is no recording.

    \b
    tapecheck import tests/cassettes -o cassettes/imported
    tapecheck import session.har -o cassettes --dry-run --verbose
    """
    import os

    from mockserver.errors import CassetteError, NoRecordingError, UnwritableError
    from mockserver.library import library
    from mockserver.recording import PROVIDERS, Kind, allowed_texts

    unlisted: list[OSError] = []
    conversions = conversions_of(sources, output, _SUFFIXES, unlisted.append)
    check_targets(conversions, force=force, verb="import")
    variables = {name for p in PROVIDERS.values() for name in p.key_variables}
    known = [os.environ[name] for name in variables if name in os.environ]
    texts = allowed_texts(Path(), allowed)
    counts: Counter[Kind] = Counter()
    files = interactions = left_out = 0
    broken = show_unlisted(unlisted)
    for conversion in conversions:
        try:
            imported = _convert(conversion, known, keep_signatures, texts)
            if imported is None:
                click.echo(f"{conversion.source}: not a recording; skipped")
                continue
            if imported.cassette.interactions and not dry_run:
                library.write(imported.cassette)
        except UnwritableError:
            raise
        except CassetteError as exc:
            # A directory may have other files.
            skipped = isinstance(exc, NoRecordingError) and not conversion.named
            click.echo(f"{exc}{'; skipped' * skipped}", err=True)
            broken += not skipped
            continue
        _show(conversion, imported, verbose)
        files += bool(imported.cassette.interactions)
        interactions += len(imported.cassette.interactions)
        left_out += len(imported.left_out)
        counts += imported.counts
    if not interactions and not left_out and not broken:
        raise none_found(_SUFFIXES)
    for kind in filter(counts.get, Kind):
        click.echo(f"{kind.times(counts[kind])}: {kind.reason}")
    done = "would be imported" if dry_run else "imported"
    into = f"into {files} cassette{'s' * (files != 1)}"
    click.echo(f"{_interactions(interactions)} {done} {into}, {left_out} left out")
    return 2 if broken else 1 if left_out else 0


def _convert(
    conversion: Conversion, known: Sequence[str], keep_signatures: bool, allowed: Sequence[str]
) -> Imported | None:
    from mockserver.cassettes import foreign, loading
    from mockserver.errors import CassetteError
    from mockserver.recording import importing

    text = loading.read(conversion.source)
    found = foreign.read(text, conversion.source)
    if found is None and not conversion.named:
        return None
    if found is None:
        raise CassetteError(
            conversion.source,
            "not a recording in a known format",
            hint="'tapecheck import --help' lists the formats",
        )
    if not found.items:
        raise CassetteError(conversion.source, "contains no interaction", hint="record it again")
    return importing.convert(
        found, conversion.target, known, keep_opaque=keep_signatures, allowed=allowed
    )


def _show(conversion: Conversion, imported: Imported, verbose: bool) -> None:
    counts = [_interactions(len(imported.cassette.interactions))]
    counts += [kind.times(count) for kind, count in imported.counts.items()]
    click.echo(f"{conversion.source}: {', '.join(counts)}")
    for kind in imported.counts if verbose else ():
        places = dict.fromkeys(c.place for c in imported.changes if c.kind is kind)
        click.echo(f"  {kind}: {', '.join(places)}")
    for error in imported.left_out:
        click.echo(f"  left out: {error}", err=True)


def _interactions(count: int) -> str:
    return f"{count} interaction{'s' * (count != 1)}"
