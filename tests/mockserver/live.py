"""A live endpoint for tests of the recorder: an aiohttp server in its own thread."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from aiohttp import web

from mockserver.recording.providers import Provider

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

KEY = "live-key-0123456789abcdef"
#: A piece of a streamed answer.
EVENT = b'data: {"choices": [{"delta": {"content": "%s"}}]}\n\n'


class Gate:
    """A point in the server that a test waits for, or that waits for the test."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def open(self) -> None:
        self._event.set()

    def wait(self) -> None:
        assert self._event.wait(10), "the gate was not opened"

    async def passed(self) -> None:
        await asyncio.to_thread(self.wait)


class Live:
    """Answers every request with ``handler`` and stores the requests; with ``tls`` as localhost."""

    def __init__(self, handler: Handler, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self._handler = handler
        self._port = 0

    @property
    def url(self) -> str:
        if self._tls is not None:
            return f"https://localhost:{self._port}"
        return f"http://127.0.0.1:{self._port}"

    def provider(self, *, key: bool = True) -> Provider:
        return Provider(
            name="local",
            base_url=f"{self.url}/v1",
            key_variables=("LIVE_KEY",) if key else (),
            client_url=("OPENAI_BASE_URL",),
            client_key=("OPENAI_API_KEY",),
        )

    def providers_file(self) -> str:
        """Return a providers file that has this one as ``local``; JSON is YAML, too."""
        provider = self.provider()
        entry = {
            "base_url": provider.base_url,
            "key": provider.key_variables,
            "client": {"base_url": provider.client_url, "key": provider.client_key},
        }
        return json.dumps({"providers": {provider.name: entry}})

    def __enter__(self) -> Self:
        started: Future[None] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)))
        self._thread.start()
        started.result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self, started: Future[None]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(
            app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None
        )
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        self._port = runner.addresses[0][1]
        started.set_result(None)
        await self._stop.wait()
        await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests.append((request.method, request.raw_path, dict(request.headers), body))
        return await self._handler(request)


async def stream(
    request: web.Request, *pieces: bytes | Gate, status: int = 200
) -> web.StreamResponse:
    """Send pieces as chunks of an event stream, stopping at gates."""
    response = web.StreamResponse(status=status)
    response.content_type = "text/event-stream"
    response.enable_chunked_encoding()
    await response.prepare(request)
    for piece in pieces:
        if isinstance(piece, Gate):
            await piece.passed()
        else:
            await response.write(piece)
    await response.write_eof()
    return response
