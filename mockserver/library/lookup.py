"""Answers without a session, for clients that can change only their base URL."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from weakref import ref

from mockserver.cassettes.cassette import Request
from mockserver.errors import CassetteError, CodingError, SessionError
from mockserver.library import nearest, streams
from mockserver.library.index import Index, Location
from mockserver.library.library import Answers, Library, Opened
from mockserver.library.matcher import plain_path, signature
from mockserver.library.refusal import RefusalError, needs_one_process
from mockserver.library.rule import ROUTE
from mockserver.library.session import Found, Rotation
from mockserver.wire.variation import Variation


@dataclass(frozen=True, slots=True)
class Choices:
    """The recordings of which equal requests get the next, all of them in memory.

    ``found`` has them by number; ``opened`` and ``index`` are what they were read from. They keep
    no cassette in memory.
    """

    numbers: tuple[int, ...]
    found: Mapping[int, Found]
    key: Hashable
    route: tuple[str, str]
    cassette: str
    opened: tuple[ref[Opened], ...]
    index: Index | None = None


class Lookup:
    """Finds recordings in one cassette or in the whole library.

    Equal requests get their recordings in recorded order. After the last it starts over, or with
    ``repeat`` repeats the answer to a GET, unless ``once``. ``shared``: other processes answer too,
    so that there is no order. Raises :class:`RefusalError` if nothing is recorded.
    """

    def __init__(self, library: Library, *, once: bool, repeat: bool, shared: bool = False) -> None:
        self.library = library
        self._shared = shared
        self._rotation = Rotation(once=once, repeat=repeat)

    def reset(self) -> None:
        """Start again with the first recorded answers."""
        self._rotation.clear()

    async def pinned(self, name: str, variation: Variation, got: Request) -> Found:
        """Find an answer in a variation of the cassette ``name``, by method and path."""
        opened = await self._open(name)
        try:
            answers = opened.answers(variation)
        except ValueError as exc:
            raise RefusalError(400, "bad_variation", f"{name}: {exc}") from None
        except CodingError as exc:
            raise RefusalError(422, "broken_cassette", f"{name}: {exc}") from None
        positions = _positions(answers, got)
        position = None
        if positions:
            self._check(positions)
            route, key = _pinned_key(answers, name, variation, positions)
            position = self._rotation.take(key, positions, route, name)
        elif answers.positions(got.method.upper(), plain_path(got.url.path)):
            raise streams.refusal(got, name)
        if position is None:
            raise nearest.explain(
                got,
                nearest.among(got, answers.exchanges, name, ROUTE),
                where=f"in {name}",
                hint="Under /c/, requests are matched by method and path.",
            )
        return answers.found[position]

    def pinned_choices(self, name: str, variation: Variation, got: Request) -> Choices | None:
        """Return the choices of :meth:`pinned`, if there are any and no file has to be read."""
        opened = self.library.opened(name)
        answers = None if opened is None else opened.prepared(variation)
        if opened is None or answers is None:
            return None
        positions = _positions(answers, got)
        if not positions:
            return None
        route, key = _pinned_key(answers, name, variation, positions)
        found = {n: answers.found[n] for n in positions}
        return Choices(tuple(positions), found, key, route, name, (ref(opened),))

    async def matched(self, got: Request, *, has_base_url: bool = True) -> Found:
        """Find an answer in all cassettes, by the parts that are compared.

        Without a base URL, which a client of a proxy does not have, no advice is about one.
        """
        found = await self._search(got, has_base_url=has_base_url)
        if isinstance(found, Found):
            return found
        raise await asyncio.to_thread(found)

    async def recorded(self, got: Request) -> Found | None:
        """Find an answer as :meth:`matched` does; ``None`` where nothing is recorded."""
        found = await self._search(got)
        return found if isinstance(found, Found) else None

    async def _search(
        self, got: Request, *, has_base_url: bool = True
    ) -> Found | Callable[[], RefusalError]:
        """Return an answer, or what says why there is none: that takes longer than to look."""
        while True:
            index = self.library.index
            if index is None:
                index = await asyncio.to_thread(self.library.build_index)
            equal = index.matches(got)
            positions = equal
            if equal and not index.rule.compares_whole_bodies:
                positions = [n for n in equal if await self._fits(index.locations[n], got)]
                if not positions:
                    name = index.locations[equal[0]].name
                    return functools.partial(streams.refusal, got, name)
            position = None
            if positions:
                self._check(positions)
                route, key = _matched_key(index, positions)
                position = self._rotation.take(key, positions, route)
            if position is None:
                return functools.partial(self._explain, got, index, has_base_url=has_base_url)
            location = index.locations[position]
            opened = await self._open(location.name)
            if opened.stamp == index.stamps[location.name]:
                return opened.answers().found[location.number]
            # The file was changed after it was indexed.
            await asyncio.to_thread(self.library.scan)

    def matched_choices(self, got: Request) -> Choices | None:
        """Return the choices of :meth:`matched`, if there are any and no file has to be read."""
        index = self.library.index
        positions = index.matches(got) if index and index.rule.compares_whole_bodies else []
        if index is None or not positions:
            return None
        found, read = {}, []
        for position in positions:
            location = index.locations[position]
            opened = self.library.opened(location.name)
            answers = None if opened is None else opened.prepared()
            if opened is None or answers is None or opened.stamp != index.stamps[location.name]:
                return None
            found[position] = answers.found[location.number]
            read.append(opened)
        route, key = _matched_key(index, positions)
        numbers = tuple(positions)
        return Choices(numbers, found, key, route, "", tuple(map(ref, dict.fromkeys(read))), index)

    def are_current(self, choices: Choices) -> bool:
        """Return whether the choices are still what is in the files."""
        index = choices.index
        if index is not None and index is not self.library.index:
            return False
        for reference in choices.opened:
            opened = reference()
            if opened is None or self.library.opened(opened.name) is not opened:
                return False
        return True

    def take(self, choices: Choices, wanted: Callable[[int], bool]) -> int | None:
        """Return the number of the next one, if it is ``wanted``; if not, it is still the next."""
        if self._shared and len(choices.numbers) > 1:
            return None
        return self._rotation.take(
            choices.key, choices.numbers, choices.route, choices.cassette, wanted
        )

    def _check(self, positions: Sequence[int]) -> None:
        """Refuse a request with several answers if other processes may have given some."""
        if self._shared and len(positions) > 1:
            raise needs_one_process(f"the order of {len(positions)} answers to equal requests")

    async def _fits(self, location: Location, got: Request) -> bool:
        answers = (await self._open(location.name)).answers().found
        return location.number >= len(answers) or streams.fits(
            answers[location.number].exchange, got
        )

    async def _open(self, name: str) -> Opened:
        opened = self.library.opened(name)
        if opened is not None:
            return opened
        try:
            return await asyncio.to_thread(self.library.open, name)
        except CassetteError as exc:
            raise broken(exc) from None
        except SessionError as exc:
            raise RefusalError(404, "unknown_cassette", str(exc)) from None

    def _explain(self, got: Request, index: Index, *, has_base_url: bool) -> RefusalError:
        near = []
        for location in index.nearest(signature(got, index.rule), nearest.NEAR):
            try:
                expected = self.library.open(location.name).cassette.interactions[location.number]
            except (CassetteError, IndexError):
                continue
            near.append(
                nearest.near(location.name, location.number, expected.request, got, index.rule)
            )
        count = len(self.library.paths)
        hint = (
            f"Requests are matched by {index.rule}; "
            "under /c/<cassette>/ only by method and path, in that cassette."
        )
        unreadable = self.library.problems
        if unreadable:
            hint += f" Unreadable cassettes: {', '.join(sorted(unreadable))}."
        return nearest.explain(
            got,
            near,
            where=f"in {count} cassette{'s' * (count != 1)}",
            hint=hint,
            has_base_url=has_base_url,
        )


def _positions(answers: Answers, got: Request) -> list[int]:
    """Return the places of the answers to that method and path, of the kind that is asked for."""
    recorded = answers.positions(got.method.upper(), plain_path(got.url.path))
    return [n for n in recorded if streams.fits(answers.found[n].exchange, got)]


def _pinned_key(
    answers: Answers, name: str, variation: Variation, positions: Sequence[int]
) -> tuple[tuple[str, str], Hashable]:
    route = answers.found[positions[0]].exchange.route
    # A text, because it knows its hash.
    return route, repr((name, str(variation), route, positions[0]))


def _matched_key(index: Index, positions: Sequence[int]) -> tuple[tuple[str, str], Hashable]:
    known = index.signatures[positions[0]]
    return (known.method, known.path), (known.key(index.rule.parts), positions[0])


def broken(error: CassetteError) -> RefusalError:
    """Return the refusal of a request that needs an unusable cassette."""
    return RefusalError(422, "broken_cassette", str(error))
