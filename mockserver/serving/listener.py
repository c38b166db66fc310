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
from mockserver.serving.responses import refusal_response

_log = logging.getLogger(__name__)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Listener(web.Server):
    """Makes a connection object for each client; cancels its handler when it disconnects."""

    def __init__(self, handler: Handler, limits: Limits) -> None:
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
