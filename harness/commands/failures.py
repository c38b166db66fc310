"""The failures that are not fixed yet, in ``.tapecheck/failures.json``, for ``--failed``.

A case stays on the list of its adapter until it passes, whatever else is run in between.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click

from harness.clients import registry
from harness.errors import ReportError, SetupError
from harness.plan.planning import Plan, Settings
from harness.reports.records import options_of
from harness.reports.summary import AGAINST
from harness.suite import formats
from mockserver import files
from mockserver.vocabulary import JsonObject

FILE = Path(".tapecheck") / "failures.json"


@dataclass(frozen=True, slots=True)
class Failures:
    """The failing cases of one adapter, as it was named, with the options for their scenarios.

    Without cases it says that the adapter was run, and that nothing fails.
    """

    reference: str
    sources: tuple[str, ...]
    cases: tuple[str, ...] = ()


def sources_of(settings: Settings) -> tuple[str, ...]:
    """Return those of the options that say where cases come from; of other places are others."""
    return tuple(
        options_of(
            Settings(
                scenarios=settings.scenarios,
                cassettes=settings.cassettes,
                recordings=settings.recordings,
            )
        )
    )


def read() -> tuple[Failures, ...]:
    """Return what is on the list. Raises :class:`ReportError` for a file that is not one."""
    if not FILE.is_file():
        return ()
    try:
        data = json.loads(FILE.read_text(encoding="utf-8"))
        if (unknown := formats.unknown_version(data)) is not None:
            raise ReportError(unknown, path=FILE, hint=formats.HINT)
        return tuple(
            Failures(item["reference"], tuple(item["sources"]), tuple(item["cases"]))
            for item in data["failures"]
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ReportError(
            "cannot be read as a list of failures", path=FILE, hint="delete it, and run all again"
        ) from None


def existing() -> tuple[Failures, ...]:
    """Return what is on the list. Raises :class:`ReportError` if there is none."""
    if not FILE.is_file():
        raise ReportError(
            "no earlier run in this directory", path=FILE, hint="run 'tapecheck run' here first"
        )
    return read()


def update(records: Iterable[JsonObject], plan: Plan, gone: Iterable[str] = ()) -> None:
    """Bring the list up to date with the records of a run; ``gone`` are cases that do not exist."""
    references = plan.settings.adapters or registry.bundled_names()
    names = dict(zip((a.name for a in plan.adapters), references, strict=True))
    before = read()
    after = merged(before, records, names, sources_of(plan.settings), gone)
    if after != before:
        _write(after)


def merged(
    before: Iterable[Failures],
    records: Iterable[JsonObject],
    references: Mapping[str, str],
    sources: tuple[str, ...] = (),
    gone: Iterable[str] = (),
) -> tuple[Failures, ...]:
    """Return the list after a run with these records; ``references`` are its adapters, by name."""
    played: dict[str, dict[str, bool]] = {reference: {} for reference in references.values()}
    for record in records:
        if record["type"] == "case":
            fails = record["outcome"] in AGAINST
            played[references[record["adapter"]]][record["id"]] = fails
    known = {(f.reference, f.sources): f for f in before}
    lost = set(gone)
    for reference, cases in played.items():
        old = known.get((reference, sources), Failures(reference, sources))
        kept = [case for case in old.cases if case not in cases and case not in lost]
        now = [case for case, fails in cases.items() if fails]
        known[reference, sources] = replace(old, cases=(*kept, *now))
    return tuple(known.values())


def _write(failures: Iterable[Failures]) -> None:
    """Replace the list, or warn. Raises :class:`SetupError` if the disk is full."""
    listed = [
        {"reference": f.reference, "sources": list(f.sources), "cases": list(f.cases)}
        for f in failures
    ]
    text = json.dumps({"version": formats.VERSION, "failures": listed}, indent=1)
    try:
        files.replace(FILE, f"{text}\n".encode())
    except OSError as exc:
        if files.is_full(exc):
            raise SetupError(f"cannot be written: {exc.strerror}", path=FILE) from None
        click.echo(f"tapecheck: cannot save the failures: {FILE}: {exc.strerror}", err=True)
