"""Run a client in processes of its own, and end those that do not answer.

A client is hostile: it may block, end its process, flood, or close what it talks through. One case
at a time has a process. Cases that mostly wait may share one; if it ends, it is not known whose
fault that is, so that each of them is played again in a process that has played nothing else.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import cast

from harness.clients.giving_up import Caller, read_and_give_up
from harness.clients.in_process import OnEvent, Output
from harness.clients.interface import Call
from harness.clients.launch import InWorker
from harness.clients.protocol import (
    CancelCall,
    Done,
    FromClient,
    Hello,
    Lines,
    MessageError,
    NotRun,
    Refused,
    Start,
    StartCall,
    decode_from_client,
    encode,
)
from harness.clients.receiving import Receiving, Sdks
from harness.errors import AdapterError, HarnessError
from mockserver.vocabulary import JsonObject

#: Seconds for a process to import the client.
START_TIMEOUT = 60.0
#: Seconds for a client to stop when its call is cancelled, and for a process to end.
GRACE = 1.0
#: Seconds for a command to answer ``cancel``: it may have to start programs for that.
CANCEL_GRACE = 5.0
#: Bytes kept of what a process prints, and characters of one line that are shown.
PRINTED, _SHOWN = 8 * 1024, 500


class DisturbedError(Exception):
    """The process ended, and another case may have ended it. Play this one again, alone."""


@dataclass(slots=True)
class _Pending:
    """A call in progress. ``end`` gets ``None``, or says how the process ended."""

    receiving: Receiving
    end: asyncio.Future[str | None]


class Worker(asyncio.SubprocessProtocol):
    """One process with the client in it.

    ``users`` are the cases that use it now, ``used`` those that ever did. ``ended`` says how it
    ended. A process that is ``spent`` gets no further case.
    """

    def __init__(self, launch: InWorker, sdks: Sdks | None = None) -> None:
        loop = asyncio.get_running_loop()
        self._launch = launch
        self._sdks = sdks if launch.command is not None else None
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
    async def start(
        cls, launch: InWorker, sdks: Sdks | None = None, *, timeout: float | None = None
    ) -> tuple[Worker, JsonObject]:
        """Start a process; return it with what the client declares in ``timeout`` seconds.

        Raises :class:`AdapterError` if the client cannot be loaded.
        """
        timeout = START_TIMEOUT if timeout is None else timeout
        try:
            _, worker = await asyncio.get_running_loop().subprocess_exec(
                lambda: cls(launch, sdks),
                *launch.argv,
                start_new_session=True,
                env=launch.environment,
                cwd=launch.directory,
            )
        except OSError as exc:
            raise AdapterError(f"{launch.reference}: cannot be started: {exc.strerror}") from None
        opening = None
        worker._send(encode(Start()))
        try:
            async with asyncio.timeout(timeout):
                opening = await worker._opening
            if isinstance(opening, Hello):
                return worker, opening.declaration
        except TimeoutError:
            worker.kill(f"did not {launch.opens} within {timeout:.0f} seconds")
        finally:
            if not isinstance(opening, Hello):
                await worker.stop()
        if isinstance(opening, Refused):
            raise AdapterError(
                opening.message, path=opening.path, line=opening.line, hint=opening.hint
            )
        raise worker._not_loaded()

    def _not_loaded(self) -> AdapterError:
        """Say why there was no hello."""
        reference = self._launch.reference
        if self._launch.command is None:
            return AdapterError(
                f"{reference}: the adapter cannot be imported: its import {self.ended}",
                hint="an import must define the adapter and return",
            )
        said = _telling(self._printed.decode(errors="replace"))
        return AdapterError(
            f"{reference}: the command sent no hello: it {self.ended}"
            + (f"; it printed: {said}" if said else ""),
            hint="start it by hand to see all that it prints; hello is one JSON line on stdout, "
            "flushed (docs/CLIENT_PROTOCOL.md)",
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
        number, remote = self._last, self._launch.command is not None
        receiving = Receiving(
            call, sdks=self._sdks, failures=self._launch.failures, on_event=on_event
        )
        output, pending = receiving.output, _Pending(receiving, self._loop.create_future())
        self._calls[number] = pending
        if self.ended is not None:
            pending.end.set_result(self.ended)
        arguments = self._sdks.arguments(call) if self._sdks is not None else None
        start = StartCall(
            id=number, call=call, arguments=arguments, stop_after=None if remote else stop_after
        )
        try:
            self._send(encode(start))
            with suppress(TimeoutError):
                async with asyncio.timeout(deadline):
                    if remote and stop_after is not None:
                        await self._give_up_after(number, pending, stop_after)
                    else:
                        await asyncio.shield(pending.end)
            if not pending.end.done():
                output.hung = True
                await self._cancel(number, pending)
        except BaseException:
            self.spent = True
            raise
        finally:
            del self._calls[number]
        self._judge_end(pending)
        output.finish(streamed=call.stream)
        return output

    async def _cancel(self, number: int, pending: _Pending) -> None:
        """Cancel a call, and end the process if it does not answer."""
        self.spent = True
        pending.receiving.leave()
        self._send(encode(CancelCall(id=number)))
        grace = GRACE if self._launch.command is None else CANCEL_GRACE
        await asyncio.wait([pending.end], timeout=grace)
        if not pending.end.done():
            self.kill("did not answer")
            await pending.end

    async def _give_up_after(self, number: int, pending: _Pending, stop_after: int) -> None:
        """Read a call of a command until its caller stops, and count what is late."""
        caller = Caller(pending.receiving, stop_after)
        pending.receiving.sink = caller

        async def read() -> None:
            try:
                await asyncio.shield(pending.end)
            except asyncio.CancelledError:
                pending.receiving.leave()
                self._send(encode(CancelCall(id=number)))
                await asyncio.shield(pending.end)
                raise

        await read_and_give_up(read(), caller)
        if not pending.end.done():
            # It goes on, and the server sees that its connection stays open.
            self.spent = True
            pending.end.set_result(None)
        pending.receiving.output.late = caller.late

    def _judge_end(self, pending: _Pending) -> None:
        """Say how the process ended, if it did. Raises :class:`DisturbedError`."""
        output, how = pending.receiving.output, pending.end.result()
        if (why := pending.receiving.not_run) is not None:
            raise HarnessError(f"the client's process could not make the call: {why}")
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
        if (flood := pending.receiving.take(message, size)) is not None:
            self.kill(flood)
        elif isinstance(message, Done | NotRun):
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
                self._why = f"disturbed the messages of its process: {exc}"
                self.kill(self._why)
            except Exception as exc:
                # Whatever a client sends is its fault: the others must get their messages.
                self._why = f"sent what cannot be read ({type(exc).__name__})"
                self.kill(self._why)

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

    async def ends_with_stdin(self, seconds: float) -> bool:
        """Close stdin; return whether the process ends by itself in so many seconds."""
        cast("asyncio.WriteTransport", self._transport.get_pipe_transport(0)).close()
        await asyncio.wait([self._gone], timeout=seconds)
        return self._gone.done()

    async def stop(self) -> None:
        """End the process and wait until it is gone."""
        self.kill("was stopped")
        await asyncio.shield(self._gone)


def _telling(printed: str) -> str:
    """Return the line of what a program printed that says most: its error, else its last."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower() and not line.startswith("at ")]
    return next(iter([*errors[-1:], *lines[-1:]]), "")[:_SHOWN]


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class Workers:
    """The processes of one client. Closing it ends them."""

    def __init__(self, launch: InWorker, sdks: Sdks | None = None) -> None:
        self._launch = launch
        self._sdks = sdks
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
        """End all processes. A later case starts a new one."""
        ended, self._all = self._all, set()
        self._idle, self._shared = [], None
        await asyncio.gather(*(worker.stop() for worker in ended))

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
        worker, _ = await Worker.start(self._launch, self._sdks)
        self._all.add(worker)
        return worker


async def declaration(launch: InWorker, *, timeout: float | None = None) -> JsonObject:
    """Return what a client declares. Raises :class:`AdapterError` if it cannot be loaded."""
    worker, declared = await Worker.start(launch, timeout=timeout)
    await worker.stop()
    return declared
