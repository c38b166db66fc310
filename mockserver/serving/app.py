"""The HTTP application: find the recorded answer to a request and play it.

============================  =======================================================
``/s/<session>/…``            one client's session, opened before
``/c/<cassette>/…``           one cassette, for clients that can change only a base URL
``/c/<cassette>/~eol=cr/…``   the same, in a variation (``mockserver.wire.variation``)
``/__tapecheck/…``            administration
anything else                 matched against all requests of the library
============================  =======================================================
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from aiohttp import hdrs, web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError

from mockserver.backend import ANSWER_HEADER, REFUSED, Backend, Given, Seen, Settings
from mockserver.backend.verdict import Statements, Verdict
from mockserver.cassettes.cassette import Headers, Request
from mockserver.errors import CodingError, SessionError, TooLargeError
from mockserver.library.library import Library
from mockserver.library.lookup import Lookup
from mockserver.library.refusal import RefusalError, needs_one_process
from mockserver.library.session import Exchange, Found
from mockserver.serving import admin, visitors
from mockserver.serving.journal import Journal, Record, Room
from mockserver.serving.origins import asked_origin
from mockserver.serving.playback import Playback
from mockserver.serving.responses import refusal_response
from mockserver.serving.sessions import Answers, LiveSession, answering
from mockserver.serving.visitors import Visitors
from mockserver.wire import variation
from mockserver.wire.content_coding import decode, encoding_of, is_known
from mockserver.wire.variation import Variation

#: A function that finds the recorded answer to a request, or raises :class:`RefusalError`.
Find = Callable[[Request], Awaitable[Found]]

#: What a path segment behind a cassette's name begins with if it says how to vary the answers.
_VARIED = "~"
#: What every one of several processes knows.
_STATELESS = frozenset({f"{admin.PREFIX}health", f"{admin.PREFIX}cassettes"})
#: Replaces the host that a client would talk to.
_ORIGIN = "http://provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits for clients: lengths in bytes, and counts.

    ``kept``: how many bytes of requests are kept in all journals together; ``played``: how many
    bytes of answers all sessions may have. ``head_seconds``: how long a client may take for the
    head of a request.
    """

    body: int = 64 * 1024 * 1024
    line: int = 64 * 1024
    header: int = 64 * 1024
    headers: int = 256
    sessions: int = 10_000
    journal: int = 1000
    kept: int = 256 * 1024 * 1024
    played: int = 1024 * 1024 * 1024
    head_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How recordings are matched and played.

    ``control``: requests may administrate the server. ``speed`` is 0 for no waits, 1 as recorded,
    N for N times as fast. ``once``: traffic without a session gets no recording twice.
    ``repeat``: a GET beyond the recorded ones gets the last answer. ``keep_clients``: addresses
    that clients follow are moved below the prefix of their request. ``visitors``: who may send
    requests; with ``cors``, web pages among them may read the answers. ``backend``: requests that
    nothing is recorded for get an answer that is made for them. ``by_request``: with a backend,
    requests without a prefix get recordings too. ``shared``: other processes answer on the same
    port. ``proxy``: requests may be for other hosts, in whose place this server answers.
    """

    speed: float = 0.0
    once: bool = False
    repeat: bool = True
    limits: Limits = Limits()
    control: bool = True
    keep_clients: bool = True
    visitors: Visitors = field(default_factory=Visitors)
    cors: bool = True
    backend: Settings | None = None
    by_request: bool = True
    proxy: bool = False
    shared: bool = False


class App:
    """Answers requests. All methods belong to the event loop's thread."""

    def __init__(self, library: Library, options: Options) -> None:
        self.library = library
        self.options = options
        self._room = Room(options.limits.kept)
        self.journal = Journal(options.limits.journal, self._room)
        self.sessions: dict[str, LiveSession] = {}
        #: What tests said in sessions that are closed; the journal still has their requests.
        self._stated: dict[str, Statements] = {}
        self._played = 0
        self.lookup = Lookup(
            library, once=options.once, repeat=options.repeat, shared=options.shared
        )
        self.answers = Answers()
        self.backend = answering(options.backend) if options.backend else None
        self._numbers = itertools.count()

    def open_session(
        self,
        exchanges: Sequence[Exchange],
        name: str,
        *,
        repeat_last: bool = False,
        lenient: bool = False,
        backend: Backend | None = None,
    ) -> LiveSession:
        """Open a session. Raises :class:`SessionError` if there are too many.

        ``lenient``: what the client does differently shall be seen in its journal, not in errors.
        ``backend`` answers what no exchange does.
        """
        limits = self.options.limits
        if len(self.sessions) >= limits.sessions:
            raise SessionError(f"{limits.sessions} sessions are already open; close some")
        size = sum(len(exchange.schedule.body) for exchange in exchanges)
        if self._played + size > limits.played:
            raise SessionError(
                f"the answers of all sessions would be over {limits.played >> 20} MiB; close some"
            )
        # Not a counter: a client of an earlier server on this port would hit a valid id.
        session_id = secrets.token_hex(4)
        live = LiveSession(
            session_id,
            exchanges,
            name=name,
            journal=Journal(limits.journal, self._room),
            repeat_last=repeat_last,
            repeat_polls=not lenient and self.options.repeat and not self.options.once,
            checks_kind=not lenient,
            backend=backend,
        )
        self.sessions[session_id] = live
        self._played += size
        live.size = size
        return live

    def verdict(self, session: str | None = None) -> Verdict:
        """Judge the client of a session; an empty name is for requests without one.

        Without a name all requests are judged, those of each session apart.
        """
        if session:
            return self.sessions[session].verdict()
        from mockserver.backend.verdict import joined, judge

        seen: dict[str | None, list[Seen]] = {None: []}
        for record in self.journal.records:
            seen.setdefault(record.session, []).append(record.seen)
        if session is not None:
            return judge(seen[None], now=time.monotonic(), forgotten=self.journal.dropped)
        stated = self._stated | {id_: live.statements for id_, live in self.sessions.items()}
        verdicts = (
            judge(some, stated.get(id_ or ""), now=time.monotonic()) for id_, some in seen.items()
        )
        return joined(verdicts, forgotten=self.journal.dropped)

    def close_session(self, session_id: str) -> None:
        """Forget a session and interrupt its answers."""
        live = self.sessions.pop(session_id, None)
        if live is not None:
            self._played -= live.size
            live.answers.cancel()
            live.journal.release()
            self._stated[session_id] = live.statements
            for oldest in list(self._stated)[: -self.options.limits.journal]:
                del self._stated[oldest]

    async def wait_until_idle(self, timeout: float) -> bool:
        """Wait until no answer is in progress; ``False`` after ``timeout`` seconds."""
        players = (self.answers, *(live.answers for live in self.sessions.values()))
        idle = await asyncio.gather(*(player.wait_until_idle(timeout) for player in players))
        return all(idle)

    def close(self) -> None:
        """Close all sessions and interrupt all answers."""
        for session_id in list(self.sessions):
            self.close_session(session_id)
        self.answers.cancel()

    async def reset(self) -> None:
        """Close all sessions, forget journal and order, and list the library again."""
        self.close()
        self.journal.clear()
        self.lookup.reset()
        await asyncio.to_thread(self.library.scan)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, if its sender is let in."""
        try:
            # A proxy's own method names another host; it is refused as what it is.
            connects = request.method == hdrs.METH_CONNECT
            proxied = bool(self.asked(request))
            visitors_of = self.options.visitors
            origin = None if connects else visitors_of.origin(request.headers, proxied=proxied)
        except RefusalError as refusal:
            self.note_refusal(refusal.message)
            return refusal_response(refusal)
        if origin is None or not self.options.cors:
            return await self.answer(request, None)
        headers = request.headers
        if request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in headers:
            return web.Response(status=204, headers=dict(visitors.allowing(origin, (), headers)))
        response = await self.answer(request, origin)
        if isinstance(response, web.Response):
            own = tuple(response.headers.items())
            response.headers.update(visitors.allowing(origin, own))
        return response

    def asked(self, request: web.BaseRequest) -> str:
        """Return scheme and authority of another host that a request is for, if it is."""
        return asked_origin(request) if self.options.proxy else ""

    async def answer(self, request: web.BaseRequest, origin: str | None) -> web.StreamResponse:
        """Answer one request; ``origin`` is the page that sends it, if one does."""
        path, query = target_of(request.raw_path)
        number = getattr(request.protocol, "number", 0)
        live: LiveSession | None = None
        body, sent = b"", b""
        try:
            body, sent = await read_body(request, self.options.limits.body)
            asked = path
            if self.asked(request):
                find: Find = functools.partial(self._matched, has_base_url=False)
            elif self.options.control and path.startswith(admin.PREFIX):
                if self.options.shared and path not in _STATELESS:
                    raise needs_one_process(path)
                return await admin.answer(self, request, path, body)
            else:
                live, path, find = self._route(path)
            backend = self.backend if live is None else live.backend
            headers = () if backend is None else tuple(request.headers.items())
            found = await find(received(request.method, path, query, headers, body))
        except RefusalError as refusal:
            if not path.startswith(admin.PREFIX):
                self.note_refusal(refusal.message)
                record = self.enter(request, path, query, sent, live, connection=number)
                record.refuse(refusal.outcome, status=refusal.status, note=refusal.message)
            response = refusal_response(refusal)
            if self.backend is not None:
                response.headers[ANSWER_HEADER] = REFUSED
            return response
        record = self.enter(request, path, query, sent, live, found, connection=number)
        exchange = found.exchange if isinstance(found, Given) else labelled(found, backend)
        message = exchange.message
        if exchange.has_address and self.options.keep_clients and not self.asked(request):
            base = f"{request.scheme}://{request.host}{asked.removesuffix(path)}"
            message = exchange.message_at(lambda _: base)
        if origin is not None:
            message = visitors.readable(message, origin)
        playback = Playback(request, message, record)
        # An answer that was made has times only if somebody asked for them.
        speed = 1.0 if isinstance(found, Given) and found.has_times else self.options.speed
        if speed or not playback.play_at_once():
            player = live or self
            player.answers.begin(record)
            await playback.play(speed=speed, wait=player.wait)
        return playback.response

    def note_refusal(self, message: str) -> None:
        """Do nothing: a refused request is in the journal. A recorder takes note of it."""

    async def wait(self, name: str) -> None:
        """Pass every gate: without a session, no client could release it."""

    def _route(self, path: str) -> tuple[LiveSession | None, str, Find]:
        """Return the session, the provider's path and the function that finds the answer."""
        if path.startswith("/s/"):
            if self.options.shared:
                raise needs_one_process("a session")
            session_id, _, rest = path.removeprefix("/s/").partition("/")
            live = self.sessions.get(session_id)
            if live is None:
                message = f"no session {session_id!r} is open; {admin.PREFIX}sessions lists them"
                raise RefusalError(404, "unknown_session", message)
            return live, f"/{rest}", live.find
        if path.startswith("/c/"):
            split = self.library.split(path.removeprefix("/c/"))
            if split is None:
                message = (
                    f"no cassette name at the start of {path}; {admin.PREFIX}cassettes lists them"
                )
                raise RefusalError(404, "unknown_cassette", message)
            name, rest = split
            chosen, rest = variation_of(rest)
            return None, rest, functools.partial(self.lookup.pinned, name, chosen)
        return None, path, self._matched

    async def _matched(self, got: Request, *, has_base_url: bool = True) -> Found:
        """Find a recorded answer, or make one. A client of a proxy has no base URL."""
        if self.backend is None:
            return await self.lookup.matched(got, has_base_url=has_base_url)
        found = await self.lookup.recorded(got) if self.options.by_request else None
        return found or self.backend.answer(got, time.monotonic())

    def enter(
        self,
        request: web.BaseRequest | RawRequestMessage,
        path: str,
        query: str,
        body: bytes,
        live: LiveSession | None,
        found: Found | None = None,
        *,
        connection: int,
        make: Callable[[], Found] | None = None,
    ) -> Record:
        """Enter a request in the journals; ``make`` as for a record."""
        record = Record(
            next(self._numbers),
            live.session.id if live else None,
            request.method,
            path,
            query,
            request.headers,
            body,
            found,
            connection=connection,
            make=make,
        )
        self.journal.add(record)
        if live is not None:
            record.call = live.call
            live.journal.add(record)
        return record


