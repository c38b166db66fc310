"""``chatgpt-oauth``: a client for the Codex backend of ChatGPT, signed in by OAuth.

A program can use the class; the function at the end is the adapter of the harness. Streams of
other servers of the Responses API are read as well.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import random
import tempfile
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, contextmanager
from pathlib import Path

import httpx

from harness.adapters.chatgpt_oauth.oauth import Tokens
from harness.adapters.chatgpt_oauth.oauth_store import (
    Credentials,
    CredentialStore,
    FileStore,
    MemoryStore,
)
from harness.adapters.chatgpt_oauth.request import Headers, request_body
from harness.adapters.common.failures import request_id_of
from harness.adapters.common.harness_call import make_call
from harness.adapters.common.history import call_ids
from harness.adapters.common.retrying import (
    Jitter,
    RetryPolicy,
    Sleep,
    errors_as_events,
    retrying,
)
from harness.adapters.common.transport import Closable, HttpError, Transport, endpoint
from harness.adapters.responses.stream import ResponsesStream
from harness.clients.interface import Call, ClientError, adapter
from mockserver.vocabulary import AssistantTurn, Event, Json, JsonObject, fold

BASE_URL = "https://chatgpt.com/backend-api/codex"
TOKEN_URL = "https://auth.openai.com/oauth/token"  # noqa: S105 - an address, not a token
#: The public client id of the Codex command line, to which such tokens are issued.
CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"
_UNAUTHORIZED = 401


class ChatGPTOAuthClient(Closable):
    """Sends requests to ``{base_url}/responses``. Use it in ``async with``, or close it.

    ``store`` keeps the credentials, which are refreshed at ``token_url`` before they expire and
    when the backend refuses them, once per request. ``session_id`` names the conversation to
    the backend; a new one by default. ``timeout`` is the longest wait for the next byte, in
    seconds. ``retry`` applies before the first event only. ``sleep``, ``jitter``, ``now`` (epoch
    seconds) and ``transport`` are for tests. Raises ``ValueError`` for a base URL that is not
    HTTP.
    """

    def __init__(
        self,
        store: CredentialStore,
        *,
        base_url: str = BASE_URL,
        token_url: str = TOKEN_URL,
        client_id: str = CLIENT_ID,
        headers: Headers = Headers.CURRENT,
        session_id: str | None = None,
        timeout: float = 120.0,
        retry: RetryPolicy | None = None,
        sleep: Sleep = asyncio.sleep,
        jitter: Jitter = random.random,
        now: Callable[[], float] = time.time,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = endpoint(base_url, "/responses")
        self._headers = headers
        self._session_id = session_id or str(uuid.uuid4())
        self._retry = retry or RetryPolicy()
        self._sleep = sleep
        self._jitter = jitter
        self._tokens = Tokens(
            store,
            token_url=endpoint(token_url, name="token_url"),
            client_id=client_id,
            now=now,
            transport=transport,
        )
        self._transport = Transport(
            timeout=timeout, secrets=self._tokens.secrets, transport=transport, now=now
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._tokens.aclose()
        await self._transport.aclose()

    async def stream(
        self,
        *,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        options: Mapping[str, Json] | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of one answer; the last is ``message_stop`` or ``error``.

        The ``native`` of all events together is the sequence of Responses events as the server
        sent it; an event without a ``sequence_number`` gets the next one. Failures of the
        server or the connection are events, not exceptions. ``options`` are those of
        :func:`~harness.adapters.chatgpt_oauth.request.request_body`. Leaving the iteration
        early closes the connection.
        """
        body = request_body(model=model, messages=messages, tools=tools, options=options)
        attempt = functools.partial(self._attempt, body, call_ids(messages))
        attempts = retrying(attempt, self._retry, sleep=self._sleep, jitter=self._jitter)
        async with aclosing(errors_as_events(attempts)) as events:
            async for event in events:
                yield event

    async def complete(
        self,
        *,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        options: Mapping[str, Json] | None = None,
    ) -> AssistantTurn:
        """Return the whole turn of one answer, which the backend sends only as a stream.

        Takes the arguments of :meth:`stream`. Raises :class:`ClientError` with what arrived
        before.
        """
        answer = self.stream(model=model, messages=messages, tools=tools, options=options)
        async with aclosing(answer) as events:
            turn = fold([event async for event in events])
        if turn.error:
            raise ClientError(turn.error, turn)
        return turn

    async def _attempt(self, body: JsonObject, taken: set[str]) -> AsyncGenerator[Event, None]:
        async with AsyncExitStack() as stack:
            response = await self._answer(stack, body)
            answer = ResponsesStream(
                taken_ids=taken,
                secrets=self._tokens.secrets,
                request_id=request_id_of(response.headers),
            )
            number = -1
            async with aclosing(self._transport.read(response, answer)) as events:
                async for event in events:
                    native = []
                    for wire in event.native:
                        given = wire.get("sequence_number")
                        number = given if isinstance(given, int) else number + 1
                        native.append({**wire, "sequence_number": number})
                    yield dataclasses.replace(event, native=tuple(native))

    async def _answer(self, stack: AsyncExitStack, body: JsonObject) -> httpx.Response:
        """Send the request, once more with a new token if the backend refuses the old one."""
        credentials = await self._tokens.current()
        try:
            return await self._send(stack, body, credentials)
        except HttpError as exc:
            if exc.error.status != _UNAUTHORIZED or not self._tokens.can_refresh:
                raise
        refreshed = await self._tokens.current(rejected=credentials.access_token)
        return await self._send(stack, body, refreshed)

    async def _send(
        self, stack: AsyncExitStack, body: JsonObject, credentials: Credentials
    ) -> httpx.Response:
        headers = self._headers.build(
            access_token=credentials.access_token,
            account_id=credentials.account_id,
            session_id=self._session_id,
        )
        return await stack.enter_async_context(
            self._transport.post(self._url, headers=headers, body=body)
        )


