"""Make scenarios without a spec from any directory of cassettes: only the rules judge."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import SpecError
from harness.suite.scenario import Scenario, TurnSpec
from mockserver.cassettes import Cassette
from mockserver.dialects import recorded_call
from mockserver.errors import CassetteError, CodingError
from mockserver.library import library
from mockserver.wire import from_response


@dataclass(frozen=True, slots=True)
class Excluded:
    """Something in the directory that is not run, and why; ``unreadable`` if it cannot be read."""

    name: str
    reason: str
    unreadable: bool


def scan(directory: Path) -> tuple[tuple[Scenario, ...], tuple[Excluded, ...]]:
    """Make a scenario of every interaction that can be run.

    Raises :class:`SpecError` for a directory that is missing or has no cassette.
    """
    if not directory.is_dir():
        raise SpecError("no such directory of recordings", path=directory)
    files = sorted(p for p in directory.rglob("*") if p.suffix in {".yaml", ".yml", ".har"})
    if not files:
        raise SpecError(
            "no recording found", path=directory, hint="cassettes are *.yaml, *.yml and *.har files"
        )
    scenarios: list[Scenario] = []
    excluded: list[Excluded] = []
    for path in files:
        name = _name(path.relative_to(directory).with_suffix(""))
        try:
            cassette = library.load(path)
        except CassetteError as exc:
            excluded.append(Excluded(name, str(exc), unreadable=True))
            continue
        for number, _ in enumerate(cassette.interactions):
            item = _scenario(name, cassette, number)
            if isinstance(item, Excluded):
                excluded.append(item)
            else:
                scenarios.append(item)
    return tuple(scenarios), tuple(excluded)


def _scenario(name: str, cassette: Cassette, number: int) -> Scenario | Excluded:
    scenario_id = f"recordings/{name}/{number}"
    found = recorded_call(cassette.interactions[number].request)
    if isinstance(found, str):
        return Excluded(scenario_id, found, unreadable=False)
    dialect, call = found
    try:
        # Facts cannot be read off a body that cannot be decoded.
        _ = from_response(cassette.interactions[number].response).plain
    except CodingError as exc:
        return Excluded(scenario_id, str(exc), unreadable=True)
    return Scenario(
        id=scenario_id,
        title=f"Interaction {number} of {cassette.path.name}",
        dialect=dialect.name,
        requires=frozenset({"streaming" if call.stream else "non_streaming"}),
        source=(str(cassette.path),),
        priority="P0",
        file=cassette.path,
        cassette=cassette.path,
        interactions=(number,),
        turns=(TurnSpec(key_path=(), call=call),),
    )


def _name(path: Path) -> str:
    """Return a path in the characters of scenario ids, which need no quoting in patterns."""
    return "/".join(re.sub(r"[^A-Za-z0-9.-]+", "-", part).strip("-") for part in path.parts)
