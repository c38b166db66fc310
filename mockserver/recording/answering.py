"""How the recorder answers a request: from a tape, or from a live endpoint that is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import SplitResult, quote, unquote, urlsplit

from aiohttp import web

from mockserver.cassettes.cassette import Headers, Request
from mockserver.library import library as store
from mockserver.library import locations
from mockserver.library.locations import Place
from mockserver.library.refusal import RefusalError
from mockserver.library.session import Found
from mockserver.recording.exchange import Capture, own_credentials
from mockserver.recording.forward import Forward
from mockserver.recording.providers import Provider, of_uri
from mockserver.recording.proxy import GRACE, Pipe, Upstream, relay
from mockserver.recording.tape import Tape
from mockserver.secrets.find import Known
from mockserver.serving import visitors
from mockserver.serving.app import App, Options, read_body, target_of
from mockserver.serving.playback import Playback
from mockserver.serving.responses import refusal_response
from mockserver.wire.content_coding import encoding_of, is_known

PREFIX = "/_c/"

#: Called with an exchange when it begins, and again when it is over.
Watcher = Callable[[Capture], None]


class OpenTape:
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


class RecordingApp(App):
    """Answers requests; those below ``/_c/`` from tapes and live endpoints.

    ``learn`` gets the credentials in requests before these are sent.
    """

    def __init__(
        self,
        library: store.Library,
        options: Options,
        watch: Watcher | None,
        forward: Forward | None,
        learn: Callable[[Iterable[str]], None],
    ) -> None:
        super().__init__(library, options)
        self.tapes: dict[str, OpenTape] = {}
        self._watch = watch
        self._forward = forward
        self._learn = learn

    @property
    def providers(self) -> list[Provider]:
        """The providers of all open tapes."""
        return [p for open_tape in self.tapes.values() for p in open_tape.providers.values()]

    async def answer(self, request: web.BaseRequest, origin: str | None) -> web.StreamResponse:
        """Answer one request."""
        path, query = target_of(request.raw_path)
        asked = self.asked(request)
        if not asked and not path.startswith(PREFIX):
            return await super().answer(request, origin)
        open_tape: OpenTape | None = None
        try:
            if asked and self._forward is not None and not self._at(asked):
                return refusal_response(self._forward.blocked(urlsplit(asked).hostname or ""))
            open_tape, provider, rest = self._find_asked(asked, path) if asked else self._find(path)
            number = open_tape.tape.arrive()
            body, _ = await read_body(request, self.options.limits.body)
            open_tape.tape.keep(len(body))
            uri = f"{asked or provider.origin or 'http://provider'}{rest}"
            received = Request(
                method=request.method,
                uri=f"{uri}?{query}" if query else uri,
                headers=tuple(_headers(request)),
                body=body,
            )
            found = open_tape.tape.find(received, has_base_url=not asked)
        except RefusalError as refusal:
            if open_tape is not None:
                open_tape.tape.refused.append(refusal.message)
            else:
                self.note_refusal(refusal.message)
            return refusal_response(refusal)
        if found is not None:
            return await self._replay(request, received, found, open_tape, origin)
        known = Known.of(open_tape.tape.known | own_credentials(received))
        self._learn(known.values)
        capture = Capture(number, received, known)
        return await self._record_live(request, open_tape, provider, capture, origin)

    def note_refusal(self, message: str) -> None:
        """Count a request without a cassette as one that every open cassette lacks."""
        for open_tape in self.tapes.values():
            open_tape.tape.refused.append(message)

    def note_blocked(self, host: str) -> None:
        """Remember a host that clients of the proxy asked for, and that is blocked."""
        for open_tape in self.tapes.values():
            open_tape.tape.blocked[host] = None

    async def close_tape(self, open_tape: OpenTape) -> None:
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
        open_tape: OpenTape,
        origin: str | None,
    ) -> web.StreamResponse:
        url = received.url
        record = self.enter(request, url.path, url.query, received.body, None, found, connection=0)
        message = found.exchange.message
        if not self.asked(request):
            message = found.exchange.message_at(open_tape.place(request.host))
        if origin is not None:
            message = visitors.readable(message, origin)
        playback = Playback(request, message, record)
        await playback.play(speed=self.options.speed, wait=self.wait)
        return playback.response

    async def _record_live(
        self,
        request: web.BaseRequest,
        open_tape: OpenTape,
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
            # A client of a proxy comes to it from any address.
            asked = self.asked(request)
            moved = headers if asked else locations.moved(headers, capture.request.uri, place)
            return moved if origin is None else visitors.allowing(origin, moved)

        return await relay(request, capture, pipe, fetching, shown)

    def _notify(self, capture: Capture) -> None:
        if self._watch is not None:
            self._watch(capture)

    def _at(self, origin: str) -> list[tuple[OpenTape, Provider]]:
        """Return the providers at an origin, with their tapes."""
        return [
            (open_tape, provider)
            for open_tape in self.tapes.values()
            for provider in open_tape.providers.values()
            if provider.is_at(origin)
        ]

    def _find_asked(self, origin: str, path: str) -> tuple[OpenTape, Provider, str]:
        """Return tape and provider of a request through the proxy, and its path."""
        found = self._at(origin)
        if len({id(open_tape) for open_tape, _ in found}) > 1:
            message = f"several cassettes are recorded from {origin}; record one at a time"
            raise RefusalError(409, "ambiguous", message)
        open_tape = found[0][0]
        best = of_uri(origin + path, (provider for _, provider in found))
        return open_tape, best or found[0][1], path

    def _find(self, path: str) -> tuple[OpenTape, Provider, str]:
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
