"""The server as an object: in its own thread, or in the running event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from mockserver.backend import Settings
from mockserver.backend.verdict import Verdict
from mockserver.cassettes.cassette import Cassette
from mockserver.errors import ServerStartError, SessionError
from mockserver.library import library as store
from mockserver.library.library import Library
from mockserver.library.rule import EXACT, Rule
from mockserver.library.session import Exchange
from mockserver.library.session import exchanges as exchanges_of
from mockserver.serving.app import App, Limits, Options
from mockserver.serving.at_once import ShortCut
from mockserver.serving.authority import Authority
from mockserver.serving.event_loop import loop_factory
from mockserver.serving.forward_proxy import ForwardProxy, ProxyHosts
from mockserver.serving.handle import SessionHandle
from mockserver.serving.journal import JournalEntry, Record
from mockserver.serving.listener import Listener
from mockserver.serving.proxying import proxy_environment
from mockserver.serving.sessions import answering
from mockserver.serving.sockets import listen
from mockserver.serving.visitors import Visitors
from mockserver.wire import axes
from mockserver.wire.axes import Point
from mockserver.wire.faults import Fault

T = TypeVar("T")

#: Seconds for cancelled handlers to end before connections are aborted.
_GRACE = 0.2
#: Seconds for the server's thread to answer a call from another thread.
_CALL_TIMEOUT = 60.0

Source = str | Path | Cassette


class MockServer:
    """Replays recorded HTTP interactions on a local port.

    ``with`` runs it in its own thread, ``async with`` in the running event loop; all
    methods may be called from any thread. ``library`` names directories of cassettes and
    single files. ``port`` 0 takes a free one. ``speed``: 0 plays without waits, 1 as
    recorded, N times as fast. ``once``: traffic without a session gets no recording twice.
    ``match_on``: the parts by which traffic without a prefix is matched, all by default, or fields
    such as ``body.model``; ``ignore``: fields that may differ; ``rule`` says the same for a
    project. ``repeat``: an equal GET gets the last answer again. ``control``: requests
    under ``/__tapecheck/`` may administrate it; not for clients that are tested.
    ``keep_clients``: a redirect leads to this server, wherever it led when it was recorded.
    ``allow_hosts``: names that clients may use for it, besides those of this machine; any, if it
    listens elsewhere and none is given. ``allow_origins``: web pages that may use it, besides, with
    ``local_pages``, those of this machine. ``cors``: they may read its answers. ``backend``:
    requests that nothing is recorded for get an answer that is made for them; without
    ``by_request`` all do but those to a cassette's own address. ``shared``: other processes listen
    on the same port, so that what needs to know earlier requests is refused. ``tls``: it speaks
    TLS, with a certificate of its own authority.

    Raises :class:`CassetteError` for a library that is missing, :class:`MatchError` for unknown
    words in ``match_on`` and ``ignore``, and on entry
    :class:`ServerStartError` if it cannot listen.
    """

    #: A client that sends nothing more gets its answer.
    _answers_half_closed = True
    #: What is prepared is answered at once.
    _takes_short_cut = True

    def __init__(
        self,
        library: Iterable[Path | str] | Path | str = (),
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 0.0,
        once: bool = False,
        match_on: Collection[str] = (),
        ignore: Collection[str] = (),
        rule: Rule | None = None,
        repeat: bool = True,
        limits: Limits | None = None,
        control: bool = True,
        keep_clients: bool = True,
        allow_hosts: Collection[str] = (),
        allow_origins: Collection[str] = (),
        local_pages: bool = True,
        cors: bool = True,
        backend: Settings | None = None,
        by_request: bool = True,
        shared: bool = False,
        proxy_hosts: ProxyHosts | None = None,
        tls: bool = False,
    ) -> None:
        if speed < 0:
            raise ValueError(f"speed must be 0 or more, not {speed}")
        roots = [library] if isinstance(library, Path | str) else list(library)
        rule = Rule.of(match_on, ignore).over(rule or EXACT)
        self.library = Library((Path(root) for root in roots), rule=rule)
        self._host, self._port = host, port
        self._options = Options(
            speed=speed,
            once=once,
            repeat=repeat,
            limits=limits or Limits(),
            control=control,
            keep_clients=keep_clients,
            visitors=Visitors.of(host, allow_hosts, allow_origins, local_pages=local_pages),
            cors=cors,
            backend=backend,
            by_request=by_request,
            shared=shared,
            proxy=proxy_hosts is not None,
        )
        self._proxy_hosts, self._tls = proxy_hosts, tls
        self._authority: Authority | None = None
        self._forward_proxy: ForwardProxy | None = None
        self._app = App(self.library, self._options)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """``http://host:port``, without a slash at the end; with TLS ``https://``."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{self._port}"

    @property
    def certificates(self) -> Path | None:
        """The file with the certificates that clients are to trust, while it speaks TLS."""
        return self._authority.file if self._authority else None

    @property
    def is_open(self) -> bool:
        """Whether other machines may use it by any name."""
        return self._options.visitors.hosts is None

    @property
    def is_shared(self) -> bool:
        """Whether other processes answer on the same port."""
        return self._options.shared

    @property
    def is_proxy(self) -> bool:
        """Whether it is a forward proxy."""
        return self._proxy_hosts is not None

    @property
    def trusted(self) -> Path | None:
        """The file with the certificates for clients of a running proxy."""
        return None if self._authority is None else self._authority.file

    def proxy_variables(
        self, environment: Mapping[str, str], hosts: Collection[str] = ()
    ) -> dict[str, str]:
        """Return variables that lead clients to a running proxy, and to ``hosts`` only by it."""
        if self.trusted is None:
            raise SessionError("the server is no running proxy; pass proxy_hosts, and enter it")
        return proxy_environment(self.url, self.trusted, environment, hosts)

    @property
    def journal(self) -> tuple[JournalEntry, ...]:
        """All requests, oldest first, with secrets."""
        return self._call(lambda: self._app.journal.entries)

    def verdict(self) -> Verdict:
        """Judge the clients by all requests so far."""
        return self._call(self._app.verdict)

    def records_after(self, number: int) -> list[Record]:
        """Return the journal's records of the requests after the one with that number."""
        return self._call(lambda: self._app.journal.after(number))

    def session(
        self,
        source: Source | None = None,
        *,
        point: Point = axes.RECORDED,
        fault: Fault | None = None,
        exchanges: Sequence[Exchange] | None = None,
        repeat_last: bool = False,
        backend: Settings | None = None,
    ) -> SessionHandle:
        """Open a session on a cassette, or on ``exchanges`` made elsewhere.

        ``source`` is a name in the library, a file, or a cassette, played at ``point`` and
        interrupted at ``fault``. With ``repeat_last`` a request beyond the recorded ones gets the
        last answer again. A session on ``exchanges`` leaves to its owner what a client does
        differently; any other refuses a call for a stream where a whole answer is recorded, and
        repeats the last answer to a GET. ``backend`` answers what is left, and needs neither a
        cassette nor exchanges. Raises :class:`SessionError` or :class:`CassetteError`.
        """
        name, lenient = "exchanges", exchanges is not None
        if source is None and exchanges is None and backend is not None:
            name, exchanges = "answers", ()
        if exchanges is None:
            if source is None:
                raise SessionError("a session needs a cassette or exchanges; pass one of them")
            cassette = self._cassette(source)
            name = source if isinstance(source, str) else str(cassette.path)
            exchanges = exchanges_of(cassette, point=point, fault=fault)
        if self._loop is None:
            raise SessionError("the server is not running; enter it with 'with' first")
        played = tuple(exchanges)
        live = self._call(
            lambda: self._app.open_session(
                played,
                name,
                repeat_last=repeat_last,
                lenient=lenient,
                backend=answering(backend) if backend else None,
            )
        )
        return SessionHandle(self, live)

    def drain(self, timeout: float) -> bool:
        """Take no more connections, and let the answers in progress end.

        ``False`` if some of them had not ended after ``timeout`` seconds. To be called from another
        thread than that of the server.
        """
        assert self._loop is not None
        self._call(self._server.close)
        waiting = self._app.wait_until_idle(timeout)
        return asyncio.run_coroutine_threadsafe(waiting, self._loop).result()

    async def __aenter__(self) -> Self:
        await self._start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._shut_down()

    def __enter__(self) -> Self:
        started: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(started,), name="tapecheck-mockserver", daemon=True
        )
        self._thread.start()
        try:
            started.result()
        except BaseException:
            # An interrupt may come before the server has started, or just after.
            if not started.cancel() and started.exception() is None:
                self._call(self._stop.set)
            self._thread.join()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._call(self._stop.set)
        assert self._thread is not None
        self._thread.join()

    def _cassette(self, source: Source) -> Cassette:
        match source:
            case str():
                return self.library.open(source).cassette
            case Path():
                return store.load(source)
            case Cassette():
                return source

    def _run(self, started: Future[None]) -> None:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(self._serve(started))

    async def _serve(self, started: Future[None]) -> None:
        try:
            await self._start()
        except BaseException as exc:
            with suppress(InvalidStateError):
                started.set_exception(exc)
            return
        try:
            started.set_result(None)
        except InvalidStateError:
            # Whoever started it was interrupted, and waits for its end.
            await self._shut_down()
            return
        await self._stop.wait()
        await self._shut_down()

    async def _start(self) -> None:
        if self._loop is not None:
            raise ServerStartError(f"the server is already running at {self.url}")
        loop = asyncio.get_running_loop()
        self._listener = Listener(
            self._app.handle,
            self._options.limits,
            self._app.note_refusal,
            answers_half_closed=self._answers_half_closed,
            short_cut=ShortCut(self._app) if self._takes_short_cut else None,
        )
        front: Callable[[], asyncio.BaseProtocol] = self._listener
        context = None
        if self._proxy_hosts is not None or self._tls:
            self._authority = Authority()
        if self._authority is not None and self._tls:
            context = self._authority.context(*self._options.visitors.names(self._host))
        if self._authority is not None and self._proxy_hosts is not None:
            front = self._forward_proxy = ForwardProxy(
                self._proxy_hosts, self._authority, self._listener
            )
        try:
            self._server = await listen(
                front, self._host, self._port, tls=context, shared=self._options.shared
            )
        except ServerStartError:
            self._close_authority()
            raise
        self._port = self._server.sockets[0].getsockname()[1]
        self._stop = asyncio.Event()
        self._loop, self._loop_thread = loop, threading.get_ident()

    async def _shut_down(self) -> None:
        self._server.close()
        if self._forward_proxy is not None:
            await self._forward_proxy.close()
        self._app.close()
        transports = [connection.transport for connection in self._listener.connections]
        self._listener.pre_shutdown()
        await self._listener.shutdown(_GRACE)
        for transport in transports:
            # A plain close waits for a client that may never read the rest.
            if transport is not None:
                transport.abort()
        # The transports are closed in the next round of the loop.
        await asyncio.sleep(0)
        self._close_authority()
        self._loop = None

    def _close_authority(self) -> None:
        if self._authority is not None:
            self._authority.close()
            self._authority = None

    def _call(self, function: Callable[[], T]) -> T:
        """Call in the loop's thread, or here if the server is not running."""
        loop = self._loop
        if loop is None or threading.get_ident() == self._loop_thread:
            return function()
        result: Future[T] = Future()

        def call() -> None:
            try:
                result.set_result(function())
            except BaseException as exc:
                result.set_exception(exc)

        loop.call_soon_threadsafe(call)
        try:
            return result.result(_CALL_TIMEOUT)
        except TimeoutError:
            raise SessionError("the server's thread does not answer; start a new server") from None

    async def _await(self, awaitable: Callable[[], Awaitable[T]], otherwise: T) -> T:
        loop = self._loop
        if loop is None:
            return otherwise
        if loop is asyncio.get_running_loop():
            return await awaitable()

        async def wrapped() -> T:
            return await awaitable()

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(wrapped(), loop))
