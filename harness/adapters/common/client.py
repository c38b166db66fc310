"""The constructor that the clients with an API key share."""

from __future__ import annotations

import asyncio
import random
from typing import ClassVar, TypedDict

import httpx

from harness.adapters.common.retrying import Jitter, RetryPolicy, Sleep
from harness.adapters.common.transport import Closable, Transport, bearer, endpoint


class ClientSettings(TypedDict, total=False):
    """The keyword arguments of :class:`ApiClient` that other clients pass on to it."""

    timeout: float
    retry: RetryPolicy | None
    jitter: Jitter
    transport: httpx.AsyncBaseTransport | None


class ApiClient(Closable):
    """Sends requests to ``{base_url}{path}``. Use it in ``async with``, or close it.

    ``api_key`` is sent as a bearer token, none if empty. ``timeout`` is the longest wait for
    the next byte, in seconds. ``retry`` says which failures are retried; none by default.
    ``sleep``, ``jitter`` and ``transport`` are for tests. Raises ``ValueError`` for a base URL
    that is not HTTP and for a key with characters that a header cannot have.
    """

    path: ClassVar[str]

    def __init__(
        self,
        base_url: str,
        api_key: str = "",
        *,
        timeout: float = 30.0,
        retry: RetryPolicy | None = None,
        sleep: Sleep = asyncio.sleep,
        jitter: Jitter = random.random,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = endpoint(base_url, self.path)
        self._secrets = (api_key,)
        self._bearer = bearer(api_key)
        self._retry = retry or RetryPolicy()
        self._sleep = sleep
        self._jitter = jitter
        self._transport = Transport(timeout=timeout, secrets=self._secrets, transport=transport)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()
