"""The faults of docs/bugs.md in ``chatgpt-oauth``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from harness.adapters.chatgpt_oauth import client, request
from harness.adapters.chatgpt_oauth.client import ChatGPTOAuthClient
from harness.adapters.common import answer_body, transport
from harness.adapters.common.answer_body import AnswerBody
from harness.adapters.common.failures import _ErrorBody, failure
from harness.adapters.common.transport import HttpError, Transport
from harness.adapters.responses.items import Items
from harness.adapters.responses.stream import ResponsesStream
from harness.adapters.responses.texts import Channel
from mockserver.dialects.codex import request as codex_request
from mockserver.vocabulary import (
    AssistantTurn,
    ContentDelta,
    ErrorClass,
    Event,
    FinishReason,
    Json,
    JsonObject,
    RefusalDelta,
)
from mockserver.wire import Block, Decoder
from tests.known_bugs.bug import KnownBug

Patch = pytest.MonkeyPatch


def looks_for_id_and_usage_at_the_wrong_depth(patch: Patch) -> None:
    whole = ChatGPTOAuthClient.complete

    async def complete(self: ChatGPTOAuthClient, **call: Any) -> AssistantTurn:
        turn = await whole(self, **call)
        return replace(turn, response_id=None, model=None, usage=None)

    patch.setattr(ChatGPTOAuthClient, "complete", complete)


def takes_every_response_for_complete(patch: Patch) -> None:
    def response(self: ResponsesStream, data: JsonObject, status: str) -> list[Event]:
        return self._complete(data, None, FinishReason.STOP)

    patch.setattr(ResponsesStream, "_response", response)


def makes_a_refusal_an_empty_text(patch: Patch) -> None:
    changed_texts(
        patch,
        lambda event: ContentDelta(delta="") if isinstance(event, RefusalDelta) else event,
    )


def needs_the_output_to_be_a_list(patch: Patch) -> None:
    settle = Items.settle

    def settled(self: Items, output: Json, *, incomplete: bool) -> Iterator[Event]:
        return settle(self, list(output), incomplete=incomplete)

    patch.setattr(Items, "settle", settled)


def drops_encrypted_reasoning(patch: Patch) -> None:
    patch.setattr(Items, "_sign", lambda *_: iter(()))


def drops_reasoning_text(patch: Patch) -> None:
    take = Items._text

    def text(self: Items, item: Any, channel: Channel, *rest: Any) -> Iterator[Event]:
        if channel is not Channel.REASONING:
            yield from take(self, item, channel, *rest)

    patch.setattr(Items, "_text", text)


def drops_citations(patch: Patch) -> None:
    patch.setattr(Items, "_cite", lambda *_: iter(()))


def never_requests_encrypted_reasoning(patch: Patch) -> None:
    build = request.request_body

    def body(**call: Any) -> JsonObject:
        return {name: value for name, value in build(**call).items() if name != "include"}

    patch.setattr(client, "request_body", body)


def needs_a_space_after_data(patch: Patch) -> None:
    class SpacedDecoder(Decoder):
        def _field(self, raw: bytes) -> None:
            if raw.startswith(b"data: ") or not raw.startswith(b"data:"):
                super()._field(raw)

    patch.setattr(answer_body, "Decoder", SpacedDecoder)
    takes_the_end_of_the_body_for_success(patch)


def takes_the_end_of_the_body_for_success(patch: Patch) -> None:
    def ended(self: ResponsesStream) -> list[Event]:
        return [] if self.closed else self._complete({}, None, FinishReason.STOP)

    patch.setattr(ResponsesStream, "ended", ended)


def loses_events_with_line_separators(patch: Patch) -> None:
    skipped_blocks(patch, lambda data: "\u2028" in data)


def loses_events_on_several_lines(patch: Patch) -> None:
    skipped_blocks(patch, lambda data: "\n" in data)
    takes_the_end_of_the_body_for_success(patch)


def skips_broken_json(patch: Patch) -> None:
    skipped_blocks(
        patch, lambda data: data.startswith("{") and answer_body._json_or_text(data) is data
    )


def needs_data_to_be_an_object(patch: Patch) -> None:
    take = ResponsesStream.chunk

    def chunk(self: ResponsesStream, value: Any, **context: Any) -> list[Event]:
        value.get("type")
        return take(self, value, **context)

    patch.setattr(ResponsesStream, "chunk", chunk)


def knows_no_input_that_is_too_long(patch: Patch) -> None:
    classify = _ErrorBody.classify

    def classified(self: _ErrorBody, status: int | None, **context: Any) -> ErrorClass:
        found = classify(self, status, **context)
        return ErrorClass.INVALID_REQUEST if found is ErrorClass.CONTEXT_LENGTH else found

    patch.setattr(_ErrorBody, "classify", classified)


def takes_the_word_token_for_an_input_that_is_too_long(patch: Patch) -> None:
    classify = _ErrorBody.classify

    def classified(self: _ErrorBody, status: int | None, **context: Any) -> ErrorClass:
        if any("token" in text for text in self.texts):
            return ErrorClass.CONTEXT_LENGTH
        return classify(self, status, **context)

    patch.setattr(_ErrorBody, "classify", classified)


def lets_exceptions_of_the_http_library_out(patch: Patch) -> None:
    def error_of(self: Transport, exc: httpx.HTTPError) -> Any:
        raise exc

    patch.setattr(Transport, "error_of", error_of)


def takes_201_for_a_failure(patch: Patch) -> None:
    send = Transport._send

    async def sent(self: Transport, message: httpx.Request) -> httpx.Response:
        response = await send(self, message)
        if response.status_code == httpx.codes.CREATED:
            await response.aclose()
            raise HttpError(failure(ErrorClass.PROTOCOL, "status 201"))
        return response

    patch.setattr(Transport, "_send", sent)


def follows_no_redirect(patch: Patch) -> None:
    patch.setattr(transport, "_REDIRECTS", frozenset())


def finds_reasoning_models_by_a_part_of_the_name(patch: Patch) -> None:
    patch.setattr(
        codex_request, "is_reasoning_model", lambda model: any(n in model for n in ("o1", "gpt-5"))
    )


def reads_text_of_a_whole_turn_from_its_items_only(patch: Patch) -> None:
    whole = ChatGPTOAuthClient.complete

    async def complete(self: ChatGPTOAuthClient, **call: Any) -> AssistantTurn:
        patch.setattr(Items, "piece", lambda *_: iter(()))
        return await whole(self, **call)

    patch.setattr(ChatGPTOAuthClient, "complete", complete)


def changed_texts(patch: Patch, change: Any) -> None:
    take = Items._text

    def text(self: Items, *arguments: Any) -> Iterator[Event]:
        yield from map(change, take(self, *arguments))

    patch.setattr(Items, "_text", text)


def skipped_blocks(patch: Patch, is_skipped: Any) -> None:
    take = AnswerBody._block

    def block(self: AnswerBody, one: Block) -> list[Event]:
        return [] if is_skipped(one.data or "") else take(self, one)

    patch.setattr(AnswerBody, "_block", block)


BUGS = (
    KnownBug(
        row=1,
        at_stake=True,
        why="usage is lost",
        case="codex/deltas-only/whole/recorded@chatgpt-oauth",
        kind="usage-missing",
        break_=looks_for_id_and_usage_at_the_wrong_depth,
    ),
    KnownBug(
        row=2,
        at_stake=True,
        why="a failure passes for success",
        case="openai-responses/failed-rate-limit/seconds/recorded@chatgpt-oauth",
        kind="false-success",
        break_=takes_every_response_for_complete,
    ),
    KnownBug(
        row=2,
        at_stake=True,
        why="an answer that was cut passes for a whole one",
        case="codex/incomplete/limit/recorded@chatgpt-oauth",
        kind="finish-reason",
        break_=takes_every_response_for_complete,
    ),
    KnownBug(
        row=3,
        at_stake=True,
        why="the refusal is lost",
        case="openai-responses/refusal/recorded@chatgpt-oauth",
        kind="refusal",
        break_=makes_a_refusal_an_empty_text,
    ),
    KnownBug(
        row=4,
        at_stake=True,
        why="the answer is lost in an exception",
        case="codex/completed-output-empty/null-output/recorded@chatgpt-oauth",
        kind="crash",
        break_=needs_the_output_to_be_a_list,
    ),
    KnownBug(
        row=5,
        at_stake=True,
        why="what must go back is lost",
        case="openai-responses/reasoning-then-call/recorded@chatgpt-oauth",
        kind="signature",
        break_=drops_encrypted_reasoning,
    ),
    KnownBug(
        row=5,
        at_stake=True,
        why="what must go back is lost",
        case="codex/round-trip/recorded@chatgpt-oauth",
        kind="not-sent-back",
        break_=drops_encrypted_reasoning,
    ),
    KnownBug(
        row=5,
        at_stake=True,
        why="reasoning is lost",
        case="openai-responses/no-event-names-and-done/recorded@chatgpt-oauth",
        kind="reasoning",
        break_=drops_reasoning_text,
    ),
    KnownBug(
        row=5,
        at_stake=True,
        why="sources of the text are lost",
        case="openai-responses/citations-and-hosted-search/recorded@chatgpt-oauth",
        kind="citation",
        break_=drops_citations,
    ),
    KnownBug(
        row=5,
        at_stake=False,
        why="the answer is whole; the model forgets its reasoning",
        case="codex/request-contract/recorded@chatgpt-oauth",
        kind="request-form",
        break_=never_requests_encrypted_reasoning,
    ),
    KnownBug(
        row=6,
        at_stake=True,
        why="the answer is lost",
        case="codex/sse-forms/data-no-space/recorded@chatgpt-oauth",
        kind="text",
        break_=needs_a_space_after_data,
    ),
    KnownBug(
        row=7,
        at_stake=True,
        why="half an answer passes for a whole one",
        case="codex/eof-before-completed/text/recorded@chatgpt-oauth",
        kind="false-success",
        break_=takes_the_end_of_the_body_for_success,
    ),
    KnownBug(
        row=8,
        at_stake=True,
        why="text is lost",
        case="codex/sse-forms/separators-in-json/recorded@chatgpt-oauth",
        kind="text",
        break_=loses_events_with_line_separators,
    ),
    KnownBug(
        row=9,
        at_stake=True,
        why="text is lost",
        case="codex/sse-forms/multi-line-data/recorded@chatgpt-oauth",
        kind="text",
        break_=loses_events_on_several_lines,
    ),
    KnownBug(
        row=9,
        at_stake=True,
        why="an exception in place of a failure",
        case="codex/data-that-is-a-list/recorded@chatgpt-oauth",
        kind="crash",
        break_=needs_data_to_be_an_object,
    ),
    KnownBug(
        row=9,
        at_stake=True,
        why="text is lost without a failure",
        case="codex/sse-forms/broken-json/recorded@chatgpt-oauth",
        kind="false-success",
        break_=skips_broken_json,
    ),
    KnownBug(
        row=10,
        at_stake=False,
        why="the failure is reported, with another class of its family",
        case="codex/http-errors/context-length/recorded@chatgpt-oauth",
        kind="error-detail",
        break_=knows_no_input_that_is_too_long,
    ),
    KnownBug(
        row=11,
        at_stake=False,
        why="the failure is reported, with another class of its family",
        case="codex/http-errors/token-in-tools/recorded@chatgpt-oauth",
        kind="error-detail",
        break_=takes_the_word_token_for_an_input_that_is_too_long,
    ),
    KnownBug(
        row=12,
        at_stake=True,
        why="an exception in place of a failure",
        case="codex/http-errors/reset-mid-stream/recorded@chatgpt-oauth",
        kind="crash",
        break_=lets_exceptions_of_the_http_library_out,
    ),
    KnownBug(
        row=13,
        at_stake=True,
        why="the answer is lost",
        case="codex/201-and-redirect/created/recorded@chatgpt-oauth",
        kind="false-failure",
        break_=takes_201_for_a_failure,
    ),
    KnownBug(
        row=13,
        at_stake=True,
        why="the answer is lost",
        case="codex/201-and-redirect/redirect/recorded@chatgpt-oauth",
        kind="false-failure",
        break_=follows_no_redirect,
    ),
    KnownBug(
        row=14,
        at_stake=False,
        why="the fault is in the request",
        case="codex/models-that-do-not-reason/gpt-4o1x/recorded@chatgpt-oauth",
        kind="request-form",
        break_=finds_reasoning_models_by_a_part_of_the_name,
    ),
    KnownBug(
        row=15,
        at_stake=True,
        why="text is lost",
        case="codex/deltas-only/whole/recorded@chatgpt-oauth",
        kind="text",
        break_=reads_text_of_a_whole_turn_from_its_items_only,
    ),
)
