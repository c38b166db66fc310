"""The faults of docs/bugs.md in ``response-strategies``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace

import pytest

from harness.adapters.common.failures import failure
from harness.adapters.common.retrying import RetryPolicy
from harness.adapters.common.transport import HttpError
from harness.adapters.response_strategies import background, background_answer, client, model_table
from harness.adapters.response_strategies.background import ResponsesClient
from harness.adapters.response_strategies.background_answer import JobAnswer
from harness.adapters.response_strategies.background_store import MemoryStore
from mockserver.vocabulary import ErrorClass, ErrorInfo, Event, FinishReason, Json, JsonObject
from tests.known_bugs.bug import KnownBug


def has_no_function_that_polls(patch: pytest.MonkeyPatch) -> None:
    def ask(self: ResponsesClient, job: object) -> AsyncGenerator[Event, None]:
        raise AttributeError("module has no attribute 'get_response'")

    patch.setattr(ResponsesClient, "_ask", ask)


def polls_what_was_cut_or_cancelled(patch: pytest.MonkeyPatch) -> None:
    unfinished = ("queued", "in_progress", "incomplete", "cancelled")
    patch.setattr(background_answer, "_UNFINISHED", unfinished)


def polls_a_failure_that_mentions_the_network(patch: pytest.MonkeyPatch) -> None:
    chunk, retries = JobAnswer.chunk, iter(range(3))

    def again(self: JobAnswer, value: Json, **options: Json) -> list[Event]:
        if "network" in str(value.get("error")) and next(retries, None) is not None:
            value = {**value, "status": "in_progress", "error": None}
        return chunk(self, value, **options)

    patch.setattr(JobAnswer, "chunk", again)


def takes_every_status_for_a_lost_connection(patch: pytest.MonkeyPatch) -> None:
    ask = ResponsesClient._ask

    async def lost(self: ResponsesClient, job: background._Job) -> AsyncGenerator[Event, None]:
        try:
            async for event in ask(self, job):
                yield event
        except HttpError as exc:
            raise HttpError(failure(ErrorClass.CONNECTION_LOST, exc.error.message)) from None

    patch.setattr(ResponsesClient, "_ask", lost)


def retries_no_poll(patch: pytest.MonkeyPatch) -> None:
    ask = ResponsesClient._ask

    async def once(self: ResponsesClient, job: background._Job) -> AsyncGenerator[Event, None]:
        try:
            async for event in ask(self, job):
                yield event
        except HttpError as exc:
            raise HttpError(replace(exc.error, retryable=False)) from None

    patch.setattr(ResponsesClient, "_ask", once)


def counts_every_poll_as_a_retry(patch: pytest.MonkeyPatch) -> None:
    delay, ask = RetryPolicy.delay, ResponsesClient._ask
    polls = 0

    def counted(self: ResponsesClient, job: background._Job) -> AsyncGenerator[Event, None]:
        nonlocal polls
        polls += 1
        return ask(self, job)

    def left(self: RetryPolicy, retries: int, error: ErrorInfo, jitter: float) -> float | None:
        return delay(self, max(retries, polls - 1), error, jitter)

    patch.setattr(ResponsesClient, "_ask", counted)
    patch.setattr(RetryPolicy, "delay", left)


def polls_another_address(patch: pytest.MonkeyPatch) -> None:
    def url_of(self: ResponsesClient, job: background._Job) -> str:
        self._bearer = {}
        return self._url.replace("/v1/", "/openai/") + f"/{job.answer.response_id}"

    patch.setattr(ResponsesClient, "_url_of", url_of)


def answers_every_prompt_with_the_old_job(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(background, "job_key", lambda url, body: "job")
    patch.setattr(client, "_JOBS", MemoryStore())


def resumes_no_id(patch: pytest.MonkeyPatch) -> None:
    async def result(self: ResponsesClient, response_id: str) -> None:
        raise HttpError(failure(ErrorClass.INVALID_REQUEST, "no provider in the id"))

    patch.setattr(ResponsesClient, "result", result)


def retries_whatever_happened(patch: pytest.MonkeyPatch) -> None:
    def delay(self: RetryPolicy, retries: int, error: ErrorInfo, jitter: float) -> float | None:
        return None if retries >= self.max_retries else 0.0

    patch.setattr(RetryPolicy, "delay", delay)


def retries_fewer_times_without_a_job(patch: pytest.MonkeyPatch) -> None:
    job = ResponsesClient._job

    def without(
        self: ResponsesClient, body: JsonObject, messages: Sequence[JsonObject]
    ) -> background._Job:
        if "background" not in body:
            self._retry = RetryPolicy(max_retries=1)
        return job(self, body, messages)

    patch.setattr(ResponsesClient, "_job", without)


def sends_no_effort(patch: pytest.MonkeyPatch) -> None:
    build = background.responses_body

    def without(**fields: Json) -> JsonObject:
        return {k: v for k, v in build(**fields).items() if k != "reasoning"}

    patch.setattr(background, "responses_body", without)


def takes_an_answer_without_text_for_none(patch: pytest.MonkeyPatch) -> None:
    complete = JobAnswer._complete

    def text_only(
        self: JobAnswer, response: Mapping[str, Json], *rest: Json, **options: Json
    ) -> list[Event]:
        if "output_text" not in str(response.get("output")):
            return self.fail(failure(ErrorClass.EMPTY_RESPONSE, "no content in the response"))
        return complete(self, response, *rest, **options)

    patch.setattr(JobAnswer, "_complete", text_only)


def takes_a_cut_answer_for_whole(patch: pytest.MonkeyPatch) -> None:
    complete = JobAnswer._complete

    def whole(
        self: JobAnswer, response: Mapping[str, Json], raw: str, *rest: Json, **options: Json
    ) -> list[Event]:
        return complete(self, response, "completed", FinishReason.STOP)

    patch.setattr(JobAnswer, "_complete", whole)


def sends_bare_parts_and_no_image(patch: pytest.MonkeyPatch) -> None:
    build = background.responses_body

    def bare(**fields: Json) -> JsonObject:
        body = build(**fields)
        parts = [part for item in body["input"] for part in item["content"]]
        return body | {
            "input": [
                part | {"image_url": ""} if "https:" in part.get("image_url", "") else part
                for part in parts
            ]
        }

    patch.setattr(background, "responses_body", bare)


def reads_35_as_a_version(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        model_table,
        "MODELS",
        (model_table._row(r"gpt-?\d+", responses=True), *model_table.MODELS),
    )


def sends_models_without_a_version_to_chat(patch: pytest.MonkeyPatch) -> None:
    rows = tuple(row for row in model_table.MODELS if not row.open_weights)
    patch.setattr(model_table, "MODELS", rows)


BUGS = (
    KnownBug(
        row=1,
        at_stake=True,
        why="the answer is lost to an exception that no caller expects",
        case="background/poll-to-completed/text/recorded@response-strategies",
        kind="crash",
        break_=has_no_function_that_polls,
    ),
    KnownBug(
        row=2,
        at_stake=True,
        why="the caller gets a timeout in place of how the job ended",
        case="background/poll-terminal-failures/cancelled/recorded@response-strategies",
        kind="wrong-request",
        break_=polls_what_was_cut_or_cancelled,
    ),
    KnownBug(
        row=2,
        at_stake=True,
        why="the text is lost",
        case="background/poll-terminal-failures/incomplete-length/recorded@response-strategies",
        kind="false-failure",
        break_=polls_what_was_cut_or_cancelled,
    ),
    KnownBug(
        row=3,
        at_stake=False,
        why="the failure is reported, but late",
        case="background/poll-terminal-failures/failed-speaks-of-network/recorded@response-strategies",
        kind="extra-request",
        break_=polls_a_failure_that_mentions_the_network,
    ),
    KnownBug(
        row=4,
        at_stake=False,
        why="the failure is reported, but late",
        case="background/poll-transient-errors/unknown-id/recorded@response-strategies",
        kind="extra-request",
        break_=takes_every_status_for_a_lost_connection,
    ),
    KnownBug(
        row=4,
        at_stake=False,
        why="the failure is reported, and the job has its id",
        case="background/poll-transient-errors/reset-502-429/recorded@response-strategies",
        kind="no-retry",
        break_=retries_no_poll,
    ),
    KnownBug(
        row=5,
        at_stake=True,
        why="a complete answer is lost, though a retry was allowed",
        case="background/poll-transient-errors/healthy-polls-cost-nothing/recorded@response-strategies",
        kind="false-failure",
        break_=counts_every_poll_as_a_retry,
    ),
    KnownBug(
        row=6,
        at_stake=True,
        why="the answer is lost",
        case="background/poll-to-completed/text/recorded@response-strategies",
        kind="wrong-request",
        break_=polls_another_address,
    ),
    KnownBug(
        row=7,
        at_stake=True,
        why="the text is that of another prompt",
        case="background/job-taken-up-from-files/recorded@response-strategies",
        kind="text",
        break_=answers_every_prompt_with_the_old_job,
    ),
    KnownBug(
        row=7,
        at_stake=True,
        why="the answer is lost",
        case="background/resume-by-id/polled/recorded@response-strategies",
        kind="no-request",
        break_=resumes_no_id,
    ),
    KnownBug(
        row=8,
        at_stake=False,
        why="the failure is reported, after requests that cannot help",
        case="background/create-errors/bad-request/recorded@response-strategies",
        kind="extra-request",
        break_=retries_whatever_happened,
    ),
    KnownBug(
        row=8,
        at_stake=False,
        why="the failure is reported, after fewer requests than were allowed",
        case="background/create-errors/always-500-direct/recorded@response-strategies",
        kind="no-retry",
        break_=retries_fewer_times_without_a_job,
    ),
    KnownBug(
        row=9,
        at_stake=False,
        why="the model thinks as much as it does by default, and its answer is handed out whole",
        case="background/poll-to-completed/text/recorded@response-strategies",
        kind="request-form",
        break_=sends_no_effort,
    ),
    KnownBug(
        row=10,
        at_stake=True,
        why="a call is lost",
        case="background/poll-to-completed/call/recorded@response-strategies",
        kind="false-failure",
        break_=takes_an_answer_without_text_for_none,
    ),
    KnownBug(
        row=10,
        at_stake=True,
        why="a refusal is lost",
        case="background/poll-to-completed/refusal/recorded@response-strategies",
        kind="false-failure",
        break_=takes_an_answer_without_text_for_none,
    ),
    KnownBug(
        row=10,
        at_stake=True,
        why="a cut answer passes for a whole one",
        case="background/poll-terminal-failures/incomplete-length/recorded@response-strategies",
        kind="finish-reason",
        break_=takes_a_cut_answer_for_whole,
    ),
    KnownBug(
        row=11,
        at_stake=True,
        why="an image of the prompt is lost",
        case="background/multimodal-input/recorded@response-strategies",
        kind="wrong-request",
        break_=sends_bare_parts_and_no_image,
    ),
    KnownBug(
        row=12,
        at_stake=True,
        why="the answer is lost, since the server has no such model there",
        case="background/chat-by-model/azure-35/recorded@response-strategies",
        kind="wrong-request",
        break_=reads_35_as_a_version,
    ),
    KnownBug(
        row=12,
        at_stake=True,
        why="the answer is lost, since the server has no such model there",
        case="background/strategy-by-model/open-weights/recorded@response-strategies",
        kind="wrong-request",
        break_=sends_models_without_a_version_to_chat,
    ),
    KnownBug(
        row=13,
        at_stake=False,
        why="the failure is reported, after requests that cannot help",
        case="background/create-errors/bad-key/recorded@response-strategies",
        kind="extra-request",
        break_=retries_whatever_happened,
    ),
)