def labelled(found: Found, backend: Backend | None) -> Exchange:
    """Return what is sent for a recording: where answers are made too, it says what it is."""
    if backend is None:
        return found.exchange
    return found.exchange.with_header(ANSWER_HEADER, found.label)


def variation_of(path: str) -> tuple[Variation, str]:
    """Split the path behind a cassette's name into its variation, if any, and the rest.

    Raises :class:`RefusalError` for words that are not known.
    """
    first, _, rest = path.removeprefix("/").partition("/")
    words = unquote(first)
    if not words.startswith(_VARIED):
        return variation.PLAIN, path
    try:
        return variation.parse(words.removeprefix(_VARIED)), f"/{rest}"
    except ValueError as exc:
        raise RefusalError(400, "bad_variation", str(exc)) from None


def target_of(target: str) -> tuple[str, str]:
    """Split a request target (RFC 9112, section 3.2) into path and query."""
    if not target.startswith("/"):
        # Absolute form, as sent to proxies; "*" and authority form have no path of ours.
        _, _, rest = target.partition("://")
        target = "/" + rest.partition("/")[2]
    path, _, query = target.partition("#")[0].partition("?")
    return path, query


def received(method: str, path: str, query: str, headers: Headers, body: bytes) -> Request:
    """Return the request as a provider would get it."""
    uri = f"{_ORIGIN}{path}?{query}" if query else _ORIGIN + path
    return Request(method=method, uri=uri, headers=headers, body=body)


