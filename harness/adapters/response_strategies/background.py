"""A client for the Responses API with background jobs.

A job is created, polled until it ends, and resumed by its id: after a broken stream, and after a
crash of the program. Source:
https://platform.openai.com/docs/guides/background.
"""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from typing import Unpack
from urllib.parse import quote

import httpx

from harness.adapters.common.client import ApiClient, ClientSettings
from harness.adapters.common.failures import failure, request_id_of
from harness.adapters.common.history import call_ids
from harness.adapters.common.retrying import retrying
from harness.adapters.common.transport import HttpError
from harness.adapters.response_strategies.background_answer import JobAnswer
from harness.adapters.response_strategies.background_polling import Clock, PollPolicy, SystemClock
from harness.adapters.response_strategies.background_store import JobStore, MemoryStore, job_key
from harness.clients.interface import ClientError
from mockserver.dialects.openai_responses import responses_body
from mockserver.vocabulary import (
    AssistantTurn,
    ErrorClass,
    ErrorEvent,
    Event,
    Json,
    JsonObject,
    fold,
)

#: A request whose answer was lost may have started a job; repeating it could start many.
_MAX_LOST_ANSWERS = 1


class ResponsesError(ClientError):
    """The call failed. ``error`` says why, ``turn`` has what arrived before, if anything."""


@dataclass(slots=True, kw_only=True)
class _Job:
    """One running call.

    ``new_answer`` makes an ``answer`` to a request. ``key`` is the name of the job in the
    store, if it has one, and ``is_stored`` whether its id is there; ``streaming`` whether its
    events are streamed; ``lost`` counts the requests that got neither an id nor a status;
    ``pause`` is the wait before the next poll, in seconds.
    """

    answer: JobAnswer
    new_answer: Callable[[], JobAnswer] | None = None
    body: JsonObject | None = None
    key: str | None = None
    is_stored: bool = False
    streaming: bool = False
    lost: int = 0
    pause: float = 0.0

    def repeatable(self) -> bool:
        """Return whether the request may be repeated without starting many jobs."""
        if self.key is None:
            return True
        return self.answer.response_id is None and self.lost <= _MAX_LOST_ANSWERS


