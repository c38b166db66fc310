"""Write a failure to disk: a scenario and its cassette, and the command that plays them."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from harness.errors import SetupError
from harness.fuzz import cases
from harness.fuzz.searching import Found
from harness.fuzz.wires import Wire
from mockserver import files
from mockserver.cassettes import Cassette
from mockserver.library import library

#: The folders below the one that the user names.
SCENARIOS, CASSETTES = "scenarios", "cassettes"


@dataclass(frozen=True, slots=True)
class Kept:
    """The files of a failure, its scenario's id, and the command that plays it again."""

    name: str
    scenario: Path
    cassette: Path
    command: str


def keep(found: Found, directory: Path, options: tuple[str, ...]) -> Kept:
    """Write a failure below ``directory``; one of the same name is the same.

    ``options`` are those of ``run`` that name the client. Raises :class:`SetupError`.
    """
    wire = found.wire
    return _written(wire, found.cause.slug, found.finding.message, directory, options)


def keep_wire(wire: Wire, why: str, directory: Path) -> Kept:
    """Write a wire about which the writer and the reader of a dialect disagree."""
    return _written(wire, "disagreement", why, directory, ())


def _written(wire: Wire, slug: str, title: str, directory: Path, options: tuple[str, ...]) -> Kept:
    name = f"fuzz/{wire.dialect}-{slug}-{_digest(wire)}"
    scenario = directory / SCENARIOS / f"{name}.yaml"
    cassette = directory / CASSETTES / f"{name}.yaml"
    document = cases.document(wire, name, title)
    # ASCII with escapes: what is odd about a text is seen, and survives every editor.
    text = yaml.safe_dump(document, sort_keys=False, width=100, allow_unicode=False)
    if yaml.safe_load(text) != document:
        raise AssertionError(f"{scenario}: cannot be written without loss")
    try:
        files.replace(scenario, text.encode())
    except OSError as exc:
        raise SetupError(f"cannot write the scenario: {exc.strerror}", path=scenario) from None
    library.write(Cassette(cassette, (wire.interaction,)), cases.SOURCE)
    return Kept(name, scenario, cassette, _command(wire, name, directory, options))


def _digest(wire: Wire) -> str:
    plain = replace(wire.interaction.response, wire=wire.interaction.response.wire)
    said = f"{plain.status} {plain.body!r} {plain.wire.chunks} {wire.point} {wire.broken}"
    return hashlib.sha256(said.encode()).hexdigest()[:8]


def _command(wire: Wire, name: str, directory: Path, options: tuple[str, ...]) -> str:
    words = ["tapecheck", "run", *options]
    words += ["--scenarios", str(directory / SCENARIOS), "--cassettes", str(directory / CASSETTES)]
    if wire.broken is not None:
        words += ["--axes", "none", f"{name}/{wire.broken}"]
    else:
        words += ["--axes", str(wire.point) if wire.point.values else "none", "--no-faults"]
        words.append(f"{name}/{wire.point}" if wire.point.values else name)
    return shlex.join(words)
