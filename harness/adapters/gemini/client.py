"""``gemini-client``: a client for Gemini's own API, of AI Studio and of Vertex AI.

A program can use the class; the function at the end is the adapter of the harness.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing

from harness.adapters.chat.tool_calls import call_ids
from harness.adapters.common.harness_call import make_call
from harness.adapters.common.native_client import NativeClient
from harness.adapters.gemini.body import GeminiBody
from harness.adapters.gemini.stream import GeminiStream
from harness.clients.interface import Call, adapter
from mockserver.vocabulary import AssistantTurn, Event, NeutralCall


class GeminiClient(NativeClient):
    """Sends requests to ``{base_url}/v1beta/models/{model}:generateContent`` and its stream.

    The key goes into ``x-goog-api-key``.
    """

    dialect = "gemini"
    reading = GeminiBody

    def headers(self) -> Mapping[str, str]:
        """Return the header with the key, if there is one."""
        (key,) = self._secrets
        return {"x-goog-api-key": key} if key else {}

    def answering(self, call: NeutralCall, request_id: str | None) -> GeminiStream:
        """Return the reader of one answer to ``call``."""
        return GeminiStream(
            taken_ids=call_ids(call.messages), secrets=self._secrets, request_id=request_id
        )


@adapter(
    dialects=["gemini"],
    features=[
        "streaming",
        "non_streaming",
        "tools",
        "reasoning",
        "citations",
        "retries",
        "multi_turn",
        "structured_output",
        "multiple_choices",
        "hosted_tools",
    ],
)
async def gemini_client(call: Call) -> AsyncIterator[Event | AssistantTurn]:
    """Run the client under the harness: one client for each call, closed after it."""
    client = GeminiClient.for_call(call)
    async with client, aclosing(make_call(client, call)) as answer:
        async for item in answer:
            yield item
