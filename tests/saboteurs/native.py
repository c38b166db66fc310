"""Broken translators: the plain client with Responses events beside its own, one step changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from harness import Call
from harness.adapters.chatcmpl_to_responses.events import ResponsesEvents
from mockserver.vocabulary.codec import event_from_json, to_json
from tests.saboteurs.broken import caught_by
from tests.saboteurs.client import Event, SimpleClient


class NativeClient(SimpleClient):
    def __init__(self, call: Call) -> None:
        super().__init__(call)
        self.responses = ResponsesEvents({"model": call.model, "created_at": 1})

    async def run(self) -> AsyncIterator[Event]:
        async for item in super().run():
            yield self.translated(item) if "type" in item else item

    def translated(self, event: Event) -> Event:
        data = to_json(self.responses.feed(event_from_json(event)))
        native = [changed for n in data.pop("native", ()) for changed in self.native(n)]
        return {**data, "native": native} if native else data

    def native(self, event: Event) -> list[Any]:
        return [event]


@caught_by("native-turn", "native-content", "openai-chat/text-basic/recorded")
class EmitsNoNativeEvents(NativeClient):
    def native(self, event: Event) -> list[Any]:
        return []


@caught_by("native", "native-order", "openai-chat/text-basic/recorded")
class OmitsTextDone(NativeClient):
    def native(self, event: Event) -> list[Any]:
        return [] if event["type"] == "response.output_text.done" else [event]


@caught_by("native", "native-order", "openai-chat/tools-interleaved/recorded")
class PutsEveryItemAtIndexZero(NativeClient):
    def native(self, event: Event) -> list[Any]:
        return [{**event, "output_index": 0} if "output_index" in event else event]


@caught_by("native", "native-form", "c2r/upstream-error-to-failed/eof/recorded")
class CompletesWhatFailed(NativeClient):
    def native(self, event: Event) -> list[Any]:
        if event["type"] != "response.failed":
            return [event]
        return [{**event, "type": "response.completed"}]


@caught_by("native-turn", "native-content", "openai-chat/text-basic/recorded")
class EmitsAnotherTextInItems(NativeClient):
    def native(self, event: Event) -> list[Any]:
        return [swapped(event)]


@caught_by("native-turn", "native-content", "openai-chat/text-basic/recorded")
class LosesTheUsage(NativeClient):
    def native(self, event: Event) -> list[Any]:
        if event["type"] != "response.completed":
            return [event]
        usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
        return [{**event, "response": {**event["response"], "usage": usage}}]


@caught_by("resplit", "native-content", "openai-chat/tools-interleaved/recorded")
class StreamsOtherArgumentsThanTheFinalOnes(NativeClient):
    def native(self, event: Event) -> list[Any]:
        if event["type"] == "response.function_call_arguments.delta":
            return [{**event, "delta": event["delta"] + " "}]
        return [event]


@caught_by("native-sequence", "native-order", "c2r/tool-then-text/recorded")
class StaysSilentBetweenCreatedAndTheEnd(NativeClient):
    def native(self, event: Event) -> list[Any]:
        return [event] if "response" in event else []


def swapped(value: Any) -> Any:
    """Return the same JSON with the case of every text swapped."""
    if isinstance(value, dict):
        return {k: v.swapcase() if k in _TEXTS else swapped(v) for k, v in value.items()}
    return [swapped(v) for v in value] if isinstance(value, list) else value


_TEXTS = {"delta", "text"}
