"""One client's session, as the program that opened it sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Self, TypeVar

from mockserver.backend.verdict import Verdict
from mockserver.library.session import Exchange
from mockserver.serving.journal import JournalEntry
from mockserver.serving.sessions import LiveSession

if TYPE_CHECKING:
    from mockserver.serving.server import MockServer

T = TypeVar("T")

#: Seconds beyond a wait for the server's thread to say that it is over.
_GRACE = 10.0


class SessionHandle:
    """One client's session; a context manager that closes it."""

    def __init__(self, server: MockServer, live: LiveSession) -> None:
        self._server = server
        self._live = live

    @property
    def id(self) -> str:
        """The session's name in URLs."""
        return self._live.session.id

    @property
    def url(self) -> str:
        """The prefix of the provider's own path: ``{server}/s/{id}``."""
        return f"{self._server.url}/s/{self.id}"

    @property
    def journal(self) -> tuple[JournalEntry, ...]:
        """The session's requests, oldest first, with secrets."""
        return self._server._call(lambda: self._live.journal.entries)

    @property
    def unplayed(self) -> tuple[Exchange, ...]:
        """The exchanges that no request has consumed."""
        return self._server._call(lambda: self._live.session.unplayed)

    def release(self, name: str) -> None:
        """Release answers at the gate ``name``, now and in future."""
        self._server._call(lambda: self._live.release(name))

    def do(self, function: Callable[[LiveSession], T]) -> T:
        """Call a function with the session itself, in the server's thread."""
        return self._server._call(lambda: function(self._live))

    def verdict(self, timeout: float = 1.0) -> Verdict:
        """Judge the client by its requests, when no answer is in progress or ``timeout`` is over.

        Not for the thread of the server.
        """
        loop = self._server._loop
        if loop is not None:
            waiting = self._live.answers.wait_until_idle(timeout)
            asyncio.run_coroutine_threadsafe(waiting, loop).result(timeout + _GRACE)
        return self.do(LiveSession.verdict)

    async def wait_until_idle(self, timeout: float) -> bool:
        """Wait until no request is being answered; ``False`` after ``timeout`` seconds."""
        return await self._server._await(lambda: self._live.answers.wait_until_idle(timeout), True)

    def close(self) -> None:
        """Close the session and interrupt its answers. The journal stays."""
        self._server._call(lambda: self._server._app.close_session(self.id))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
