"""The recorder: the mock server in front of live endpoints.

``/_c/<cassette>/<provider>/…`` records into one cassette from one provider, so a client in any
language needs only another base URL. It listens on this machine only and contacts only the
providers that a cassette was opened for.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from urllib.parse import SplitResult, quote, unquote

from aiohttp import web

from mockserver.cassettes.cassette import End, Headers, Request
from mockserver.errors import ProviderError, RecordingError
from mockserver.library import library as store
from mockserver.library import locations
from mockserver.library.locations import Place
from mockserver.library.refusal import RefusalError
from mockserver.library.rule import EXACT, Rule
from mockserver.library.session import Found
from mockserver.recording.exchange import Capture
from mockserver.recording.modes import Mode
from mockserver.recording.providers import DUMMY_KEY, Provider
from mockserver.recording.proxy import GRACE, LogFilter, Pipe, Upstream, relay
from mockserver.recording.tape import Result, Tape
from mockserver.recording.writer import Check, locked
from mockserver.secrets.find import Known
from mockserver.serving import visitors
from mockserver.serving.app import App, Options, read_body, target_of
from mockserver.serving.playback import Playback
from mockserver.serving.responses import refusal_response
from mockserver.serving.server import MockServer
from mockserver.wire.content_coding import encoding_of, is_known

PREFIX = "/_c/"

#: Seconds without a byte from the live endpoint after which its answer counts as timed out.
TIMEOUT = 600.0

#: Called with an exchange when it begins, and again when it is over.
Watcher = Callable[[Capture], None]


class Recorder(MockServer):
    """Records and replays on a free local port, in its own thread.

    ``environment`` has the real keys. ``watch`` is called in that thread with every exchange
    that begins, and again when it is over. ``timeout`` is the longest wait for the next byte,
    in seconds. ``allow_origins`` are the web pages that may use it: what they send goes to the
    provider with the real key.
    """

    def __init__(
        self,
        *,
        environment: Mapping[str, str] = os.environ,
        timeout: float = TIMEOUT,
        watch: Watcher | None = None,
        allow_origins: Collection[str] = (),
    ) -> None:
        super().__init__(allow_origins=allow_origins, local_pages=False)
        self._recording = _RecordingApp(self.library, self._options, watch)
        self._app = self._recording
        self._environment = environment
        self._timeout = timeout
        self._logs = LogFilter()

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
            )
            upstreams = self._upstreams(providers) if tape.uses_network else {}
            if tape.writes:
                tape.lock = stack.pop_all()
        tape.known = frozenset(v for u in upstreams.values() for v in u.known.values)
        self._logs.known |= tape.known
        open_tape = _OpenTape(name, tape, {p.name: p for p in providers}, upstreams)
        self._call(lambda: self._recording.tapes.__setitem__(name, open_tape))
        return TapeHandle(self, open_tape)

    def _upstreams(self, providers: Sequence[Provider]) -> dict[str, Upstream]:
        nameless = [p.name for p in providers if not p.base_url]
        if nameless:
            raise ProviderError(
                f"provider {nameless[0]} has a base URL for each account: "
                "set yours with --upstream or in a file of providers"
            )

        def make() -> dict[str, Upstream]:
            return {
                p.name: Upstream(p, self._environment, timeout=self._timeout) for p in providers
            }

        return self._call(make)

    async def _start(self) -> None:
        self._logs.install()
        await super()._start()

    async def _shut_down(self) -> None:
        await super()._shut_down()
        for open_tape in list(self._recording.tapes.values()):
            await self._recording.close_tape(open_tape)
            open_tape.tape.lock.close()
        self._logs.remove()

    def _finish(self, open_tape: _OpenTape) -> None:
        """Wait until all exchanges have ended, then close the tape to clients."""
        loop = self._loop
        if loop is None:
            return
        closing = self._recording.close_tape(open_tape)
        asyncio.run_coroutine_threadsafe(closing, loop).result()


class TapeHandle:
    """One cassette that is being recorded or replayed; a context manager that closes it."""

    #: The key for clients.
    api_key = DUMMY_KEY

    def __init__(self, recorder: Recorder, open_tape: _OpenTape) -> None:
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
    def base_url(self) -> str:
        """The base URL for clients of the first provider."""
        return self.base_url_of(next(iter(self._open_tape.providers)))

    def base_url_of(self, provider: str) -> str:
        """Return the base URL for clients of a provider, by its name."""
        found = self._open_tape.providers[provider]
        name = quote(self._open_tape.name)
        return f"{self._recorder.url}{PREFIX}{name}/{found.name}{found.base_path}"

    @property
    def hidden_variables(self) -> frozenset[str]:
        """Variables that clients in another process must not find."""
        return frozenset(v for p in self._open_tape.providers.values() for v in p.hidden)

    def environment(self) -> dict[str, str]:
        """Return variables that point clients in another process to this cassette.

        They replace the real keys, and exclude the local address from proxies. Those of
        :attr:`hidden_variables` are to be taken out.
        """
        out = {"TAPECHECK_BASE_URL": self.base_url, "TAPECHECK_API_KEY": DUMMY_KEY}
        for provider in self._open_tape.providers.values():
            out |= dict.fromkeys(provider.key_variables, DUMMY_KEY)
            out |= dict.fromkeys(provider.client_key, DUMMY_KEY)
            out |= dict.fromkeys(provider.client_url, self.base_url_of(provider.name))
        out = {name: value for name, value in out.items() if name not in self.hidden_variables}
        return out | no_proxy(os.environ)

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


def no_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """Return variables that exclude local addresses from the proxies of ``environment``."""
    out = {}
    for variable in ("NO_PROXY", "no_proxy"):
        hosts = [h for h in environment.get(variable, "").split(",") if h]
        missing = [h for h in ("127.0.0.1", "localhost") if h not in hosts]
        out[variable] = ",".join((*hosts, *missing))
    return out


class _OpenTape:
    """A tape with its name in URLs and the connections to its providers."""

    def __init__(
        self,
        name: str,
        tape: Tape,
        providers: Mapping[str, Provider],
        upstreams: Mapping[str, Upstream],
    ) -> None:
        self.name = name
        self.tape = tape
        self.providers = providers
        self.upstreams = upstreams

    def place(self, host: str) -> Place:
        """Return where addresses of providers are on this server, which has the name ``host``.

        That of any other host is refused: nothing of it would be recorded.
        """

        def below(parts: SplitResult) -> str:
            origin = f"{parts.scheme}://{parts.netloc}"
            known = (p.name for p in self.providers.values() if p.origin == origin)
            return f"http://{host}{PREFIX}{quote(self.name)}/{next(known, parts.netloc)}"

        return below


class _RecordingApp(App):
    """Answers requests; those below ``/_c/`` from tapes and live endpoints."""

    def __init__(self, library: store.Library, options: Options, watch: Watcher | None) -> None:
        super().__init__(library, options)
        self.tapes: dict[str, _OpenTape] = {}
        self._watch = watch

    async def answer(self, request: web.BaseRequest, origin: str | None) -> web.StreamResponse:
        """Answer one request."""
        path, query = target_of(request.raw_path)
        if not path.startswith(PREFIX):
            return await super().answer(request, origin)
        open_tape: _OpenTape | None = None
        try:
            open_tape, provider, rest = self._find(path)
            number = open_tape.tape.arrive()
            body = await read_body(request, self.options.limits.body)
            uri = f"{provider.origin or 'http://provider'}{rest}"
            received = Request(
                method=request.method,
                uri=f"{uri}?{query}" if query else uri,
                headers=tuple(_headers(request)),
                body=body,
            )
            found = open_tape.tape.find(received)
        except RefusalError as refusal:
            if open_tape is not None:
                open_tape.tape.refused.append(refusal.message)
            else:
                self.note_refusal(refusal.message)
            return refusal_response(refusal)
        if found is not None:
            return await self._replay(request, received, found, open_tape, origin)
        capture = Capture(number, received, Known(open_tape.tape.known))
        return await self._record_live(request, open_tape, provider, capture, origin)

    def note_refusal(self, message: str) -> None:
        """Count a request without a cassette as one that every open cassette lacks."""
        for open_tape in self.tapes.values():
            open_tape.tape.refused.append(message)

    async def close_tape(self, open_tape: _OpenTape) -> None:
        """Wait until all exchanges have ended, then forget the tape."""
        self.tapes.pop(open_tape.name, None)
        try:
            async with asyncio.timeout(2 * GRACE):
                await open_tape.tape.idle.wait()
        except TimeoutError:
            open_tape.tape.cancel()
            await open_tape.tape.idle.wait()
        for upstream in open_tape.upstreams.values():
            await upstream.close()

    async def _replay(
        self,
        request: web.BaseRequest,
        received: Request,
        found: Found,
        open_tape: _OpenTape,
        origin: str | None,
    ) -> web.StreamResponse:
        url = received.url
        record = self._record(request, url.path, url.query, received.body, None, found)
        message = found.exchange.message_at(open_tape.place(request.host))
        if origin is not None:
            message = visitors.readable(message, origin)
        playback = Playback(request, message, record)
        await playback.play(speed=self.options.speed, wait=self.wait)
        return playback.response

    async def _record_live(
        self,
        request: web.BaseRequest,
        open_tape: _OpenTape,
        provider: Provider,
        capture: Capture,
        origin: str | None,
    ) -> web.StreamResponse:
        self._notify(capture)
        pipe: Pipe = asyncio.Queue()
        fetch = open_tape.upstreams[provider.name].fetch(capture, pipe)
        fetching = open_tape.tape.begin(capture, fetch, self._notify)
        place = open_tape.place(request.host)

        def shown(headers: Headers) -> Headers:
            moved = locations.moved(headers, capture.request.uri, place)
            return moved if origin is None else visitors.allowing(origin, moved)

        return await relay(request, capture, pipe, fetching, shown)

    def _notify(self, capture: Capture) -> None:
        if self._watch is not None:
            self._watch(capture)

    def _find(self, path: str) -> tuple[_OpenTape, Provider, str]:
        """Return tape, provider and the provider's own path."""
        segments = path.removeprefix(PREFIX).split("/")
        for count in range(len(segments) - 1, 0, -1):
            open_tape = self.tapes.get(unquote("/".join(segments[:count])))
            if open_tape is None:
                continue
            provider = open_tape.providers.get(unquote(segments[count]))
            if provider is None:
                names = ", ".join(open_tape.providers)
                message = (
                    f"{open_tape.name} does not record from {segments[count]!r}, only from {names}"
                )
                raise RefusalError(404, "unknown_provider", message)
            return open_tape, provider, "/" + "/".join(segments[count + 1 :])
        raise RefusalError(404, "unknown_cassette", f"no cassette is being recorded at {path}")


def _headers(request: web.BaseRequest) -> Iterator[tuple[str, str]]:
    """Yield the headers that describe the body as it was read."""
    headers = list(request.headers.items())
    was_decoded = is_known(encoding_of(headers))
    for name, value in headers:
        if name.lower() != "content-encoding" or not was_decoded:
            yield name, value
