"""The synchronous face of the clients: each call runs in an event loop of a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Coroutine, Generator, Mapping, Sequence
from typing import Any, Protocol, Self, TypeVar

from harness.adapters.common.harness_call import Client
from harness.adapters.common.transport import Closable
from mockserver.vocabulary import AssistantTurn, Event, Json, JsonObject

_T = TypeVar("_T")


class ClosableClient(Client, Protocol):
    """A client that :class:`SyncClient` can use."""

    async def aclose(self) -> None:
        """Close all connections."""


class Blocking:
    """Runs the coroutines of an async client and waits for them, in any thread.

    The client is closed with it, in ``with`` or by :meth:`close`. What a coroutine raises is
    raised here. An exception while waiting, such as ``KeyboardInterrupt``, cancels the call,
    which closes its connection.
    """

    def __init__(self, client: Closable | ClosableClient) -> None:
        self._closable = client
        self._closed = False
        started = threading.Event()
        # A daemon, so that a program which forgets to close can end.
        self._thread = threading.Thread(target=self._serve, args=(started,), daemon=True)
        self._thread.start()
        started.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Cancel calls that are under way and close all connections. May be called again."""
        if self._closed:
            return
        try:
            self.run(self._closable.aclose())
        finally:
            self._closed = True
            self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join()

    def run(self, call: Coroutine[Any, Any, _T]) -> _T:
        """Return what ``call`` returns. Raises ``RuntimeError`` after :meth:`close`."""
        if self._closed or self._thread is threading.current_thread():
            call.close()
            raise RuntimeError(
                "the client is closed: make another"
                if self._closed
                else "a call cannot wait for another in the client's own thread"
            )
        future = asyncio.run_coroutine_threadsafe(call, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate(self, answer: AsyncGenerator[_T, None]) -> Generator[_T, None, None]:
        """Yield what ``answer`` yields. Leaving the loop early closes the connection."""
        try:
            while items := self.run(_next(answer)):
                yield from items
        finally:
            # The garbage collector may end an abandoned iteration in any thread, at any time.
            if self._thread is threading.current_thread():
                self._loop.create_task(answer.aclose())
            elif not self._closed:
                self.run(answer.aclose())

    def _serve(self, started: threading.Event) -> None:
        asyncio.run(self._until_closed(started))

    async def _until_closed(self, started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._closing = asyncio.Event()
        started.set()
        await self._closing.wait()


class SyncClient(Blocking):
    """The calls of a client for programs without an event loop.

    ``client`` is any client of this package with ``stream`` and ``complete``.
    """

    def __init__(self, client: ClosableClient) -> None:
        super().__init__(client)
        self._client = client

    def stream(
        self,
        *,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        options: Mapping[str, Json] | None = None,
    ) -> Generator[Event, None, None]:
        """Yield the events of one answer, as the client's ``stream`` does."""
        return self.iterate(
            self._client.stream(model=model, messages=messages, tools=tools, options=options)
        )

    def complete(
        self,
        *,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        options: Mapping[str, Json] | None = None,
    ) -> AssistantTurn:
        """Return the whole turn of one answer, as the client's ``complete`` does."""
        return self.run(
            self._client.complete(model=model, messages=messages, tools=tools, options=options)
        )


async def _next(answer: AsyncGenerator[_T, None]) -> tuple[_T, ...]:
    """Return the next item; nothing at the end."""
    try:
        return (await anext(answer),)
    except StopAsyncIteration:
        return ()
