"""Answers without a session, for clients that can change only their base URL."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable

from mockserver.cassettes.cassette import Request
from mockserver.errors import CassetteError, CodingError, SessionError
from mockserver.library import nearest, streams
from mockserver.library.index import Index, Location
from mockserver.library.library import Library, Opened
from mockserver.library.matcher import plain_path, signature
from mockserver.library.refusal import RefusalError
from mockserver.library.rule import ROUTE
from mockserver.library.session import Found, Rotation
from mockserver.wire.variation import Variation


class Lookup:
    """Finds recordings in one cassette or in the whole library.

    Equal requests get their recordings in recorded order. After the last it starts over, or with
    ``repeat`` repeats the answer to a GET, unless ``once``. Raises :class:`RefusalError` if nothing
    is recorded.
    """

    def __init__(self, library: Library, *, once: bool, repeat: bool) -> None:
        self.library = library
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
        recorded = answers.positions(got.method.upper(), plain_path(got.url.path))
        positions = [n for n in recorded if streams.fits(answers.found[n].exchange, got)]
        if recorded and not positions:
            raise streams.refusal(got, name)
        position = None
        if positions:
            route = answers.found[positions[0]].exchange.route
            key = (name, variation, route, positions[0])
            position = self._rotation.take(key, positions, route, name)
        if position is None:
            raise nearest.explain(
                got,
                nearest.among(got, answers.exchanges, name, ROUTE),
                where=f"in {name}",
                hint="Under /c/, requests are matched by method and path.",
            )
        return answers.found[position]

    async def matched(self, got: Request) -> Found:
        """Find an answer in all cassettes, by the parts that are compared."""
        found = await self._search(got)
        if isinstance(found, Found):
            return found
        raise await asyncio.to_thread(found)

    async def recorded(self, got: Request) -> Found | None:
        """Find an answer as :meth:`matched` does; ``None`` where nothing is recorded."""
        found = await self._search(got)
        return found if isinstance(found, Found) else None

    async def _search(self, got: Request) -> Found | Callable[[], RefusalError]:
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
                known = index.signatures[positions[0]]
                key = (known.key(index.rule.parts), positions[0])
                position = self._rotation.take(key, positions, (known.method, known.path))
            if position is None:
                return functools.partial(self._explain, got, index)
            location = index.locations[position]
            opened = await self._open(location.name)
            if opened.stamp == index.stamps[location.name]:
                return opened.answers().found[location.number]
            # The file was changed after it was indexed.
            await asyncio.to_thread(self.library.scan)

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

    def _explain(self, got: Request, index: Index) -> RefusalError:
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
        return nearest.explain(got, near, where=f"in {count} cassettes", hint=hint)


def broken(error: CassetteError) -> RefusalError:
    """Return the refusal of a request that needs an unusable cassette."""
    return RefusalError(422, "broken_cassette", str(error))