class ResponsesClient(ApiClient):
    """Sends requests to ``{base_url}/responses``.

    ``retry`` applies to every request; a poll that succeeds restores all retries. ``polls``
    says how often a job is polled and for how long. ``store`` keeps the ids of unfinished jobs,
    in memory by default. ``clock`` is for tests; the ``settings`` are those of
    :class:`~harness.adapters.common.client.ApiClient`. Closing the client leaves jobs running
    and their ids in the store.
    """

    path = "/responses"

    def __init__(
        self,
        base_url: str,
        api_key: str = "",
        *,
        polls: PollPolicy | None = None,
        store: JobStore | None = None,
        clock: Clock | None = None,
        **settings: Unpack[ClientSettings],
    ) -> None:
        self._clock = clock or SystemClock()
        super().__init__(base_url, api_key, sleep=self._clock.sleep, **settings)
        self._polls = polls or PollPolicy()
        self._store = MemoryStore() if store is None else store

    async def stream(
        self,
        *,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        options: Mapping[str, Json] | None = None,
        background: bool = True,
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of one answer; the last is ``message_stop`` or ``error``.

        With ``background``, an unfinished job of the same request is resumed from its
        beginning; otherwise a job is created. A stream that breaks is resumed after the last
        event, and polled if the server no longer streams it. Without ``background`` a broken
        stream is an error, since there is nothing to resume; an answer that is "in progress"
        is polled all the same. Failures of the server or the connection are events, not
        exceptions. Leaving the iteration early closes the connection; the job continues, and
        its id stays in the store. A job that the server no longer knows is an error, and is
        removed from the store. Raises what :func:`responses_body` and the store raise.
        """
        body = responses_body(
            model=model,
            messages=messages,
            tools=tools,
            options=options,
            stream=True,
            background=background,
        )
        async with aclosing(self._events(self._job(body, messages))) as events:
            async for event in events:
                yield event

    async def complete(
        self,
        *,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        options: Mapping[str, Json] | None = None,
        background: bool = True,
    ) -> AssistantTurn:
        """Return the whole turn of one answer, by polling where :meth:`stream` would stream.

        Takes the arguments of :meth:`stream`. Raises :class:`ResponsesError`.
        """
        body = responses_body(
            model=model,
            messages=messages,
            tools=tools,
            options=options,
            stream=False,
            background=background,
        )
        return await self._turn(self._job(body, messages))

    async def resume(self, response_id: str) -> AsyncGenerator[Event, None]:
        """Yield the events of a job from its beginning, as :meth:`stream` does."""
        answer = JobAnswer(resumable=True, response_id=response_id, secrets=self._secrets)
        job = _Job(answer=answer, streaming=True)
        async with aclosing(self._events(job)) as events:
            async for event in events:
                yield event

    async def result(self, response_id: str) -> AssistantTurn:
        """Return the turn of a job, as :meth:`complete` does; poll until it has ended."""
        answer = JobAnswer(resumable=True, response_id=response_id, secrets=self._secrets)
        return await self._turn(_Job(answer=answer))

    def _job(self, body: JsonObject, messages: Sequence[JsonObject]) -> _Job:
        background = "background" in body
        new_answer = functools.partial(
            JobAnswer, resumable=background, taken_ids=call_ids(messages), secrets=self._secrets
        )
        if not background:
            return _Job(answer=new_answer(), new_answer=new_answer, body=body)
        # The same job, streamed or not.
        key = job_key(self._url, {name: body[name] for name in body if name != "stream"})
        known = self._store.load(key)
        return _Job(
            answer=new_answer(response_id=known),
            new_answer=new_answer,
            body=body,
            key=key,
            is_stored=known is not None,
            streaming=body["stream"],
        )

    async def _turn(self, job: _Job) -> AssistantTurn:
        async with aclosing(self._events(job)) as events:
            turn = fold([event async for event in events])
        if turn.error:
            raise ResponsesError(turn.error, turn)
        return turn

    async def _events(self, job: _Job) -> AsyncGenerator[Event, None]:
        """Create the job if it has no id, and yield its events until it ends."""
        if job.answer.response_id is None:
            creating = retrying(
                functools.partial(self._create, job),
                self._retry,
                sleep=self._sleep,
                jitter=self._jitter,
                repeatable=job.repeatable,
            )
            async with aclosing(creating) as events:
                try:
                    async for event in events:
                        yield event
                except HttpError as exc:
                    yield ErrorEvent(error=exc.error)
                    return
        async with aclosing(self._follow(job)) as events:
            async for event in events:
                yield event

    async def _create(self, job: _Job) -> AsyncGenerator[Event, None]:
        assert job.new_answer is not None
        assert job.body is not None
        job.answer = job.new_answer()
        asked = self._transport.post(self._url, headers=self._bearer, body=job.body)
        job.lost += 1  # counted now, since a caller may leave at any event
        try:
            async with aclosing(self._read(job, asked)) as events:
                async for event in events:
                    yield event
        except HttpError as exc:
            job.lost -= exc.error.status is not None
            raise

    async def _follow(self, job: _Job) -> AsyncGenerator[Event, None]:
        """Poll or stream the job until it ends, fails for good, or takes too long."""
        answer, failures = job.answer, 0
        error = answer.broken
        deadline = self._clock.now() + self._polls.timeout
        while not answer.closed:
            left = deadline - self._clock.now()
            pause: float | None = min(job.pause, left)
            if error is not None:
                pause = self._retry.delay(failures, error, self._jitter())
                failures += 1
            if pause is None:
                assert error is not None
                for event in answer.fail(error):
                    yield event
                return
            if left <= 0 or pause > left:
                for event in await self._cancel(job):
                    yield event
                return
            await self._sleep(pause)
            before = answer.sequence_number
            try:
                async with aclosing(self._ask(job)) as events:
                    async for event in events:
                        yield event
                error = answer.broken
            except HttpError as exc:
                error = exc.error
                if job.streaming and error.status == 400:
                    # Only the stream is refused: it is too old, or was never stored.
                    job.streaming, job.pause, error = False, 0.0, None
                self._update_store(job, gone=exc.error.status == 404)
            if error is None or answer.sequence_number != before:
                failures = 0

    def _ask(self, job: _Job) -> AsyncGenerator[Event, None]:
        query = {}
        if job.streaming:
            query["stream"] = "true"
            if job.answer.sequence_number is not None:
                query["starting_after"] = str(job.answer.sequence_number)
        asked = self._transport.get(self._url_of(job), headers=self._bearer, query=query)
        return self._read(job, asked)

    async def _read(
        self, job: _Job, asked: AbstractAsyncContextManager[httpx.Response]
    ) -> AsyncGenerator[Event, None]:
        answer = job.answer
        async with asked as response:
            job.pause = self._polls.pause(response.headers)
            answer.connect(request_id_of(response.headers))
            keep = functools.partial(self._update_store, job)
            reading = self._transport.read(response, answer, before_each=keep)
            async with aclosing(reading) as events:
                async for event in events:
                    yield event

    async def _cancel(self, job: _Job) -> list[Event]:
        """Cancel the job. If it has just ended, its answer is used."""
        answer = job.answer
        late = f"the response did not end within {self._polls.timeout:g} s"
        response: Json = None
        try:
            url = f"{self._url_of(job)}/cancel"
            async with self._transport.post(url, headers=self._bearer) as received:
                response = json.loads(await self._transport.read_whole(received))
        except (HttpError, httpx.HTTPError, ValueError):
            pass  # it may still run: its id stays in the store
        status = response.get("status") if isinstance(response, Mapping) else None
        if status in ("completed", "incomplete", "failed"):
            events = answer.chunk(response)
        else:
            answer.job_ended = status == "cancelled"
            events = answer.fail(failure(ErrorClass.TIMEOUT, late))
        self._update_store(job)
        return events

    def _update_store(self, job: _Job, *, gone: bool = False) -> None:
        """Store the id of a running job; remove it before its last event, or if it is ``gone``.

        Before, because a caller may stop reading at the last event.
        """
        answer = job.answer
        if job.key is None or answer.response_id is None:
            return
        if job.is_stored and (answer.job_ended or gone):
            self._store.remove(job.key)
        elif not (job.is_stored or answer.job_ended):
            self._store.save(job.key, answer.response_id)
            job.is_stored = True

    def _url_of(self, job: _Job) -> str:
        return f"{self._url}/{quote(str(job.answer.response_id), safe='')}"
