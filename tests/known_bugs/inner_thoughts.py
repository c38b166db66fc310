"""The faults of docs/bugs.md in ``inner-thoughts``."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from harness.adapters.chat.arguments import read_arguments
from harness.adapters.chat.stream import ChatStream
from harness.adapters.chat.tool_calls import CallStarts, ToolCalls, _Call
from harness.adapters.common.answer import Answer
from harness.adapters.common.usage import UsageMeter
from harness.adapters.inner_thoughts import calls, client, json_stream
from harness.adapters.inner_thoughts.calls import CallArguments
from harness.adapters.inner_thoughts.client import InnerThoughtsClient
from harness.adapters.inner_thoughts.tokenizer import TokenCounter
from mockserver.vocabulary import (
    ContentDelta,
    ErrorInfo,
    Event,
    Json,
    JsonObject,
    ReasoningDelta,
    RefusalDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)
from tests.known_bugs import chat
from tests.known_bugs.bug import KnownBug

_OF_A_CALL = (ToolCallStart, ToolCallDelta, ToolCallEnd)


def reads_a_name_or_arguments(patch: pytest.MonkeyPatch) -> None:
    add = ToolCalls.add

    def either(self: ToolCalls, delta: JsonObject) -> Iterator[Event]:
        function = delta["function"]
        if function.get("name"):
            function = {"name": function["name"]}
        return add(self, {**delta, "function": function})

    patch.setattr(ToolCalls, "add", either)


def begins_a_call_with_its_thoughts(patch: pytest.MonkeyPatch) -> None:
    feed = CallArguments.feed

    def after_thoughts(self: CallArguments, event: Event) -> Iterator[Event]:
        for new in feed(self, event):
            if isinstance(new, ToolCallStart):
                self.is_silent = not self._thoughts
            if not (isinstance(new, _OF_A_CALL) and self.is_silent):
                yield new

    patch.setattr(CallArguments, "feed", after_thoughts)


def quotes_values_at_one_end(patch: pytest.MonkeyPatch) -> None:
    feed = CallArguments.feed

    def broken(text: str) -> str:
        return re.sub(r'(?<=":)(?=[^"{\[\s])', '"', text)

    def quoted(self: CallArguments, event: Event) -> Iterator[Event]:
        for new in feed(self, event):
            if isinstance(new, ToolCallDelta):
                yield replace(new, arguments_delta=broken(new.arguments_delta))
            elif not isinstance(new, ToolCallEnd) or read_arguments(broken(new.arguments_raw)):
                yield new

    patch.setattr(CallArguments, "feed", quoted)


def leaves_escapes_and_repeats_the_message(patch: pytest.MonkeyPatch) -> None:
    end = CallArguments._end
    patch.setattr(json_stream, "_decoded", lambda string: string[1:-1])

    def twice(self: CallArguments, call: calls._Call, event: ToolCallEnd) -> Iterator[Event]:
        yield from end(self, call, event)
        if call.is_message:
            yield ContentDelta(delta=event.arguments["message"])

    patch.setattr(CallArguments, "_end", twice)


def reads_one_call_of_a_chunk(patch: pytest.MonkeyPatch) -> None:
    parts = ChatStream._parts

    def one(self: ChatStream, content: list[Event], delta: JsonObject) -> Iterator[Event]:
        return parts(self, content, {**delta, "tool_calls": delta.get("tool_calls", [])[:1]})

    patch.setattr(ChatStream, "_parts", one)


def takes_all_calls_for_one(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ToolCalls, "_find", lambda self, index, wire_id, name: self._last)


def joins_a_repeated_name(patch: pytest.MonkeyPatch) -> None:
    def joined(self: _Call, fragment: str, known: object) -> None:
        self.name += fragment

    patch.setattr(_Call, "add_name", joined)


def adds_null_to_a_count(patch: pytest.MonkeyPatch) -> None:
    add = UsageMeter.add

    def counted(self: UsageMeter, data: Json) -> None:
        if isinstance(data, Mapping):
            0 + data["completion_tokens"]
        add(self, data)

    patch.setattr(UsageMeter, "add", counted)


def looks_into_a_null_function(patch: pytest.MonkeyPatch) -> None:
    add = ToolCalls.add

    def named(self: ToolCalls, delta: JsonObject) -> Iterator[Event]:
        delta["function"].get("name")
        return add(self, delta)

    patch.setattr(ToolCalls, "add", named)


def looks_into_a_null_delta(patch: pytest.MonkeyPatch) -> None:
    choice = ChatStream._choice

    def read(self: ChatStream, data: JsonObject) -> Iterator[Event]:
        data["delta"].get("tool_calls")
        return choice(self, data)

    patch.setattr(ChatStream, "_choice", read)


def reads_nothing_but_calls(patch: pytest.MonkeyPatch) -> None:
    chat.drop(patch, ContentDelta, RefusalDelta, ReasoningDelta)


def needs_an_id(patch: pytest.MonkeyPatch) -> None:
    start = CallStarts.start

    def with_id(self: CallStarts, call_id: str, name: str) -> ToolCallStart:
        if not call_id:
            raise ValueError("no tool call id")
        return start(self, call_id, name)

    patch.setattr(CallStarts, "start", with_id)


def takes_cut_arguments_for_whole(patch: pytest.MonkeyPatch) -> None:
    close, ended = ToolCalls.close, ChatStream.ended

    def lenient(self: ToolCalls, *, incomplete: bool) -> tuple[list[Event], None]:
        return close(self, incomplete=True)

    def complete(self: ChatStream) -> list[Event]:
        self._finish = self._finish or "tool_calls"
        return ended(self)

    patch.setattr(ToolCalls, "close", lenient)
    patch.setattr(ChatStream, "ended", complete)


def reads_the_last_chunk_again_when_cancelled(patch: pytest.MonkeyPatch) -> None:
    stream = InnerThoughtsClient.stream

    async def again(self: InnerThoughtsClient, **call: Any) -> AsyncGenerator[Event, None]:
        last: list[Event] = []
        try:
            async for event in stream(self, **call):
                last = [event]
                yield event
        except asyncio.CancelledError:
            for event in last:
                yield event

    patch.setattr(InnerThoughtsClient, "stream", again)


def raises_while_it_reports_an_error(patch: pytest.MonkeyPatch) -> None:
    def fail(self: Answer, error: ErrorInfo) -> list[Event]:
        raise AttributeError("there is no span for the error")

    patch.setattr(Answer, "fail", fail)


def leaves_escapes_in_thoughts(patch: pytest.MonkeyPatch) -> None:
    feed = CallArguments.feed
    patch.setattr(json_stream, "_decoded", lambda string: string[1:-1])

    def spaced(self: CallArguments, event: Event) -> Iterator[Event]:
        known = bool(self._thoughts)
        for new in feed(self, event):
            if isinstance(new, ReasoningDelta) and not known:
                new, known = replace(new, delta=f" {new.delta}"), True
            yield new

    patch.setattr(CallArguments, "feed", spaced)


def downloads_its_tokenizer(patch: pytest.MonkeyPatch) -> None:
    def load(tokenizer: str) -> TokenCounter:
        raise ConnectionError("cannot download the vocabulary")

    patch.setattr(client, "counter_of", load)


_CRASH = "the answer is lost to an exception that no caller expects"

BUGS = (
    KnownBug(
        row=1,
        at_stake=True,
        why="the arguments of a call are lost",
        case="letta/call-in-one-chunk/thoughts-first/recorded@inner-thoughts",
        kind="tool-call",
        break_=reads_a_name_or_arguments,
    ),
    KnownBug(
        row=1,
        at_stake=True,
        why="the text is lost",
        case="letta/call-in-one-chunk/message/recorded@inner-thoughts",
        kind="text",
        break_=reads_a_name_or_arguments,
    ),
    KnownBug(
        row=2,
        at_stake=True,
        why="a call is lost",
        case="letta/inner-thoughts-other-order/missing/recorded@inner-thoughts",
        kind="tool-call",
        break_=begins_a_call_with_its_thoughts,
    ),
    KnownBug(
        row=2,
        at_stake=True,
        why="a call is lost",
        case="letta/inner-thoughts-other-order/last/recorded@inner-thoughts",
        kind="tool-call",
        break_=begins_a_call_with_its_thoughts,
    ),
    KnownBug(
        row=3,
        at_stake=True,
        why="the arguments of a call are lost",
        case="letta/argument-values/after/recorded@inner-thoughts",
        kind="tool-call",
        break_=quotes_values_at_one_end,
    ),
    KnownBug(
        row=4,
        at_stake=True,
        why="the text is changed and doubled",
        case="letta/message-tool/escapes/recorded@inner-thoughts",
        kind="text",
        break_=leaves_escapes_and_repeats_the_message,
    ),
    KnownBug(
        row=5,
        at_stake=True,
        why="the arguments of a call are lost",
        case="letta/parallel-calls/same-chunk/recorded@inner-thoughts",
        kind="tool-call",
        break_=reads_one_call_of_a_chunk,
    ),
    KnownBug(
        row=5,
        at_stake=True,
        why="two calls become one that nobody can run",
        case="openai-chat/tools-interleaved/recorded@inner-thoughts",
        kind="false-failure",
        break_=takes_all_calls_for_one,
    ),
    KnownBug(
        row=6,
        at_stake=True,
        why="a call has the name of no tool",
        case="openai-chat/tool-name-repeated/recorded@inner-thoughts",
        kind="tool-call",
        break_=joins_a_repeated_name,
    ),
    KnownBug(
        row=7,
        at_stake=True,
        why="usage is too high",
        case="letta/usage-estimate/running-totals/recorded@inner-thoughts",
        kind="usage",
        break_=chat.adds_up_the_usage,
    ),
    KnownBug(
        row=8,
        at_stake=True,
        why=_CRASH,
        case="letta/usage-estimate/null-count/recorded@inner-thoughts",
        kind="crash",
        break_=adds_null_to_a_count,
    ),
    KnownBug(
        row=9,
        at_stake=True,
        why=_CRASH,
        case="openai-chat/null-and-missing-parts/tool/recorded@inner-thoughts",
        kind="crash",
        break_=looks_into_a_null_function,
    ),
    KnownBug(
        row=9,
        at_stake=True,
        why=_CRASH,
        case="openai-chat/null-and-missing-parts/text/recorded@inner-thoughts",
        kind="crash",
        break_=looks_into_a_null_delta,
    ),
    KnownBug(
        row=10,
        at_stake=True,
        why="the text is lost",
        case="openai-chat/text-basic/recorded@inner-thoughts",
        kind="text",
        break_=reads_nothing_but_calls,
    ),
    KnownBug(
        row=10,
        at_stake=True,
        why="a refusal is lost",
        case="openai-chat/refusal-logprobs/refusal/recorded@inner-thoughts",
        kind="refusal",
        break_=reads_nothing_but_calls,
    ),
    KnownBug(
        row=10,
        at_stake=True,
        why="text of the reasoning is lost",
        case="openai-chat/reasoning-content/recorded@inner-thoughts",
        kind="reasoning",
        break_=reads_nothing_but_calls,
    ),
    KnownBug(
        row=11,
        at_stake=True,
        why=_CRASH,
        case="openai-chat/tool-id-missing/absent/recorded@inner-thoughts",
        kind="crash",
        break_=needs_an_id,
    ),
    KnownBug(
        row=12,
        at_stake=True,
        why="half a call passes for a whole one",
        case="http/eof-without-terminal/tool-cut/recorded@inner-thoughts",
        kind="false-success",
        break_=takes_cut_arguments_for_whole,
    ),
    KnownBug(
        row=12,
        at_stake=True,
        why="half a call passes for a whole one",
        case="letta/truncated-thoughts/no-limit/recorded@inner-thoughts",
        kind="false-success",
        break_=takes_cut_arguments_for_whole,
    ),
    KnownBug(
        row=13,
        at_stake=True,
        why="a piece of the answer is doubled, and the call goes on",
        case="conduct/chat-stop-in-call/recorded@inner-thoughts",
        kind="cancel",
        break_=reads_the_last_chunk_again_when_cancelled,
    ),
    KnownBug(
        row=14,
        at_stake=True,
        why="a failure has a type that no caller expects, and its cause is lost",
        case="openai-chat/error-object-midstream/server-error/recorded@inner-thoughts",
        kind="crash",
        break_=raises_while_it_reports_an_error,
    ),
    KnownBug(
        row=15,
        at_stake=True,
        why="a failure has a type that no caller expects",
        case="http/200-empty-body/stream/recorded@inner-thoughts",
        kind="crash",
        break_=raises_while_it_reports_an_error,
    ),
    KnownBug(
        row=16,
        at_stake=True,
        why="text of the reasoning is changed",
        case="letta/inner-thoughts-first/call/recorded@inner-thoughts",
        kind="reasoning",
        break_=leaves_escapes_in_thoughts,
    ),
    KnownBug(
        row=17,
        at_stake=True,
        why=_CRASH,
        case="letta/usage-estimate/silent/recorded@inner-thoughts",
        kind="crash",
        break_=downloads_its_tokenizer,
    ),
)
