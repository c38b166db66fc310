"""Check that scenarios and cassettes are valid and fit together, without playing any."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import SpecError
from harness.judge.comparing import same_keys
from harness.judge.expectation import turn_views
from harness.suite import loader
from harness.suite.scenario import Scenario, TurnSpec
from harness.suite.schemas import schema
from mockserver.cassettes import Cassette, KeyPath, Origin, line_of
from mockserver.errors import CassetteError
from mockserver.library import library
from mockserver.secrets import scan_cassette
from mockserver.vocabulary import JsonObject, event_from_json, fold
from mockserver.wire import from_response


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a file; ``line`` counts from 1."""

    path: Path
    line: int | None
    message: str


@dataclass(slots=True)
class LintResult:
    """What was looked at, and what is wrong with it."""

    scenarios: list[Scenario]
    cassettes: dict[Path, Cassette]
    problems: list[Problem]


def lint(
    scenarios: Sequence[Path],
    cassettes: Sequence[Path],
    lookup: Sequence[Path],
    allowed: Sequence[str] = (),
) -> LintResult:
    """Lint the scenarios below some directories and the cassettes below others.

    ``lookup`` are more directories in which scenarios may find their cassettes. ``allowed`` are
    texts that look like secrets and are none. Raises
    :class:`SpecError` or :class:`CassetteError` for a directory that is not there.
    """
    problems: list[Problem] = []
    found = list(_scenarios(scenarios, (*cassettes, *lookup), problems))
    listed = library.Library(cassettes)
    problems += (Problem(e.path, e.line, e.message) for e in listed.problems.values())
    known = {_real(path) for path in listed.paths.values()}
    loaded: dict[Path, Cassette] = {}
    for path in sorted(known | {_real(s.cassette) for s in found}):
        try:
            loaded[path] = library.load(path)
        except CassetteError as exc:
            problems.append(Problem(exc.path, exc.line, exc.message))
    for scenario in found:
        problems += _contradictions(scenario)
    problems += _twins({s.id: s for s in found})
    problems += _unplayed(found, loaded)
    for scenario in found:
        if (cassette := loaded.get(_real(scenario.cassette))) is not None:
            problems += _gates(scenario, cassette)
    used = {_real(s.cassette) for s in found}
    for path in sorted(known & loaded.keys()):
        if path not in used:
            problems.append(Problem(path, None, "no scenario plays this cassette"))
        problems += _origins(loaded[path])
        problems += _secrets(loaded[path], allowed)
    return LintResult(found, loaded, problems)


def unrequired(scenarios: Iterable[Scenario]) -> Iterator[str]:
    """Yield the features of the closed list that none of the scenarios requires."""
    required = {feature for scenario in scenarios for feature in scenario.requires}
    known: list[str] = schema("scenario")["$defs"]["feature"]["enum"]
    return (feature for feature in known if feature not in required)


def _real(path: Path) -> Path:
    # Path.resolve() fails on a link to itself.
    return Path(os.path.realpath(path))


def _scenarios(
    directories: Iterable[Path], roots: Sequence[Path], problems: list[Problem]
) -> Iterator[Scenario]:
    ids: dict[str, Path] = {}
    for directory in directories:
        if not directory.is_dir():
            raise SpecError("no such directory of scenarios", path=directory)
        for path in sorted(directory.rglob("*.y*ml")):
            try:
                loaded = loader.load(path, roots)
            except SpecError as exc:
                problems.append(Problem(path, exc.line, exc.message))
                continue
            for scenario in loaded:
                if (first := ids.setdefault(scenario.id, path)) != path:
                    message = f"duplicate scenario id {scenario.id!r}, also in {first}"
                    problems.append(_at(path, ("scenario",), message))
                yield scenario


def _contradictions(scenario: Scenario) -> Iterator[Problem]:
    """Yield where the expected events do not fold to the expected turn."""
    for turn in scenario.turns:
        folded = _turn_from_events(turn)
        if folded is None or turn.expect is None or turn.expect.turn is None:
            continue
        for key, wanted in turn.expect.turn.items():
            if not same_keys(_comparable(key, wanted), _comparable(key, folded.get(key))):
                yield _at(
                    scenario.file,
                    (*turn.key_path, "expect", "turn", key),
                    f"{scenario.id}: the expected events give another {key} than the expected turn",
                )


def _twins(by_id: Mapping[str, Scenario]) -> Iterator[Problem]:
    """Yield where two forms of the same turn expect different things."""
    for scenario in by_id.values():
        if scenario.twin is None:
            continue
        other = by_id.get(scenario.twin)
        if other is None:
            message = f"twin {scenario.twin!r} is not a known scenario"
            yield _at(scenario.file, ("twin",), message)
            continue
        for key in ("content", "finish_reason", "tool_calls"):
            mine, theirs = _expected(scenario.turns[-1], key), _expected(other.turns[-1], key)
            if mine is not None and theirs is not None and mine != theirs:
                message = f"{scenario.id} and its twin {other.id} expect a different {key}"
                yield _at(scenario.file, ("twin",), message)


