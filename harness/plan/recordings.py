"""Make scenarios without a spec from cassettes: only the rules judge.

One scenario for each call. It has the interactions that one call leads to: the request, those to
which it was redirected, and what its dialect knows as further requests about the same answer. A
retry is a call of its own, since the call of a recording asks for none. Credentials are not in a
recording, so a token request belongs to no call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from harness.errors import SpecError
from harness.suite.scenario import Scenario, TurnSpec
from mockserver import files
from mockserver.cassettes import Cassette, Interaction
from mockserver.dialects import Dialect, continues, is_pending, recorded_call
from mockserver.errors import CassetteError, CodingError, NoRecordingError
from mockserver.library import library
from mockserver.vocabulary import NeutralCall
from mockserver.wire import from_response

#: The redirects after which every client sends the same request again (RFC 9110 15.4.8, 15.4.9).
_KEEP_METHOD = (307, 308)


@dataclass(frozen=True, slots=True)
class Excluded:
    """Something in the directory that is not run, and why; ``unreadable`` if it cannot be read."""

    name: str
    reason: str
    unreadable: bool = False


def scan(path: Path) -> tuple[tuple[Scenario, ...], tuple[Excluded, ...]]:
    """Make a scenario of every call that can be run, in a directory or in one file.

    Raises :class:`SpecError` for a path that is missing or has no cassette.
    """
    scenarios: list[Scenario] = []
    excluded: list[Excluded] = []
    unlisted: list[OSError] = []
    for name, file in _files(path, unlisted):
        if not file.is_file():
            excluded.append(Excluded(name, f"{file} is no regular file, so it is not read"))
            continue
        try:
            cassette = library.load(file)
        except CassetteError as exc:
            # A directory may have files of other kinds.
            skipped = isinstance(exc, NoRecordingError) and file != path
            excluded.append(Excluded(name, str(exc), unreadable=not skipped))
            continue
        for item in _calls(name, cassette):
            if isinstance(item, Excluded):
                excluded.append(item)
            else:
                scenarios.append(item)
    for error in unlisted:
        reason = f"{error.filename}: cannot be listed: {error.strerror}"
        excluded.append(Excluded(str(error.filename), reason, unreadable=True))
    return tuple(scenarios), tuple(excluded)


def _files(path: Path, unlisted: list[OSError]) -> list[tuple[str, Path]]:
    """Return the names and paths of what may be a cassette; a link to a directory is not followed.

    A single file has the name of its own. ``unlisted`` gets the error of each directory that
    cannot be listed.
    """
    known = "cassettes are *.yaml, *.yml and *.har files"
    if not path.is_dir():
        if not path.exists():
            raise SpecError("no such file or directory of recordings", path=path)
        if not path.is_file():
            raise SpecError("this is no regular file, so it is not read", path=path)
        if not library.is_recording(path):
            raise SpecError("this is no recording", path=path, hint=known)
        return [(_name(Path(path.stem)), path)]
    found = [p for p in files.below(path, unlisted.append) if library.is_recording(p)]
    if not found and not unlisted:
        raise SpecError("no recording found", path=path, hint=known)
    return _named((p.relative_to(path).with_suffix(""), p) for p in found)


def _named(found: Iterable[tuple[Path, Path]]) -> list[tuple[str, Path]]:
    """Return each file with a name of its own: of two that are alike, the later gets a number."""
    named: dict[str, Path] = {}
    for inside, path in found:
        name, count = _name(inside), 1
        while name in named:
            count += 1
            name = f"{_name(inside)}.{count}"
        named[name] = path
    return list(named.items())


def _name(path: Path) -> str:
    """Return a path in the characters of scenario ids, which need no quoting in patterns."""
    plain = (re.sub(r"[^A-Za-z0-9.-]+", "-", part).strip("-") for part in path.parts)
    return "/".join(part or "unnamed" for part in plain)


def _calls(name: str, cassette: Cassette) -> Iterator[Scenario | Excluded]:
    number = 0
    while number < len(cassette.interactions):
        scenario_id = f"recordings/{name}/{number}"
        rest = cassette.interactions[number:]
        found = recorded_call(rest[0].request)
        if isinstance(found, str):
            yield Excluded(scenario_id, found)
            number += 1
            continue
        dialect, call = found
        try:
            group, features = _group(dialect, rest)
        except CodingError as exc:
            # Facts cannot be read off a body that cannot be decoded.
            yield Excluded(scenario_id, str(exc), unreadable=True)
            number += 1
            continue
        numbers = tuple(range(number, number + len(group)))
        if (obstacle := _obstacle(dialect, group)) is not None:
            yield Excluded(scenario_id, obstacle)
        else:
            yield _scenario(scenario_id, cassette, numbers, dialect, call, features)
        number += len(group)


def _group(
    dialect: Dialect, rest: Sequence[Interaction]
) -> tuple[list[Interaction], frozenset[str]]:
    """Return the first interactions that belong to one call, and the features they need.

    Raises :class:`CodingError`.
    """
    group, features = [rest[0]], set()
    _ = from_response(rest[0].response).plain
    for following in rest[1:]:
        target = _redirect(group[-1])
        if target is None:
            feature = continues(dialect, group, following.request)
            if feature is None:
                break
            features.add(feature)
        elif target != following.request.uri:
            break
        _ = from_response(following.response).plain
        group.append(following)
    return group, frozenset(features)


def _redirect(interaction: Interaction) -> str | None:
    """Return the address to which an answer sends the client, if it is one of HTTP."""
    response = interaction.response
    location = response.header("location")
    if not 300 <= response.status < 400 or location is None:
        return None
    try:
        target = urljoin(interaction.request.uri, location)
    except ValueError:
        return None  # no client could follow it
    return target if target.startswith(("http://", "https://")) else None


def _obstacle(dialect: Dialect, group: Sequence[Interaction]) -> str | None:
    """Return why a client would send a request that is not recorded, or send it elsewhere."""
    for interaction in group:
        target, response = _redirect(interaction), interaction.response
        if target is None:
            continue
        if urlsplit(response.header("location") or "").netloc:
            why = "a client would leave the server"
        elif response.status not in _KEEP_METHOD:
            why = f"clients follow a {response.status} in different ways"
        elif interaction is group[-1]:
            why = "that is not recorded"
        else:
            continue
        return f"the answer redirects to {target}: {why}"
    if is_pending(dialect, [from_response(i.response) for i in group]):
        return "the recording ends before the answer does: a client would ask on"
    return None


def _scenario(
    scenario_id: str,
    cassette: Cassette,
    numbers: tuple[int, ...],
    dialect: Dialect,
    call: NeutralCall,
    features: frozenset[str],
) -> Scenario:
    first, *others = numbers
    several = f" to {others[-1]}" if others else ""
    return Scenario(
        id=scenario_id,
        title=f"Interaction {first}{several} of {cassette.path.name}",
        dialect=dialect.name,
        requires=features | {"streaming" if call.stream else "non_streaming"},
        source=(str(cassette.path),),
        priority="P0",
        file=cassette.path,
        row=first,
        cassette=cassette.path,
        interactions=numbers,
        turns=(TurnSpec(key_path=(), call=call),),
    )