@adapter(
    dialects=["openai-responses", "codex"],
    features=[
        "streaming",
        "non_streaming",
        "tools",
        "reasoning",
        "refusal",
        "citations",
        "hosted_tools",
        "structured_output",
        "retries",
        "multi_turn",
        "oauth",
        "native_responses",
    ],
)
async def chatgpt_oauth(call: Call) -> AsyncIterator[Event | AssistantTurn]:
    """Run the client under the harness: one client for each call, closed after it.

    The API key of the call is the access token. Besides the options of the request, this reads
    ``options.credentials`` (``refresh_token``, ``account_id``, ``expires_at``), or
    ``options.credentials_file``, the text of a credentials file in which ``{api_key}`` is
    replaced by the key; and ``options.header_set`` (``current`` or ``legacy``). The token
    endpoint is ``{base_url}/oauth/token``.
    """
    options = dict(call.options)
    headers = Headers[str(options.pop("header_set", "current")).upper()]
    with _store(call.api_key, options) as store:
        client = ChatGPTOAuthClient(
            store,
            base_url=call.base_url,
            token_url=f"{call.base_url}/oauth/token",
            headers=headers,
            timeout=call.timeout,
            retry=RetryPolicy(max_retries=call.max_retries),
        )
        own = dataclasses.replace(call, options=options)
        async with client, aclosing(make_call(client, own)) as answer:
            async for item in answer:
                yield item


@contextmanager
def _store(api_key: str, options: dict[str, Json]) -> Iterator[CredentialStore]:
    text = options.pop("credentials_file", None)
    credentials = options.pop("credentials", None) or {}
    if text is None:
        yield MemoryStore(Credentials(access_token=api_key, **credentials))
        return
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "auth.json")
        path.write_text(text.replace("{api_key}", api_key), encoding="utf-8")
        yield FileStore(path)
