"""Broken clients for Gemini's own API: the bundled one, one step changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from typing import Any

from harness.adapters.gemini.body import GeminiBody
from harness.adapters.gemini.calls import Calls
from harness.adapters.gemini.client import GeminiClient
from harness.adapters.gemini.counts import Counts
from harness.adapters.gemini.stream import GeminiStream
from harness.model import ErrorClass, ErrorInfo, FinishReason
from harness.model import Event as NeutralEvent
from mockserver.vocabulary import Json, JsonObject
from tests.saboteurs.broken import caught_by
from tests.saboteurs.native_caller import NativeCaller


class GeminiCaller(NativeCaller):
    """Makes its call with the bundled client, one of whose readers is broken."""

    dialect = "gemini"
    bundled = GeminiClient
    body_reader = GeminiBody
    answer = GeminiStream


@caught_by("calls-kept", "tool-call", "gemini/function-call-whole/two/recorded")
class MergesCallsOfOneTool(GeminiCaller):
    class answer(GeminiStream):  # noqa: N801
        def __init__(self, **known: Any) -> None:
            super().__init__(**known)
            self._calls = _OneCall()


class _OneCall(Calls):
    def add(self, call: Mapping[str, Json], signature: str | None) -> Iterator[NeutralEvent]:
        return iter(()) if self else super().add(call, signature)


@caught_by("content-kept", "text", "gemini/thought-parts-signature/signature-last/recorded")
class ShowsThoughts(GeminiCaller):
    class answer(GeminiStream):  # noqa: N801
        def _part(self, part: Mapping[str, Json]) -> Iterator[NeutralEvent]:
            return super()._part({**part, "thought": False})


@caught_by("finish-reason", "finish-reason", "gemini/blocked/after-text/recorded")
class TakesAFilterForAStop(GeminiCaller):
    class answer(GeminiStream):  # noqa: N801
        def _reason(self) -> FinishReason:
            return FinishReason.STOP


@caught_by("sequence", "false-failure", "gemini/text-basic/streamed/recorded")
class WaitsForAnotherEvent(GeminiCaller):
    class answer(GeminiStream):  # noqa: N801
        waiting: Json = None

        def chunk(
            self,
            value: Json,
            *,
            is_named_error: bool = False,
            default: ErrorClass = ErrorClass.STREAM_ERROR,
        ) -> list[NeutralEvent]:
            value, self.waiting = self.waiting, value
            return super().chunk(value, is_named_error=is_named_error, default=default)


@caught_by("calls-kept", "signature", "gemini/function-call-whole/two/recorded")
class LosesTheSignatureOfACall(GeminiCaller):
    class answer(GeminiStream):  # noqa: N801
        def __init__(self, **known: Any) -> None:
            super().__init__(**known)
            self._calls = _Unsigned()


class _Unsigned(Calls):
    def add(self, call: Mapping[str, Json], _signature: str | None) -> Iterator[NeutralEvent]:
        return super().add(call, None)


@caught_by("content-kept", "signature", "gemini/thought-parts-signature/signature-last/recorded")
class SkipsEmptyTexts(GeminiCaller):
    class answer(GeminiStream):  # noqa: N801
        def _part(self, part: Mapping[str, Json]) -> Iterator[NeutralEvent]:
            return iter(()) if part.get("text") == "" else super()._part(part)


@caught_by("usage", "usage", "gemini/usage-forms/thoughts-and-tools/recorded")
class CountsNoThoughts(GeminiCaller):
    class answer(GeminiStream):  # noqa: N801
        def __init__(self, **known: Any) -> None:
            super().__init__(**known)
            self._counts = _Candidates()


class _Candidates(Counts):
    def add(self, usage: Json) -> JsonObject | None:
        counts = super().add(usage)
        known = usage.get("candidatesTokenCount") if isinstance(usage, Mapping) else None
        return counts and {**counts, "completion_tokens": known}


@caught_by("usage", "usage", "gemini/usage-forms/running-totals/recorded")
class AddsRunningTotals(GeminiCaller):
    class answer(GeminiStream):  # noqa: N801
        def __init__(self, **known: Any) -> None:
            super().__init__(**known)
            self._counts = _Sums()


class _Sums(Counts):
    def add(self, usage: Json) -> JsonObject | None:
        before = dict(self._known)
        known = usage if isinstance(usage, Mapping) else {}
        return super().add({name: count + before.get(name, 0) for name, count in known.items()})


@caught_by("error", "false-success", "gemini/blocked/prompt/recorded")
class TakesABlockedPromptForAnEmptyAnswer(GeminiCaller):
    class answer(GeminiStream):  # noqa: N801
        def _reason(self) -> FinishReason:
            return FinishReason.STOP if self._blocked else super()._reason()

        def _failure(self, reason: FinishReason) -> ErrorInfo | None:
            return None if self._blocked else super()._failure(reason)


@caught_by("in-band-error", "false-success", "gemini/errors-in-stream/after-text/recorded")
class SkipsErrorsInTheStream(GeminiCaller):
    class answer(GeminiStream):  # noqa: N801
        def chunk(
            self,
            value: Json,
            *,
            is_named_error: bool = False,
            default: ErrorClass = ErrorClass.STREAM_ERROR,
        ) -> list[NeutralEvent]:
            if isinstance(value, Mapping) and "error" in value:
                self._finish = "STOP"
                return []
            return super().chunk(value, is_named_error=is_named_error, default=default)


@caught_by("error", "false-success", "gemini/array-stream/tools/recorded")
class LosesTheLastElementOfAnArray(GeminiCaller):
    class body_reader(GeminiBody):  # noqa: N801
        def feed(self, data: bytes) -> list[NeutralEvent]:
            return super().feed(b"]" if data.endswith(b"]") else data)

    class answer(GeminiStream):  # noqa: N801
        def ended(self) -> list[NeutralEvent]:
            self._finish = "STOP"
            return super().ended()


@caught_by("request", "not-sent-back", "gemini/text-signature-last/recorded")
class SendsNoSignatureBack(GeminiCaller):
    async def run(self) -> AsyncIterator[Any]:
        messages = tuple(
            {name: value for name, value in message.items() if name != "parts"}
            for message in self.call.messages
        )
        self.call = replace(self.call, messages=messages)
        async for item in super().run():
            yield item