def _unplayed(
    scenarios: Iterable[Scenario], cassettes: Mapping[Path, Cassette]
) -> Iterator[Problem]:
    """Yield interactions that no scenario plays, and numbers that do not exist."""
    played: defaultdict[Path, set[int]] = defaultdict(set)
    for scenario in scenarios:
        path = _real(scenario.cassette)
        if path not in cassettes:
            continue
        count = len(cassettes[path].interactions)
        numbers = tuple(range(count)) if scenario.interactions is None else scenario.interactions
        played[path] |= set(numbers)
        if beyond := [n for n in numbers if n >= count]:
            message = f"{scenario.id} plays interaction {beyond[0]}, {path.name} has {count}"
            yield _at(scenario.file, ("interactions",), message)
    for path, seen in played.items():
        for number in range(len(cassettes[path].interactions)):
            if number not in seen:
                yield _at(path, ("interactions", number), f"no scenario plays interaction {number}")


def _gates(scenario: Scenario, cassette: Cassette) -> Iterator[Problem]:
    """Yield where an answer waits behind an event that it does not have, and calls without one."""
    count = len(cassette.interactions)
    numbers = tuple(range(count)) if scenario.interactions is None else scenario.interactions
    if any(number >= count for number in numbers):
        return
    if scenario.choreographed and len(numbers) != len(scenario.turns):
        message = (
            f"{scenario.id} plays {len(numbers)} interaction(s) for {len(scenario.turns)} turns; "
            "calls that are given up or made at once need one each"
        )
        yield _at(scenario.file, ("interactions",), message)
        return
    gates: list[tuple[int, int, KeyPath]] = [
        (0, gate.after, ("incremental", i)) for i, gate in enumerate(scenario.incremental)
    ]
    gates += [
        (number, turn.cancel_after.after, (*turn.key_path, "cancel_after"))
        for number, turn in enumerate(scenario.turns)
        if turn.cancel_after is not None
    ]
    for number, after, key_path in gates:
        schedule = from_response(cassette.interactions[numbers[number]].response)
        events = len(schedule.decoded().plain.event_ends)
        if after > events:
            message = f"{scenario.id} waits behind wire event {after}, the answer has {events}"
            yield _at(scenario.file, key_path, message)


def _secrets(cassette: Cassette, allowed: Sequence[str]) -> Iterator[Problem]:
    """Yield where a cassette contains what looks like a credential."""
    for hit in scan_cassette(cassette, allowed=allowed):
        message = f"{hit.place} contains {hit.kind}"
        if hit.mark:
            message += f" (if that is none, put {hit.mark} into .tapecheck-allow)"
        yield _at(hit.path, ("interactions", hit.interaction), message)


def _origins(cassette: Cassette) -> Iterator[Problem]:
    """Yield where a cassette does not say where its bytes come from."""
    origins = {i.response.wire.origin for i in cassette.interactions}
    if Origin.AUTHORED in origins and not cassette.path.read_bytes().startswith(b"#"):
        message = "an authored cassette must name its source in a comment on its first line"
        yield Problem(cassette.path, 1, message)
    for number, interaction in enumerate(cassette.interactions):
        wire = interaction.response.wire
        if wire.origin is Origin.RECORDED and not wire.recorded:
            key_path = ("interactions", number, "response", "wire", "origin")
            message = (
                f"interaction {number} is 'origin: recorded' without 'recorded' (when, by what)"
            )
            yield _at(cassette.path, key_path, message)


def _expected(turn: TurnSpec, key: str) -> Any:
    stated = turn.expect.turn if turn.expect is not None else None
    value = (stated or {}).get(key, (_turn_from_events(turn) or {}).get(key))
    if key == "tool_calls" and value is not None:
        # The ids of two recordings differ; what is called does not.
        return [(call.get("name"), call.get("arguments")) for call in value]
    return value


def _turn_from_events(turn: TurnSpec) -> JsonObject | None:
    if turn.expect is None or turn.expect.events is None:
        return None
    return turn_views(fold(event_from_json(loader.completed(e)) for e in turn.expect.events))


def _comparable(key: str, value: Any) -> Any:
    """Return an error's class: the message of an expected event is only a placeholder."""
    return value["class"] if key == "error" and isinstance(value, Mapping) else value


def _at(path: Path, key_path: KeyPath, message: str) -> Problem:
    return Problem(path, line_of(path.read_bytes(), key_path), message)
