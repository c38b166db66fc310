"""``ollama-client``: a client for Ollama's own API.

A program can use the class; the function at the end is the adapter of the harness.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from harness.adapters.chat.tool_calls import call_ids
from harness.adapters.common.harness_call import make_call
from harness.adapters.common.native_client import NativeClient
from harness.adapters.ollama.lines import LinesBody
from harness.adapters.ollama.stream import OllamaStream
from harness.clients.interface import Call, adapter
from mockserver.vocabulary import AssistantTurn, Event, NeutralCall


class OllamaClient(NativeClient):
    """Sends requests to ``{base_url}/api/chat``, such as ``http://127.0.0.1:11434/api/chat``.

    A server on the same machine needs no key: give an empty one. ``options`` of a call that
    Chat Completions do not have go to the server by Ollama's names: ``keep_alive``, ``think``, and
    ``options`` with those of the model. The option ``endpoint: generate`` asks ``/api/generate``.
    """

    dialect = "ollama"
    reading = LinesBody

    def answering(self, call: NeutralCall, request_id: str | None) -> OllamaStream:
        """Return the reader of one answer to ``call``."""
        return OllamaStream(
            taken_ids=call_ids(call.messages),
            streamed=call.stream,
            secrets=self._secrets,
            request_id=request_id,
        )


@adapter(
    dialects=["ollama"],
    features=[
        "streaming",
        "non_streaming",
        "tools",
        "reasoning",
        "retries",
        "multi_turn",
        "structured_output",
        "generate",
    ],
)
async def ollama_client(call: Call) -> AsyncIterator[Event | AssistantTurn]:
    """Run the client under the harness: one client for each call, closed after it."""
    client = OllamaClient.for_call(call)
    async with client, aclosing(make_call(client, call)) as answer:
        async for item in answer:
            yield item
