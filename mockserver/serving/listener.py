"""The lower half of aiohttp's server, with errors in JSON and without an access log."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import EMPTY_PAYLOAD, StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import HttpRequestParser, RawRequestMessage

from mockserver.library.refusal import RefusalError
from mockserver.serving.app import Limits
from mockserver.serving.at_once import LONGEST, ShortCut
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


#: The private names of aiohttp's connection that the short cut needs. In a version that lacks one,
#: every request goes to the handler.
PRIVATE = (
    "_keepalive_timeout",
    "_loop",
    "_messages",
    "_next_keepalive_close_time",
    "_parser",
    "_paused",
    "_reading_paused",
    "_waiter",
)
HAS_SHORT_CUT = hasattr(StreamReader, "_buffer") and all(
    hasattr(web.RequestHandler, name) for name in PRIVATE
)
#: Since aiohttp 3.14, a parser counts the requests that wait for their handler.
_COUNTS = hasattr(HttpRequestParser, "message_consumed")


class Listener(web.Server):
    """Makes a connection object for each client; cancels its handler when it disconnects.

    ``answers_half_closed``: a client that has closed its sending side gets its answer (RFC 9112,
    section 9.6), until it is seen to have closed the other one. ``short_cut`` answers requests
    before they get to the handler.
    """

    def __init__(
        self,
        handler: Handler,
        limits: Limits,
        note_refusal: Callable[[str], None],
        *,
        answers_half_closed: bool,
        short_cut: ShortCut | None = None,
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
        self.short_cut = short_cut if HAS_SHORT_CUT else None
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
    #: The next byte begins a request.
    _is_between = True
    #: The request whose body is waited for.
    _accepted: RawRequestMessage | None = None
    #: The body of the last request.
    _payload: StreamReader | None = None

    def __init__(self, manager: Listener, **options: Any) -> None:
        super().__init__(manager, **options)
        self._short_cut = manager.short_cut

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
        is_first, self._begun = not self._begun, True
        if is_first:
            for start, message in _OTHER_PROTOCOLS.items():
                if data.startswith(start):
                    self._refuse(message)
                    return
        if self._short_cut is None or not data:
            # No bytes: a body was read, and the parser may go on with what it had kept.
            super().data_received(data)
        elif self._is_answered(self._short_cut, data, is_first=is_first):
            self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
            self._stop_timer()
            return
        if self._messages:
            self._payload = self._messages[-1][1]
        if self._messages or self._current_request is not None:
            self._stop_timer()
        elif self._timer is None and isinstance(self._manager, Listener):
            # A head that never ends would hold its connection for ever.
            self._timer = self._loop.call_later(self._manager.head_seconds, self._too_slow)

    def _is_answered(self, short_cut: ShortCut, data: bytes, *, is_first: bool) -> bool:
        """Take bytes and return whether they ended a request that the short cut has answered."""
        waiter, began, self._is_between = self._waiter, self._is_between, False
        # The first bytes may come before the task that gives requests to the handler begins.
        idle = is_first if waiter is None else not waiter.done()
        idle = idle and not self._paused
        if idle and began and self.transport is not None and not self.transport.is_closing():
            message = short_cut.answer_again(data, self.number)
            if message is not None:
                self.transport.write(message)
                self._is_between = True
                return True
        # The task sleeps on, until there is a request for it.
        self._waiter = None if idle else waiter
        try:
            super().data_received(data)
        finally:
            self._waiter = waiter
        if not self._messages:
            return False
        head, payload = self._messages[0]
        if began and len(self._messages) == 1 and isinstance(head, RawRequestMessage):
            # Nothing came but a head and its body, so the next byte begins another request.
            size = data.find(b"\r\n\r\n") + 4 + getattr(payload, "total_bytes", 0)
            self._is_between = size == len(data) and payload.is_eof() and not head.chunked
        if not idle:
            return False
        answered = self._answer(short_cut, data if self._is_between else None)
        if answered is False and waiter is not None and not waiter.done():
            waiter.set_result(None)
        return answered is True

    def _answer(self, short_cut: ShortCut, whole: bytes | None) -> bool | None:
        """Answer the only request there is, or return ``False`` if that is for the handler.

        ``None``: its body is on its way. ``whole`` is the request if it came alone, in one piece.
        """
        if len(self._messages) > 1 or self._reading_paused:
            return False
        head, payload = self._messages[0]
        if not isinstance(head, RawRequestMessage):
            return False
        if self._accepted is not head:
            if not short_cut.accepts(head):
                return False
            self._accepted = head
        if payload.exception() is not None:
            return False
        if not payload.is_eof():
            return None if payload.total_bytes <= LONGEST else False
        self._accepted = None
        transport = self.transport
        if transport is None or transport.is_closing():
            return False
        # Not read: the handler gets it as it is if there is no answer.
        body = b"" if payload is EMPTY_PAYLOAD else b"".join(payload._buffer)
        message = short_cut.answer(head, body, self.number, whole)
        if message is None:
            return False
        transport.write(message)
        self._messages.clear()
        if _COUNTS and self._parser is not None:
            self._parser.message_consumed()
        return True

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
