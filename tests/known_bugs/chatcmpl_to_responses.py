"""The faults of docs/bugs.md in ``chatcmpl-to-responses``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from harness.adapters.chat import delta, stream, tool_calls
from harness.adapters.chat.stream import ChatStream
from harness.adapters.chat.tool_calls import ToolCalls, _Call
from harness.adapters.chatcmpl_to_responses import events
from harness.adapters.chatcmpl_to_responses.events import ResponsesEvents
from harness.adapters.chatcmpl_to_responses.items import (
    OUTPUT_TEXT,
    CallItem,
    MessageItem,
    ReasoningItem,
)
from harness.adapters.common.usage import UsageMeter
from mockserver.vocabulary import (
    Citation,
    ErrorInfo,
    Event,
    FinishReason,
    Json,
    JsonObject,
    ReasoningDelta,
    ReasoningSignature,
    ToolCallStart,
    Usage,
)
from tests.known_bugs.bug import KnownBug

Patch = pytest.MonkeyPatch


def forgets_usage_at_a_chunk_without_it(patch: Patch) -> None:
    add = UsageMeter.add

    def added(self: UsageMeter, data: Json) -> None:
        if data is None:
            self._usage = Usage()
        add(self, data)

    patch.setattr(UsageMeter, "add", added)


def reads_no_thinking_blocks(patch: Patch) -> None:
    patch.setattr(delta, "_thinking", lambda _: iter(()))


def joins_signed_blocks(patch: Patch) -> None:
    def sign(self: ResponsesEvents, event: ReasoningSignature) -> Iterator[JsonObject]:
        if event.redacted_data is None:
            yield from self._open_reasoning()
            assert self._reasoning is not None
            self._reasoning.encrypted_content = event.signature

    patch.setattr(ResponsesEvents, "_add_signature", sign)


def counts_text_after_a_call_with_the_call(patch: Patch) -> None:
    new_fields = ResponsesEvents._new_item_fields

    def fields(self: ResponsesEvents, prefix: str) -> JsonObject:
        made = new_fields(self, prefix)
        is_after_call = prefix == "msg" and any(isinstance(i, CallItem) for i in self._items)
        return {**made, "output_index": made["output_index"] - is_after_call}

    patch.setattr(ResponsesEvents, "_new_item_fields", fields)


def gives_calls_without_ids_one_index_and_no_id(patch: Patch) -> None:
    start = ResponsesEvents._start_call

    def started(self: ResponsesEvents, event: ToolCallStart) -> Iterator[JsonObject]:
        opened = list(start(self, event))
        if event.id_synthesized:
            call = self._calls[event.tool_call_index]
            call.call_id, call.output_index = "", 0
            opened = [*opened[:-1], call.added()]
        yield from opened

    patch.setattr(ResponsesEvents, "_start_call", started)


def moves_the_message_behind_late_reasoning(patch: Patch) -> None:
    add = ResponsesEvents._open

    def opened(self: ResponsesEvents, item: Any) -> Iterator[JsonObject]:
        if isinstance(item, ReasoningItem) and self._message is not None:
            item.output_index = self._message.output_index
            self._items.remove(self._message)
            yield from add(self, item)
            self._items.append(self._message)
        else:
            yield from add(self, item)

    patch.setattr(ResponsesEvents, "_open", opened)


def opens_the_message_twice_before_a_refusal(patch: Patch) -> None:
    add = MessageItem.add

    def added(self: MessageItem, kind: Any, *rest: Any) -> Iterator[JsonObject]:
        if kind is not OUTPUT_TEXT and not self.parts:
            yield from self._open_part(OUTPUT_TEXT)
            yield self.added()
        yield from add(self, kind, *rest)

    patch.setattr(MessageItem, "add", added)


def puts_text_first_in_the_final_parts(patch: Patch) -> None:
    def parts(self: MessageItem, index_key: str) -> list[JsonObject]:
        text_first = sorted(self.parts, key=lambda kind: kind is not OUTPUT_TEXT)
        return [self.parts[kind].to_json() for kind in text_first]

    patch.setattr(MessageItem, "_parts_json", parts)


def counts_reasoning_as_a_part_of_the_message(patch: Patch) -> None:
    add = ResponsesEvents._add_text

    def added(self: ResponsesEvents, *arguments: Any) -> Iterator[JsonObject]:
        shift = any(isinstance(item, ReasoningItem) for item in self._items)
        for event in add(self, *arguments):
            if "content_index" in event:
                event["content_index"] += shift
            yield event

    patch.setattr(ResponsesEvents, "_add_text", added)


def reads_the_first_choice_whatever_its_index(patch: Patch) -> None:
    def content(self: ChatStream, chunk: Mapping[str, Json]) -> Iterator[Event]:
        for choice in (chunk.get("choices") or ())[:1]:
            yield from self._choice(choice)

    patch.setattr(ChatStream, "_content", content)


def takes_a_filtered_answer_for_a_whole_one(patch: Patch) -> None:
    patch.setitem(stream.FINISH_REASONS, "content_filter", FinishReason.STOP)


def completes_a_filtered_response(patch: Patch) -> None:
    patch.delitem(events._INCOMPLETE, FinishReason.CONTENT_FILTER)


def takes_every_end_for_success(patch: Patch) -> None:
    def ended(self: ChatStream, error: ErrorInfo | None = None) -> list[Event]:
        return [] if self.closed else self._complete()

    close = ToolCalls.close

    def closed(self: ToolCalls, **_: bool) -> tuple[list[Event], ErrorInfo | None]:
        return close(self, incomplete=True)

    patch.setattr(ChatStream, "ended", ended)
    patch.setattr(ChatStream, "lost", ended)
    patch.setattr(ToolCalls, "close", closed)


def hides_that_the_limit_cut_the_answer(patch: Patch) -> None:
    patch.setitem(stream.FINISH_REASONS, "length", FinishReason.STOP)


def completes_a_cut_response(patch: Patch) -> None:
    patch.delitem(events._INCOMPLETE, FinishReason.LENGTH)


def takes_an_answer_without_chunks_for_success(patch: Patch) -> None:
    def fail(self: ChatStream, error: ErrorInfo) -> list[Event]:
        return [] if self.closed else self._complete()

    patch.setattr(ChatStream, "fail", fail)


def keeps_one_piece_of_a_name(patch: Patch) -> None:
    def add_name(self: _Call, fragment: str, known: Any) -> None:
        self.name = self.name or fragment
        self.name_is_certain = True

    patch.setattr(_Call, "add_name", add_name)


def joins_a_new_id_to_the_call_of_its_index(patch: Patch) -> None:
    def find(self: ToolCalls, index: Json, wire_id: str, name: str) -> _Call | None:
        return self._by_index.get(index)

    patch.setattr(ToolCalls, "_find", find)


def streams_no_arguments_before_the_name(patch: Patch) -> None:
    append = _Call._append

    def appended(self: _Call, piece: str) -> None:
        if self.name:
            append(self, piece)

    patch.setattr(_Call, "_append", appended)


def doubles_reasoning_under_two_names(patch: Patch) -> None:
    def reasoning(data: Mapping[str, Json]) -> Iterator[Event]:
        for name in ("reasoning_content", "reasoning"):
            if text := data.get(name):
                yield ReasoningDelta(delta=text, channel="text")

    patch.setattr(delta, "_reasoning", reasoning)


def drops_the_older_function_call(patch: Patch) -> None:
    patch.setattr(ToolCalls, "add_legacy", lambda *_: iter(()))


def drops_citations(patch: Patch) -> None:
    read = delta.read_delta

    def without_citations(data: Mapping[str, Json]) -> Iterator[Event]:
        return (event for event in read(data) if not isinstance(event, Citation))

    patch.setattr(stream, "read_delta", without_citations)


def drops_thought_signatures(patch: Patch) -> None:
    for module in (delta, tool_calls):
        patch.setattr(module, "fields_to_send_back", lambda _: {})


def drops_log_probabilities(patch: Patch) -> None:
    patch.setattr(events, "token_logprobs", lambda _: [])


BUGS = (
    KnownBug(
        row=1,
        at_stake=True,
        why="usage is lost",
        case="c2r/usage-then-null/recorded@chatcmpl-to-responses",
        kind="usage-missing",
        break_=forgets_usage_at_a_chunk_without_it,
    ),
    KnownBug(
        row=2,
        at_stake=True,
        why="reasoning and what must go back are lost",
        case="litellm/thinking-blocks/blocks-alone/recorded@chatcmpl-to-responses",
        kind="reasoning",
        break_=reads_no_thinking_blocks,
    ),
    KnownBug(
        row=3,
        at_stake=True,
        why="what must go back is lost",
        case="c2r/signed-blocks/recorded@chatcmpl-to-responses",
        kind="native-content",
        break_=joins_signed_blocks,
    ),
    KnownBug(
        row=4,
        at_stake=False,
        why="all content is there, under wrong indexes",
        case="c2r/tool-then-text/recorded@chatcmpl-to-responses",
        kind="native-order",
        break_=counts_text_after_a_call_with_the_call,
    ),
    KnownBug(
        row=5,
        at_stake=True,
        why="results of the calls cannot be distinguished",
        case="c2r/calls-without-ids/recorded@chatcmpl-to-responses",
        kind="native-content",
        break_=gives_calls_without_ids_one_index_and_no_id,
    ),
    KnownBug(
        row=6,
        at_stake=False,
        why="all content is there, under wrong indexes",
        case="c2r/late-reasoning/recorded@chatcmpl-to-responses",
        kind="native-order",
        break_=moves_the_message_behind_late_reasoning,
    ),
    KnownBug(
        row=7,
        at_stake=False,
        why="nothing is lost; an empty part is added",
        case="c2r/refusal-then-text/recorded@chatcmpl-to-responses",
        kind="native-order",
        break_=opens_the_message_twice_before_a_refusal,
    ),
    KnownBug(
        row=8,
        at_stake=False,
        why="all content is there, in another order",
        case="c2r/refusal-without-content/recorded@chatcmpl-to-responses",
        kind="native-order",
        break_=puts_text_first_in_the_final_parts,
    ),
    KnownBug(
        row=9,
        at_stake=False,
        why="all content is there, under wrong indexes",
        case="openai-chat/reasoning-content/recorded@chatcmpl-to-responses",
        kind="native-order",
        break_=counts_reasoning_as_a_part_of_the_message,
    ),
    KnownBug(
        row=10,
        at_stake=True,
        why="two answers are mixed",
        case="openai-chat/n2-choices/interleaved/recorded@chatcmpl-to-responses",
        kind="text",
        break_=reads_the_first_choice_whatever_its_index,
    ),
    KnownBug(
        row=11,
        at_stake=True,
        why="a filtered answer passes for a whole one",
        case="c2r/content-filter-empty/recorded@chatcmpl-to-responses",
        kind="finish-reason",
        break_=takes_a_filtered_answer_for_a_whole_one,
    ),
    KnownBug(
        row=11,
        at_stake=True,
        why="a filtered answer passes for a whole one",
        case="c2r/content-filter-empty/recorded@chatcmpl-to-responses",
        kind="native-content",
        break_=completes_a_filtered_response,
    ),
    KnownBug(
        row=12,
        at_stake=True,
        why="half an answer passes for a whole one",
        case="c2r/upstream-error-to-failed/eof/recorded@chatcmpl-to-responses",
        kind="false-success",
        break_=takes_every_end_for_success,
    ),
    KnownBug(
        row=12,
        at_stake=True,
        why="half a call passes for a whole answer",
        case="http/eof-without-terminal/tool-cut/recorded@chatcmpl-to-responses",
        kind="false-success",
        break_=takes_every_end_for_success,
    ),
    KnownBug(
        row=13,
        at_stake=True,
        why="half an answer passes for a whole one",
        case="c2r/length-and-empty-reasoning/text/recorded@chatcmpl-to-responses",
        kind="finish-reason",
        break_=hides_that_the_limit_cut_the_answer,
    ),
    KnownBug(
        row=13,
        at_stake=True,
        why="half an answer passes for a whole one",
        case="c2r/length-and-empty-reasoning/text/recorded@chatcmpl-to-responses",
        kind="native-content",
        break_=completes_a_cut_response,
    ),
    KnownBug(
        row=14,
        at_stake=True,
        why="a failure passes for success",
        case="http/200-empty-body/stream/recorded@chatcmpl-to-responses",
        kind="false-success",
        break_=takes_an_answer_without_chunks_for_success,
    ),
    KnownBug(
        row=14,
        at_stake=True,
        why="a failure passes for success",
        case="c2r/upstream-error-to-failed/json-body/recorded@chatcmpl-to-responses",
        kind="false-success",
        break_=takes_an_answer_without_chunks_for_success,
    ),
    KnownBug(
        row=15,
        at_stake=True,
        why="the call names no tool that exists",
        case="openai-chat/tool-name-split/recorded@chatcmpl-to-responses",
        kind="tool-call",
        break_=keeps_one_piece_of_a_name,
    ),
    KnownBug(
        row=16,
        at_stake=True,
        why="two calls become one that cannot be read",
        case="openai-chat/tools-all-index-0/whole/recorded@chatcmpl-to-responses",
        kind="false-failure",
        break_=joins_a_new_id_to_the_call_of_its_index,
    ),
    KnownBug(
        row=17,
        at_stake=True,
        why="the deltas of the call join to half of its arguments",
        case="openai-chat/tool-name-late/after-arguments/recorded@chatcmpl-to-responses",
        kind="tool-call",
        break_=streams_no_arguments_before_the_name,
    ),
    KnownBug(
        row=18,
        at_stake=True,
        why="reasoning is doubled",
        case="vllm/reasoning-field-names/both/recorded@chatcmpl-to-responses",
        kind="reasoning",
        break_=doubles_reasoning_under_two_names,
    ),
    KnownBug(
        row=19,
        at_stake=True,
        why="the call is lost",
        case="openai-chat/legacy-function-call/stream/recorded@chatcmpl-to-responses",
        kind="tool-call",
        break_=drops_the_older_function_call,
    ),
    KnownBug(
        row=19,
        at_stake=True,
        why="sources of the text are lost",
        case="openai-chat/annotations-audio/annotations-stream/recorded@chatcmpl-to-responses",
        kind="citation",
        break_=drops_citations,
    ),
    KnownBug(
        row=19,
        at_stake=True,
        why="what must go back is lost",
        case="gemini-compat/tool-call/recorded@chatcmpl-to-responses",
        kind="signature",
        break_=drops_thought_signatures,
    ),
    KnownBug(
        row=19,
        at_stake=False,
        why="the text is whole; its probabilities are lost",
        case="c2r/log-probabilities/text/recorded@chatcmpl-to-responses",
        kind="native-order",
        break_=drops_log_probabilities,
    ),
)
