"""Run a client in processes of its own, and end those that do not answer.

A client is hostile: it may block, end its process, flood, or close what it talks through. One case
at a time has a process. Cases that mostly wait may share one; if it ends, it is not known whose
fault that is, so that each of them is played again in a process that has played nothing else.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast

from harness.clients import door
from harness.clients.certificates import environment
from harness.clients.in_process import OnEvent, Output
from harness.clients.interface import Call
from harness.clients.messages import (
    CancelCall,
    Done,
    Emitted,
    FromClient,
    Hello,
    Lines,
    MessageError,
    Meter,
    NotRun,
    Refused,
    StartCall,
    decode_from_client,
    encode,
)
from harness.errors import AdapterError, HarnessError
from mockserver.vocabulary import JsonObject

#: Seconds for a process to import the client.
START_TIMEOUT = 60.0
#: Seconds for a client to stop when its call is cancelled, and for a process to end.
GRACE = 1.0
#: Bytes kept of what a process prints.
PRINTED = 8 * 1024
#: What a new process runs: the paths are those of this process, as with ``multiprocessing``.
_BOOT = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from harness.clients.worker import main; main(sys.argv[2])"
)


@dataclass(frozen=True, slots=True)
class InWorker:
    """The ``run`` of an adapter that is not loaded in this process."""

    reference: str

    def __call__(self, _: Call) -> Any:
        """Refuse: only a worker has the client's code."""
        raise TypeError(f"{self.reference} runs in processes of its own; see harness.clients.hosts")


class DisturbedError(Exception):
    """The process ended, and another case may have ended it. Play this one again, alone."""


@dataclass(slots=True)
class _Pending:
    """A call in progress. ``end`` gets ``None``, or says how the process ended."""

    output: Output
    on_event: OnEvent | None
    end: asyncio.Future[str | None]
    meter: Meter = field(default_factory=Meter)
    not_run: str | None = None


