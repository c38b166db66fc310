"""A call of the harness, made with one of the clients."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Protocol

from harness.clients.interface import Call
from mockserver.vocabulary import AssistantTurn, Event, Json, JsonObject, fold


class Client(Protocol):
    """The two calls that the clients have in common."""

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


async def make_call(client: Client, call: Call) -> AsyncGenerator[Event | AssistantTurn, None]:
    """Yield the events and the turn of ``call``, or the turn alone if it is not streamed."""
    if not call.stream:
        yield await client.complete(
            model=call.model, messages=call.messages, tools=call.tools, options=call.options
        )
        return
    events = client.stream(
        model=call.model, messages=call.messages, tools=call.tools, options=call.options
    )
    async with aclosing(with_turn(events)) as items:
        async for item in items:
            yield item


async def with_turn(
    answer: AsyncGenerator[Event, None],
) -> AsyncGenerator[Event | AssistantTurn, None]:
    """Yield the events of ``answer``, then the turn that they make."""
    seen = []
    async with aclosing(answer) as events:
        async for event in events:
            seen.append(event)
            yield event
    yield fold(seen)
