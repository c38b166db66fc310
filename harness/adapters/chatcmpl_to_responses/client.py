"""``chatcmpl-to-responses``: Responses stream events from any Chat Completions answer.

:class:`ChatcmplToResponses` translates chunks; :class:`ChatcmplToResponsesClient` requests them
from a server. The function at the end is the adapter of the harness.
"""

from __future__ import annotations

import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Collection,
    Generator,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from typing import Unpack

from harness.adapters.chat.stream import ChatStream
from harness.adapters.chatcmpl_to_responses.events import ResponsesEvents
from harness.adapters.common.client import ClientSettings
from harness.adapters.common.harness_call import with_turn
from harness.adapters.common.retrying import RetryPolicy
from harness.adapters.common.sync import Blocking
from harness.adapters.common.transport import Closable
from harness.adapters.openai_compat import OpenAICompatClient, openai_compat
from harness.clients.interface import Call, ClientError, adapter
from mockserver.vocabulary import AssistantTurn, ErrorInfo, Event, Json, JsonObject, fold


class ChatcmplToResponses:
    """Translates the chunks of one answer into Responses events: no I/O, no clock.

    ``shell`` has fields of the Response object: ``created_at`` (epoch seconds), which is
    required, ``model`` and others. ``tools`` are those of the request in the form of Chat
    Completions, ``taken_ids`` the tool call ids of earlier turns, which ids made here do not
    repeat. Pass every chunk to :meth:`chunk`, then end the answer in one of three ways; the
    last event is ``response.completed``, ``response.incomplete`` or ``response.failed``.
    """

    def __init__(
        self,
        shell: Mapping[str, Json],
        *,
        tools: Iterable[JsonObject] = (),
        taken_ids: Collection[str] = (),
    ) -> None:
        self._chat = ChatStream(tools=tools, taken_ids=taken_ids)
        self._responses = ResponsesEvents(shell)

    def chunk(self, value: Json) -> list[JsonObject]:
        """Take one ``chat.completion.chunk``, or a whole ``chat.completion``."""
        return self._translate(self._chat.chunk(value))

    def done(self) -> list[JsonObject]:
        """End because the server sent ``[DONE]``."""
        return self._translate(self._chat.done())

    def ended(self) -> list[JsonObject]:
        """End because the stream did; without a finish reason that is a failure."""
        return self._translate(self._chat.ended())

    def lost(self, error: ErrorInfo) -> list[JsonObject]:
        """End because the connection broke with ``error``."""
        return self._translate(self._chat.lost(error))

    def _translate(self, events: Iterable[Event]) -> list[JsonObject]:
        return [native for event in events for native in self._responses.feed(event).native]


class ChatcmplToResponsesClient(Closable):
    """Requests ``{base_url}/chat/completions`` and answers like the Responses API.

    Use it in ``async with``, or close it. The arguments are those of
    :class:`~harness.adapters.openai_compat.OpenAICompatClient`; ``now`` returns the
    ``created_at`` of a response, in epoch seconds.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str = "",
        *,
        now: Callable[[], float] = time.time,
        **settings: Unpack[ClientSettings],
    ) -> None:
        self._chat = OpenAICompatClient(base_url, api_key, **settings)
        self._now = now

    async def aclose(self) -> None:
        """Close all connections."""
        await self._chat.aclose()

    async def stream(
        self,
        *,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        options: Mapping[str, Json] | None = None,
    ) -> AsyncGenerator[JsonObject, None]:
        """Yield the Responses events of one answer; the last one is terminal.

        Failures of the server or the connection are a ``response.failed``, not an exception.
        ``options`` are further fields of a Chat Completions request, as for ``openai-compat``.
        """
        answer = self.events(model=model, messages=messages, tools=tools, options=options)
        async with aclosing(answer) as events:
            async for event in events:
                for native in event.native:
                    yield native

    async def create(
        self,
        *,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        options: Mapping[str, Json] | None = None,
    ) -> JsonObject:
        """Return the Response object of one answer, requested without a stream.

        Takes the arguments of :meth:`stream`. Raises
        :class:`~harness.clients.interface.ClientError`.
        """
        answer = self.events(
            model=model, messages=messages, tools=tools, options=options, stream=False
        )
        events = [event async for event in answer]
        _raise_failure(fold(events))
        response: JsonObject = events[-1].native[-1]["response"]
        return response

    async def events(
        self,
        *,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        options: Mapping[str, Json] | None = None,
        stream: bool = True,
    ) -> AsyncGenerator[Event, None]:
        """Yield the normalized events; all their ``native`` together are the Responses events.

        Takes the arguments of :meth:`stream`. ``stream`` is what the server is asked to send.
        """
        fields = dict(options or {})
        if not stream:
            fields |= {"stream": False, "stream_options": None}
        responses = ResponsesEvents({"created_at": int(self._now()), "model": model})
        answer = self._chat.stream(model=model, messages=messages, tools=tools, options=fields)
        async with aclosing(answer) as events:
            async for event in events:
                yield responses.feed(event)


class SyncChatcmplToResponsesClient(Blocking):
    """The calls of ``client`` for programs without an event loop; it is closed with this."""

    def __init__(self, client: ChatcmplToResponsesClient) -> None:
        super().__init__(client)
        self._client = client

    def stream(
        self,
        *,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        options: Mapping[str, Json] | None = None,
    ) -> Generator[JsonObject, None, None]:
        """Yield what :meth:`ChatcmplToResponsesClient.stream` yields."""
        return self.iterate(
            self._client.stream(model=model, messages=messages, tools=tools, options=options)
        )

    def create(
        self,
        *,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        options: Mapping[str, Json] | None = None,
    ) -> JsonObject:
        """Return what :meth:`ChatcmplToResponsesClient.create` returns."""
        return self.run(
            self._client.create(model=model, messages=messages, tools=tools, options=options)
        )


def _raise_failure(turn: AssistantTurn) -> None:
    if turn.error:
        raise ClientError(turn.error, turn)


@adapter(
    dialects=openai_compat.dialects,
    features=[*openai_compat.features, "native_responses"],
)
async def chatcmpl_to_responses(call: Call) -> AsyncIterator[Event | AssistantTurn]:
    """Run the client under the harness: one client for each call, closed after it."""
    retry = RetryPolicy(max_retries=call.max_retries)
    async with ChatcmplToResponsesClient(
        call.base_url, call.api_key, timeout=call.timeout, retry=retry
    ) as client:
        answer = client.events(
            model=call.model,
            messages=call.messages,
            tools=call.tools,
            options=call.options,
            stream=call.stream,
        )
        async with aclosing(with_turn(answer)) as items:
            async for item in items:
                if call.stream:
                    yield item
                elif isinstance(item, AssistantTurn):
                    _raise_failure(item)
                    yield item
