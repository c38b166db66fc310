"""``openai-compat``: a client for any server that speaks Chat Completions.

A program can use the class; the function at the end is the adapter of the harness.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Self

from harness.adapters.chat.stream import ChatStream
from harness.adapters.common.client import ApiClient
from harness.adapters.common.failures import request_id_of
from harness.adapters.common.harness_call import make_call
from harness.adapters.common.history import call_ids
from harness.adapters.common.retrying import RetryPolicy, errors_as_events, retrying
from harness.adapters.common.transport import HttpError
from harness.clients.interface import Call, ClientError, adapter
from mockserver.dialects.openai_chat import request_body
from mockserver.vocabulary import AssistantTurn, ErrorInfo, Event, Json, JsonObject, fold


class OpenAICompatError(ClientError):
    """The call failed. ``error`` says why, ``turn`` has what arrived before, if anything.

    The text of the exception is stable: ``HTTP {status} from local model backend: {body}`` for
    an HTTP error, else the message of ``error``.
    """

    def __init__(self, text: str, error: ErrorInfo, turn: AssistantTurn | None = None) -> None:
        super().__init__(error, turn)
        self.args = (text,)


class OpenAICompatClient(ApiClient):
    """Sends requests to ``{base_url}/chat/completions``."""

    path = "/chat/completions"

    @classmethod
    def for_call(cls, call: Call) -> Self:
        """Make a client for one call of the harness."""
        retry = RetryPolicy(max_retries=call.max_retries)
        return cls(call.base_url, call.api_key, timeout=call.timeout, retry=retry)

    async def stream(
        self,
        *,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        options: Mapping[str, Json] | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of one answer; the last is ``message_stop`` or ``error``.

        Failures of the server or the connection are events, not exceptions. ``options`` are
        further request fields by name, and two of this client: ``think_tags`` (true: a leading
        ``<think>`` block is reasoning) and ``return_reasoning`` (the field in which earlier
        reasoning is sent back; another name raises ``ValueError``). Leaving the iteration early
        closes the connection.
        """
        attempts = self._attempts(model, messages, tools, options, stream=True)
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
            secrets=self._secrets,
        )
        attempt = functools.partial(self._attempt, body, reading)
        return retrying(attempt, self._retry, sleep=self._sleep, jitter=self._jitter)

    async def _attempt(
        self, body: JsonObject, reading: Callable[..., ChatStream]
    ) -> AsyncGenerator[Event, None]:
        headers = {
            "accept": "text/event-stream" if body["stream"] else "application/json",
            **self._bearer,
        }
        async with self._transport.post(self._url, headers=headers, body=body) as response:
            answer = reading(request_id=request_id_of(response.headers))
            async with aclosing(self._transport.read(response, answer)) as events:
                async for event in events:
                    yield event


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
    """Run the client under the harness: one client for each call, closed after it."""
    client = OpenAICompatClient.for_call(call)
    async with client, aclosing(make_call(client, call)) as answer:
        async for item in answer:
            yield item
