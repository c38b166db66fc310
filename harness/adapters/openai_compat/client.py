"""``openai-compat``: a client for any server that speaks Chat Completions.

Usable by a program as it is, and an adapter of the harness by the function at the end.
"""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Protocol

import httpx

from harness.adapters.chat.request import call_ids, request_body
from harness.adapters.chat.stream import ChatStream
from harness.adapters.common.answer_body import AnswerBody
from harness.adapters.common.failures import request_id_of
from harness.adapters.common.retrying import Dice, RetryPolicy, Sleep, retrying
from harness.adapters.common.transport import Closable, HttpError, Transport, bearer, endpoint
from harness.clients.interface import Call, ClientError, adapter
from mockserver.vocabulary.fold import fold
from mockserver.vocabulary.model import (
    AssistantTurn,
    ErrorEvent,
    ErrorInfo,
    Event,
    Json,
    JsonObject,
)


class OpenAICompatError(ClientError):
    """The call failed. ``error`` says how, ``turn`` holds what was received before.

    Its text is stable: ``HTTP {status} from local model backend: {body}`` for an HTTP error,
    else the message of ``error``.
    """

    def __init__(self, text: str, error: ErrorInfo, turn: AssistantTurn | None = None) -> None:
        super().__init__(error, turn)
        self.args = (text,)


class OpenAICompatClient(Closable):
    """Talks to ``{base_url}/chat/completions``; to be used in ``async with`` or closed.

    ``api_key`` is sent as a bearer token, none if empty. ``timeout`` is the longest wait for
    the next byte, in seconds. ``retry`` holds before the first event only. ``sleep``, ``dice``
    and ``transport`` are for tests. Raises ``ValueError`` for a base URL that is not HTTP and
    for a key that cannot stand in a header.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str = "",
        *,
        timeout: float = 30.0,
        retry: RetryPolicy | None = None,
        sleep: Sleep = asyncio.sleep,
        dice: Dice = random.random,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = endpoint(base_url, "/chat/completions")
        self._api_key = api_key
        self._bearer = bearer(api_key)
        self._retry = retry or RetryPolicy()
        self._sleep = sleep
        self._dice = dice
        self._transport = Transport(timeout=timeout, secrets=(api_key,), transport=transport)

    async def aclose(self) -> None:
        """Close all connections."""
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

        Never raises for what a server or a wire does. ``options`` are further request fields
        by their names, and two of our own: ``think_tags`` (true: a leading ``<think>`` block
        is reasoning) and ``return_reasoning`` (the field in which earlier reasoning is sent
        back). Leaving the iteration early closes the connection.
        """
        attempts = self._attempts(model, messages, tools, options, stream=True)
        async with aclosing(attempts) as events:
            try:
                async for event in events:
                    yield event
            except HttpError as exc:
                yield ErrorEvent(error=exc.error)

    async def complete(
        self,
        *,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        options: Mapping[str, Json] | None = None,
    ) -> AssistantTurn:
        """Return the whole turn of one answer, asked for without a stream.

        Takes the arguments of :meth:`stream`. Raises :class:`OpenAICompatError`.
        """
        attempts = self._attempts(model, messages, tools, options, stream=False)
        try:
            async with aclosing(attempts) as events:
                turn = fold([event async for event in events])
        except HttpError as exc:
            text = exc.error.message
            if exc.error.status is not None:
                text = f"HTTP {exc.error.status} from local model backend: {exc.body}"
            raise OpenAICompatError(text, exc.error) from None
        if turn.error:
            raise OpenAICompatError(turn.error.message, turn.error, turn)
        return turn

    def _attempts(
        self,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject],
        options: Mapping[str, Json] | None,
        *,
        stream: bool,
    ) -> AsyncGenerator[Event, None]:
        fields = dict(options or {})
        think_tags = bool(fields.pop("think_tags", False))
        body = request_body(
            model=model,
            messages=messages,
            tools=tools,
            stream=stream,
            return_reasoning=fields.pop("return_reasoning", None),
            options=fields,
        )

        reading = functools.partial(
            ChatStream,
            tools=tools,
            taken_ids=call_ids(messages),
            think_tags=think_tags,
            secrets=(self._api_key,),
        )
        attempt = functools.partial(self._attempt, body, reading)
        return retrying(attempt, self._retry, sleep=self._sleep, dice=self._dice)

    async def _attempt(
        self, body: JsonObject, reading: Callable[..., ChatStream]
    ) -> AsyncGenerator[Event, None]:
        headers = {
            "accept": "text/event-stream" if body["stream"] else "application/json",
            **self._bearer,
        }
        async with self._transport.post(self._url, headers=headers, body=body) as response:
            answer = AnswerBody(
                reading(request_id=request_id_of(response.headers)),
                content_type=response.headers.get("content-type"),
            )
            try:
                async for data in response.aiter_bytes():
                    for event in answer.feed(data):
                        yield event
                    if answer.closed:
                        return
                last = answer.end()
            except httpx.HTTPError as exc:
                last = answer.lost(self._transport.lost(exc))
            for event in last:
                yield event


class Client(Protocol):
    """What can be asked as :class:`OpenAICompatClient` can."""

    def stream(
        self,
        *,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        options: Mapping[str, Json] | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of one answer."""

    async def complete(
        self,
        *,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        options: Mapping[str, Json] | None = None,
    ) -> AssistantTurn:
        """Return the whole turn of one answer."""


async def played(client: Client, call: Call) -> AsyncGenerator[Event | AssistantTurn, None]:
    """Make ``call`` with ``client``: yield its events and its turn, or the turn alone."""
    if not call.stream:
        yield await client.complete(
            model=call.model, messages=call.messages, tools=call.tools, options=call.options
        )
        return
    seen = []
    answer = client.stream(
        model=call.model, messages=call.messages, tools=call.tools, options=call.options
    )
    async with aclosing(answer) as events:
        async for event in events:
            seen.append(event)
            yield event
    yield fold(seen)


@adapter(
    dialects=["openai-chat"],
    features=[
        "streaming",
        "non_streaming",
        "tools",
        "reasoning",
        "refusal",
        "citations",
        "retries",
        "think_tags",
        "return_reasoning",
        "multi_turn",
        "legacy_functions",
        "structured_output",
        "multiple_choices",
    ],
)
async def openai_compat(call: Call) -> AsyncIterator[Event | AssistantTurn]:
    """The client under the harness: one client for each call, closed with it."""
    client = OpenAICompatClient(
        call.base_url,
        call.api_key,
        timeout=call.timeout,
        retry=RetryPolicy(max_retries=call.max_retries),
    )
    async with client, aclosing(played(client, call)) as answer:
        async for item in answer:
            yield item
