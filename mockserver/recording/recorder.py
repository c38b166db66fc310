"""The recorder: the mock server in front of live endpoints.

``/_c/<cassette>/<provider>/…`` records into one cassette from one provider, so a client in any
language needs only another base URL. It listens on this machine only and contacts only the
providers that a cassette was opened for.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from mockserver.cassettes.cassette import End
from mockserver.errors import ProviderError, RecordingError
from mockserver.library import library as store
from mockserver.library.rule import EXACT, Rule
from mockserver.recording import memory
from mockserver.recording.answering import PREFIX, OpenTape, RecordingApp, Watcher
from mockserver.recording.exchange import Capture
from mockserver.recording.forward import Forward
from mockserver.recording.modes import Mode
from mockserver.recording.providers import DUMMY_KEY, Provider
from mockserver.recording.proxy import GRACE, LogFilter, Upstream
from mockserver.recording.signing import signer_of
from mockserver.recording.tape import Result, Tape
from mockserver.recording.writer import NO_REQUEST, Check, locked
from mockserver.serving.proxying import no_proxy
from mockserver.serving.server import MockServer

#: Seconds without a byte from the live endpoint after which its answer counts as timed out.
TIMEOUT = 600.0


#: What is said of a recording without a request through the proxy. Some clients say nothing when
#: they do not accept a certificate.
_NO_REQUEST = (
    "no request came in; the client must use the proxy in HTTPS_PROXY and accept the certificates "
    "in SSL_CERT_FILE, by options of its own if it does not read these variables"
)


def _tell_nobody(_: str) -> None:
    """Do nothing with a line for people."""


class Recorder(MockServer):
    """Records and replays on a free local port, in its own thread.

    ``environment`` has the real keys. ``watch`` is called in that thread with every exchange
    that begins, and again when it is over. ``timeout`` is the longest wait for the next byte,
    in seconds. ``allow_origins`` are the web pages that may use it: what they send goes to the
    provider with the real key. ``proxy`` makes it a forward proxy, too, for clients whose base URL
    cannot be set: hosts of the providers are recorded, ``allow_hosts`` pass, others are blocked;
    ``tell`` is called, in that thread, with a line about each.
    """

    # A client that gives up must not keep its provider at work.
    _answers_half_closed = False
    _takes_short_cut = False

    def __init__(
        self,
        *,
        environment: Mapping[str, str] = os.environ,
        timeout: float = TIMEOUT,
        watch: Watcher | None = None,
        allow_origins: Collection[str] = (),
        proxy: bool = False,
        allow_hosts: Collection[str] = (),
        tell: Callable[[str], None] = _tell_nobody,
    ) -> None:
        self._forward: Forward | None = None
        if proxy:
            self._forward = Forward(
                lambda: self._recording.providers,
                allow_hosts,
                fail=lambda message: self._recording.note_refusal(message),
                turn_away=lambda host: self._recording.note_blocked(host),
                tell=tell,
            )
        super().__init__(allow_origins=allow_origins, local_pages=False, proxy_hosts=self._forward)
        self._logs = LogFilter()
        self._recording = RecordingApp(
            self.library, self._options, watch, self._forward, self._logs.learn
        )
        self._app = self._recording
        self._environment = environment
        self._timeout = timeout

    def tape(
        self,
        path: Path,
        providers: Sequence[Provider],
        *,
        mode: Mode = Mode.REWRITE,
        name: str | None = None,
        ends: Collection[End] = (),
        keep_opaque: bool = False,
        notes: Mapping[str, str] = MappingProxyType({}),
        allowed: Collection[str] = (),
        leave_out: bool = False,
        rule: Rule = EXACT,
        repeat: bool = True,
    ) -> TapeHandle:
        """Open the cassette at ``path`` for clients of ``providers``, the first by default.

        ``name`` is its name in URLs. ``ends`` allows endings other than ``eof``;
        ``keep_opaque`` keeps encrypted reasoning and signatures; ``notes`` go into
        ``wire.recorded``. ``allowed`` are texts that look like secrets and are none, or their
        marks; ``leave_out`` records the other exchanges where one has a secret that cannot be
        replaced. ``rule`` says what is compared in requests, and ``repeat`` whether an
        equal GET gets the last answer again. Raises :class:`ProviderError` if a key is missing,
        :class:`CassetteError` for a needed cassette that is missing or broken,
        :class:`RecordingError` if another process is recording into it.
        """
        if not providers:
            raise ProviderError("a recording needs a provider; name one")
        name = name or path.stem
        if self._call(lambda: name in self._recording.tapes):
            raise RecordingError(
                path, [f"{name!r} is already being recorded; wait for it, or use another name"]
            )
        with ExitStack() as stack:
            if mode.may_write and not (mode is Mode.ONCE and path.exists()):
                # Lock before reading the old cassette: what is compared must be what is replaced.
                stack.enter_context(locked(path))
            old = store.load(path) if path.exists() or mode is Mode.NONE else None
            tape = Tape(
                path,
                mode,
                old,
                ends=frozenset(ends),
                keep_opaque=keep_opaque,
                notes=dict(notes),
                allowed=allowed,
                leave_out=leave_out,
                rule=rule,
                repeat=repeat,
                if_empty=_NO_REQUEST if self.is_proxy else NO_REQUEST,
            )
            upstreams = self._upstreams(providers) if tape.uses_network else {}
            if tape.writes:
                tape.lock = stack.pop_all()
        tape.known = frozenset(v for u in upstreams.values() for v in u.known.values)
        self._logs.learn(tape.known)
        open_tape = OpenTape(name, tape, {p.name: p for p in providers}, upstreams)
        self._call(lambda: self._recording.tapes.__setitem__(name, open_tape))
        return TapeHandle(self, open_tape)

    def _upstreams(self, providers: Sequence[Provider]) -> dict[str, Upstream]:
        nameless = [p.name for p in providers if not p.base_url]
        if nameless:
            raise ProviderError(
                f"provider {nameless[0]} has a base URL for each account: "
                "set yours with --upstream or in a file of providers"
            )

        # In this thread: an access token may take a while.
        signers = {p.name: signer_of(p, self._environment) for p in providers}

        def make() -> dict[str, Upstream]:
            return {
                p.name: Upstream(p, signers[p.name], self._environment, timeout=self._timeout)
                for p in providers
            }

        return self._call(make)

    async def _start(self) -> None:
        memory.map_large_blocks()
        self._logs.install()
        await super()._start()

    async def _shut_down(self) -> None:
        await super()._shut_down()
        for open_tape in list(self._recording.tapes.values()):
            await self._recording.close_tape(open_tape)
            open_tape.tape.lock.close()
        self._logs.remove()

    def _finish(self, open_tape: OpenTape) -> None:
        """Wait until all exchanges have ended, then close the tape to clients."""
        loop = self._loop
        if loop is None:
            return

        async def close() -> None:
            if self._forward_proxy is not None:
                # Whether a client trusts the proxy may just be on its way here.
                await self._forward_proxy.settle(GRACE)
            await self._recording.close_tape(open_tape)

        asyncio.run_coroutine_threadsafe(close(), loop).result()


class TapeHandle:
    """One cassette that is being recorded or replayed; a context manager that closes it."""

    #: The key for clients.
    api_key = DUMMY_KEY

    def __init__(self, recorder: Recorder, open_tape: OpenTape) -> None:
        self._recorder = recorder
        self._open_tape = open_tape

    @property
    def path(self) -> Path:
        """The cassette's file."""
        return self._open_tape.tape.path

    @property
    def captures(self) -> tuple[Capture, ...]:
        """The live exchanges so far, in the order of arrival."""
        found = self._recorder._call(lambda: list(self._open_tape.tape.captures))
        return tuple(sorted(found, key=lambda capture: capture.number))

    @property
    def failures(self) -> tuple[str, ...]:
        """Why requests so far got no whole answer."""
        return tuple(self._recorder._call(self._open_tape.tape.failures))

    @property
    def base_url(self) -> str:
        """The base URL for clients of the first provider."""
        return self.base_url_of(next(iter(self._open_tape.providers)))

    def base_url_of(self, provider: str) -> str:
        """Return the base URL for clients of a provider, by its name."""
        found = self._open_tape.providers[provider]
        name = quote(self._open_tape.name)
        return f"{self._recorder.url}{PREFIX}{name}/{found.name}{found.base_path}"

    @property
    def address(self) -> str:
        """Where clients find it, for people."""
        return f"{self._recorder.url}, a proxy" if self.is_proxy else self.base_url

    @property
    def is_proxy(self) -> bool:
        """Whether the recorder is a forward proxy."""
        return self._recorder.is_proxy

    @property
    def hidden_variables(self) -> frozenset[str]:
        """Variables that clients in another process must not find."""
        return frozenset(v for p in self._open_tape.providers.values() for v in p.hidden)

    def environment(self) -> dict[str, str]:
        """Return variables that point clients in another process to this cassette.

        They replace the real keys, and exclude the local address from proxies; or they lead to the
        recorder as a proxy. Those of :attr:`hidden_variables` are to be taken out.
        """
        out = {"TAPECHECK_BASE_URL": self.base_url, "TAPECHECK_API_KEY": DUMMY_KEY}
        providers = self._open_tape.providers.values()
        for provider in providers:
            out |= dict.fromkeys(provider.key_variables, DUMMY_KEY)
            out |= dict.fromkeys(provider.client_key, DUMMY_KEY)
            if not self.is_proxy:
                out |= dict.fromkeys(provider.client_url, self.base_url_of(provider.name))
        out = {name: value for name, value in out.items() if name not in self.hidden_variables}
        if not self.is_proxy:
            return out | no_proxy(os.environ)
        hosts = [provider.url.hostname or "" for provider in providers]
        return out | self._recorder.proxy_variables(os.environ, hosts)

    def finish(self, check: Check | None = None) -> Result:
        """Write what was recorded, or compare it, as the mode asks.

        ``check`` gets the cassette before it is written. Raises :class:`RecordingError` or
        what ``check`` raises, and then nothing was written.
        """
        try:
            self._recorder._finish(self._open_tape)
            return self._open_tape.tape.finish(check)
        finally:
            self._open_tape.tape.lock.close()

    def close(self) -> None:
        """Close without writing."""
        self._recorder._finish(self._open_tape)
        self._open_tape.tape.lock.close()

    def __enter__(self) -> TapeHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
