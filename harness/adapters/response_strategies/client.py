"""``response-strategies``: one client that uses the API that suits the model.

A program can use the class or :func:`execute`; the function at the end is the adapter of the
harness.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import tempfile
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Generator,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path
from typing import Any, Unpack

from harness.adapters.common.client import ClientSettings
from harness.adapters.common.harness_call import make_call, with_turn
from harness.adapters.common.retrying import RetryPolicy
from harness.adapters.common.sync import SyncClient
from harness.adapters.common.transport import Closable
from harness.adapters.openai_compat import OpenAICompatClient
from harness.adapters.response_strategies.background import ResponsesClient
from harness.adapters.response_strategies.background_polling import (
    Clock,
    CountingClock,
    PollPolicy,
    SystemClock,
)
from harness.adapters.response_strategies.background_store import (
    FileStore,
    JobStore,
    MemoryStore,
    job_key,
)
from harness.adapters.response_strategies.model_table import Route, Strategy, route
from harness.clients.interface import Call, adapter
from mockserver.vocabulary import AssistantTurn, Event, Json, JsonObject

#: How often a request is retried, by every strategy, and after how many seconds.
RETRY = RetryPolicy(max_retries=3, first=2.0, ceiling=60.0)


class StrategyClient(Closable):
    """Sends requests to an OpenAI-compatible server. Use it in ``async with``, or close it.

    :func:`~harness.adapters.response_strategies.model_table.route` chooses the strategy by the
    name of the model, unless ``strategy`` is given: then the name is sent unchanged. ``retry``,
    :data:`RETRY` by default, applies to all strategies; the other arguments are those of
    :class:`~harness.adapters.response_strategies.background.ResponsesClient`.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str = "",
        *,
        strategy: Strategy | None = None,
        polls: PollPolicy | None = None,
        store: JobStore | None = None,
        clock: Clock | None = None,
        **settings: Unpack[ClientSettings],
    ) -> None:
        clock = clock or SystemClock()
        settings.setdefault("retry", RETRY)
        self._strategy = strategy
        self._chat = OpenAICompatClient(base_url, api_key, sleep=clock.sleep, **settings)
        self._responses = ResponsesClient(
            base_url, api_key, polls=polls, store=store, clock=clock, **settings
        )

    async def aclose(self) -> None:
        """Close all connections. Background jobs continue; their ids stay in the store."""
        await self._chat.aclose()
        await self._responses.aclose()

    async def stream(
        self,
        *,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        options: Mapping[str, Json] | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of one answer; the last is ``message_stop`` or ``error``.

        ``options`` are further request fields, by their Chat Completions names; the strategies
        of the Responses API take those of that API too. Failures of the server or the
        connection are events, not exceptions. Raises ``ValueError`` for a request that the API
        cannot express, and what the store raises.
        """
        chosen = self._route(model)
        if chosen.strategy is Strategy.CHAT:
            answer = self._chat.stream(
                model=chosen.model, messages=messages, tools=tools, options=options
            )
        else:
            answer = self._responses.stream(
                model=chosen.model,
                messages=messages,
                tools=tools,
                options=options,
                background=chosen.strategy is Strategy.BACKGROUND,
            )
        async with aclosing(answer) as events:
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
        """Return the whole turn of one answer.

        Takes the arguments of :meth:`stream`. Raises
        :class:`~harness.clients.interface.ClientError` with what arrived before.
        """
        chosen = self._route(model)
        if chosen.strategy is Strategy.CHAT:
            return await self._chat.complete(
                model=chosen.model, messages=messages, tools=tools, options=options
            )
        return await self._responses.complete(
            model=chosen.model,
            messages=messages,
            tools=tools,
            options=options,
            background=chosen.strategy is Strategy.BACKGROUND,
        )

    async def resume(self, response_id: str) -> AsyncGenerator[Event, None]:
        """Yield the events of a background job from its beginning."""
        async with aclosing(self._responses.resume(response_id)) as events:
            async for event in events:
                yield event

    async def result(self, response_id: str) -> AssistantTurn:
        """Return the turn of a background job; poll until it has ended. Raises what
        :meth:`complete` raises."""
        return await self._responses.result(response_id)

    def _route(self, model: str) -> Route:
        return route(model) if self._strategy is None else Route(self._strategy, model)


class SyncStrategyClient(SyncClient):
    """The calls of ``client`` for programs without an event loop; it is closed with this."""

    def __init__(self, client: StrategyClient) -> None:
        super().__init__(client)
        self._jobs = client

    def resume(self, response_id: str) -> Generator[Event, None, None]:
        """Yield what :meth:`StrategyClient.resume` yields."""
        return self.iterate(self._jobs.resume(response_id))

    def result(self, response_id: str) -> AssistantTurn:
        """Return what :meth:`StrategyClient.result` returns."""
        return self.run(self._jobs.result(response_id))


def execute(
    base_url: str,
    api_key: str = "",
    *,
    model: str,
    messages: Sequence[JsonObject],
    tools: Sequence[JsonObject] = (),
    options: Mapping[str, Json] | None = None,
    **settings: Any,
) -> AssistantTurn:
    """Make one call and return the turn, for programs without an event loop.

    ``settings`` are further arguments of :class:`StrategyClient`. Raises what it and its
    ``complete`` raise.
    """
    with SyncStrategyClient(StrategyClient(base_url, api_key, **settings)) as client:
        return client.complete(model=model, messages=messages, tools=tools, options=options)


#: The jobs that earlier calls under the harness left unfinished.
_JOBS = MemoryStore()
_STRATEGIES = {
    "background": Strategy.BACKGROUND,
    "openai-responses": Strategy.RESPONSES,
    "openai-chat": Strategy.CHAT,
}


@adapter(
    dialects=list(_STRATEGIES),
    features=[
        "streaming",
        "non_streaming",
        "tools",
        "reasoning",
        "refusal",
        "citations",
        "hosted_tools",
        "retries",
        "think_tags",
        "return_reasoning",
        "multi_turn",
        "legacy_functions",
        "structured_output",
        "background",
        "resume",
    ],
)
async def response_strategies(call: Call) -> AsyncIterator[Event | AssistantTurn]:
    """Run the client under the harness: one client for each call, closed after it.

    Its clock only counts and its jitter is 0, so that retries and polls take no time and a
    scenario knows when they are due. Later calls resume the jobs that a call leaves unfinished.
    Besides the options of the request this reads

    - ``strategy``: ``background``, ``responses``, ``chat``, or ``auto`` for the choice by
      model; by default what the dialect needs;
    - ``poll_interval`` and ``poll_timeout``, in seconds of that clock;
    - ``response_id``: the id of a job to resume in place of a request;
    - ``job_files``: true to store the ids of jobs in files;
    - ``blocking``: true to call :func:`execute`, in real time.
    """
    options = dict(call.options)
    strategy = options.pop("strategy", None) or _STRATEGIES.get(call.dialect)
    polls = {
        name: options.pop(f"poll_{name}")
        for name in ("interval", "timeout")
        if f"poll_{name}" in options
    }
    response_id = options.pop("response_id", None)
    blocking = options.pop("blocking", False)
    with _jobs(call, files=options.pop("job_files", False)) as store:
        settings: dict[str, Any] = {
            "strategy": None if strategy in (None, "auto") else Strategy(strategy),
            "timeout": call.timeout,
            "retry": dataclasses.replace(RETRY, max_retries=call.max_retries),
            "polls": PollPolicy(**polls),
            "store": store,
        }
        if blocking:
            ask = functools.partial(
                execute,
                call.base_url,
                call.api_key,
                model=call.model,
                messages=call.messages,
                tools=call.tools,
                options=options,
                **settings,
            )
            yield await asyncio.to_thread(ask)
            return
        async with StrategyClient(
            call.base_url, call.api_key, **settings, clock=CountingClock(), jitter=lambda: 0.0
        ) as client:
            if response_id is None:
                answer = make_call(client, dataclasses.replace(call, options=options))
            else:
                answer = _resumed(client, response_id, call.stream)
            async with aclosing(answer) as items:
                async for item in items:
                    yield item


@contextmanager
def _jobs(call: Call, *, files: bool) -> Iterator[JobStore]:
    """Open the store for a call, shared with later calls to the same server."""
    if not files:
        yield _JOBS
        return
    directory = Path(tempfile.gettempdir(), f"tapecheck-jobs-{job_key(call.base_url, {})}")
    try:
        yield FileStore(directory)
    finally:
        with suppress(OSError):  # there is no directory, or it still has the file of a job
            directory.rmdir()


async def _resumed(
    client: StrategyClient, response_id: str, stream: bool
) -> AsyncGenerator[Event | AssistantTurn, None]:
    if not stream:
        yield await client.result(response_id)
        return
    async with aclosing(with_turn(client.resume(response_id))) as items:
        async for item in items:
            yield item
