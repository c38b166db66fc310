"""The lower half of aiohttp's server, with errors in JSON and without an access log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage

from mockserver.library.refusal import RefusalError
from mockserver.serving.app import Limits
from mockserver.serving.responses import refusal_response, refusal_text

_log = logging.getLogger(__name__)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

#: How connections of other protocols begin: HTTP/2 without an upgrade (RFC 9113, section 3.4),
#: and the handshake of TLS (RFC 8446, section 5.1).
_OTHER_PROTOCOLS = {
    b"PRI * HTTP/2": "the client speaks HTTP/2; this server speaks HTTP/1.1 only, so turn off "
    "HTTP/2 without an upgrade (prior knowledge)",
    b"\x16\x03": "the client speaks TLS; this server does not, so use http:// in the base URL",
}


class Listener(web.Server):
    """Makes a connection object for each client; cancels its handler when it disconnects."""

    def __init__(
        self, handler: Handler, limits: Limits, note_refusal: Callable[[str], None]
    ) -> None:
        def make_request(
            message: RawRequestMessage,
            payload: StreamReader,
            protocol: web.RequestHandler,
            writer: AbstractStreamWriter,
            task: asyncio.Task[None],
        ) -> web.BaseRequest:
            return web.BaseRequest(
                message, payload, protocol, writer, task, loop, client_max_size=limits.body
            )

        loop = asyncio.get_running_loop()
        super().__init__(handler, request_factory=make_request, handler_cancellation=True)
        self.note_refusal = note_refusal
        self._connection: dict[str, Any] = {
            "loop": loop,
            "access_log": None,
            # The body is decoded where it is read, as everywhere in this package.
            "auto_decompress": False,
            "max_line_size": limits.line,
            "max_field_size": limits.header,
            "max_headers": limits.headers,
        }

    def __call__(self) -> web.RequestHandler:
        """Make the protocol of one connection."""
        return _Connection(self, **self._connection)


class _Connection(web.RequestHandler):
    _begun = False

    def data_received(self, data: bytes) -> None:
        """Take bytes from the client; those of other protocols are no malformed HTTP."""
        if not self._begun:
            self._begun = True
            for start, message in _OTHER_PROTOCOLS.items():
                if data.startswith(start):
                    self._refuse(message)
                    return
        super().data_received(data)

    def _refuse(self, message: str) -> None:
        if isinstance(self._manager, Listener):
            self._manager.note_refusal(message)
        if self.transport is not None:
            text = refusal_text(RefusalError(400, "bad_request", message, last=True))
            head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
            head += f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n"
            self.transport.write(head.encode() + text)
        self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
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
        # The client has its error; the rest of its body raises the same again.
        if not isinstance(kw.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **kw)
