"""The lower half of aiohttp's server, with errors in JSON and without an access log."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage

from mockserver.library.refusal import RefusalError
from mockserver.serving.app import Limits
from mockserver.serving.responses import refusal_message, refusal_response

_log = logging.getLogger(__name__)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

#: Seconds without a byte after which a client that sends nothing more counts as gone.
_PATIENCE = 5.0
#: How connections of other protocols begin: HTTP/2 without an upgrade (RFC 9113, section 3.4),
#: and the handshake of TLS (RFC 8446, section 5.1).
_OTHER_PROTOCOLS = {
    b"PRI * HTTP/2": "the client speaks HTTP/2; this server speaks HTTP/1.1 only, so turn off "
    "HTTP/2 without an upgrade (prior knowledge)",
    b"\x16\x03": "the client speaks TLS; this server does not, so use http:// in the base URL, "
    "or start it with --tls",
}


class Listener(web.Server):
    """Makes a connection object for each client; cancels its handler when it disconnects.

    ``answers_half_closed``: a client that has closed its sending side gets its answer (RFC 9112,
    section 9.6), until it is seen to have closed the other one.
    """

    def __init__(
        self,
        handler: Handler,
        limits: Limits,
        note_refusal: Callable[[str], None],
        *,
        answers_half_closed: bool,
    ) -> None:
        def make_request(
            message: RawRequestMessage,
            payload: StreamReader,
            protocol: web.RequestHandler,
            writer: AbstractStreamWriter,
            task: asyncio.Task[None],
        ) -> web.BaseRequest:
            if not message.path.startswith("/"):
                # The next request through this proxy may be for another host.
                message = message._replace(should_close=True)
            return web.BaseRequest(
                message, payload, protocol, writer, task, loop, client_max_size=limits.body
            )

        loop = asyncio.get_running_loop()
        super().__init__(handler, request_factory=make_request, handler_cancellation=True)
        self._numbers = itertools.count(1)
        self.note_refusal = note_refusal
        self.answers_half_closed = answers_half_closed
        self.head_seconds = limits.head_seconds
        self._connection: dict[str, Any] = {
            "loop": loop,
            "access_log": None,
            # The body is decoded where it is read, as everywhere in this package.
            "auto_decompress": False,
            "max_line_size": limits.line,
            "max_field_size": limits.header,
            "max_headers": limits.headers,
        }

    def __call__(self) -> Connection:
        """Make the protocol of one connection."""
        connection = Connection(self, **self._connection)
        connection.number = next(self._numbers)
        return connection


class Connection(web.RequestHandler):
    """The server's end of one connection."""

    #: The number of the connection, from 1.
    number = 0
    #: Scheme and authority of the host that a proxy's tunnel is for; empty if there is no tunnel.
    tunnel = ""
    _begun = False
    _timer: asyncio.TimerHandle | None = None
    _half_closed: asyncio.Event | None = None
    #: The body of the last request.
    _payload: StreamReader | None = None

    @property
    def half_closed(self) -> asyncio.Event:
        """Set when the client sends nothing more: it waits for its answer, or it is gone."""
        if self._half_closed is None:
            self._half_closed = asyncio.Event()
        return self._half_closed

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Stay open for the answer to a whole request."""
        manager, idle = self._manager, self._waiter is not None and not self._waiter.done()
        if idle or not isinstance(manager, Listener) or not manager.answers_half_closed:
            return None
        if self._payload is None or not self._payload.is_eof():
            return None
        if self.transport is None or self.transport.get_extra_info("sslcontext") is not None:
            # The event loop has no half-closed connections with TLS.
            return None
        self._close = True
        self.half_closed.set()
        self._loop.call_later(_PATIENCE, self._look_again, self._sent())
        return True

    def _sent(self) -> int:
        request = self._current_request
        return 0 if request is None else request.writer.output_size

    def _look_again(self, before: int) -> None:
        """Close if nothing was sent for a while: a client that is gone says no more than this."""
        size = self._sent()
        if size == before:
            self.force_close()
        else:
            self._loop.call_later(_PATIENCE, self._look_again, size)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the client."""
        self._stop_timer()
        super().connection_lost(exc)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        self._refuse("the head of the request did not come to an end in time", 408)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the client; those of other protocols are no malformed HTTP."""
        if not self._begun:
            self._begun = True
            for start, message in _OTHER_PROTOCOLS.items():
                if data.startswith(start):
                    self._refuse(message)
                    return
        super().data_received(data)
        if self._messages:
            self._payload = self._messages[-1][1]
        if self._messages or self._current_request is not None:
            self._stop_timer()
        elif self._timer is None and isinstance(self._manager, Listener):
            # A head that never ends would hold its connection for ever.
            self._timer = self._loop.call_later(self._manager.head_seconds, self._too_slow)

    def _refuse(self, message: str, status: int = 400) -> None:
        if isinstance(self._manager, Listener):
            self._manager.note_refusal(message)
        if self.transport is not None:
            refusal = RefusalError(status, "bad_request", message, last=True)
            self.transport.write(refusal_message(refusal))
        self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer malformed HTTP, and failures of the server itself, in JSON."""
        if status < 500:
            reason = " ".join((message or str(exc)).split())
            refusal = RefusalError(status, "bad_request", f"malformed HTTP: {reason}", last=True)
            if isinstance(self._manager, Listener):
                self._manager.note_refusal(refusal.message)
            return refusal_response(refusal)
        _log.error("the server failed on a request", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has already begun")
        refusal = RefusalError(
            500, "internal_error", "the mock server failed; see its log", last=True
        )
        return refusal_response(refusal)

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log an exception, except those that the client has heard of."""
        # The client has its error; the rest of its body raises the same again.
        if not isinstance(kw.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **kw)
