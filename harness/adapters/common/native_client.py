"""The client that those of the native dialects are: what differs is their requests and readers."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import ClassVar, Self, TypedDict

from harness.adapters.common.answer import Answer
from harness.adapters.common.answer_body import AnswerBody
from harness.adapters.common.client import ApiClient
from harness.adapters.common.failures import request_id_of
from harness.adapters.common.harness_call import make_call
from harness.adapters.common.history import call_ids
from harness.adapters.common.retrying import RetryPolicy, errors_as_events, retrying
from harness.adapters.common.transport import BodyReading, HttpError, endpoint
from harness.clients.interface import Call, ClientError
from mockserver.dialects import find_dialect, written_request
from mockserver.vocabulary import (
    AssistantTurn,
    Event,
    Json,
    JsonObject,
    NeutralCall,
    fold,
)


class AnswerTerms(TypedDict):
    """What the reader of an answer gets beside the bytes."""

    taken_ids: Collection[str]
    secrets: Collection[str]
    request_id: str | None


class ApiError(ClientError):
    """The call failed. ``error`` says why, ``turn`` has what arrived before, if anything."""


class NativeClient(ApiClient):
    """Sends calls in one dialect: the dialect writes the request, ``answering`` reads the answer.

    The address is ``base_url`` and what the dialect puts behind it, such as the model.
    """

    path = ""
    dialect: ClassVar[str]
    #: The header of the key; in ``authorization`` it stands behind ``Bearer``.
    key_header: ClassVar[str] = "authorization"
    #: Makes the reader of a body; event streams unless a class says otherwise.
    reading: ClassVar[BodyReading] = AnswerBody

    @classmethod
    def for_call(cls, call: Call) -> Self:
        """Make a client for one call of the harness."""
        retry = RetryPolicy(max_retries=call.max_retries)
        return cls(call.base_url, call.api_key, timeout=call.timeout, retry=retry)

    @classmethod
    async def run(cls, call: Call) -> AsyncGenerator[Event | AssistantTurn, None]:
        """Run a client under the harness: one for each call, closed after it."""
        client = cls.for_call(call)
        async with client, aclosing(make_call(client, call)) as answer:
            async for item in answer:
                yield item

    @abstractmethod
    def answering(self, call: NeutralCall, request_id: str | None) -> Answer:
        """Return the reader of one answer to ``call``."""

    def _reading_terms(self, call: NeutralCall, request_id: str | None) -> AnswerTerms:
        """Return the arguments that the readers of all APIs take."""
        return {
            "taken_ids": call_ids(call.messages),
            "secrets": self._secrets,
            "request_id": request_id,
        }

    def _key_headers(self) -> Mapping[str, str]:
        (key,) = self._secrets
        if self.key_header == "authorization" or not key:
            return self._bearer
        return {self.key_header: key}

    async def stream(
        self,
        *,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        options: Mapping[str, Json] | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of one answer; the last is ``message_stop`` or ``error``.

        Failures of the server or the connection are events, not exceptions. ``messages``, ``tools``
        and ``options`` are those of Chat Completions; raises ``ValueError`` for what the API cannot
        say. Leaving the iteration early closes the connection.
        """
        attempts = self._attempts(_call(model, messages, tools, options, stream=True))
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
        """Return the whole turn of one answer, requested without a stream.

        Takes the arguments of :meth:`stream`. Raises :class:`ApiError`.
        """
        attempts = self._attempts(_call(model, messages, tools, options, stream=False))
        try:
            async with aclosing(attempts) as events:
                turn = fold([event async for event in events])
        except HttpError as exc:
            raise ApiError(exc.error) from None
        if turn.error:
            raise ApiError(turn.error, turn)
        return turn

    def _attempts(self, call: NeutralCall) -> AsyncGenerator[Event, None]:
        dialect = find_dialect(self.dialect)
        request = written_request(dialect, call)
        path = request.url.path[len(dialect.base_path([request.url.path])) :]
        query = f"?{request.url.query}" if request.url.query else ""
        url = endpoint(self._url.rstrip("/") + path + query)
        attempt = functools.partial(
            self._attempt,
            url,
            {**dict(request.headers), **self._key_headers()},
            request.body,
            functools.partial(self.answering, call),
        )
        return retrying(attempt, self._retry, sleep=self._sleep, jitter=self._jitter)

    async def _attempt(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        answering: Callable[[str | None], Answer],
    ) -> AsyncGenerator[Event, None]:
        async with self._transport.post(url, headers=headers, content=body) as response:
            answer = answering(request_id_of(response.headers))
            reading = self._transport.read(response, answer, reading=self.reading)
            async with aclosing(reading) as events:
                async for event in events:
                    yield event


def _call(
    model: str,
    messages: Sequence[JsonObject],
    tools: Sequence[JsonObject],
    options: Mapping[str, Json] | None,
    *,
    stream: bool,
) -> NeutralCall:
    return NeutralCall(
        model=model,
        messages=tuple(messages),
        tools=tuple(tools),
        stream=stream,
        options=dict(options or {}),
    )
