"""The two sides of a recording: fetch from the live endpoint, relay to the client.

They run as separate tasks, so that a slow client does not change the times, and so that the
last bytes of a message are still recorded if the client disconnects early.

The HTTP library that fetches writes logs; secrets are masked in them.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import certifi
import httpx
from aiohttp import web

from mockserver.cassettes.cassette import End, Headers, Request, header_value
from mockserver.errors import ProviderError
from mockserver.recording import trailers
from mockserver.recording.exchange import Capture, Head
from mockserver.recording.providers import DUMMY_KEY, Provider
from mockserver.recording.signing import Signer, sign
from mockserver.secrets import find, names
from mockserver.secrets.find import Known
from mockserver.serving.playback import AlreadySent, reset
from mockserver.wire.body import Media
from mockserver.wire.http1 import Message
from mockserver.wire.schedule import HOP_BY_HOP, Coding, Ending, Schedule, Send

#: Seconds for an answer to end after the client has disconnected.
GRACE = 0.25
#: Seconds to wait for a connection to the live endpoint, and for it to take the request.
_CONNECT, _SEND = 30.0, 120.0
#: How long an answer may be, in bytes and in seconds: a stream without end must end.
MOST_BYTES, MOST_SECONDS = 256 * 1024 * 1024, 3600.0
#: Loggers that write URLs (with keys in their queries) and headers (with cookies).
_LOGGERS = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
    # It writes signatures.
    "botocore.auth",
)

Pipe = asyncio.Queue[Head | bytes | None]


class Upstream:
    """The connection to one provider.

    ``signer`` proves who asks; ``environment`` names the certificates to trust; ``timeout``:
    longest wait for the next byte, seconds.
    """

    def __init__(
        self,
        provider: Provider,
        signer: Signer | None,
        environment: Mapping[str, str],
        *,
        timeout: float,
    ) -> None:
        self.provider = provider
        self._signer = signer
        self.known = Known.of(signer.secrets(()) if signer else ())
        self._client = httpx.AsyncClient(
            # Requests to this machine must not go through a proxy.
            trust_env=not provider.is_local,
            verify=_trusted(environment) if provider.url.scheme == "https" else False,
            timeout=httpx.Timeout(timeout, connect=_CONNECT, write=_SEND, pool=None),
            limits=httpx.Limits(max_connections=None),
            follow_redirects=False,
        )
        trailers.watch(self._client)

    @property
    def _place(self) -> str:
        return f"provider {self.provider.name} at {self.provider.base_url}"

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def fetch(self, capture: Capture, pipe: Pipe) -> None:
        """Send the request of ``capture``; record the answer and put it into ``pipe``."""
        response: httpx.Response | None = None
        try:
            request = await self._request(capture)
            response = await self._client.send(request, stream=True)
            if response.status_code == 101:
                capture.failed(f"{self._place} switched to another protocol, unasked")
                return
            capture.answered()
            capture.head = _head(response)
            pipe.put_nowait(capture.head)
            async for piece in response.aiter_raw():
                if capture.client_disconnected:
                    # The client has disconnected in the middle.
                    capture.ended(End.CLIENT_CLOSED)
                    break
                capture.received(piece)
                pipe.put_nowait(piece)
                if capture.size > MOST_BYTES or capture.seconds > MOST_SECONDS:
                    capture.ended(End.RESET)
                    capture.failed(
                        f"{self._place} does not come to an end: cut off after "
                        f"{capture.size >> 20} MiB and {capture.seconds:.0f} seconds"
                    )
                    break
            else:
                capture.ended(End.EOF)
                if names_of_trailers := trailers.trailers_of(response):
                    capture.failed(
                        f"{self._place} sends trailers ({names_of_trailers}), which cannot be "
                        "recorded"
                    )
        except ProviderError as exc:
            capture.failed(find.mask(str(exc), self.known))
        except httpx.HTTPError as exc:
            self._record_error(capture, exc)
        except asyncio.CancelledError:
            self._record_disconnect(capture)
        finally:
            if response is not None:
                await response.aclose()
            pipe.put_nowait(None)

    async def _request(self, capture: Capture) -> httpx.Request:
        async def trace(event: str, _info: Mapping[str, Any]) -> None:
            if event.endswith("send_request_body.complete"):
                capture.sent()

        given = capture.request
        # As it is sent: a signature covers every byte of the address.
        uri = httpx.URL(given.uri.replace(DUMMY_KEY, ""))
        proof: Headers = ()
        if self._signer is not None:
            proof = await sign(self._signer, replace(given, uri=str(uri)))
            capture.secrets = Known.of(self._signer.secrets(proof)).values
        return httpx.Request(
            given.method,
            uri,
            headers=[*self._headers(given, proof), *proof],
            content=given.body or None,
            extensions={"trace": trace, "timeout": self._client.timeout.as_dict()},
        )

    def _headers(self, request: Request, proof: Headers) -> Iterator[tuple[str, str]]:
        # What a connection names is for that connection alone (RFC 9110, section 7.6.1).
        named = header_value(request.headers, "connection") or ""
        dropped = {word.strip().lower() for word in named.split(",")}
        dropped |= HOP_BY_HOP | {"host", "accept-encoding", "expect"}
        dropped |= {name.lower() for name, _ in proof}
        if self._signer is not None:
            dropped |= self._signer.replaced
        for name, value in request.headers:
            low = name.lower()
            if low in dropped:
                continue
            if names.is_credential_header(low) and (self._signer or DUMMY_KEY in value):
                continue
            yield name, value
        yield "Accept-Encoding", "identity"

    def _record_error(self, capture: Capture, exc: httpx.HTTPError) -> None:
        if capture.head is None:
            text = find.mask(f"{type(exc).__name__}: {exc}", self.known)
            capture.failed(f"no answer from {self._place}: {text}")
            return
        match exc:
            case httpx.TimeoutException():
                capture.ended(End.TIMEOUT)
            case httpx.NetworkError():
                capture.ended(End.RESET)
            case _:
                capture.ended(End.TRUNCATED)

    def _record_disconnect(self, capture: Capture) -> None:
        if capture.head is None:
            capture.failed("the client disconnected before the answer began")
        else:
            capture.ended(End.CLIENT_CLOSED)


def _trusted(environment: Mapping[str, str]) -> ssl.SSLContext:
    """Return what certificates of providers are checked with, on this machine, too.

    Raises :class:`ProviderError` for a file of certificates that cannot be used.
    """
    file = environment.get("SSL_CERT_FILE") or certifi.where()
    try:
        return ssl.create_default_context(
            cafile=file, capath=environment.get("SSL_CERT_DIR") or None
        )
    except OSError as exc:
        raise ProviderError(
            f"SSL_CERT_FILE names certificates that cannot be read: {file}: "
            f"{exc.strerror or exc}; correct or unset it"
        ) from None


async def relay(
    request: web.BaseRequest,
    capture: Capture,
    pipe: Pipe,
    fetching: asyncio.Task[None],
    shown: Callable[[Headers], Headers],
) -> AlreadySent:
    """Answer ``request`` with the live answer, piece by piece as it arrives.

    ``fetching`` fills ``pipe``; it is cancelled when the client disconnects. ``shown`` returns the
    headers as the client gets them.
    """
    try:
        await _pass_on(request, capture, pipe, shown)
    except (ConnectionError, asyncio.CancelledError) as exc:
        capture.client_disconnected = True
        asyncio.get_running_loop().call_later(GRACE, fetching.cancel)
        if isinstance(exc, asyncio.CancelledError):
            raise
    return AlreadySent(keep_alive=False)


async def _pass_on(
    request: web.BaseRequest, capture: Capture, pipe: Pipe, shown: Callable[[Headers], Headers]
) -> None:
    head = await pipe.get()
    if not isinstance(head, Head):
        # There is no answer to relay, so do not invent one.
        await reset(request)
        return
    schedule = _schedule(head)
    message = Message(replace(schedule, headers=shown(schedule.headers)))
    delivery = message.delivery(request.method, version=request.version, keep_alive=False)
    await request.writer.write(message.head(delivery))
    while isinstance(piece := await pipe.get(), bytes):
        if not delivery.bodiless:
            await request.writer.write(message.frame(Send(piece), delivery))
    match capture.end:
        case End.EOF:
            await request.writer.write(message.tail(delivery))
        case End.RESET | End.TIMEOUT:
            await reset(request)


def _schedule(head: Head) -> Schedule:
    """Return the schedule of a head: with its length if it has one, else chunked."""
    length = head.header("content-length")
    headers: Headers = tuple((n, v) for n, v in head.headers if n.lower() not in HOP_BY_HOP)
    if length is not None:
        headers = (*headers, ("content-length", length))
    return Schedule(
        status=head.status,
        reason=head.reason,
        headers=headers,
        headers_ms=0.0,
        steps=(),
        coding=Coding.CHUNKED if length is None else Coding.CLOSE,
        ending=Ending.FINISH,
        media=Media.OTHER,
    )


def _head(response: httpx.Response) -> Head:
    raw = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in response.headers.raw]
    return Head(
        status=response.status_code,
        reason=response.reason_phrase,
        headers=tuple(raw),
        http=response.http_version,
    )


class LogFilter(logging.Filter):
    """Masks the secrets that it learns, those in headers, and what looks like one.

    It may get secrets in one thread and used in another.
    """

    def __init__(self) -> None:
        super().__init__()
        self._known = Known()

    def learn(self, values: Iterable[str]) -> None:
        """Mask these values in what is logged from now on."""
        new = frozenset(values) - self._known.values
        if new:
            self._known = Known.of(self._known.values | new)

    def install(self) -> None:
        """Start masking."""
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self)

    def remove(self) -> None:
        """Stop masking."""
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the message by a masked one."""
        if record.name == "botocore.auth":
            return False
        text = _HEADER_PAIR.sub(_masked_header, record.getMessage())
        record.msg = find.mask(text, self._known)
        record.args = ()
        return True


#: A header as the HTTP library writes it: name and value, as bytes in Python.
_HEADER_PAIR = re.compile(r"""\(b(['"])([\w-]+)\1, b(['"])(.*?)\3\)""")


def _masked_header(pair: re.Match[str]) -> str:
    if names.is_credential_header(pair[2]):
        return f"(b'{pair[2]}', b'{names.PLACEHOLDER}')"
    return pair[0]
