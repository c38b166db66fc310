"""HTTP for the clients: one request, its redirects, its body, its failures. Thin over httpx."""

from __future__ import annotations

import functools
import ssl
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Protocol, Self

import httpx

from harness.adapters.common.answer import Answer
from harness.adapters.common.answer_body import AnswerBody
from harness.adapters.common.decoding import decoded
from harness.adapters.common.failures import clip, failure, from_http, scrub
from harness.clients.interface import ClientError
from mockserver.vocabulary import ErrorClass, ErrorInfo, Event, JsonObject


class BodyReader(Protocol):
    """Turns the bytes of one body into events, as :class:`AnswerBody` does."""

    @property
    def closed(self) -> bool:
        """Whether the terminal event was emitted."""

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes."""

    def end(self) -> list[Event]:
        """End because the body did."""

    def lost(self, error: ErrorInfo) -> list[Event]:
        """End because the connection broke."""


class BodyReading(Protocol):
    """Makes a :class:`BodyReader` for one answer."""

    def __call__(self, stream: Answer, *, content_type: str | None = None) -> BodyReader:
        """Return the reader."""


_REDIRECTS = frozenset({307, 308})
_MAX_REDIRECTS = 5
#: Headers with a key; httpx knows ``authorization``, and drops it by itself.
_KEY_HEADERS = ("x-api-key", "x-goog-api-key")
_CONNECT_TIMEOUT = 5.0
_ERROR_BODY_LIMIT = 64 * 1024
_NO_ADDRESS = "redirected to an address that is not a URL"


class HttpError(ClientError):
    """There is no usable answer. ``body`` is the error body, clipped and free of secrets."""

    def __init__(self, error: ErrorInfo, body: str = "") -> None:
        super().__init__(error)
        self.body = body


class Closable(ABC):
    """An object with connections: use it in ``async with``, or close it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    @abstractmethod
    async def aclose(self) -> None:
        """Close all connections."""