class Worker(asyncio.SubprocessProtocol):
    """One process with the client in it.

    ``users`` are the cases that use it now, ``used`` those that ever did. ``ended`` says how it
    ended. A process that is ``spent`` gets no further case.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.users = self.used = 0
        self.spent = False
        self.ended: str | None = None
        self._opening: asyncio.Future[Hello | Refused | None] = loop.create_future()
        self._gone: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        self._lines = Lines()
        self._printed = b""
        self._calls: dict[int, _Pending] = {}
        self._last = 0
        self._open_pipes = {1, 2}
        self._why: str | None = None
        self._transport: asyncio.SubprocessTransport

    @classmethod
    async def start(cls, reference: str) -> tuple[Worker, JsonObject]:
        """Start a process; return it with what the client declares.

        Raises :class:`AdapterError` if the client cannot be loaded.
        """
        _, worker = await asyncio.get_running_loop().subprocess_exec(
            cls,
            *(sys.executable, "-P", "-c", _BOOT, _paths(), reference),
            start_new_session=True,
            env=environment(),
        )
        opening = None
        try:
            async with asyncio.timeout(START_TIMEOUT):
                opening = await worker._opening
            if isinstance(opening, Hello):
                return worker, opening.declaration
        except TimeoutError:
            worker.kill(f"did not end within {START_TIMEOUT:.0f} seconds")
        finally:
            if not isinstance(opening, Hello):
                await worker.stop()
        if isinstance(opening, Refused):
            raise AdapterError(
                opening.message, path=opening.path, line=opening.line, hint=opening.hint
            )
        raise AdapterError(
            f"{reference}: the adapter cannot be imported: its import {worker.ended}",
            hint="an import must define the adapter and return",
        )

    # --- calls ---------------------------------------------------------------------------

    async def call(
        self,
        call: Call,
        *,
        deadline: float,
        on_event: OnEvent | None = None,
        stop_after: int | None = None,
    ) -> Output:
        """Make a call; see :meth:`Client.call`."""
        self._last += 1
        number, pending = self._last, _Pending(Output(), on_event, self._loop.create_future())
        output, self._calls[number] = pending.output, pending
        if self.ended is not None:
            pending.end.set_result(self.ended)
        try:
            self._send(encode(StartCall(id=number, call=call, stop_after=stop_after)))
            with suppress(TimeoutError):
                async with asyncio.timeout(deadline):
                    await asyncio.shield(pending.end)
            if not pending.end.done():
                output.hung = self.spent = True
                self._send(encode(CancelCall(id=number)))
                await asyncio.wait([pending.end], timeout=GRACE)
                if not pending.end.done():
                    self.kill("did not answer")
                    await pending.end
        except BaseException:
            self.spent = True
            raise
        finally:
            del self._calls[number]
        self._judge_end(pending)
        output.finish(streamed=call.stream)
        return output

    def _judge_end(self, pending: _Pending) -> None:
        """Say how the process ended, if it did. Raises :class:`DisturbedError`."""
        output, how = pending.output, pending.end.result()
        if pending.not_run is not None:
            raise HarnessError(f"the client's process could not make the call: {pending.not_run}")
        if output.hung:
            output.raised = None
        if how is None:
            return
        if self.users > 1 or (self.used > 1 and not output.hung):
            raise DisturbedError
        if not output.hung:
            output.ended = f"the client {how}"
            output.printed = self._printed.decode(errors="replace")

    def _send(self, line: bytes) -> None:
        pipe = cast("asyncio.WriteTransport", self._transport.get_pipe_transport(0))
        if self.ended is None:
            pipe.write(line)

    def _receive(self, message: FromClient, size: int) -> None:
        if isinstance(message, Hello | Refused):
            if self._opening.done():
                raise MessageError("a second hello")
            self._opening.set_result(message)
            return
        if not 0 < message.id <= self._last:
            raise MessageError(f"an answer to call {message.id}, which was not made")
        pending = self._calls.get(message.id)
        if pending is None or pending.end.done():
            return
        output = pending.output
        match message:
            case Emitted():
                if (flood := pending.meter.exceeded_by(size)) is not None:
                    self.kill(flood.removeprefix("the client "))
                    return
                noted = door.Copied({}, message.problems, message.incomplete)
                copied = door.copied(message.data, noted)
                if message.is_turn:
                    output.turn, output.turn_given = door.turn(copied), True
                    return
                output.events.append(door.event(copied))
                if pending.on_event is not None:
                    pending.on_event(output.events[-1])
            case Done():
                output.raised, output.ended = message.raised, message.stopped
                output.logs, output.late = message.logs, message.late
                output.traceback = message.traceback
                pending.end.set_result(None)
            case NotRun():
                pending.not_run = message.message
                pending.end.set_result(None)

    # --- the process ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport of the process that was started."""
        # Not checked by class: uvloop has its own.
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Take messages, and the last of what the client prints."""
        if fd == 2:
            self._printed = (self._printed + data)[-PRINTED:]
        elif self._why is None:
            try:
                for line in self._lines.feed(data):
                    self._receive(decode_from_client(line), len(line))
            except MessageError as exc:
                self.kill(f"disturbed the messages of its process: {exc}")

    def pipe_connection_lost(self, fd: int, _: Exception | None) -> None:
        """Note that the process, or the client in it, closed a pipe."""
        self._open_pipes.discard(fd)
        if fd == 1 and self._transport.get_returncode() is None:
            self._loop.call_later(GRACE, self.kill, "closed the channel of its process")
        self._end_if_drained()

    def process_exited(self) -> None:
        """Note the end of the process. What it wrote may still arrive."""
        self._kill_group()
        self._loop.call_later(GRACE, self._end)
        self._end_if_drained()

    def kill(self, why: str) -> None:
        """End the process and all that it started; ``why`` completes "the client ..."."""
        if self._transport.get_returncode() is None:
            self._why = self._why or why
            self._kill_group()

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._transport.kill()
            else:
                os.killpg(self._transport.get_pid(), signal.SIGKILL)

    def _end_if_drained(self) -> None:
        if not self._open_pipes and self._transport.get_returncode() is not None:
            self._end()

    def _end(self) -> None:
        if self.ended is not None:
            return
        code = self._transport.get_returncode() or 0
        self.ended = self._why or (
            f"ended its process (exit code {code})"
            if code >= 0
            else f"was ended by {_signal(-code)}"
        )
        for pending in self._calls.values():
            if not pending.end.done():
                pending.end.set_result(self.ended)
        if not self._opening.done():
            self._opening.set_result(None)
        self._transport.close()
        self._gone.set_result(None)

    async def stop(self) -> None:
        """End the process and wait until it is gone."""
        self.kill("was stopped")
        await asyncio.shield(self._gone)


def _paths() -> str:
    """Return where this process finds modules. The client may change its directory."""
    return json.dumps([os.path.abspath(path) for path in sys.path])  # noqa: PTH100 - not only files


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class Workers:
    """The processes of one client. Closing it ends them."""

    def __init__(self, reference: str) -> None:
        self._reference = reference
        self._all: set[Worker] = set()
        self._idle: list[Worker] = []
        self._shared: Worker | None = None
        self._starting = asyncio.Lock()

    @asynccontextmanager
    async def client(self, *, shared: bool = False, fresh: bool = False) -> AsyncIterator[Worker]:
        """Lend a process to one case: to it alone, ``shared``, or one that played nothing yet.

        Raises :class:`AdapterError` if the client cannot be loaded.
        """
        worker = await (self._shared_one() if shared else self._lone_one(fresh=fresh))
        worker.users += 1
        worker.used += 1
        try:
            yield worker
        finally:
            worker.users -= 1
            if worker.ended is None and worker.spent and not worker.users:
                await worker.stop()
            if worker.ended is not None:
                self._all.discard(worker)
            elif worker is not self._shared and not worker.spent:
                self._idle.append(worker)

    async def close(self) -> None:
        """End all processes."""
        await asyncio.gather(*(worker.stop() for worker in self._all))

    async def _lone_one(self, *, fresh: bool) -> Worker:
        while self._idle and not fresh:
            worker = self._idle.pop()
            if worker.ended is None:
                return worker
        return await self._start()

    async def _shared_one(self) -> Worker:
        async with self._starting:
            worker = self._shared
            if worker is None or worker.ended is not None or worker.spent:
                worker = self._shared = await self._start()
            return worker

    async def _start(self) -> Worker:
        worker, _ = await Worker.start(self._reference)
        self._all.add(worker)
        return worker


async def declaration(reference: str) -> JsonObject:
    """Return what a client declares. Raises :class:`AdapterError` if it cannot be loaded."""
    worker, declared = await Worker.start(reference)
    await worker.stop()
    return declared
