"""The faults of docs/bugs.md in ``openai-compat``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import httpx
import pytest

from harness.adapters.chat import delta as chat_delta
from harness.adapters.chat import stream, tool_calls
from harness.adapters.chat.stream import ChatStream
from harness.adapters.chat.tool_calls import CallStarts, ToolCalls
from harness.adapters.common import answer_body, transport, usage
from harness.adapters.common.answer_body import AnswerBody
from harness.adapters.common.failures import failure
from harness.adapters.common.transport import HttpError, Transport
from harness.adapters.openai_compat import client
from mockserver.vocabulary import (
    ErrorClass,
    ErrorInfo,
    Event,
    Json,
    JsonObject,
    MessageStart,
    ReasoningDelta,
    RefusalDelta,
    ToolCallStart,
    Usage,
)
from mockserver.wire import Block, Decoder
from tests.known_bugs import chat
from tests.known_bugs.bug import KnownBug


def ends_silently_without_a_finish_reason(patch: pytest.MonkeyPatch) -> None:
    for name in ("done", "ended", "lost"):
        _end_silently(patch, name)


def _end_silently(patch: pytest.MonkeyPatch, name: str) -> None:
    end = getattr(ChatStream, name)

    def silent(self: ChatStream, *error: ErrorInfo) -> list[Event]:
        return end(self, *error) if self._finish else []

    patch.setattr(ChatStream, name, silent)


def ignores_an_error_in_the_stream(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(stream, "is_error", lambda value: False)


def reads_nothing_but_events(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(AnswerBody, "end", lambda self: [MessageStart()])


def drops_refusals(patch: pytest.MonkeyPatch) -> None:
    chat.drop(patch, RefusalDelta)


def drops_reasoning(patch: pytest.MonkeyPatch) -> None:
    chat.drop(patch, ReasoningDelta)


def drops_content_in_a_list(patch: pytest.MonkeyPatch) -> None:
    read = chat_delta._content
    patch.setattr(
        chat_delta, "_content", lambda value: read(value) if isinstance(value, str) else ()
    )


def drops_the_older_function_call(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ToolCalls, "add_legacy", lambda self, call: iter(()))


def numbers_every_call_0(patch: pytest.MonkeyPatch) -> None:
    start = CallStarts.start

    def first(self: CallStarts, call_id: str, name: str) -> ToolCallStart:
        return replace(start(self, call_id, name), tool_call_index=0)

    patch.setattr(CallStarts, "start", first)


def hands_on_a_boolean_index(patch: pytest.MonkeyPatch) -> None:
    start = CallStarts.start

    def as_it_came(self: CallStarts, call_id: str, name: str) -> ToolCallStart:
        event = start(self, call_id, name)
        return replace(event, tool_call_index=bool(event.tool_call_index))

    patch.setattr(CallStarts, "start", as_it_came)


def reads_no_arguments_but_text(patch: pytest.MonkeyPatch) -> None:
    add = ToolCalls.add

    def text_only(self: ToolCalls, delta: JsonObject) -> Iterator[Event]:
        function = delta["function"]
        if not isinstance(function.get("arguments"), str):
            function = {**function, "arguments": ""}
        return add(self, {**delta, "function": function})

    patch.setattr(ToolCalls, "add", text_only)


def mixes_two_choices(patch: pytest.MonkeyPatch) -> None:
    content = ChatStream._content

    def all_first(self: ChatStream, chunk: JsonObject) -> Iterator[Event]:
        return content(self, {"choices": [{**c, "index": 0} for c in chunk["choices"]]})

    patch.setattr(ChatStream, "_content", all_first)


def counts_no_cached_tokens(patch: pytest.MonkeyPatch) -> None:
    read = usage.read_usage

    def uncached(data: Json) -> Usage:
        return replace(read(data), cache_read_input_tokens=0)

    patch.setattr(usage, "read_usage", uncached)


def reports_no_usage_without_a_total(patch: pytest.MonkeyPatch) -> None:
    total = usage.UsageMeter.total

    def with_tokens(self: usage.UsageMeter) -> Usage | None:
        counts = total(self)
        return counts if counts and counts.total_tokens else None

    patch.setattr(usage.UsageMeter, "total", with_tokens)


def takes_the_first_name_of_a_count(patch: pytest.MonkeyPatch) -> None:
    def first(data: Json, paths: tuple[str, ...]) -> int | None:
        known = (usage.count(usage._at(data, path)) for path in paths)
        return next((count for count in known if count is not None), None)

    patch.setattr(usage, "_count_under", first)


def reads_the_last_line_of_an_event(patch: pytest.MonkeyPatch) -> None:
    read = AnswerBody._block

    def last_line(self: AnswerBody, block: Block) -> list[Event]:
        return read(self, replace(block, data=block.data and block.data.split("\n")[-1]))

    patch.setattr(AnswerBody, "_block", last_line)


def keeps_the_byte_order_mark(patch: pytest.MonkeyPatch) -> None:
    class Marked(Decoder):
        def __init__(self) -> None:
            super().__init__()
            self._first = False

    patch.setattr(answer_body, "Decoder", Marked)


def reads_no_cr_alone(patch: pytest.MonkeyPatch) -> None:
    class WithoutCr(Decoder):
        def feed(self, data: bytes) -> list:
            return super().feed(re.sub(rb"\r(?!\n)", b" ", data))

    patch.setattr(answer_body, "Decoder", WithoutCr)


def raises_what_the_library_raises(patch: pytest.MonkeyPatch) -> None:
    def error_of(self: Transport, exc: httpx.HTTPError) -> ErrorInfo:
        raise exc

    patch.setattr(Transport, "error_of", error_of)


def decodes_strictly(patch: pytest.MonkeyPatch) -> None:
    class Strict(Decoder):
        def feed(self, data: bytes) -> list:
            data.decode()
            return super().feed(data)

    patch.setattr(answer_body, "Decoder", Strict)


def follows_no_redirect(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transport, "_REDIRECTS", frozenset())


def discards_a_turn_with_bad_arguments(patch: pytest.MonkeyPatch) -> None:
    def strict(raw: str) -> JsonObject:
        try:
            arguments = json.loads(raw or "{}")
        except ValueError:
            message = "the arguments of a tool call are not JSON"
            raise HttpError(failure(ErrorClass.INVALID_TOOL_ARGUMENTS, message)) from None
        return arguments

    patch.setattr(tool_calls, "read_arguments", strict)


def lets_an_empty_list_hide_a_call(patch: pytest.MonkeyPatch) -> None:
    parts = ChatStream._parts

    def hidden(self: ChatStream, content: list[Event], delta: JsonObject) -> Iterator[Event]:
        if "tool_calls" in delta:
            delta = {**delta, "function_call": None}
        return parts(self, content, delta)

    patch.setattr(ChatStream, "_parts", hidden)


def always_sends_tools(patch: pytest.MonkeyPatch) -> None:
    build = client.request_body

    def with_tools(**fields: Mapping[str, Json]) -> JsonObject:
        return {"tools": [], "tool_choice": "auto", **build(**fields)}

    patch.setattr(client, "request_body", with_tools)


_NO_ENDING = "the stream has no ending, so a cut answer looks like a whole one"

BUGS = (
    KnownBug(
        row=1,
        at_stake=True,
        why=_NO_ENDING,
        case="http/eof-without-terminal/text/recorded@openai-compat",
        kind="no-ending",
        break_=ends_silently_without_a_finish_reason,
    ),
    KnownBug(
        row=2,
        at_stake=True,
        why=_NO_ENDING,
        case="http/reset-mid-stream/truncated/recorded@openai-compat",
        kind="no-ending",
        break_=ends_silently_without_a_finish_reason,
    ),
    KnownBug(
        row=3,
        at_stake=True,
        why=_NO_ENDING,
        case="openai-chat/finish-missing-with-done/text/recorded@openai-compat",
        kind="no-ending",
        break_=ends_silently_without_a_finish_reason,
    ),
    KnownBug(
        row=4,
        at_stake=True,
        why="a failure is hidden",
        case="openai-chat/error-object-midstream/unknown-code/recorded@openai-compat",
        kind="false-success",
        break_=ignores_an_error_in_the_stream,
    ),
    KnownBug(
        row=5,
        at_stake=True,
        why="a failure is hidden",
        case="http/200-json-error/object/recorded@openai-compat",
        kind="no-ending",
        break_=reads_nothing_but_events,
    ),
    KnownBug(
        row=5,
        at_stake=True,
        why="the text is lost, and nothing says so",
        case="http/200-json-completion-for-stream/text/recorded@openai-compat",
        kind="no-ending",
        break_=reads_nothing_but_events,
    ),
    KnownBug(
        row=6,
        at_stake=True,
        why="a refusal is lost",
        case="openai-chat/refusal-logprobs/refusal/recorded@openai-compat",
        kind="refusal",
        break_=drops_refusals,
    ),
    KnownBug(
        row=7,
        at_stake=True,
        why="text of the reasoning is lost",
        case="openai-chat/reasoning-content/recorded@openai-compat",
        kind="reasoning",
        break_=drops_reasoning,
    ),
    KnownBug(
        row=8,
        at_stake=True,
        why="the text is lost",
        case="mistral/content-list-mixed/recorded@openai-compat",
        kind="text",
        break_=drops_content_in_a_list,
    ),
    KnownBug(
        row=9,
        at_stake=True,
        why="a call is lost",
        case="openai-chat/legacy-function-call/stream/recorded@openai-compat",
        kind="tool-call",
        break_=drops_the_older_function_call,
    ),
    KnownBug(
        row=10,
        at_stake=True,
        why="two calls look like one",
        case="openai-chat/tool-index-missing/two-in-one-chunk/recorded@openai-compat",
        kind="tool-call",
        break_=numbers_every_call_0,
    ),
    KnownBug(
        row=11,
        at_stake=True,
        why="a call has a number that its type does not allow",
        case="openai-chat/tool-index-boolean/recorded@openai-compat",
        kind="malformed",
        break_=hands_on_a_boolean_index,
    ),
    KnownBug(
        row=12,
        at_stake=True,
        why="the arguments of a call are lost",
        case="openai-chat/tool-args-object/stream/recorded@openai-compat",
        kind="tool-call",
        break_=reads_no_arguments_but_text,
    ),
    KnownBug(
        row=13,
        at_stake=True,
        why="the text is wrong",
        case="openai-chat/n2-choices/interleaved/recorded@openai-compat",
        kind="text",
        break_=mixes_two_choices,
    ),
    KnownBug(
        row=14,
        at_stake=True,
        why="usage is too high",
        case="gemini-compat/usage-every-chunk/gemini/recorded@openai-compat",
        kind="usage",
        break_=chat.adds_up_the_usage,
    ),
    KnownBug(
        row=15,
        at_stake=True,
        why="usage says 0 where the wire says 8",
        case="openai-chat/usage-odd-forms/second-names-zero/recorded@openai-compat",
        kind="usage",
        break_=counts_no_cached_tokens,
    ),
    KnownBug(
        row=16,
        at_stake=True,
        why="usage is lost",
        case="openai-chat/usage-odd-forms/reasoning-alone/recorded@openai-compat",
        kind="usage-missing",
        break_=reports_no_usage_without_a_total,
    ),
    KnownBug(
        row=17,
        at_stake=True,
        why="usage says 0 where the wire says 12",
        case="openai-chat/usage-odd-forms/second-names-zero/recorded@openai-compat",
        kind="usage",
        break_=takes_the_first_name_of_a_count,
    ),
    KnownBug(
        row=18,
        at_stake=True,
        why="the beginning of the text passes for all of it",
        case="sse/no-blank-lines/after-text/recorded@openai-compat",
        kind="false-success",
        break_=reads_the_last_line_of_an_event,
    ),
    KnownBug(
        row=19,
        at_stake=True,
        why="text is lost",
        case="sse/bom-at-start/recorded@openai-compat",
        kind="text",
        break_=keeps_the_byte_order_mark,
    ),
    KnownBug(
        row=20,
        at_stake=True,
        why="the whole answer is lost",
        case="sse/cr-only-line-ends/recorded@openai-compat",
        kind="false-failure",
        break_=reads_no_cr_alone,
    ),
    KnownBug(
        row=21,
        at_stake=True,
        why="a failure has a type that no caller expects",
        case="http/reset-mid-stream/reset/recorded@openai-compat",
        kind="crash",
        break_=raises_what_the_library_raises,
    ),
    KnownBug(
        row=21,
        at_stake=True,
        why="the whole answer is lost",
        case="sse/invalid-utf8/recorded@openai-compat",
        kind="crash",
        break_=decodes_strictly,
    ),
    KnownBug(
        row=22,
        at_stake=True,
        why="the whole answer is lost",
        case="http/redirect/temporary/recorded@openai-compat",
        kind="false-failure",
        break_=follows_no_redirect,
    ),
    KnownBug(
        row=23,
        at_stake=True,
        why="the good calls of the turn are lost",
        case="openai-chat/tools-json-glued/beside-a-good-call/recorded@openai-compat",
        kind="false-failure",
        break_=discards_a_turn_with_bad_arguments,
    ),
    KnownBug(
        row=24,
        at_stake=True,
        why="a call is lost",
        case="openai-chat/legacy-function-call-beside-empty-calls/stream/recorded@openai-compat",
        kind="tool-call",
        break_=lets_an_empty_list_hide_a_call,
    ),
    KnownBug(
        row=25,
        at_stake=False,
        why="the answer is the same from a server that takes the request",
        case="openai-chat/legacy-function-call-beside-empty-calls/stream/recorded@openai-compat",
        kind="request-form",
        break_=always_sends_tools,
    ),
)