class Transport:
    """An HTTP client with the rules of this package. Close it after use.

    ``timeout`` is the longest wait for the next byte, in seconds; a connection may take
    5 seconds even if that is shorter, since a busy server accepts late. ``secrets`` never
    appear in a failure. The proxies of the environment are used, except for this machine.
    ``now`` returns epoch seconds.
    """

    def __init__(
        self,
        *,
        timeout: float,
        secrets: Collection[str] = (),
        transport: httpx.AsyncBaseTransport | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._timeout = timeout
        self._secrets = secrets
        self._now = now
        loopback = ("all://127.0.0.1", "all://localhost", "all://[::1]")
        self._http = httpx.AsyncClient(
            verify=_ssl_context(),
            timeout=httpx.Timeout(timeout, connect=max(timeout, _CONNECT_TIMEOUT)),
            transport=transport,
            mounts=None if transport else dict.fromkeys(loopback),
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    def post(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        body: JsonObject | None = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """Send ``body`` as JSON, a ``form``, or bytes; the context is the answer, its body unread.

        Follows 307 and 308, which keep method and body; headers with a key are dropped when the
        host changes. On leaving, the answer is closed: after a body that was
        read to its end the connection is reused, otherwise it is dropped. Raises
        :class:`HttpError` for every status but 2xx, and if there is no answer at all.
        """
        return self._answer(
            self._http.build_request(
                "POST", url, headers=dict(headers), json=body, data=form, content=content
            )
        )

    def get(
        self, url: str, *, headers: Mapping[str, str], query: Mapping[str, str]
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """Get ``url`` with the parameters ``query``; returns and raises what :meth:`post` does."""
        return self._answer(
            self._http.build_request("GET", url, headers=dict(headers), params=dict(query))
        )

    @asynccontextmanager
    async def _answer(self, request: httpx.Request) -> AsyncIterator[httpx.Response]:
        response = await self._send(request)
        try:
            for _ in range(_MAX_REDIRECTS):
                if response.status_code not in _REDIRECTS or response.next_request is None:
                    break
                await response.aclose()
                response = await self._send(_without_key(response.next_request, request.url))
            if not response.is_success:
                raise await self._failed(response)
            yield response
        finally:
            await response.aclose()

    async def read(
        self,
        response: httpx.Response,
        answer: Answer,
        *,
        before_each: Callable[[], None] = lambda: None,
        reading: BodyReading = AnswerBody,
    ) -> AsyncGenerator[Event, None]:
        """Read the body of ``response`` into ``answer`` and yield the events, the last terminal.

        Stops when the answer is closed, even if the body goes on. ``before_each`` is called
        between the arrival of bytes and the first of their events. ``reading`` makes the reader
        of the body, for APIs whose streams are not event streams.
        """
        body = reading(answer, content_type=response.headers.get("content-type"))
        try:
            async with aclosing(decoded(response)) as pieces:
                async for data in pieces:
                    events = body.feed(data)
                    before_each()
                    for event in events:
                        yield event
                    if body.closed:
                        return
            events = body.end()
        except httpx.HTTPError as exc:
            events = body.lost(self.error_of(exc))
        before_each()
        for event in events:
            yield event

    async def read_whole(self, response: httpx.Response) -> bytes:
        """Return the whole body of ``response``. Raises ``httpx.HTTPError``."""
        return b"".join([piece async for piece in decoded(response)])

    def error_of(self, exc: httpx.HTTPError) -> ErrorInfo:
        """Return the error for ``exc``, without its message: some quote the request."""
        match exc:
            case httpx.TimeoutException():
                return failure(ErrorClass.TIMEOUT, f"no data for {self._timeout:g} s")
            case httpx.ConnectError():
                host = exc.request.url.netloc.decode("ascii")
                return failure(ErrorClass.CONNECTION_LOST, f"cannot connect to {host}")
            case httpx.DecodingError():
                return failure(ErrorClass.PROTOCOL, "the body does not decompress")
            case httpx.UnsupportedProtocol():
                return failure(ErrorClass.PROTOCOL, "redirected to an address that is not HTTP")
            case httpx.RemoteProtocolError() if "location header" in str(exc):
                return failure(ErrorClass.PROTOCOL, _NO_ADDRESS)
        return failure(ErrorClass.CONNECTION_LOST, f"connection broken ({type(exc).__name__})")

    async def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._http.send(request, stream=True)
        except httpx.HTTPError as exc:
            raise HttpError(self.error_of(exc)) from None
        except (httpx.InvalidURL, UnicodeError):  # some locations are parsed only when sent to
            raise HttpError(failure(ErrorClass.PROTOCOL, _NO_ADDRESS)) from None

    async def _failed(self, response: httpx.Response) -> HttpError:
        body = b""
        try:
            async with aclosing(decoded(response)) as pieces:
                async for piece in pieces:
                    body += piece
                    if len(body) > _ERROR_BODY_LIMIT:
                        break
        except httpx.HTTPError:
            pass  # the status is known; part of an error body is better than none
        error = from_http(
            response.status_code,
            response.headers,
            body,
            now=self._now(),
            secrets=self._secrets,
        )
        return HttpError(error, clip(scrub(body.decode(errors="replace"), self._secrets)))


def endpoint(base_url: str, path: str = "", *, name: str = "base_url") -> str:
    """Join ``base_url`` and ``path``.

    Raises ``ValueError`` for a base URL that is not HTTP; ``name`` is what the message calls it.
    """
    try:
        url = httpx.URL(base_url.rstrip("/") + path if path else base_url)
    except httpx.InvalidURL as exc:
        raise ValueError(f"{name} {base_url!r} is not a URL: {exc}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"{name} must begin with http://host or https://host, not {base_url!r}")
    return str(url)


def bearer(api_key: str) -> dict[str, str]:
    """Make the ``authorization`` header for ``api_key``; none if it is empty.

    Raises ``ValueError`` for a key with characters that a header cannot have.
    """
    if not (api_key.isascii() and api_key.isprintable()):
        raise ValueError(
            "the API key has characters that are not allowed in a header: copy it again"
        )
    return {"authorization": f"Bearer {api_key}"} if api_key else {}


@functools.cache
def _ssl_context() -> ssl.SSLContext:
    """Load the certificates once: it takes about 20 ms, so all clients share one context."""
    return httpx.create_ssl_context()


def _without_key(request: httpx.Request, asked: httpx.URL) -> httpx.Request:
    """Return the next request, without the key if it goes to another host than the first."""
    if (request.url.scheme, request.url.netloc) != (asked.scheme, asked.netloc):
        for name in _KEY_HEADERS:
            request.headers.pop(name, None)
    return request
