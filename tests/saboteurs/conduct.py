"""Broken clients that spoil another call: one given up, made at the same time, or failed before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

from tests.saboteurs.broken import caught_by
from tests.saboteurs.client import Event, FailureError, SimpleClient

# --- a caller that stops reading


@caught_by("cancel", "cancel", "conduct/chat-stop-in-text/recorded")
class ReadsOnInATask(SimpleClient):
    tasks: ClassVar[set[asyncio.Task[None]]] = set()

    async def run(self) -> AsyncIterator[Event]:
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        whole = super().run()

        async def read() -> None:
            async for item in whole:
                queue.put_nowait(item)
            queue.put_nowait(None)

        task = asyncio.create_task(read())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        while (item := await queue.get()) is not None:
            yield item


@caught_by("cancel", "cancel", "conduct/chat-stop-in-text/recorded")
class SwallowsTheCancellation(SimpleClient):
    async def run(self) -> AsyncIterator[Event]:
        whole = super().run()
        while (item := await self.following(whole)) is not None:
            yield item

    async def following(self, whole: AsyncIterator[Event]) -> Event | None:
        coming = asyncio.ensure_future(anext(whole, None))
        try:
            return await asyncio.shield(coming)
        except asyncio.CancelledError:
            return await coming


@caught_by("cancel", "cancel", "conduct/chat-stop-in-text/recorded")
@caught_by("cancel", "cancel", "conduct/chat-stop-in-call/recorded")
class HandsOnTheLastPieceTwice(SimpleClient):
    async def run(self) -> AsyncIterator[Event]:
        last: Event = {}
        try:
            async for item in super().run():
                last = item
                yield item
        except asyncio.CancelledError:
            yield last
            raise


# --- several calls at once


@caught_by("together", "mixed-up", "conduct/chat-together/recorded")
class HoldsTheLastPieceOnTheClass(SimpleClient):
    held: ClassVar[list[str]] = []

    def choice(self, choice: Event) -> Iterator[Event]:
        delta: Any = choice.get("delta") or {}
        if delta.get("content"):
            self.held.append(delta["content"])
            before = self.held.pop(0) if len(self.held) > 1 else ""
            choice = {**choice, "delta": {**delta, "content": before}}
        yield from super().choice(choice)


# --- a call after a failed one


@caught_by("sequence", "false-failure", "conduct/chat-again-after-429/recorded")
class KeepsTheErrorForTheNextCall(SimpleClient):
    failure: ClassVar[list[FailureError]] = []

    async def exchange(self) -> AsyncIterator[Event]:
        if self.failure:
            raise self.failure.pop()
        async for event in super().exchange():
            yield event

    def failed(self, failure: FailureError) -> Iterator[Event]:
        self.failure.append(failure)
        yield from super().failed(failure)


@caught_by("content-kept", "text", "conduct/chat-again-after-cut/recorded")
class KeepsTheTextForTheNextCall(SimpleClient):
    kept: ClassVar[list[str]] = []

    def choice(self, choice: Event) -> Iterator[Event]:
        delta: Any = choice.get("delta") or {}
        if delta.get("content") and self.kept:
            text = self.kept.pop() + delta["content"]
            choice = {**choice, "delta": {**delta, "content": text}}
        yield from super().choice(choice)

    def failed(self, failure: FailureError) -> Iterator[Event]:
        self.kept[:] = [self.text]
        yield from super().failed(failure)
