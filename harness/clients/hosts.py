"""Where a client runs: in this process, or in processes of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from harness.clients.in_process import OnEvent, Output, drive
from harness.clients.interface import Adapter, Call
from harness.clients.launch import InWorker
from harness.clients.logs import LogCapture
from harness.clients.receiving import Sdks
from harness.clients.workers import Workers


class Client(Protocol):
    """A client, lent to one case."""

    async def call(
        self,
        call: Call,
        *,
        deadline: float,
        on_event: OnEvent | None = None,
        stop_after: int | None = None,
    ) -> Output:
        """Make a call; never raises for what the client does.

        After ``deadline`` seconds the client is stopped. ``on_event`` gets each event. After
        ``stop_after`` events with content the caller stops reading.
        """


class Host(Protocol):
    """A place where a client runs."""

    def client(
        self, *, shared: bool = False, fresh: bool = False
    ) -> AbstractAsyncContextManager[Client]:
        """Lend the client to a case that may share its process, or needs one of its own."""

    async def close(self) -> None:
        """End what was started."""


class InProcess:
    """Runs an adapter in this process, which can neither stop nor survive every client."""

    def __init__(self, adapter: Adapter, logs: LogCapture) -> None:
        self._adapter = adapter
        self._logs = logs

    @asynccontextmanager
    async def client(self, *, shared: bool = False, fresh: bool = False) -> AsyncIterator[Client]:  # noqa: ARG002
        """Lend the adapter: there is one process for all cases."""
        yield self

    async def call(
        self,
        call: Call,
        *,
        deadline: float,
        on_event: OnEvent | None = None,
        stop_after: int | None = None,
    ) -> Output:
        """Make a call."""
        with self._logs.of(call.api_key) as logs:
            output = await drive(
                self._adapter, call, deadline=deadline, on_event=on_event, stop_after=stop_after
            )
        output.logs = tuple(logs)
        return output

    async def close(self) -> None:
        """Do nothing."""


def is_in_worker(adapter: Adapter) -> bool:
    """Return whether the adapter runs in processes of its own."""
    return isinstance(adapter.run, InWorker)


def host_of(adapter: Adapter, logs: LogCapture, sdks: Sdks) -> Host:
    """Return the place where an adapter runs."""
    run = adapter.run
    return Workers(run, sdks) if isinstance(run, InWorker) else InProcess(adapter, logs)