async def read_body(request: web.BaseRequest, limit: int) -> tuple[bytes, bytes]:
    """Return the request's body, decoded if its content codings are known, and as it was sent.

    Raises :class:`RefusalError` if it is too large or malformed, its decoder is missing, or it
    asks for what is not plain HTTP.
    """
    _refuse_other_protocols(request)
    if hdrs.EXPECT in request.headers:
        if (request.content_length or 0) > limit:
            raise _too_large(limit)
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    encoding = encoding_of(request.headers.items())
    try:
        body = await request.read()
        return (decode(body, encoding, limit=limit) if is_known(encoding) else body), body
    except (web.HTTPRequestEntityTooLarge, TooLargeError):
        raise _too_large(limit) from None
    except CodingError as exc:
        message = f"cannot decode the request body: {exc}"
        raise RefusalError(400, "bad_request", message, last=True) from None
    except (web.RequestPayloadError, HttpProcessingError) as exc:
        message = f"malformed request body: {exc}"
        raise RefusalError(400, "bad_request", message, last=True) from None


def _refuse_other_protocols(request: web.BaseRequest) -> None:
    """Refuse what would reach a provider, or be answered, as something else than was asked."""
    if request.method == hdrs.METH_CONNECT:
        raise RefusalError(
            405,
            "bad_request",
            "this server is not a proxy; use its URL as base URL, or start it with --proxy",
            last=True,
        )
    if "websocket" in request.headers.get(hdrs.UPGRADE, "").lower():
        raise RefusalError(
            400,
            "websocket",
            f"a WebSocket handshake for {target_of(request.raw_path)[0]}; tapecheck records and "
            "plays HTTP answers and event streams only: use the provider's HTTP interface",
            last=True,
        )
    if hdrs.TRAILER in request.headers:
        raise RefusalError(
            400,
            "trailers",
            "the request announces trailers, which would be lost; send them as headers",
            last=True,
        )
    expected = request.headers.get(hdrs.EXPECT, "100-continue")
    if expected.lower() != "100-continue":
        raise RefusalError(
            417, "bad_request", f"cannot meet the expectation {expected!r}", last=True
        )


def _too_large(limit: int) -> RefusalError:
    return RefusalError(
        413, "too_large", f"the request body is larger than {limit} bytes", last=True
    )
